"""From what was seen to signed rounds, and the private details behind their commitments.

Facts that a probe does not name public are committed to with a salt; salt and facts lie in files of
mode 0600 until the finding closes: two hours where nothing happened, 30 days where something did.
"""

import json
import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path

from troth.adapters import files
from troth.kernel.evidence import Look, Round, Signer, commit, round_statement, seal
from troth.kernel.model import Method, Verdict
from troth.prove.run import Seen

SALT_BYTES = 16
MAX_SEALED_BYTES = 60_000  # below the log's 65,535 bytes for one leaf
KEEP_QUIET = timedelta(hours=2)
KEEP_TELLING = timedelta(days=30)
_FILE = re.compile(r"(quiet|telling)-(\d{8}T\d{2})\.jsonl")


@dataclass(frozen=True, slots=True, kw_only=True)
class Subject:
    """What the rounds are about: address, certificate (SHA-256 hex), configuration (same)."""

    address: str
    certificate: str
    config: str


class Details:
    """Salts and facts that are not public yet, by the hour; one writer."""

    def __init__(self, folder: Path) -> None:
        """Use the folder, created with mode 0700 when it is not there."""
        self._folder = folder
        files.make_folder(folder, mode=0o700, durable=False)

    def keep(
        self, entries: Sequence[Mapping[str, object]], *, telling: bool, now: datetime
    ) -> None:
        """Append entries of one round."""
        if not entries:
            return
        kind = "telling" if telling else "quiet"
        path = self._folder / f"{kind}-{now.astimezone(UTC):%Y%m%dT%H}.jsonl"
        appender = files.Appender(path)
        try:
            appender.append(b"".join(json.dumps(e).encode() + b"\n" for e in entries))
        finally:
            appender.close()

    def prune(self, now: datetime) -> None:
        """Remove what has been kept long enough."""
        for path in self._folder.iterdir():
            found = _FILE.fullmatch(path.name)
            if not found:
                continue
            hour = datetime.strptime(found[2] + "+0000", "%Y%m%dT%H%z")
            keep = KEEP_TELLING if found[1] == "telling" else KEEP_QUIET
            if hour + timedelta(hours=1) + keep < now:
                path.unlink(missing_ok=True)


@dataclass(slots=True, kw_only=True)
class Scribe:
    """Seals what one vantage saw. Its sequence counts every round that it ever sealed.

    Args:
        name: of the vantage.
        version: of Troth.
        signer: the vantage's key.
        sequence: of its last round; 0 before the first.
        persist: called with a sequence before the round of that number is sealed.
        details: where salts go.
        dice: so many unguessable bytes, for salts.
        digests: check -> digest of probe and judge.
    """

    name: str
    version: str
    signer: Signer
    sequence: int
    persist: Callable[[int], None]
    details: Details
    dice: Callable[[int], bytes]
    digests: Callable[[Seen], str]
    _last: dict[str, Verdict] = field(default_factory=dict)

    def seal(self, seen: Sequence[Seen], subject: Subject, now: datetime) -> list[bytes]:
        """Sealed rounds, in order. What changed comes in a round of its own.

        The log keeps whole rounds: forty quiet looks need not go there because one changed.
        """
        changed = [item for item in seen if self._last.get(item.check.id) is not item.verdict]
        same = [item for item in seen if self._last.get(item.check.id) is item.verdict]
        sealed = []
        for group, telling in ((changed, True), (same, False)):
            sealed += [self._seal(part, subject, now, telling=telling) for part in _parts(group)]
        self._last |= {item.check.id: item.verdict for item in seen}
        return sealed

    def _seal(
        self, seen: Sequence[Seen], subject: Subject, now: datetime, *, telling: bool
    ) -> bytes:
        self.persist(self.sequence + 1)
        self.sequence += 1
        looks, entries = [], []
        for item in seen:
            salt = self.dice(SALT_BYTES) if item.hidden else b""
            looks.append(self._look(item, salt))
            if item.hidden:
                entries.append(
                    {
                        "check": item.check.id,
                        "facts": item.hidden,
                        "salt": salt.hex(),
                        "sequence": self.sequence,
                        "vantage": self.name,
                    }
                )
        tells = telling or any(
            item.verdict is not Verdict.PASS or item.check.method is Method.DRILL for item in seen
        )
        self.details.keep(entries, telling=tells, now=now)
        made = Round(
            subject=subject.address,
            certificate=subject.certificate,
            config=subject.config,
            version=self.version,
            vantage=self.name,
            sequence=self.sequence,
            looks=tuple(looks),
        )
        return seal(round_statement(made), self.signer)

    def _look(self, item: Seen, salt: bytes) -> Look:
        return Look(
            check=item.check.id,
            verdict=item.verdict,
            collected=item.collected,
            expires=item.collected + item.check.ttl,
            reason=item.reason,
            probe=self.digests(item),
            public=item.public,
            commitment=commit(item.hidden, salt) if item.hidden else "",
        )


def _parts(seen: Sequence[Seen]) -> Iterator[list[Seen]]:
    """In pieces that, sealed, fit a leaf: base64 makes 4 of 3, the envelope and each look more."""
    part: list[Seen] = []
    size = 0
    for item in seen:
        weight = (len(json.dumps(dict(item.public))) + len(item.reason) * 2 + 450) * 4 // 3
        if part and size + weight > MAX_SEALED_BYTES - 2000:
            yield part
            part, size = [], 0
        part.append(item)
        size += weight
    if part:
        yield part
