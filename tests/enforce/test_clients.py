"""Whom a request is decided about: only our own vantage may name somebody else, once."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from troth.enforce import clients
from troth.enforce.clients import Clients
from troth.kernel.evidence import key_id
from troth.kernel.probing import HEADER, Pass
from troth.kernel.request import Request

NOW = datetime(2026, 11, 21, tzinfo=UTC)
OURS, OTHER = Ed25519PrivateKey.generate(), Ed25519PrivateKey.generate()
REAL, SYNTHETIC = "203.0.113.7", "127.66.3.4"


def public(key):
    return key.public_key().public_bytes_raw()


def value(key=OURS, *, host="app.example", at=NOW, nonce=1, client=SYNTHETIC, named=None):
    said = Pass(
        key=key_id(public(named or key)).partition(":")[2],
        at=int(at.timestamp()),
        nonce=f"{nonce:032x}",
        client=client,
    )
    return said.written(key.sign(said.statement(host))).encode()


def request(*values, host=b"app.example"):
    headers = ((b"host", host), *((HEADER, one) for one in values), (b"accept", b"*/*"))
    return Request(method=b"GET", target=b"/", host=host, headers=headers, client=REAL)


@pytest.fixture
def known():
    return Clients(lambda: (public(OURS),))


def test_a_signed_header_names_the_client_and_nobody_sees_it(known):
    found = known.recognised(request(value()), NOW)

    assert found.client == SYNTHETIC
    assert found.headers == ((b"host", b"app.example"), (b"accept", b"*/*"))


def test_without_it_a_request_is_as_it_was(known):
    plain = request()

    assert known.recognised(plain, NOW) is plain


@pytest.mark.parametrize(
    "values",
    [
        (b"v1.nonsense",),
        (value(OTHER),),
        (value(OTHER, named=OURS),),
        (value(host="other.example"),),
        (value(at=NOW - timedelta(seconds=31)),),
        (value(at=NOW + timedelta(seconds=31)),),
        (value(nonce=5), value(nonce=6)),
        (value().replace(SYNTHETIC.encode(), b"127.66.3.5"),),
    ],
    ids="form key signature host old ahead two changed".split(),
)
def test_what_is_not_good_is_taken_off_and_changes_nothing(known, values):
    found = known.recognised(request(*values), NOW)

    assert found.client == REAL
    assert found.values(HEADER) == []


def test_it_is_good_once(known):
    one = value(nonce=9)

    assert known.recognised(request(one), NOW).client == SYNTHETIC
    assert known.recognised(request(one), NOW).client == REAL
    later = NOW + timedelta(seconds=29)
    assert known.recognised(request(one), later).client == REAL


def test_what_is_remembered_is_bounded_and_forgotten(known, monkeypatch):
    monkeypatch.setattr(clients, "MOST", 2)
    late = NOW + timedelta(minutes=2)

    first = [known.recognised(request(value(nonce=n)), NOW).client for n in (1, 2, 3)]

    assert first == [SYNTHETIC, SYNTHETIC, REAL]
    assert known.recognised(request(value(nonce=4, at=late)), late).client == SYNTHETIC


def test_a_key_that_comes_later_is_found_and_strangers_do_not_make_us_look_each_time():
    looked = []
    folder = []

    def keys():
        looked.append(1)
        return tuple(folder)

    known = Clients(keys)
    assert known.recognised(request(value(nonce=1)), NOW).client == REAL
    assert known.recognised(request(value(nonce=2)), NOW).client == REAL
    assert len(looked) == 1
    folder.append(public(OURS))
    later = NOW + timedelta(seconds=6)
    assert known.recognised(request(value(nonce=3, at=later)), later).client == SYNTHETIC
    assert len(looked) == 2


def test_the_headers_of_others_stay_as_they_are(known):
    asked = replace(request(value()), headers=((HEADER, value()), (b"a", b"1"), (b"a", b"2")))

    assert known.recognised(asked, NOW).headers == ((b"a", b"1"), (b"a", b"2"))
