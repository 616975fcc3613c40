"""TLS by real handshakes, and what becomes of each promise when its fragment is left out."""

import subprocess
from dataclasses import replace

import pytest

from troth.adapters import http
from troth.enforce.envoy import compile_edge


def without(edge, slug):
    rest = [each for each in edge.fragments if each.promise != slug]
    assert len(rest) < len(edge.fragments)
    return edge.altered(rest)


def handshake(edge, *arguments):
    """What openssl says about one handshake at security level 0."""
    place = f"127.0.0.1:{edge.plan.port}"
    argv = ["openssl", "s_client", "-connect", place, "-servername", edge.plan.app_host]
    ciphers = ["-cipher", "ALL:@SECLEVEL=0"]
    done = subprocess.run(
        [*argv, *ciphers, *arguments], input=b"", capture_output=True, timeout=20, check=False
    )
    return done.returncode == 0, done.stdout.decode()


@pytest.mark.parametrize("version", ["-tls1", "-tls1_1"])
def test_old_versions_are_refused_and_without_the_fragment_taken(edge, version):
    assert not handshake(edge, version)[0]

    with without(edge, "tls-modern-versions"), without(edge, "tls-known-attacks"):
        assert handshake(edge, version)[0]


@pytest.mark.parametrize("version", ["-tls1_2", "-tls1_3"])
def test_modern_versions_are_taken(edge, version):
    is_up, said = handshake(edge, version)

    assert is_up
    assert "GCM" in said or "CHACHA20" in said


def test_cbc_is_refused_and_without_the_fragment_taken(edge):
    cbc = ("-tls1_2", "-cipher", "ECDHE-ECDSA-AES128-SHA:@SECLEVEL=0")
    assert not handshake(edge, *cbc)[0]

    with without(edge, "tls-known-attacks"):
        assert handshake(edge, *cbc)[0]


def test_sha1_signatures_are_refused(edge):
    assert not handshake(edge, "-tls1_2", "-sigalgs", "ECDSA+SHA1")[0]


@pytest.mark.parametrize("group", ["X25519", "P-256", "P-384"])
def test_groups(edge, group):
    assert handshake(edge, "-tls1_3", "-groups", group)[0]


def test_plain_bytes_are_answered_without_the_fragment(edge):
    plain = f"http://{edge.plan.app_host}:{edge.plan.port}/"
    with without(edge, "tls-everywhere"):
        assert http.fetch(plain).status == 200
        assert edge.ask().status == 200


@pytest.mark.parametrize(("method", "status"), [("GET", 301), ("HEAD", 301), ("POST", 308)])
def test_redirect(edge, method, status):
    for host in edge.plan.hosts:
        answer = http.fetch(edge.plain_url("/any?x=1", host), method=method)

        assert answer.status == status
        assert answer.one("location") == edge.url("/any?x=1", host)


def test_a_foreign_host_is_never_reflected(edge):
    answer = http.fetch(edge.plain_url("/any"), headers={"Host": "evil.example"})

    assert answer.status == 421
    assert answer.one("location") is None
    assert "evil" not in answer.text


def test_a_port_in_the_host_is_not_reflected(edge):
    answer = http.fetch(edge.plain_url("/any"), headers={"Host": "demo.localhost:1"})

    assert answer.one("location") == edge.url("/any")


def test_without_the_redirect_plain_http_serves_nothing(edge):
    with without(edge, "https-redirect"):
        answer = http.fetch(edge.plain_url("/any"))

    assert answer.status == 404


def test_the_default_https_port_is_not_written(edge):
    # Not bound: only what Envoy is told is looked at.
    made = compile_edge(replace(edge.plan, port=443), edge.fragments)

    assert "port_redirect" not in str(made.listeners)


def test_post_quantum_group_is_first(edge):
    (fragment,) = (each for each in edge.fragments if each.promise == "tls-grade-a-plus")

    assert fragment.tls["ecdh_curves"][0] == "X25519MLKEM768"
