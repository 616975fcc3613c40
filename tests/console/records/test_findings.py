"""Findings follow the log, however often and by however many it is read."""

import threading
from datetime import UTC, datetime, timedelta
from enum import StrEnum

import pytest
from django.db import IntegrityError, connections, transaction

from troth.console.records.findings import Change, record
from troth.console.records.models import Finding
from troth.kernel.model import Severity, Verdict

pytestmark = pytest.mark.usefixtures("clean")


class Dreadful(StrEnum):
    """A severity that the database does not know."""

    WORST = "worst"


NOON = datetime(2026, 11, 21, 12, tzinfo=UTC)


def tell(verdict: Verdict, index: int, vantage: str = "here", check: str = "hsts-look") -> None:
    record(
        Change(
            promise="hsts",
            severity=Severity.HIGH,
            check=check,
            vantage=vantage,
            verdict=verdict,
            index=index,
            at=NOON + timedelta(seconds=index),
        )
    )


def story() -> list[tuple[str, int, int | None]]:
    return list(
        Finding.objects.order_by("opened_index", "vantage").values_list(
            "vantage", "opened_index", "closed_index"
        )
    )


def test_the_first_fail_opens_and_the_fix_closes():
    tell(Verdict.PASS, 1)
    tell(Verdict.FAIL, 2)
    tell(Verdict.FAIL, 3)
    assert story() == [("here", 2, None)]

    tell(Verdict.PASS, 4)
    tell(Verdict.PASS, 5)

    assert story() == [("here", 2, 4)]
    found = Finding.objects.get()
    assert (found.opened, found.closed) == (
        NOON + timedelta(seconds=2),
        NOON + timedelta(seconds=4),
    )
    assert (found.promise, found.severity) == ("hsts", "high")


def test_an_error_neither_opens_nor_closes():
    tell(Verdict.ERROR, 1)
    assert story() == []

    tell(Verdict.FAIL, 2)
    tell(Verdict.ERROR, 3)
    assert story() == [("here", 2, None)]


def test_each_vantage_heals_only_what_it_saw():
    tell(Verdict.FAIL, 1, "here")
    tell(Verdict.FAIL, 2, "there")
    tell(Verdict.PASS, 3, "there")

    assert story() == [("here", 1, None), ("there", 2, 3)]


def test_the_log_read_again_changes_nothing():
    log = [(Verdict.FAIL, 1), (Verdict.PASS, 4), (Verdict.FAIL, 7), (Verdict.FAIL, 8)]
    for verdict, index in log:
        tell(verdict, index)
    before = story()
    for verdict, index in log * 2:
        tell(verdict, index)

    assert before == [("here", 1, 4), ("here", 7, None)]
    assert story() == before


def test_an_old_pass_does_not_heal_a_newer_fail():
    tell(Verdict.FAIL, 9)
    tell(Verdict.PASS, 3)

    assert story() == [("here", 9, None)]


def test_many_readers_at_once_open_one():
    together = threading.Barrier(6)

    def read() -> None:
        together.wait(10)
        try:
            for index in range(1, 8):
                tell(Verdict.FAIL, index)
            tell(Verdict.PASS, 8)
        finally:
            connections.close_all()

    threads = [threading.Thread(target=read) for _ in range(6)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(20)

    (only,) = story()
    assert only[2] == 8


def test_a_breach_of_any_other_rule_is_heard():
    with pytest.raises(IntegrityError):
        record(
            Change(
                promise="hsts",
                severity=Dreadful.WORST,
                check="hsts-look",
                vantage="here",
                verdict=Verdict.FAIL,
                index=1,
                at=NOON,
            )
        )


def test_the_database_itself_refuses_what_must_not_be():
    row = {
        "promise": "hsts",
        "check_id": "hsts-look",
        "vantage": "here",
        "severity": "high",
        "opened": NOON,
        "opened_index": 5,
    }
    wrong = [
        {"severity": "dreadful"},
        {"closed": NOON},
        {"closed_index": 6},
        {"closed": NOON, "closed_index": 5},
    ]
    for change in wrong:
        with pytest.raises(IntegrityError), transaction.atomic():
            Finding.objects.create(**(row | change))
    Finding.objects.create(**row)
    with pytest.raises(IntegrityError), transaction.atomic():
        Finding.objects.create(**(row | {"opened_index": 6}))
