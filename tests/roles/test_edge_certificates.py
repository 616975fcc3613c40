"""Certificates that a running edge gets and keeps by itself, over its own plain listener."""

import json
from dataclasses import replace
from datetime import timedelta

import msgspec
import pytest

from troth.adapters import chance, clock
from troth.adapters.log import Log
from troth.catalogue import Settings
from troth.enforce.envoy import compile_edge
from troth.engines.certificates import authority, pair
from troth.engines.certificates.errors import CertificateError
from troth.engines.envoy import push
from troth.engines.envoy.resources import Certificate
from troth.roles.edge_certificates import ASK_AGAIN, Certificates
from troth.roles.places import Places

HOSTS = ("demo.localhost", "troth.demo.localhost", "status.demo.localhost")


@pytest.fixture
def places(tmp_path):
    made = Places(tmp_path / "data")
    made.prepare()
    return made


@pytest.fixture
def log(tmp_path):
    path = tmp_path / "log"
    with path.open("wb") as file:
        made = Log("edge", clock.now, file.fileno())
        yield made, lambda: [json.loads(line) for line in path.read_text().splitlines()]


def settings(**tls):
    return msgspec.convert(
        {
            "troth": {"name": "Test", "host": HOSTS[1]},
            "application": {"host": HOSTS[0], "upstream": "http://127.0.0.1:1"},
            "status": {"host": HOSTS[2]},
            "edge": {"tls": tls},
        },
        Settings,
    )


def certificates(places):
    pairs = {host: pair.place(places.tls, host) for host in HOSTS[:2]}
    return {
        host: Certificate(one.chain, one.key, places.edge / f"sds-{host}.json")
        for host, one in pairs.items()
    }


def acme(account):
    return {"directory": account.directory, "ca_file": account.ca_file}


def test_local_ones_are_issued_handed_over_and_renewed(places, log):
    keeper, now = Certificates(places, log[0]), clock.now()
    given = certificates(places)

    keeper.keep(settings(), given, now)
    first = {host: one.sds.stat().st_ino for host, one in given.items()}
    keeper.keep(settings(), given, now)
    assert {host: one.sds.stat().st_ino for host, one in given.items()} == first

    keeper.keep(settings(), given, now + timedelta(days=61))
    assert all(one.sds.stat().st_ino != first[host] for host, one in given.items())
    assert [each["event"] for each in log[1]()] == ["certificate.issued"] * 6
    assert keeper.due(settings(), now) == ()


def test_files_are_the_operators_and_are_only_checked(places, log, tmp_path):
    root = authority.create(name="Other", now=clock.now(), rng=chance.system())
    own = pair.Pair(tmp_path / "c.pem", tmp_path / "c.key")
    chain, key = authority.issue(root, HOSTS[:2], now=clock.now(), rng=chance.system())
    pair.write(own, chain, key)
    given = {host: Certificate(own.chain, own.key, tmp_path / host) for host in HOSTS[:2]}
    chosen = settings(authority="files", certificate=str(own.chain), key=f"file:{own.key}")
    keeper = Certificates(places, log[0])

    keeper.keep(chosen, given, clock.now())
    with pytest.raises(CertificateError, match="not now"):
        keeper.keep(chosen, given, clock.now() + timedelta(days=100))

    assert list(places.tls.iterdir()) == []
    assert own.chain.read_bytes() == chain


def test_acme_through_the_edges_own_plain_listener(pebble, edge, places, log):
    account, port = pebble
    keeper, now = Certificates(places, log[0]), clock.now()
    chosen = settings(authority="acme", acme=acme(account))
    given = certificates(places)

    keeper.keep(chosen, given, now)  # stand-ins, so that TLS is up at all
    assert keeper.due(chosen, now) == HOSTS

    with edge.altered(http_port=port):

        def publish(tokens):
            plan = replace(edge.plan, challenges=dict(tokens))
            push.push(edge.folder, edge.server.admin, compile_edge(plan, edge.fragments))

        # The status host as well, which the edge does not serve.
        assert all(keeper.obtain(chosen, host, publish, now) for host in HOSTS)

    now = clock.now()
    assert keeper.due(chosen, now) == ()
    leaf = pair.check(pair.place(places.tls, HOSTS[2]), (HOSTS[2],), now)
    assert keeper.due(chosen, leaf.not_valid_after_utc - timedelta(days=1)) == HOSTS
    keeper.keep(chosen, given, now)
    assert [each["event"] for each in log[1]()] == ["certificate.issued"] * 6


def test_acme_that_fails_keeps_the_old_one_and_waits(pebble, places, log):
    account, _ = pebble
    keeper, now = Certificates(places, log[0]), clock.now()
    chosen = settings(authority="acme", acme={**acme(account), "directory": "https://localhost:1/"})
    given = certificates(places)
    keeper.keep(chosen, given, now)
    before = given[HOSTS[0]].chain.read_bytes()

    assert not keeper.obtain(chosen, HOSTS[0], lambda _: None, now)

    assert given[HOSTS[0]].chain.read_bytes() == before
    assert keeper.due(chosen, now) == HOSTS[1:]
    assert keeper.due(chosen, now + ASK_AGAIN) == HOSTS
    assert log[1]()[-1]["event"] == "certificate.kept"
