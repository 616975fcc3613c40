"""What a detector of look-ups finds, and what it lets people write."""

import pytest
from everyday import EVERYDAY
from hostile import HOSTILE, attacks, harmless
from hypothesis import given, settings
from hypothesis import strategies as st

from troth.engines.seclang.detect import lookup

ATTACKS = (
    b"${jndi:ldap://x/a}",
    b"${${lower:j}ndi:${lower:l}dap://x/a}",
    b"${jndi:dns://x}",
    b"${${::-j}ndi:rmi://x/y}",
    b"$%7Bjndi:ldap://x/a%7D",
    b"${script:javascript:java.lang.Runtime.getRuntime().exec('id')}",
    b"${env:AWS_SECRET_ACCESS_KEY}",
    b"${url:UTF-8:http://x}",
)
HARMLESS = (
    b"${name}",
    b"${order.total}",
    b"jndi: a test",
    b"$ {x}",
    b"use ${HOME} in shells",
)


@pytest.mark.parametrize("value", ATTACKS)
def test_attacks_are_found(value: bytes):
    assert lookup.find(value)


@pytest.mark.parametrize("value", [*HARMLESS, *EVERYDAY])
def test_what_people_write_passes(value: bytes):
    assert lookup.find(value) is None


@given(
    st.binary(max_size=200)
    | st.sampled_from(ATTACKS).flatmap(
        lambda a: st.binary(max_size=8).map(lambda b: a[:40] + b + a[40:])
    )
)
@settings(max_examples=150, deadline=None)
def test_it_never_raises(value: bytes):
    assert lookup.find(value) is None or isinstance(lookup.find(value), str)


@pytest.mark.parametrize("unit", HOSTILE)
def test_hostile_values_come_to_an_end(unit: bytes):
    value = unit * (16384 // len(unit))

    assert lookup.recognise(value) == lookup.recognise(value)


@pytest.mark.shared
@pytest.mark.parametrize("topic", ["log4shell"])
def test_public_attacks_are_found_and_their_lookalikes_pass(topic: str):
    lines = attacks(topic)

    missed = [line for line in lines if not lookup.find(line)]

    assert len(missed) <= len(lines) * 0.005
    assert [line for line in harmless(topic) if lookup.find(line)] == []
