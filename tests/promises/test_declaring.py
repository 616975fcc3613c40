"""How declarations are spelled: each method's own timing, paths of the area, ids of frameworks."""

from datetime import timedelta

import pytest

from troth.kernel.model import Control, Method
from troth.promises.declaring import Checks, supports

OWN = Checks("edge")


@pytest.mark.parametrize(
    ("method", "interval", "ttl"),
    [
        (Method.LOOK, timedelta(seconds=20), timedelta(minutes=1)),
        (Method.SCAN, timedelta(minutes=5), timedelta(minutes=15)),
        (Method.ATTACK, timedelta(minutes=5), timedelta(minutes=15)),
        (Method.DRILL, timedelta(days=1), timedelta(hours=26)),
    ],
)
def test_each_method_has_its_timing(method, interval, ttl):
    check = OWN.check("a.b", method, "tls:look", "tls:judge", "true")

    assert (check.method, check.interval, check.ttl) == (method, interval, ttl)


def test_what_costs_much_runs_once_a_day_under_its_own_method():
    check = OWN.daily("a.b", Method.SCAN, "tls:look", "tls:judge", "true")

    assert (check.method, check.interval) == (Method.SCAN, timedelta(days=1))


def test_paths_are_those_of_the_area_be_it_a_file_or_a_package():
    check = OWN.check("a.b", Method.LOOK, "tls:look", ":judge", "true")

    assert check.probe == "troth.promises.edge.probe.tls:look"
    assert check.judge == "troth.promises.edge.judge:judge"


def test_frameworks_by_ids_apart_by_spaces():
    assert supports(soc2="CC6.1 CC6.6", iso27001="A.8.20", gdpr="", other=("RFC 9325",)) == (
        Control("SOC2", "CC6.1"),
        Control("SOC2", "CC6.6"),
        Control("ISO27001:2022", "A.8.20"),
        Control("RFC", "9325"),
    )
