"""The ledger: the log's one writer and the only holder of its key, on `run/ledger.sock`.

One JSON object a line, one answer a line: `{"do": "round", "envelope": "..."}` and the like. The
peer is checked; what only the operator may ask is refused to other users. Whatever leaves it unsure
of its own log (a disk that is full, a clock that went back) ends the process: the log is the truth,
and the next start reads it.
"""

import asyncio
import base64
import os
import signal
import sys
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from importlib import resources
from pathlib import Path
from typing import Annotated, Any

import msgspec
from msgspec import Meta, Struct

import troth
from troth import catalogue
from troth.adapters import clock, config, files, notify, sockets
from troth.adapters.log import Log
from troth.catalogue import Settings
from troth.engines.tlog.errors import LogError
from troth.engines.tlog.note import NoteVerifier
from troth.kernel.errors import Failure
from troth.kernel.model import Attestation, Waiver
from troth.prove import keys, leaves
from troth.prove.admit import Refused
from troth.prove.digest import probe_digests
from troth.prove.ledger import Ledger, config_digest
from troth.publish import words
from troth.roles import start
from troth.roles.places import Places

MAX_LINE_BYTES = 384 * 1024  # an envelope of 256 KiB, escaped
MAX_CONNECTIONS = 64
IDLE_S = 120
TICK_S = 1.0
LOCAL = "local"  # the vantage on this machine

Moment = Annotated[datetime, Meta(tz=True)]


class _Round(Struct, tag_field="do", tag="round", forbid_unknown_fields=True):
    """A sealed round."""

    envelope: str


class _Hello(Struct, tag_field="do", tag="hello", forbid_unknown_fields=True):
    """A vantage with its public key (base64)."""

    vantage: str
    public: str


class _Attest(Struct, tag_field="do", tag="attest", forbid_unknown_fields=True):
    """A person's statement; times in RFC 3339."""

    promise: str
    by: str
    role: str
    statement: str
    signed: Moment
    expires: Moment
    document_sha256: str = ""


class _Waive(Struct, tag_field="do", tag="waive", forbid_unknown_fields=True):
    """A waiver."""

    promise: str
    reason: str
    by: str
    expires: Moment


class _Retire(Struct, tag_field="do", tag="retire", forbid_unknown_fields=True):
    """Let a vantage's key count no more."""

    vantage: str


class _Restored(Struct, tag_field="do", tag="restored", forbid_unknown_fields=True):
    """Something was restored from a backup."""

    what: str


class _Attach(Struct, tag_field="do", tag="attach", forbid_unknown_fields=True):
    """Cosignatures of the present checkpoint, and the witnesses' verifier keys."""

    lines: list[str]
    witnesses: list[str]


class _State(Struct, tag_field="do", tag="state", forbid_unknown_fields=True):
    """How large the log is."""


Ask = _Round | _Hello | _Attest | _Waive | _Retire | _Restored | _Attach | _State
_OPERATORS = (_Attest, _Waive, _Retire, _Restored, _Attach)


class Desk:
    """Answers what is asked on the socket. One event loop; never two questions at a time."""

    def __init__(self, ledger: Ledger, log: Log) -> None:
        self._ledger, self._log = ledger, log

    def answer(self, line: bytes, peer: sockets.Peer) -> dict[str, Any]:
        """Do what a line asks. Raises LogError or FileError when the log itself is in doubt."""
        try:
            asked = msgspec.json.decode(line, type=Ask, strict=True)
        except (msgspec.DecodeError, UnicodeDecodeError) as error:
            return {"ok": False, "code": "not-understood", "why": str(error)[:200]}
        if self._is_operators(asked) and peer.uid not in (0, os.geteuid()):
            return {"ok": False, "code": "not-allowed", "why": "only the operator may ask this"}
        try:
            return {"ok": True} | self._do(asked, clock.now())
        except Refused as refused:
            self._log.event("round.refused", code=refused.code, where=refused.where)
            return {"ok": False, "code": refused.code, "why": refused.hint()}
        except (LogError, files.FileError):
            raise
        except Failure as failure:
            return {"ok": False, "code": "refused", "why": failure.hint()}

    def _is_operators(self, asked: Ask) -> bool:
        """Whether only the operator may ask this: statements, keys, and vantages elsewhere.

        The worker of this machine may bring its key itself, the first time.
        """
        if isinstance(asked, _Hello):
            return asked.vantage != LOCAL and not self._ledger.knows(asked.vantage)
        return isinstance(asked, _OPERATORS)

    def _do(self, asked: Ask, now: datetime) -> dict[str, Any]:
        match asked:
            case _Round(envelope=envelope):
                return {"source": self._ledger.submit(envelope.encode(), now)}
            case _Hello(vantage=name, public=public):
                sequence = self._ledger.enrol(name, keys.decode_public(public), now)
                return {"sequence": sequence}
            case _Attest():
                signed = Attestation(**msgspec.structs.asdict(asked))
                return {"is_new": self._ledger.attest(signed, now)}
            case _Waive():
                waiver = Waiver(**msgspec.structs.asdict(asked))
                return {"is_new": self._ledger.waive(waiver, now)}
            case _Retire(vantage=name):
                self._ledger.retire(name, now)
            case _Restored(what=what):
                self._ledger.restored(what, now)
            case _Attach(lines=lines, witnesses=witnesses):
                try:
                    self._ledger.attach(lines, [NoteVerifier.parse(key) for key in witnesses])
                except LogError as error:  # another's signature is in doubt, not our log
                    return {"ok": False, "code": "refused", "why": error.hint()}
        checkpoint = base64.b64encode(self._ledger.checkpoint).decode()
        return {"size": self._ledger.size, "checkpoint": checkpoint}


