"""A log with real keys, built leaf by leaf, and what the publisher makes of it.

Not a test: `conftest.py` beside it, and those of other rooms, hand it out as a fixture.
"""

import base64
import json
from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from pathlib import Path

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from troth.engines.tlog.log import Log
from troth.engines.tlog.note import NoteSigner, NoteVerifier
from troth.engines.tlog.read import read_log
from troth.kernel import evidence
from troth.kernel.evidence import Look, Round, Signer, stamp
from troth.kernel.model import Verdict
from troth.kernel.site import Site
from troth.publish.history import History
from troth.publish.page import Head, Masthead, Page, Sources, make
from troth.publish.record import Record, follow

NOW = datetime(2026, 11, 21, 7, 43, 12, tzinfo=UTC)
ORIGIN = "troth.demo.localhost"
SITE = Site(
    name="Example Courts",
    app="https://demo.localhost:8443",
    http="http://demo.localhost:8080",
    troth="https://troth.demo.localhost:8443",
    status="https://status.demo.localhost:8444",
    ca_file="ca.pem",
)
WORDS = {
    "en": "The first answer tells browsers to stay on HTTPS ({slug}).",
    "it": "La prima risposta dice ai browser di restare su HTTPS ({slug}).",
    "de": "Die erste Antwort hält Browser bei HTTPS ({slug}).",
    "fr": "La première réponse garde les navigateurs en HTTPS ({slug}).",
}


def check(slug: str, method: str = "look", **more: object) -> dict[str, object]:
    ttl = 60 if method == "look" else 900
    return {
        "id": f"{slug}.{method}",
        "method": method,
        "interval_s": ttl // 3,
        "ttl_s": ttl,
        "quorum": 1,
        "command": f'curl --cacert "$CA" -sSI "$APP/" | grep -qi "^{slug}:"',
        "probe": "0123456789abcdef",
        **more,
    }


def promise(slug: str, **more: object) -> dict[str, object]:
    return {
        "slug": slug,
        "area": "edge",
        "kind": "enforced",
        "severity": "high",
        "rests_on": [],
        "planned_for": None,
        "not_applicable_because": "",
        "controls": [["SOC2", "CC6.7"], ["ISO27001:2022", "A.8.24"]],
        "claim": {language: text.format(slug=slug) for language, text in WORDS.items()},
        "checks": [check(slug)],
        **more,
    }


def masthead(**more: object) -> Masthead:
    return Masthead(
        site=SITE,
        legal_name="Example Courts",
        address=("1 Example Street", "00000 Exampletown"),
        mail="hello@courts.example",
        imprint="https://demo.localhost:8443/about",
        privacy="https://demo.localhost:8443/about",
        contact="mailto:security@courts.example",
        log_origin=ORIGIN,
        **more,
    )


class Bench:
    """A ledger and vantages with keys of their own, in a folder."""

    NOW, SITE = NOW, SITE
    masthead = staticmethod(masthead)
    check, promise, stamp = staticmethod(check), staticmethod(promise), staticmethod(stamp)

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        private = Ed25519PrivateKey.generate()
        self.key = NoteSigner.from_private(ORIGIN, private)
        self.ledger = Signer(evidence.key_id(self.key.public), private.sign)
        self.vantages: dict[str, Signer] = {}
        self._public: dict[str, bytes] = {}
        self._sequence: dict[str, int] = {}
        self.log = Log.open(folder, self.key, now=NOW - timedelta(days=40))
        self.ring: list[bytes] = []
        self.at = NOW - timedelta(days=40)
        self.name_key(self.key.public, "ledger", ORIGIN)

    @property
    def verifier(self) -> NoteVerifier:
        return self.key.verifier()

    def own(self, kind: str, body: Mapping[str, object], at: datetime | None = None) -> int:
        self.at = max(self.at, at or self.at)
        full = {**body, "at": stamp(self.at)}
        made = evidence.statement(kind, full, subject=ORIGIN, digest="0" * 64)
        return self.log.append([evidence.seal(made, self.ledger)], self.at)[0]

    def name_key(self, public: bytes, role: str, name: str, *, retired: bool = False) -> int:
        return self.own(
            "key",
            {
                "keyid": evidence.key_id(public),
                "public": base64.b64encode(public).decode(),
                "role": role,
                "name": name,
                "retired": retired,
            },
        )

    def vantage(self, name: str = "home") -> Signer:
        if name not in self.vantages:
            private = Ed25519PrivateKey.generate()
            public = private.public_key().public_bytes_raw()
            self.vantages[name] = Signer(evidence.key_id(public), private.sign)
            self._public[name] = public
            self.name_key(public, "vantage", name)
        return self.vantages[name]

    def public_of(self, name: str) -> bytes:
        return self._public[name]

    def catalogue(self, *promises: Mapping[str, object], at: datetime | None = None) -> int:
        body = {"promises": list(promises), "config": "c" * 64, "version": "0.1.0"}
        return self.own("catalogue", body, at)

    def attest(self, slug: str, signed: datetime, expires: datetime) -> int:
        """A person's statement, put on record when it was signed."""
        body = {
            "promise": slug,
            "by": "A. Example",
            "role": "head of operations",
            "statement": "It was done.",
            "signed": stamp(signed),
            "expires": stamp(expires),
            "document_sha256": "",
        }
        return self.own("attestation", body, signed)

    def round(
        self,
        verdicts: Mapping[str, str],
        at: datetime,
        *,
        vantage: str = "home",
        ttl: timedelta = timedelta(seconds=60),
        logged: bool = True,
        public: Mapping[str, object] | None = None,
        certificate: str = "ab" * 32,
    ) -> int:
        """A round; the index of its leaf, or -1 when it stays in the ring."""
        signer = self.vantage(vantage)
        self._sequence[vantage] = self._sequence.get(vantage, 0) + 1
        seen = Round(
            subject=SITE.app,
            certificate=certificate,
            config="c" * 64,
            version="0.1.0",
            vantage=vantage,
            sequence=self._sequence[vantage],
            looks=tuple(
                Look(
                    check=name,
                    verdict=Verdict(verdict),
                    collected=at,
                    expires=at + ttl,
                    reason={"pass": "as promised", "fail": "missing"}.get(verdict, "no answer"),
                    probe="0123456789abcdef",
                    public=public or {},
                )
                for name, verdict in verdicts.items()
            ),
        )
        raw = evidence.seal(evidence.round_statement(seen), signer)
        self.ring.append(raw)
        if not logged:
            return -1
        self.at = max(self.at, at)
        return self.log.append([raw], self.at)[0]

    def looks(self) -> bytes:
        return json.dumps(
            {"generated": None, "rounds": [json.loads(r) for r in self.ring]}
        ).encode()

    def known(self) -> tuple[Record, History, Head]:
        record, history = Record(), History()
        log = read_log(self.folder, self.verifier)
        for leaf in follow(record, log, 0):
            history.add(leaf)
        for raw in self.ring:
            record.add_round(raw)
        return record, history, Head(log.head.origin, log.head.size, log.head.root.hex())

    def page(self, now: datetime = NOW, **more: object) -> Page:
        record, history, head = self.known()
        sources = Sources(record=record, history=history, head=head, **more)
        house = masthead(fingerprint=self.ledger.keyid)
        return make(sources, house, now=now, lasts=now + timedelta(minutes=1))

    def close(self) -> None:
        self.log.close()
