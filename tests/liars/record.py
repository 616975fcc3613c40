"""What a worker would have put on record of the honest system: the page tells of it.

Promises about the page itself need a page with verdicts on it. Looks count for a minute, so the
record is made again when it is older than that.
"""

import json
import time
from collections.abc import Callable
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import troth
from troth.adapters import chance, clock
from troth.adapters.vantage import Vantage
from troth.catalogue import Settings, declared
from troth.kernel.model import Check, Method, Verdict
from troth.prove import keys
from troth.prove.courier import Courier
from troth.prove.digest import probe_digests
from troth.prove.rounds import Details, Scribe, Subject
from troth.prove.run import Runner
from troth.roles.places import Places

NAME = "liars"
PUBLISHED_WITHIN_S = 20.0
CHEAP = frozenset({Method.LOOK, Method.SCAN, Method.ATTACK})


class Record:
    """A vantage that looks at everything, at the page last."""

    def __init__(self, places: Places, settings: Settings) -> None:
        self._places, self._settings = places, settings
        self._work = [
            (promise.area, check)
            for promise in declared(settings)
            for check in promise.checks
            if check.method in CHEAP
            if not promise.not_applicable_because
        ]
        digests = probe_digests(check for _, check in self._work)
        key = keys.load_or_create(places.keys / f"vantage-{NAME}.key")
        self._courier = Courier(
            places.socket("ledger"), name=NAME, public=key.public, told=lambda *_: None
        )
        self._scribe = Scribe(
            name=NAME,
            version=troth.__version__,
            signer=key.signer,
            sequence=self._courier.enrol(),
            persist=lambda _: None,
            details=Details(places.private / "details"),
            dice=chance.system().randbytes,
            digests=lambda seen: digests[seen.check.id],
        )
        self._runner = Runner(settings_of=settings.of, now=clock.now, canaries=_mail(settings))

    def make(self, vantage: Vantage, config: str) -> None:
        """Look, seal, deliver, and wait until the page tells of it; then the same of the page."""
        for of_page in (False, True):
            work = [item for item in self._work if (item[0] == "trust") is of_page]
            self._make(work, vantage, config)

    def _make(self, work: list[tuple[str, Check]], vantage: Vantage, config: str) -> None:
        began = clock.now()
        seen = self._runner.run(work, vantage)
        subject = Subject(
            address=vantage.site.app, certificate=vantage.certificate_sha256, config=config
        )
        for raw in self._scribe.seal(seen, subject, clock.now()):
            self._courier.take(raw, clock.now())
        self._courier.deliver(clock.now())
        wanted = {item.check.id for item in seen if item.verdict is not Verdict.ERROR}
        api = self._places.public / "api" / "v1" / "promises.json"
        _wait(lambda: wanted <= _told(api, began))


def _mail(settings: Settings) -> tuple[str, ...]:
    trust = settings.trust
    return (trust.security_contact.removeprefix("mailto:"), trust.company.mail)


def _told(api: Path, since: datetime) -> set[str]:
    try:
        whole: dict[str, Any] = json.loads(api.read_bytes())
    except (OSError, ValueError):
        return set()
    return {
        check["id"]
        for promise in whole["promises"]
        for check in promise["checks"]
        for look in check["looks"]
        if datetime.fromisoformat(look["collected"]) >= since - timedelta(seconds=1)
    }


def _wait(is_there: Callable[[], bool]) -> None:
    end = time.monotonic() + PUBLISHED_WITHIN_S
    while not is_there():
        if time.monotonic() > end:
            raise RuntimeError("the page never told of the record")
        time.sleep(0.05)
