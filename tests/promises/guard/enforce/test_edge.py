"""What the edge is told of bounds and bans."""

import ipaddress

import msgspec

from troth.promises.guard.enforce import edge
from troth.promises.guard.rules.ranges import Ranges
from troth.promises.guard.settings import GuardSettings


def fragments(bans="/b.json", **settings):
    made = edge.fragments(msgspec.convert(settings, GuardSettings), bans)
    return {each.promise: each for each in made}


def bucket(**limits):
    (one,) = fragments(limits={"exempt": [], **limits})["rate-limit-ip"].filters
    return one["typed_config"]["descriptors"][0]["token_bucket"]


def test_each_address_has_a_bucket_of_its_own():
    assert bucket() == {"max_tokens": 500, "tokens_per_fill": 10, "fill_interval": "0.1s"}
    assert bucket(edge_rate="7/s", edge_burst=3)["max_tokens"] == 7
    assert bucket(edge_rate="600/min")["fill_interval"] == "60s"
    (one,) = fragments(limits={"exempt": []})["rate-limit-ip"].filters
    (action,) = one["typed_config"]["rate_limits"][0]["actions"]
    assert action == {"masked_remote_address": {"v4_prefix_mask_len": 32, "v6_prefix_mask_len": 64}}


def test_exempt_networks_without_our_own_attackers():
    (one,) = fragments()["rate-limit-ip"].filters
    tree = one["typed_config"]["xds_matcher"]["matcher_tree"]
    (matcher,) = tree["custom_match"]["typed_config"]["range_matchers"]
    skipped = [
        ipaddress.ip_network(f"{each['address_prefix']}/{each['prefix_len']}")
        for each in matcher["ranges"]
    ]

    def is_skipped(address):
        return any(ipaddress.ip_address(address) in network for network in skipped)

    assert is_skipped("127.0.0.1")
    assert is_skipped("127.65.255.255")
    assert is_skipped("127.67.0.0")
    assert is_skipped("::1")
    assert not is_skipped("127.66.0.0")
    assert not is_skipped("127.66.255.255")
    assert not is_skipped("192.0.2.1")


def test_what_is_turned_off_is_not_there():
    assert set(fragments()) == {"rate-limit-ip", "auto-response"}
    assert set(fragments(bans="")) == {"rate-limit-ip"}
    assert set(fragments(limits={"edge_rate": ""})) == {"auto-response"}
    off = msgspec.convert({"limits": {"edge_rate": ""}, "bans": {"edge": False}}, GuardSettings)
    assert edge.fragments(off, "/b.json") == ()


def test_the_file_of_bans():
    said = edge.banned(["192.0.2.1", "2001:db8:1:2::/64"], "v1")

    (resource,) = said["resources"]
    assert (said["version_info"], resource["name"]) == ("v1", "troth.bans")
    tree = resource["typed_config"]["matcher"]["matcher_tree"]
    (matcher,) = tree["custom_match"]["typed_config"]["range_matchers"]
    assert matcher["ranges"] == [
        {"address_prefix": "192.0.2.1", "prefix_len": 32},
        {"address_prefix": "2001:db8:1:2::", "prefix_len": 64},
    ]
    (empty,) = edge.banned([], "v2")["resources"]
    assert "matcher_tree" not in empty["typed_config"]["matcher"]


def test_which_bans_are_told():
    subjects = ["192.0.2.1", "account:x", "192.0.2.2", "2001:db8::/64", "192.0.2.3"]

    assert edge.shown(subjects, Ranges(["192.0.2.2"]), 3) == [
        "192.0.2.1", "2001:db8::/64", "192.0.2.3"
    ]  # fmt: skip
    assert edge.shown(subjects, Ranges(), 1) == ["192.0.2.1"]
