"""The ledger as a process: killed at any moment, it loses nothing that it said yes to."""

import base64
import json
import os
import signal
import socket
import threading
import time

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from troth.adapters import clock, sockets
from troth.adapters.log import Log
from troth.kernel.evidence import Look, Round, read_round, round_statement, seal, unseal
from troth.kernel.model import Verdict
from troth.prove import ring
from troth.prove.keys import Key
from troth.prove.leaves import body_of
from troth.prove.ledger import Ledger
from troth.roles.ledger import Desk

CHECK = "hsts.answers"


def sealed(key: Key, sequence: int, verdict: Verdict = Verdict.PASS) -> str:
    now = clock.now()
    look = Look(
        check=CHECK,
        verdict=verdict,
        collected=now,
        expires=now + ring.timedelta(seconds=60),
        reason="so",
        probe="0" * 16,
        public={},
    )
    made = Round(
        subject="https://demo.localhost",
        certificate="0" * 64,
        config="c" * 64,
        version="1",
        vantage="local",
        sequence=sequence,
        looks=(look,),
    )
    return seal(round_statement(made), key.signer).decode()


def hello(ledger, key, name="local"):
    public = base64.b64encode(key.public).decode()
    return ledger.ask(do="hello", vantage=name, public=public)


def test_the_log_of_a_first_start(ledger):
    kinds = [body_of(raw)[0].split(":")[-2] for raw in ledger.verified()]

    assert kinds[:2] == ["key", "catalogue"]
    assert set(kinds[1:]) == {"catalogue"}
    declared = [p for raw in ledger.verified()[1:] for p in body_of(raw)[1]["promises"]]
    hsts = next(p for p in declared if p["slug"] == "hsts")
    assert set(hsts["claim"]) == {"en", "it", "de", "fr"}
    assert all(len(check["probe"]) == 16 for check in hsts["checks"])
    size = len(ledger.verified())
    assert ledger.end(signal.SIGTERM) == 0
    assert not ledger.door.exists()
    ledger.start()
    assert len(ledger.verified()) == size


def test_killed_again_and_again_it_loses_nothing_acknowledged(ledger):
    key = Key(Ed25519PrivateKey.generate())
    assert hello(ledger, key)["ok"]
    acknowledged: dict[int, str] = {}
    stop = threading.Event()

    def submit() -> None:
        sequence, verdict, raw = 0, Verdict.PASS, ""
        while not stop.is_set():
            if not raw:
                sequence += 1
                verdict = Verdict.FAIL if verdict is Verdict.PASS else Verdict.PASS
                raw = sealed(key, sequence, verdict)
            try:
                answer = ledger.ask(do="round", envelope=raw)
            except sockets.SocketError:
                time.sleep(0.005)
                continue
            assert answer["ok"], answer
            acknowledged[sequence] = raw
            raw = ""

    thread = threading.Thread(target=submit)
    thread.start()
    try:
        for _ in range(4):
            before = len(acknowledged)
            deadline = time.monotonic() + 20
            while len(acknowledged) < before + 15 and time.monotonic() < deadline:
                time.sleep(0.002)
            assert len(acknowledged) >= before + 15
            ledger.end(signal.SIGKILL)
            ledger.start()
    finally:
        stop.set()
        thread.join(20)

    assert not thread.is_alive()
    logged = [raw.decode() for raw in ledger.verified()]
    kept = [raw.decode() for raw in ring.read(ledger.places.looks, ring.BEGINNING)]
    for raw in acknowledged.values():
        assert logged.count(raw) == 1  # every one of them was a change of verdict
        assert kept.count(raw) == 1
    sequences = [read_round(unseal(raw.encode()).statement).sequence for raw in kept]
    assert sequences == sorted(set(sequences))


