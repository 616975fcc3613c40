"""Publisher and status role as processes: what they publish, and what stands when they die."""

import base64
import json
import re
import signal
import socket
import sys
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from troth.adapters import chance, http, unix_http
from troth.catalogue import CATALOGUE
from troth.engines.certificates import authority
from troth.engines.tlog.note import NoteVerifier
from troth.kernel.evidence import Look, Round, round_statement, seal
from troth.kernel.model import Method, Verdict
from troth.prove.keys import load_or_create
from troth.roles.places import Places

HOST = "status.demo.localhost"
GREEN = ("Proven", "Provata", "Bewiesen", "Prouvée")
# Any promise with one cheap look will do; which one is the catalogue's business.
SLUG, CHECK = next(
    (p.slug, p.checks[0].id)
    for p in CATALOGUE
    if len(p.checks) == 1 and p.checks[0].method is Method.LOOK and p.severity != "critical"
)


class Installation:
    """A ledger, a publisher and a status role on one data directory, and a vantage's key."""

    def __init__(self, ledger, role) -> None:
        self.ledger, self.places = ledger, ledger.places
        with socket.socket() as door:
            door.bind(("127.0.0.1", 0))
            self.port = int(door.getsockname()[1])
        text = f'port = {self.port}\n[edge]\naddresses = ["127.0.0.1"]\n'
        ledger.config.write_text(ledger.config.read_text() + text)
        now, tls = datetime.now(UTC), self.places.tls
        authority.keep(tls, (HOST,), name="Demo", now=now, rng=chance.system())
        self.key = load_or_create(self.places.keys / "vantage-test.key")
        self.sequence = 0
        self.publisher = role("publisher", self.places, ledger.config)
        self.status = role("status", self.places, ledger.config)
        self.publisher.start()
        self.status.start()

    def enrol(self) -> None:
        public = self.key.public
        answer = self.ledger.ask(do="hello", vantage="test", public=_base64(public))
        assert answer["ok"], answer

    def look(self, verdict: str, *, lasts: timedelta = timedelta(seconds=60)) -> None:
        """One look; `lasts` is what is left of its minute."""
        seen = datetime.now(UTC) - timedelta(seconds=60) + lasts
        self.sequence += 1
        item = Look(
            check=CHECK,
            verdict=Verdict(verdict),
            collected=seen,
            expires=seen + timedelta(seconds=60),
            reason="as it was",
            probe="0" * 16,
            public={},
        )
        made = Round(
            subject="https://demo.localhost",
            certificate="0" * 64,
            config="0" * 64,
            version="0",
            vantage="test",
            sequence=self.sequence,
            looks=(item,),
        )
        raw = seal(round_statement(made), self.key.signer).decode()
        answer = self.ledger.ask(do="round", envelope=raw)
        assert answer["ok"], answer

    def get(self, target: str):
        return unix_http.request(self.places.socket("status"), target)

    def state(self) -> str:
        told = json.loads(self.get("/api/v1/promises.json").body)
        (one,) = [p for p in told["promises"] if p["slug"] == SLUG]
        return str(one["state"])


def _base64(raw: bytes) -> str:
    return base64.b64encode(raw).decode()


@pytest.fixture
def installed(ledger):
    role_of = sys.modules[type(ledger).__module__].Role
    stop = sys.modules[type(ledger).__module__].stop
    made = Installation(ledger, role_of)
    made.enrol()
    yield made
    stop(made.publisher)
    stop(made.status)


def test_what_the_ledger_takes_is_on_the_page_within_moments(installed, until):
    assert installed.state() == "unproven"

    installed.look("pass")
    until(lambda: installed.state() == "proven", 5)
    installed.look("fail")
    until(lambda: installed.state() == "failing", 5)

    assert 'data-state="failing"' in installed.get("/trust/").text
    feed = installed.get("/trust/fr/changes.atom").text
    assert "urn:troth:promise" in feed
    source = f"/trust/evidence/looks/test/{installed.sequence}"
    told = set(re.findall(r"/trust/evidence/log/\d+", feed + installed.get("/trust/").text))
    assert told
    assert all(installed.get(each).status == 200 for each in told)
    assert installed.get("/log/checkpoint").text.startswith("troth.demo.localhost\n")
    assert installed.get(source).status in {200, 404}


def test_no_green_word_stands_when_publisher_and_vantage_are_dead(installed, until):
    installed.look("pass", lasts=timedelta(seconds=8))
    until(lambda: installed.state() == "proven", 5)
    assert any(word in installed.get("/trust/").text for word in GREEN)

    installed.publisher.end(signal.SIGKILL)
    until(lambda: installed.state() == "stale", 12)

    for language in ("", "it/", "de/", "fr/"):
        text = installed.get(f"/trust/{language}").text
        assert 'data-state="proven"' not in text
        assert not any(f">{word}<" in text or f"</svg>{word}" in text for word in GREEN)
        assert 'term="proven"' not in installed.get(f"/trust/{language}changes.atom").text


def test_a_publisher_that_lives_says_stale_itself_and_then_green_again(installed, until):
    installed.look("pass", lasts=timedelta(seconds=3))
    until(lambda: installed.state() == "proven", 3)
    until(lambda: installed.state() == "stale", 6)
    installed.look("pass")
    until(lambda: installed.state() == "proven", 5)


def test_by_its_own_tls_the_status_host_stands_alone(installed):
    installed.ledger.end(signal.SIGKILL)
    installed.publisher.end(signal.SIGKILL)

    answer = http.fetch(
        f"https://{HOST}:{installed.port}/api/v2/summary.json",
        ca_file=str(installed.places.tls / "ca.pem"),
    )

    assert answer.status == 200
    assert set(json.loads(answer.body)) >= {"page", "status", "components"}
    assert answer.one("x-frame-options") == "DENY"


def test_a_publisher_starts_where_another_was_killed(installed, until):
    installed.look("pass")
    installed.publisher.end(signal.SIGKILL)
    installed.publisher.start()

    until(lambda: installed.state() == "proven", 5)


def test_another_log_in_the_same_place_is_refused(installed, until):
    installed.look("pass")
    until(lambda: installed.state() == "proven", 5)
    installed.publisher.end(signal.SIGTERM)
    pinned: Path = installed.places.public / "log.vkey"
    private = Places(installed.places.data).keys / "other.key"
    other = load_or_create(private)
    pinned.write_text(NoteVerifier("troth.demo.localhost", other.public).vkey)

    installed.publisher.start()

    told = json.loads(installed.get("/api/v1/promises.json").body)
    assert "not signed by the key" in told["trouble"]
    assert not [p for p in told["promises"] if p["state"] == "proven"]


def test_both_end_when_they_are_asked_to(installed):
    assert installed.status.end(signal.SIGTERM) == 0
    assert installed.publisher.end(signal.SIGTERM) == 0
    assert not installed.places.socket("status").exists()
