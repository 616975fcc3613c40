"""Sets of addresses against the standard library's own answer."""

import ipaddress

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from troth.promises.guard.rules.ranges import Ranges, interval, number

V4 = st.integers(0, 2**32 - 1).map(lambda n: str(ipaddress.IPv4Address(n)))
V6 = st.integers(0, 2**128 - 1).map(lambda n: str(ipaddress.IPv6Address(n)))
NETWORKS = st.one_of(
    st.tuples(V4, st.integers(0, 32)),
    st.tuples(V6, st.integers(0, 128)),
    st.tuples(V4, st.just(32)),
).map(lambda pair: f"{pair[0]}/{pair[1]}")


def plain(address):
    found = ipaddress.ip_address(address)
    return getattr(found, "ipv4_mapped", None) or found


@settings(max_examples=100, deadline=None)
@given(st.lists(NETWORKS, max_size=12), st.lists(st.one_of(V4, V6), max_size=6))
def test_as_the_standard_library_says(networks, strangers):
    ranges = Ranges(networks)
    parsed = [ipaddress.ip_network(each, strict=False) for each in networks]
    edges = [str(net[index]) for net in parsed for index in (0, -1)]

    for address in [*strangers, *edges]:
        if plain(address).version == 4 and ":" in address:
            continue  # a mapped address is the IPv4 one here, tested below
        expected = any(ipaddress.ip_address(address) in net for net in parsed)
        assert (address in ranges) == expected, (address, networks)


def test_mapped_addresses_are_the_ipv4_ones():
    assert "::ffff:192.0.2.1" in Ranges(["192.0.2.0/24"])
    assert "192.0.2.1" in Ranges(["::ffff:192.0.2.0/120"])
    assert interval("::ffff:192.0.2.0/120") == interval("192.0.2.0/24")


def test_neighbours_become_one():
    ranges = Ranges(["10.0.0.0/25", "10.0.0.128/25", "10.0.1.0/24", "10.0.0.5"])

    assert ranges._firsts == ([int(ipaddress.ip_address("10.0.0.0"))], [])
    assert ranges.count == 4
    assert bool(ranges)
    assert not Ranges()


@pytest.mark.parametrize("nonsense", ["", "x", "1.2.3", "1.2.3.4.5", "::1%eth0", 7, None])
def test_nonsense_is_in_none(nonsense):
    assert nonsense not in Ranges(["0.0.0.0/0"])
    if isinstance(nonsense, str) and "%" not in nonsense:
        assert number(nonsense) is None


@pytest.mark.parametrize("wrong", ["x", "1.2.3.4/33", "::/129", "1.2.3.4-5"])
def test_what_is_no_network_is_an_error(wrong):
    with pytest.raises(ValueError, match=r"."):
        Ranges([wrong])


def test_what_has_an_address_in_common():
    ranges = Ranges(["::1", "10.0.0.0/8"])

    assert ranges.meets("::/64")
    assert ranges.meets("10.1.0.0/16")
    assert ranges.meets("0.0.0.0/0")
    assert not ranges.meets("2001:db8::/64")
    assert not ranges.meets("11.0.0.0/8")
    assert not ranges.meets("9.255.255.255")