def main(argv: Sequence[str]) -> int:
    """Run until SIGTERM."""
    return start.guarded(_main, argv, LogError, files.FileError, sockets.SocketError)


def _main(argv: Sequence[str]) -> int:
    known = start.arguments("ledger").parse_args(argv)
    settings, places = start.given(known)
    key = keys.load_or_create(places.keys / "ledger.key")
    ledger = Ledger.open(
        places.log,
        places.looks,
        key,
        origin=settings.troth.log_origin or settings.troth.host,
        now=clock.now(),
    )
    try:
        asyncio.run(Role(ledger, known.config, places).run())
    finally:
        ledger.close()
    return 0


class Role:
    """The process: socket, clock tick, configuration."""

    def __init__(self, ledger: Ledger, path: Path, places: Places) -> None:
        self._ledger, self._path, self._places = ledger, path, places
        self._log = Log("ledger", clock.now)
        self._desk = Desk(ledger, self._log)
        self._stop = asyncio.Event()
        self._again = asyncio.Event()
        self._broken: Failure | None = None
        self._group = places.run.stat().st_gid
        self._open = 0

    async def run(self) -> None:
        """Serve until told to stop. Raises what put the log in doubt."""
        loop = asyncio.get_running_loop()
        for number in (signal.SIGTERM, signal.SIGINT):
            loop.add_signal_handler(number, self._stop.set)
        loop.add_signal_handler(signal.SIGHUP, self._again.set)
        self._ledger.tell(lambda change: self._log.event("verdict.changed", **_flat(change)))
        self.declare()
        listener = sockets.listen_unix(self._places.socket("ledger"))
        server = await asyncio.start_unix_server(
            self._serve, sock=listener.door, limit=MAX_LINE_BYTES
        )
        try:
            self._log.event("ledger.ready", size=self._ledger.size)
            notify.ready()
            await self._ticking()
        finally:
            server.close()
            listener.unlink()
        if self._broken is not None:
            raise self._broken

    def declare(self) -> None:
        """Put the catalogue on record as the configuration declares it now. Raises ConfigError."""
        raw = _read(self._path)
        settings = config.parse(raw, Settings, where=str(self._path))
        promises = catalogue.declared(settings)
        sentences = words.load(resources.files("troth.promises"))
        checks = {check.id: check for promise in promises for check in promise.checks}
        digests = probe_digests(checks.values())
        entries = []
        for promise in promises:
            if promise.slug not in sentences:
                self._log.event("sentence.missing", slug=promise.slug)
            sentence = sentences.get(promise.slug) or words.Sentence(slug=promise.slug, claim={})
            said = words.filled(sentence, catalogue.words(settings, promise.area))
            entries.append(leaves.promise_entry(promise, said.claim, digests))
        is_new = self._ledger.declare(
            entries,
            checks,
            config=config_digest(raw),
            version=troth.__version__,
            now=clock.now(),
            canaries=contacts(settings),
        )
        if is_new:
            self._log.event("catalogue.declared", promises=len(entries))
        review = settings.trust.review
        if review is not None:
            signed, until = (
                datetime(day.year, day.month, day.day, tzinfo=UTC)
                for day in (review.reviewed, review.next)
            )
            self._ledger.attest(
                Attestation(
                    promise="procedures-reviewed",
                    by=review.by,
                    role=review.role,
                    statement=review.statement,
                    signed=signed,
                    expires=until + timedelta(days=1),  # the day named still counts
                ),
                clock.now(),
            )

    async def _ticking(self) -> None:
        while not self._stop.is_set():
            try:
                async with asyncio.timeout(TICK_S):
                    await self._stop.wait()
            except TimeoutError:
                self._tick()

    def _tick(self) -> None:
        try:
            self._ledger.tick(clock.now())
            if self._again.is_set():
                self._again.clear()
                self.declare()
        except (LogError, files.FileError) as error:
            self._give_up(error)
        except Failure as failure:  # a bad configuration: the last good one stays
            self._log.event("config.refused", why=failure.hint())
        notify.tell("WATCHDOG=1")

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        peer = sockets.peer_of(writer.get_extra_info("socket"))
        self._open += 1
        try:
            is_friend = sockets.is_friend(peer, uid=os.geteuid(), group=self._group)
            while is_friend and self._open <= MAX_CONNECTIONS and self._broken is None:
                async with asyncio.timeout(IDLE_S):
                    line = await reader.readuntil(b"\n")
                answer = self._desk.answer(line[:-1], peer)
                writer.write(msgspec.json.encode(answer) + b"\n")
                async with asyncio.timeout(IDLE_S):
                    await writer.drain()
        except (TimeoutError, asyncio.IncompleteReadError, asyncio.LimitOverrunError, OSError):
            pass  # a peer that left, idles or says too much is not answered
        except (LogError, files.FileError) as error:
            self._give_up(error)
        finally:
            self._open -= 1
            writer.close()

    def _give_up(self, error: Failure) -> None:
        self._log.event("ledger.broken", why=error.hint())
        self._broken = error
        self._stop.set()


def contacts(settings: Settings) -> tuple[str, ...]:
    """Mail addresses that the operator publishes, and which evidence may therefore name."""
    trust = settings.trust
    named = (trust.company.mail, trust.security_contact.removeprefix("mailto:"))
    return tuple(name for name in named if "@" in name)


def _flat(change: Any) -> dict[str, Any]:
    return {
        "vantage": change.vantage,
        "check": change.check,
        "before": change.before.value if change.before else None,
        "after": change.after.value,
        "source": change.source,
    }


def _read(path: Path) -> bytes:
    try:
        return files.read_capped(path, config.MAX_BYTES)
    except (FileNotFoundError, files.FileError) as error:
        raise config.ConfigError("cannot be read", where=str(path)) from error


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
