"""What a detector of smuggled lines finds, and what it lets people write."""

import pytest
from everyday import EVERYDAY
from hostile import HOSTILE
from hypothesis import given, settings
from hypothesis import strategies as st

from troth.engines.seclang.detect import mail

ATTACKS = (
    b"foo@bar.com%0aBcc: victim@example.com",
    b"foo@bar.com%0d%0aCc:victim@example.com",
    b"test%0d%0aSet-Cookie: a=b",
    b"x%0d%0aLocation: http://evil.example",
    b"%0d%0aContent-Length: 0%0d%0a%0d%0aHTTP/1.1 200 OK",
    b"a%0d%0a%0d%0a<script>alert(1)</script>",
    b"%E5%98%8A%E5%98%8DSet-Cookie: x=y",
    b"foo%0d%0aRCPT TO:<x@y.z>",
    b"foo%0d%0a.%0d%0aQUIT%0d%0a",
    b'" V100 CAPABILITY V101 FETCH 4791',
    b'4791 BODY[HEADER]"%0d%0aV100 CAPABILITY%0d%0aV101 FETCH 4791',
    b"test%0d%0aMAIL FROM: <a@b.c>%0d%0aRCPT TO: <d@e.f>",
    b"%0aX-Injected: 1",
)
HARMLESS = (
    b"Dear all,\nCc: me on this",
    b"From: a@b.c\nTo: d@e.f\nSubject: x\n\nHi",
    b"line\nline\nline",
    b"a@b.c",
    b"-----Original Message-----\nFrom: anna@example.com\nTo: b@c.d",
)


@pytest.mark.parametrize("value", ATTACKS)
def test_attacks_are_found(value: bytes):
    assert mail.find(value)


@pytest.mark.parametrize("value", [*HARMLESS, *EVERYDAY])
def test_what_people_write_passes(value: bytes):
    assert mail.find(value) is None


@given(
    st.binary(max_size=200)
    | st.sampled_from(ATTACKS).flatmap(
        lambda a: st.binary(max_size=8).map(lambda b: a[:40] + b + a[40:])
    )
)
@settings(max_examples=150, deadline=None)
def test_it_never_raises(value: bytes):
    assert mail.find(value) is None or isinstance(mail.find(value), str)


@pytest.mark.parametrize("unit", HOSTILE)
def test_hostile_values_come_to_an_end(unit: bytes):
    value = unit * (16384 // len(unit))

    assert mail.recognise(value) == mail.recognise(value)