def test_what_it_does_not_believe_or_understand(ledger):
    key, other = Key(Ed25519PrivateKey.generate()), Key(Ed25519PrivateKey.generate())
    assert hello(ledger, key) == {"ok": True, "sequence": 0}
    assert ledger.ask(do="round", envelope=sealed(key, 3))["ok"]
    assert hello(ledger, key) == {"ok": True, "sequence": 3}
    size = ledger.ask(do="state")["size"]

    assert ledger.ask(do="round", envelope=sealed(key, 2))["code"] == "replay"
    assert ledger.ask(do="round", envelope=sealed(other, 4))["code"] == "wrong-key"
    assert not hello(ledger, other)["ok"]
    assert not hello(ledger, other, "../x")["ok"]
    assert ledger.ask(do="round", envelope="nonsense")["code"] == "not-evidence"
    assert ledger.ask(do="no-such-thing")["code"] == "not-understood"
    assert ledger.ask(do="round")["code"] == "not-understood"
    assert ledger.ask(do="state", more=1)["code"] == "not-understood"
    assert ledger.ask(do="attach", lines=["x"], witnesses=["y"])["code"] == "refused"
    naive = {"by": "a", "role": "b", "statement": "c", "signed": "2026-01-01T00:00:00"}
    naive |= {"promise": "p", "expires": "2027-01-01T00:00:00"}
    assert ledger.ask(do="attest", **naive)["code"] == "not-understood"
    assert ledger.ask(do="state")["size"] == size


def test_the_operators_statements(ledger):
    given = {
        "do": "attest",
        "promise": "procedures-reviewed",
        "by": "the operator",
        "role": "operator",
        "statement": "Reviewed.",
        "signed": "2026-11-01T00:00:00Z",
        "expires": "2027-11-01T00:00:00+01:00",
    }
    assert ledger.ask(**given) == {"ok": True, "is_new": True}
    assert ledger.ask(**given) == {"ok": True, "is_new": False}
    until = "2027-01-01T00:00:00Z"
    assert ledger.ask(do="waive", promise="hsts", reason="so", by="the operator", expires=until)[
        "ok"
    ]

    said = [body_of(raw)[1] for raw in ledger.verified()][-2:]
    assert (said[0]["signed"], said[0]["expires"]) == (
        "2026-11-01T00:00:00.000Z",
        "2027-10-31T23:00:00.000Z",
    )
    assert said[1]["expires"] == "2027-01-01T00:00:00.000Z"


def test_too_long_a_line_and_a_half_one_end_the_talk(ledger):
    with pytest.raises(sockets.SocketError):
        sockets.ask(ledger.door, b"x" * 500_000, timeout_s=10)
    with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as door:
        door.connect(str(ledger.door))
        door.sendall(b'{"do":')
    assert ledger.ask(do="state")["ok"]


def test_another_configuration_is_declared_and_a_bad_one_refused(ledger, until):
    size = ledger.ask(do="state")["size"]
    ledger.config.write_text(ledger.config.read_text() + "[edge.hsts]\nmax_age_s = 86400\n")
    until(
        lambda: ledger.process.send_signal(signal.SIGHUP) or ledger.ask(do="state")["size"] > size
    )
    size = ledger.ask(do="state")["size"]
    ledger.config.write_text("[nonsense]\n")
    ledger.process.send_signal(signal.SIGHUP)
    until(lambda: b"config.refused" in ledger.output.read_bytes())

    assert ledger.ask(do="state")["size"] == size


def test_who_may_ask_what(tmp_path):
    key, ours, another = Key(Ed25519PrivateKey.generate()), os.geteuid(), os.geteuid() + 4242
    now = clock.now()
    opened = Ledger.open(tmp_path / "log", tmp_path / "ring", key, origin="o.example", now=now)
    desk = Desk(opened, Log("ledger", clock.now, fd=os.open(os.devnull, os.O_WRONLY)))
    public = base64.b64encode(Ed25519PrivateKey.generate().public_key().public_bytes_raw()).decode()

    def ask(uid, **asked):
        peer = sockets.Peer(pid=1, uid=uid, groups=frozenset())
        return desk.answer(json.dumps(asked).encode(), peer).get("code")

    waiver = {"do": "waive", "promise": "hsts", "reason": "so", "by": "x"}
    waiver |= {"expires": "2027-01-01T00:00:00Z"}
    assert ask(another, do="hello", vantage="far", public=public) == "not-allowed"
    assert ask(another, do="hello", vantage="local", public=public) is None
    assert ask(ours, do="hello", vantage="far", public=public) is None
    assert ask(another, do="hello", vantage="far", public=public) is None
    assert ask(another, **waiver) == ask(another, do="retire", vantage="far") == "not-allowed"
    assert ask(ours, **waiver) is None
    assert ask(0, do="retire", vantage="far") is None
    opened.close()
    os.close(desk._log.fd)
