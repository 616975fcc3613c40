"""The editor: follows log and ring as they grow, and makes the page of any moment.

Incremental: a leaf or round is verified and folded once. When something cannot be believed the page
says so and nothing else, and the editor starts over from the first leaf the next time, so that a
log that was mended is believed again and one that was not stays refused.
"""

import hashlib
from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from pathlib import Path

from troth.engines.tlog.errors import LogError
from troth.engines.tlog.merkle import leaf_hash
from troth.engines.tlog.note import NoteVerifier
from troth.engines.tlog.read import VerifiedLog, read_log
from troth.engines.tlog.tiles import WIDTH, tile_path
from troth.kernel.errors import Failure
from troth.kernel.evidence import (
    Envelope,
    EvidenceError,
    Look,
    read_round,
    stamp,
    unseal,
)
from troth.publish.history import History
from troth.publish.page import Head, Masthead, Page, Row, Sources, make, troubled
from troth.publish.record import Leaf, Record, follow
from troth.publish.render import Piece
from troth.publish.words import Sentence

LASTS = timedelta(seconds=60)  # what nobody has looked at for so long is stale, whatever its ttl
SERVED = timedelta(hours=1)  # how much of the ring is published


@dataclass(slots=True)
class Known:
    """What has been folded so far."""

    record: Record = field(default_factory=Record)
    history: History = field(default_factory=History)
    log: VerifiedLog | None = None
    rounds: dict[str, tuple[bytes, Leaf | None]] = field(default_factory=dict)  # by digest


class Editor:
    """Makes pages.

    Args:
        log: the log's folder.
        key: the log's key; without it nothing can be believed.
        masthead: who publishes.
        how: the words of how each promise is kept, filled.
        tested: (check, probe digest) of probes seen red on a liar.
    """

    def __init__(
        self,
        log: Path,
        key: NoteVerifier,
        masthead: Masthead,
        *,
        how: Mapping[str, Sentence],
        tested: Collection[tuple[str, str]] = frozenset(),
    ) -> None:
        self._folder, self._key = log, key
        self.masthead = masthead
        self.how = how
        self.tested = tested
        self._known = Known()
        self._rows: tuple[Row, ...] = ()

    @property
    def record(self) -> Record:
        """What is known at the moment."""
        return self._known.record

    def page(self, rounds: Iterable[bytes], now: datetime) -> Page:
        """The page as of `now`, with the ring's rounds as they lie there. Never raises Failure."""
        try:
            self._follow()
            self._fold(rounds)
        except Failure as trouble:
            self._known = Known()
            return troubled(self.masthead, trouble.what, now=now, known=self._rows)
        known = self._known
        known.history.until(now)
        head = known.log.head if known.log else None
        sources = Sources(
            record=known.record,
            history=known.history,
            head=Head(head.origin, head.size, head.root.hex()) if head else Head(),
            how=self.how,
            tested=self.tested,
        )
        page = make(sources, self.masthead, now=now, lasts=now + LASTS)
        self._rows = page.rows
        return page

    def _follow(self) -> None:
        """Take in the leaves that came since. Raises Failure; LogError also for a fork."""
        known = self._known
        log = read_log(self._folder, self._key)
        start = 0
        if known.log is not None:
            start = known.log.head.size
            _refuse_fork(known.log, log)
        for leaf in follow(known.record, log, start):
            known.history.add(leaf)
        known.log = log

    def _fold(self, rounds: Iterable[bytes]) -> None:
        known, present = self._known, {}
        for raw in rounds:
            digest = hashlib.sha256(raw).hexdigest()
            seen = known.rounds.get(digest)
            present[digest] = seen or (raw, known.record.add_round(raw))
        known.rounds = present

    def looks(self, now: datetime) -> bytes:
        """`/api/v1/looks`: the ring's last hour, newest last."""
        rounds = b",\n".join(
            raw
            for raw, leaf in self._known.rounds.values()
            if leaf is not None and now - leaf.at <= SERVED
        )
        return b'{"generated":"%b","rounds":[\n%b\n]}\n' % (stamp(now).encode(), rounds)

    def pieces(self, page: Page, has: Callable[[str], bool]) -> Iterable[Piece]:
        """The evidence that the page links to and that has no page of its own yet."""
        by_place = {leaf.source: raw for raw, leaf in self._known.rounds.values() if leaf}
        keys = {key.source for key in self.record.keys.values()}
        for source in sorted(cited(page) | keys):
            if has(source):
                continue
            raw = by_place.get(source)
            if raw is None and source.startswith("log:") and self._known.log is not None:
                _, raw = next(self._known.log.entries(int(source.removeprefix("log:"))))
            if raw is not None:
                yield self._piece(source, raw)

    def _piece(self, source: str, raw: bytes) -> Piece:
        envelope = unseal(raw)
        key = self.record.keys.get(envelope.keyid)
        offset, bundle = 0, ""
        if source.startswith("log:") and self._known.log is not None:
            number, offset = divmod(int(source.removeprefix("log:")), WIDTH)
            width = min(WIDTH, self._known.log.head.size - number * WIDTH)
            bundle = tile_path("entries", number, width)
        return Piece(
            source=source,
            raw=raw,
            envelope=envelope,
            kind=str(envelope.statement["predicateType"]),
            signer=f"{key.role} {key.name}" if key else "unknown",
            openssl=_openssl(source, key.public if key else b""),
            key=key.source if key else "",
            leaf_hash=leaf_hash(raw).hex() if bundle else "",
            offset=offset,
            bundle=bundle,
            looks=_looks(envelope),
        )


def cited(page: Page) -> set[str]:
    """Every piece of evidence that the page or its feeds link to."""
    found = {look.evidence.source for row in page.rows for look in row.looks}
    found |= {change.source for row in page.rows for change in row.changes}
    found |= {change.source for change in page.changes}
    found |= {row.attestation[0] for row in page.rows if row.attestation}
    found |= {source for row in page.rows for source, _ in row.waivers}
    return (found | {page.catalogue}) - {""}


def _refuse_fork(before: VerifiedLog, now: VerifiedLog) -> None:
    """Raise LogError unless the log still begins with the leaves that it had."""
    full = before.head.size // WIDTH
    rest = before.hashes[full] if full < len(before.hashes) else b""
    begins = now.hashes[full][: len(rest)] if rest and full < len(now.hashes) else b""
    if now.head.size < before.head.size or (now.hashes[:full], begins) != (
        before.hashes[:full],
        rest,
    ):
        raise LogError("the log is not the one that was read before", where=now.head.origin)


def _looks(envelope: Envelope) -> Sequence[Look]:
    try:
        return read_round(envelope.statement).looks
    except EvidenceError:
        return ()


def _openssl(source: str, public: bytes) -> str:
    """Commands that verify the envelope below with OpenSSL 3 and Python's base64 alone."""
    spki = "302a300506032b6570032100" + public.hex()  # Source: RFC 8410, 4: Ed25519's prefix
    name = source.replace(":", "-")
    return (
        f"# save the envelope below as {name}.json, then:\n"
        f"jq -r .payload {name}.json | base64 -d > payload\n"
        f"jq -r .signatures[0].sig {name}.json | base64 -d > sig\n"
        "{ printf 'DSSEv1 28 application/vnd.in-toto+json %d ' $(wc -c < payload); "
        "cat payload; } > signed\n"
        f"printf {spki} | xxd -r -p | openssl pkey -pubin -inform DER -out key.pem\n"
        "openssl pkeyutl -verify -pubin -inkey key.pem -rawin -in signed -sigfile sig"
    )
