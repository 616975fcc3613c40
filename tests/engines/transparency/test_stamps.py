"""Stamps of stand-in logs, read and verified."""

import json
from datetime import UTC, datetime, timedelta

import pytest
from cryptography import x509
from cryptography.hazmat.primitives.serialization import Encoding

from liars import public
from troth.adapters import chance, clock
from troth.engines.certificates import authority
from troth.engines.transparency import stamps
from troth.engines.transparency.errors import TransparencyError

MADE = datetime(2026, 11, 1, tzinfo=UTC)


@pytest.fixture(scope="module")
def root():
    return authority.create(name="Stamps", now=clock.now(), rng=chance.system())


def certificates(root, logs, **how):
    pair = public.stamped(root, ("a.example",), logs, **how)
    return [each.public_bytes(Encoding.DER) for each in x509.load_pem_x509_certificates(pair.chain)]


def test_a_valid_stamp_names_its_log(root):
    logs = [public.Log("first"), public.Log("second")]
    known = stamps.read_list(public.log_list(logs, MADE))

    found = stamps.read(*certificates(root, logs), known)
    assert known.made == MADE
    assert [(each.log, each.operator, each.is_valid) for each in found] == [
        ("first", "operator of first", True),
        ("second", "operator of second", True),
    ]
    assert all(abs(each.made - clock.now()) < timedelta(minutes=1) for each in found)


def test_a_forged_stamp_is_seen(root):
    logs = [public.Log("first")]
    known = stamps.read_list(public.log_list(logs, MADE))

    (found,) = stamps.read(*certificates(root, logs, is_forged=True), known)
    assert (found.log, found.is_valid) == ("first", False)


def test_a_log_that_nobody_listed(root):
    known = stamps.read_list(public.log_list([public.Log("other")], MADE))

    (found,) = stamps.read(*certificates(root, [public.Log("first")]), known)
    assert (found.log, found.is_valid) == ("", False)


def test_a_certificate_without_stamps(root):
    assert stamps.read(*certificates(root, []), stamps.LogList(logs={}, made=MADE)) == ()


def test_what_is_no_certificate(root):
    with pytest.raises(TransparencyError):
        stamps.read(b"x", b"y", stamps.LogList(logs={}, made=MADE))


def test_a_log_that_is_not_trusted_yet_is_left_out():
    told = json.loads(public.log_list([public.Log("first")], MADE))
    told["operators"][0]["logs"][0]["state"] = {"pending": {}}

    assert stamps.read_list(json.dumps(told).encode()).logs == {}


@pytest.mark.parametrize(
    "raw",
    [
        b"",
        b"[]",
        b'{"operators": []}',
        b'{"log_list_timestamp": "yesterday", "operators": []}',
        b'{"log_list_timestamp": "2026-11-01T00:00:00", "operators": []}',
        b'{"log_list_timestamp": "2026-11-01T00:00:00Z", "operators": [{"name": 1, "logs": [{}]}]}',
    ],
)
def test_what_is_no_list(raw):
    with pytest.raises(TransparencyError):
        stamps.read_list(raw)
