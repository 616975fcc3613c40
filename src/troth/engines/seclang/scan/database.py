"""Hyperscan databases: what is to go into one, the compiler, and what comes out, as bytes.

A `Job` says it all and is a value, so that another process can do the work. `Compiled` is the
outcome. Which patterns Hyperscan takes is known only by trying; those it does not take, or only at
the price of a huge automaton, are put aside: their necessary literals go into the database in their
place, and who hits is confirmed by RE2.

Trust: a serialised database is native code's data, which Hyperscan does not check. It must come
from ourselves, unchanged: whoever stores one checks its hash and its owner.
"""

import hashlib
from collections.abc import Callable
from importlib.metadata import version
from typing import Any

import hyperscan
import msgspec

FORMAT = 1  # part of every key; raise it when the same job would give another outcome
MAX_PATTERN_DATABASE = 1 << 20  # bytes of one pattern's own; beyond it it is put aside
MAX_WORD = 3  # bytes that a literal has at least to stand in for a pattern
_FLAGS: int = (
    hyperscan.HS_FLAG_DOTALL
    | hyperscan.HS_FLAG_MULTILINE
    | hyperscan.HS_FLAG_ALLOWEMPTY
    | hyperscan.HS_FLAG_SINGLEMATCH
)


class Entry(msgspec.Struct, frozen=True):
    """One needle of a database.

    Args:
        id: reported when it is found.
        expression: in Hyperscan's notation; empty for phrases.
        words: the phrases; of a pattern, literals that stand in for it (none: nothing can).
    """

    id: int
    expression: bytes = b""
    words: tuple[bytes, ...] = ()


class Job(msgspec.Struct, frozen=True):
    """What is to be compiled into one database."""

    entries: tuple[Entry, ...]

    def key(self, machine: str) -> str:
        """What its outcome is stored under: the same job, compiler and kind of machine."""
        made = hashlib.sha256(f"{FORMAT}\n{compiler()}\n{machine}\n".encode())
        made.update(msgspec.msgpack.encode(self))
        return made.hexdigest()


class Compiled(msgspec.Struct, frozen=True):
    """A database as bytes.

    Args:
        blob: as Hyperscan serialises it; empty when nothing is in it.
        loose: ids in it that must be confirmed.
        absent: ids that are not in it, so that every value must be asked.
    """

    blob: bytes
    loose: tuple[int, ...] = ()
    absent: tuple[int, ...] = ()


def dump(compiled: Compiled) -> bytes:
    """As bytes, with a hash in front."""
    body = msgspec.msgpack.encode(compiled)
    return hashlib.sha256(body).digest() + body


def load(data: bytes) -> Compiled:
    """What `dump` gave.

    Raises:
        ValueError: it is not whole, or not that.
    """
    body = data[32:]
    if hashlib.sha256(body).digest() != data[:32]:
        raise ValueError("the content does not have the hash it names")
    try:
        return msgspec.msgpack.decode(body, type=Compiled)
    except msgspec.DecodeError as error:
        raise ValueError(f"no compiled database: {error}") from error


def compiler() -> str:
    """The wheel's version and the library's: another one gives other bytes."""
    tried: object = _database([b"a"], [0], [_FLAGS]).info()  # bytes, whatever its stub says
    return f"{version('hyperscan')} {tried!r}"


def compile(job: Job) -> Compiled:  # noqa: A001 -- what it does
    """Do the job; up to seconds for a thousand patterns.

    Raises:
        ValueError: Hyperscan takes the parts and refuses the whole.
    """
    expressions: list[tuple[bytes, int, int]] = []
    loose, absent = [], []
    for entry in job.entries:
        if not entry.expression:
            expressions += _words(entry)
        elif _is_taken(entry.expression):
            expressions.append((entry.expression, entry.id, _FLAGS))
        elif entry.words and min(map(len, entry.words)) >= MAX_WORD:
            loose.append(entry.id)
            expressions += _words(entry)
        else:
            absent.append(entry.id)
    if not expressions:
        return Compiled(b"", (), tuple(absent))
    try:
        whole = _database(*map(list, zip(*expressions, strict=True)))
    except hyperscan.HyperscanError as error:
        raise ValueError(f"Hyperscan refuses the whole: {error}") from error
    return Compiled(hyperscan.dumpb(whole), tuple(loose), tuple(absent))


def opened(compiled: Compiled) -> Callable[[bytes, list[int]], object]:
    """A function that puts the ids found in a value into a list. Threads may share it.

    Raises:
        ValueError: Hyperscan does not know the bytes, or they are for another kind of machine.
    """
    if not compiled.blob:
        return lambda _value, _found: None
    try:
        database = hyperscan.loadb(compiled.blob, hyperscan.HS_MODE_BLOCK)
        scratch = hyperscan.Scratch(database)
    except hyperscan.HyperscanError as error:
        raise ValueError(f"Hyperscan refuses the bytes: {error}") from error
    scan = database.scan

    def find(value: bytes, found: list[int]) -> None:
        try:
            scan(value, _note, 0, found, scratch)
        except hyperscan.ScratchInUseError:  # another thread is scanning with ours
            scan(value, _note, 0, found, hyperscan.Scratch(database))

    return find


def single(expression: bytes) -> Callable[[bytes], bool] | None:
    """One pattern's own database; None when Hyperscan does not take it."""
    if not _is_taken(expression):
        return None
    find = opened(compile(Job((Entry(0, expression),))))

    def is_found(value: bytes) -> bool:
        found: list[int] = []
        find(value, found)
        return bool(found)

    return is_found


def _note(number: int, _start: int, _end: int, _flags: int, found: Any) -> None:
    found.append(number)


def _words(entry: Entry) -> list[tuple[bytes, int, int]]:
    caseless = _FLAGS | hyperscan.HS_FLAG_CASELESS
    return [(_quoted(word), entry.id, caseless) for word in entry.words]


def _quoted(word: bytes) -> bytes:
    return b"".join(b"\\x%02x" % byte for byte in word)


def _is_taken(expression: bytes) -> bool:
    try:
        alone = _database([expression], [0], [_FLAGS])
    except hyperscan.HyperscanError:
        return False
    return alone.size() <= MAX_PATTERN_DATABASE


def _database(expressions: list[bytes], ids: list[int], flags: list[int]) -> "hyperscan.Database":
    database = hyperscan.Database(mode=hyperscan.HS_MODE_BLOCK)
    database.compile(expressions=expressions, ids=ids, elements=len(ids), flags=flags)
    return database
