"""What a detector of addresses finds, and what it lets people write."""

import pytest
from everyday import EVERYDAY
from hostile import HOSTILE
from hypothesis import given, settings
from hypothesis import strategies as st

from troth.engines.seclang.detect import ssrf

ATTACKS = (
    b"http://169.254.169.254/latest/meta-data/",
    b"http://2852039166/",
    b"http://0xA9FEA9FE/",
    b"http://0251.0376.0251.0376/",
    b"http://[::ffff:169.254.169.254]/",
    b"http://metadata.google.internal/computeMetadata/v1/",
    b"http://2130706433/",
    b"http://0x7f000001/",
    b"http://127.1/",
    b"http://0/",
    b"http://[::]:80/",
    b"http://127.0.0.1:6379/",
    b"gopher://127.0.0.1:6379/_FLUSHALL",
    b"dict://127.0.0.1:11211/stat",
    b"http://localhost:22/",
    b"http://127.0.0.1.nip.io/",
    b"http://localtest.me/",
    b"http://\xe2\x91\xa0\xe2\x91\xa1\xe2\x91\xa6.0.0.1/",
    b"ldap://127.0.0.1:389/x",
)
HARMLESS = (
    b"http://127.0.0.1:8000/docs/",
    b"http://localhost:3000/callback",
    b"https://example.com/",
    b"http://192.168.1.1/",
    b"mailto:a@b.c",
    b"see http://127.0.0.1/",
    b"http://8.8.8.8/",
    b"ftp://ftp.example.com/x",
    b"https://[2001:db8::1]/",
)


@pytest.mark.parametrize("value", ATTACKS)
def test_attacks_are_found(value: bytes):
    assert ssrf.find(value)


@pytest.mark.parametrize("value", [*HARMLESS, *EVERYDAY])
def test_what_people_write_passes(value: bytes):
    assert ssrf.find(value) is None


@given(
    st.binary(max_size=200)
    | st.sampled_from(ATTACKS).flatmap(
        lambda a: st.binary(max_size=8).map(lambda b: a[:40] + b + a[40:])
    )
)
@settings(max_examples=150, deadline=None)
def test_it_never_raises(value: bytes):
    assert ssrf.find(value) is None or isinstance(ssrf.find(value), str)


@pytest.mark.parametrize("unit", HOSTILE)
def test_hostile_values_come_to_an_end(unit: bytes):
    value = unit * (16384 // len(unit))

    assert ssrf.recognise(value) == ssrf.recognise(value)
