"""The header that names a synthetic client: one form, and nothing that only looks like it."""

import base64
from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from troth.kernel.probing import FRESH, Pass, read, synthetic_client

PASS = Pass(key="0f" * 16, at=1_790_000_000, nonce="ab" * 16, client="127.66.3.4")
SIGNATURE = bytes(range(64))
WRITTEN = PASS.written(SIGNATURE).encode()


def test_what_is_written_is_read():
    assert read(WRITTEN) == (PASS, SIGNATURE)
    assert len(WRITTEN) <= 256


@pytest.mark.parametrize(
    "value",
    [
        b"",
        b"v2" + WRITTEN[2:],
        WRITTEN + b".",
        WRITTEN.replace(b"127.66.3.4", b"10.0.0.1"),
        WRITTEN.replace(b"127.66.3.4", b"127.66.3.256"),
        WRITTEN.replace(b"127.66.3.4", b"127.66.03.4"),
        WRITTEN.replace(b"127.66.3.4", b"127.66.3"),
        WRITTEN[:-1],
        WRITTEN[:-1] + b"=",
        WRITTEN.upper(),
        WRITTEN + b"\n",
        b" " + WRITTEN,
    ],
    ids=range(12),
)
def test_what_only_looks_like_it_is_not(value):
    assert read(value) is None


@given(st.binary(max_size=300))
def test_no_bytes_break_it(value):
    found = read(value)

    assert found is None or found[0].written(found[1]).encode() == value


def test_a_host_and_a_client_are_part_of_what_is_signed():
    other = Pass(key=PASS.key, at=PASS.at, nonce=PASS.nonce, client="127.66.3.5")

    assert PASS.statement("a.example") != PASS.statement("b.example")
    assert PASS.statement("A.example:443") == PASS.statement("a.example:443")
    assert PASS.statement("a.example") != other.statement("a.example")
    assert base64.b64encode(PASS.statement("a.example"))


@pytest.mark.parametrize(("off_s", "is_fresh"), [(0, True), (29, True), (31, False), (-31, False)])
def test_it_is_good_for_half_a_minute(off_s, is_fresh):
    now = datetime.fromtimestamp(PASS.at, UTC) + timedelta(seconds=off_s)

    assert timedelta(seconds=30) == FRESH
    assert PASS.is_fresh(now) is is_fresh


def test_a_name_is_always_the_same_client_of_the_range():
    assert synthetic_client("a") == synthetic_client("a") != synthetic_client("b")
    assert synthetic_client("a").startswith("127.66.")
