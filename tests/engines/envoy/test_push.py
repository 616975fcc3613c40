"""A running Envoy given new resources: taken up, or refused and taken back; nobody is cut off."""

import socket
import stat
import threading
import time
from dataclasses import replace
from datetime import timedelta

import pytest

from troth.adapters import chance, clock, http
from troth.adapters.http import HttpError
from troth.enforce.envoy import compile_edge
from troth.engines.certificates import authority, pair
from troth.engines.envoy import binary, push, resources
from troth.engines.envoy.errors import EnvoyError
from troth.engines.envoy.resources import Resources


def files(edge):
    return {name: (edge.folder / name).read_bytes() for name in ("lds.json", "cds.json")}


def broken(edge) -> Resources:
    """Well-formed, and meaningless to Envoy."""
    made = compile_edge(edge.plan, edge.fragments)
    return Resources(({**made.listeners[0], "name": "odd", "filter_chains": []},), made.clusters)


def start_of(edge):
    return resources.bootstrap(edge.folder, edge.folder / "unused.sock", max_connections=10)


def test_what_is_fine_validates(edge):
    push.validate(binary.locate(), start_of(edge), compile_edge(edge.plan, edge.fragments))


def test_what_is_wrong_is_told_in_one_line(edge):
    with pytest.raises(EnvoyError) as caught:
        push.validate(binary.locate(), start_of(edge), broken(edge))

    assert "no filter chains specified" in caught.value.what
    assert "\n" not in caught.value.hint()


def test_a_refusal_is_taken_back(edge):
    before = files(edge)

    with pytest.raises(EnvoyError, match="no filter chains specified"):
        push.push(edge.folder, edge.server.admin, broken(edge))

    assert files(edge) == before
    assert edge.ask().status == 200


def test_a_taken_port_is_named_and_the_old_one_goes_on(edge):
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = taken.getsockname()[1]
        plan = replace(edge.plan, http_port=port)

        with pytest.raises(EnvoyError) as caught:
            push.push(edge.folder, edge.server.admin, compile_edge(plan, edge.fragments))

    assert caught.value.where == f"127.0.0.1:{port}"
    assert "taken by another program" in caught.value.what
    assert http.fetch(edge.plain_url("/x")).status == 301


def test_a_bad_cluster_takes_nothing_with_it(edge):
    before = files(edge)
    made = compile_edge(edge.plan, ())
    bad = Resources(made.listeners, ({**made.clusters[0], "type": "EDS"}, *made.clusters[1:]))

    with pytest.raises(EnvoyError):
        push.push(edge.folder, edge.server.admin, bad)

    assert files(edge) == before
    assert edge.ask().one("strict-transport-security")


def test_nobody_listens_to_the_file(edge, tmp_path):
    for name in ("lds.json", "cds.json"):
        (tmp_path / name).write_text("{}")

    with pytest.raises(EnvoyError, match=r"was not taken up within 0\.1 s"):
        push.push(
            tmp_path,
            edge.server.admin,
            compile_edge(edge.plan, edge.fragments),
            within=timedelta(seconds=0.1),
        )
    assert (tmp_path / "cds.json").read_text() == "{}"


def test_files_are_for_owner_and_group_only(edge):
    for name in ("lds.json", "cds.json", "bootstrap.json"):
        assert stat.S_IMODE((edge.folder / name).stat().st_mode) == 0o640


@pytest.mark.parametrize(
    ("reason", "where", "mend"),
    [
        ("cannot bind '0.0.0.0:443': Permission denied", "0.0.0.0:443", "CAP_NET_BIND_SERVICE"),
        ("cannot bind '[::]:80': Address already in use", "[::]:80", "stop it"),
        ("", "the edge's configuration", ""),
    ],
)
def test_reasons_in_our_words(reason, where, mend):
    failure = push.refused(reason)

    assert failure.where == where
    assert mend in failure.mend


def test_waiting_ends():
    with pytest.raises(EnvoyError, match=r"it never came within 0\.05 s"):
        push.wait_until(lambda: False, timedelta(seconds=0.05), "it never came")


def test_reload_under_traffic_loses_nothing(edge):
    stop, asked, lost = threading.Event(), [0], []

    def visit():
        while not stop.is_set():
            try:
                answer = edge.ask("/?text=x")
                asked[0] += 1
                if answer.status != 200:
                    lost.append(answer.status)
            except (HttpError, OSError, TimeoutError) as error:
                lost.append(repr(error))

    visitors = [threading.Thread(target=visit) for _ in range(2)]
    for visitor in visitors:
        visitor.start()
    for number in range(8):
        with edge.altered(max_body_bytes=10_000 + number):
            assert edge.ask().status == 200
    stop.set()
    for visitor in visitors:
        visitor.join()

    assert lost == []
    assert asked[0] > 20


def test_a_renewed_certificate_is_served_without_a_restart(edge):
    host = edge.plan.troth_host
    old = edge.ask("/-/page.css", host=host).certificate_der
    root = authority.load(edge.folder / "ca.pem", edge.folder / "ca.key")
    chain, key = authority.issue(root, (host,), now=clock.now(), rng=chance.system())

    pair.write(pair.place(edge.folder, host), chain, key)
    push.write_certificate(host, edge.plan.certificates[host])

    deadline = time.monotonic() + 20
    while edge.ask("/-/page.css", host=host).certificate_der == old:
        assert time.monotonic() < deadline
        time.sleep(0.02)
