"""Archives, read where they lie and unpacked nowhere: bombs, ways out, what hides in them.

What an archive says of itself is not believed: what is in it is inflated, piece by piece and within
a budget, and dropped. Source of the layouts: PKWARE APPNOTE 6.3.10 (4.3 to 4.5), RFC 1952, POSIX
pax. Zip bombs by overlap: D. Fifield, "A better zip bomb", USENIX WOOT 2019.
"""

import bz2
import itertools
import lzma
import struct
import zlib
from collections.abc import Callable, Iterator
from dataclasses import dataclass

from troth.engines.uploads import names
from troth.engines.uploads.content import PIECE, Content, Slice, pieces
from troth.engines.uploads.model import NOT_ALLOWED, REFUSED, Fault, UploadError
from troth.engines.uploads.signature import TAR_MARK_AT

MOST_ENTRIES = 10_000
MOST_RATIO = 200  # text compresses to a twentieth, at the very best
FREE_BYTES = 8 * 1024 * 1024  # so much may come of anything
MOST_UNPACKED = 1024 * 1024 * 1024
BUDGET = 256 * 1024 * 1024  # inflated at all while one upload is looked at
MOST_DEPTH = 3
MOST_NESTED_BYTES = 8 * 1024 * 1024  # of an archive in an archive, held while it is looked at
TAIL = 65_557  # a comment of 65,535 bytes and the record before it (APPNOTE 4.3.16)
_END = struct.Struct("<4s4H2LH")
_ENTRY = struct.Struct("<4s6H3L5H2L")
_LOCAL = struct.Struct("<4s5H3L2H")
STORED, DEFLATED = 0, 8
TAR_BLOCK = 512
ENCRYPTED = 1
UNKNOWN = 0xFFFFFFFF  # the real number is in a ZIP64 field
LINK = 0xA000  # in the upper half of the attributes that Unix writes


@dataclass(frozen=True, slots=True, kw_only=True)
class Entry:
    """A file in an archive: its name, and its content when it was small enough to be held."""

    name: bytes
    content: bytes | None


def fault(code: str, message: str, status: int = REFUSED, value: bytes = b"") -> UploadError:
    """A no about an archive."""
    return UploadError(Fault(code=code, status=status, message=message, value=value[:128]))


class Budget:
    """What may still be inflated."""

    def __init__(self, left: int = BUDGET) -> None:
        self.left = left

    def spend(self, size: int) -> None:
        """Raises UploadError when there is nothing left: nobody looked at the rest."""
        self.left -= size
        if self.left < 0:
            raise fault("bomb", "more comes of it than is looked at")


def zip_entries(content: Content, budget: Budget, *, refuses_encrypted: bool) -> Iterator[Entry]:
    """Every entry of a zip. Raises UploadError for what is no zip, or more than one."""
    found = list(_directory(content))
    total = sum(each.size for each in found)
    if total > MOST_UNPACKED or total > max(FREE_BYTES, MOST_RATIO * content.size):
        raise fault("bomb", "far more comes of the archive than is in it")
    at = 0
    for each in sorted(found, key=lambda one: one.offset):
        begin = _begin(content, each)
        if each.offset < at or begin + each.packed > content.size:
            raise fault("bomb", "entries of the archive overlap, or lie outside of it")
        at = begin + each.packed
        names.check(each.name)
        if each.is_encrypted and refuses_encrypted:
            raise fault("encrypted", "an encrypted entry", NOT_ALLOWED, each.name)
        if each.is_link:
            raise fault("archive-path", "a link in the archive", value=each.name)
        packed = Slice(content, begin, begin + each.packed)
        yield Entry(name=each.name, content=_unpacked(packed, each, budget))


@dataclass(frozen=True, slots=True, kw_only=True)
class _Listed:
    name: bytes
    method: int
    is_encrypted: bool
    is_link: bool
    packed: int
    size: int
    offset: int


def _directory(content: Content) -> Iterator[_Listed]:
    tail_at = max(0, content.size - TAIL)
    tail = content.read(tail_at, TAIL)
    place = tail.rfind(b"PK\5\6")
    if place < 0 or len(tail) - place < _END.size:
        raise fault("unreadable", "no directory at the archive's end", 422)
    _, disk, _, _, count, size, offset, comment = _END.unpack_from(tail, place)
    if disk or tail_at + place + _END.size + comment != content.size:
        raise fault("unreadable", "the archive ends elsewhere than it says", 422)
    if count > MOST_ENTRIES or UNKNOWN in (size, offset):
        raise fault("bomb", "more entries than are looked at")
    if offset + size > tail_at + place:
        raise fault("unreadable", "the archive's directory lies outside of it", 422)
    raw = content.read(offset, size)
    at = 0
    for _ in range(count):
        if len(raw) - at < _ENTRY.size or raw[at : at + 4] != b"PK\1\2":
            raise fault("unreadable", "a broken entry in the archive's directory", 422)
        (_, made, _, flags, method, _, _, _, packed, whole, name, extra, note, _, _, outside,
         where) = _ENTRY.unpack_from(raw, at)  # fmt: skip
        at += _ENTRY.size
        if UNKNOWN in (packed, whole, where):
            raise fault("bomb", "an entry of 4 GiB or more")
        yield _Listed(
            name=raw[at : at + name],
            method=method,
            is_encrypted=bool(flags & ENCRYPTED),
            is_link=made >> 8 == 3 and (outside >> 16) & 0xF000 == LINK,  # noqa: PLR2004 -- Unix
            packed=packed,
            size=whole,
            offset=where,
        )
        at += name + extra + note


def _begin(content: Content, each: _Listed) -> int:
    raw = content.read(each.offset, _LOCAL.size)
    if len(raw) < _LOCAL.size or raw[:4] != b"PK\3\4":
        raise fault("unreadable", "an entry that is not where it should be", 422, each.name)
    name, extra = _LOCAL.unpack(raw)[-2:]
    if content.read(each.offset + _LOCAL.size, name) != each.name:
        raise fault("unreadable", "an entry with two names", 422, each.name)
    return int(each.offset + _LOCAL.size + name + extra)


def _unpacked(packed: Content, each: _Listed, budget: Budget) -> bytes | None:
    """An entry's bytes if they are few; all of it is counted. What cannot be read is None."""
    if each.is_encrypted or each.method not in (STORED, DEFLATED):
        return None
    made = inflated(packed, 15 if each.method == STORED else -15, each.method == STORED)
    return _held(made, each.size, budget, each.name)


def _held(made: Iterator[bytes], said: int, budget: Budget, name: bytes) -> bytes | None:
    size, held = 0, []
    try:
        for piece in made:
            size += len(piece)
            budget.spend(len(piece))
            if size > said:
                raise fault("bomb", "an entry is longer than it says", value=name)
            if size <= MOST_NESTED_BYTES:
                held.append(piece)
    except (zlib.error, OSError, EOFError) as error:
        raise fault("unreadable", f"an entry that cannot be unpacked: {error}", 422) from error
    return b"".join(held) if size <= MOST_NESTED_BYTES else None


def inflated(packed: Content, window: int, is_stored: bool = False) -> Iterator[bytes]:  # noqa: FBT001, FBT002 -- one of zip's methods
    """What comes of a deflate stream, piece by piece; 31 as the window for gzip."""
    if is_stored:
        yield from pieces(packed)
        return
    engine = zlib.decompressobj(window)
    for piece in pieces(packed):
        rest = piece
        while rest:
            yield engine.decompress(rest, PIECE)
            rest = engine.unconsumed_tail
            if engine.eof and engine.unused_data:
                rest, engine = engine.unused_data, zlib.decompressobj(window)
    yield engine.flush()


def _other(packed: Content, make: Callable[[], bz2.BZ2Decompressor | lzma.LZMADecompressor]
           ) -> Iterator[bytes]:  # fmt: skip
    engine = make()
    for piece in pieces(packed):
        rest = piece
        while not engine.eof and (rest or not engine.needs_input):
            yield engine.decompress(rest, PIECE)
            rest = b""


def squeezed(content: Content, form: str, budget: Budget) -> Iterator[bytes]:
    """What comes of gzip, bzip2 or xz, as long as the ratio is not a bomb's. Raises UploadError."""
    made = {
        "gzip": lambda: inflated(content, 31),
        "bzip2": lambda: _other(content, bz2.BZ2Decompressor),
        "xz": lambda: _other(content, lambda: lzma.LZMADecompressor(memlimit=128 * 1024 * 1024)),
    }[form]()
    size = 0
    try:
        for piece in made:
            size += len(piece)
            budget.spend(len(piece))
            if size > max(FREE_BYTES, MOST_RATIO * content.size):
                raise fault("bomb", "far more comes of it than is in it")
            yield piece
    except (zlib.error, lzma.LZMAError, OSError, EOFError) as error:
        raise fault("unreadable", f"cannot be unpacked: {error}", 422) from error


@dataclass(frozen=True, slots=True)
class First:
    """A stream of which the beginning was seen."""

    stream: Iterator[bytes]
    is_tar: bool


def first(made: Iterator[bytes]) -> First:
    """Whether what comes is a tar; nothing of it is lost."""
    held = b""
    while len(held) < TAR_BLOCK and (piece := next(made, None)) is not None:
        held += piece
    is_tar = held[TAR_MARK_AT : TAR_MARK_AT + 5] == b"ustar"
    return First(itertools.chain((held,), made), is_tar)


def whole(made: Iterator[bytes]) -> bytes | None:
    """All that comes, if it is little; all of it is counted."""
    size, held = 0, []
    for piece in made:
        size += len(piece)
        if size <= MOST_NESTED_BYTES:
            held.append(piece)
    return b"".join(held) if size <= MOST_NESTED_BYTES else None


def tar_entries(made: Iterator[bytes]) -> Iterator[Entry]:
    """Every entry of a tar that comes piece by piece. Raises UploadError."""
    source = _Stream(made)
    count = 0
    while len(block := source.take(512)) == 512 and block.strip(b"\0"):  # noqa: PLR2004 -- ustar
        count += 1
        if count > MOST_ENTRIES:
            raise fault("bomb", "more entries than are looked at")
        if sum(block[:148]) + 8 * 32 + sum(block[156:]) != _octal(block[148:156]):
            raise fault("unreadable", "a broken entry in the tar", 422)
        name = block[:100].partition(b"\0")[0]
        if block[257:262] == b"ustar" and block[263:265] == b"00":
            prefix = block[345:500].partition(b"\0")[0]
            name = prefix + b"/" + name if prefix else name
        size, kind = _octal(block[124:136]), block[156:157]
        if kind in (b"1", b"2"):
            names.check(block[157:257].partition(b"\0")[0])
        if kind in (b"3", b"4", b"6"):
            raise fault("archive-path", "a device in the tar", value=name)
        content: bytes | None = None
        if size <= MOST_NESTED_BYTES:
            content = source.take(size)
        else:
            source.skip(size)
        source.take(-size % 512)
        if kind in (b"L", b"K", b"x", b"g"):
            for part in _long_names(content or b"", kind):
                names.check(part)
            continue
        names.check(name)
        yield Entry(name=name, content=content)


def _long_names(content: bytes, kind: bytes) -> Iterator[bytes]:
    """GNU's long names, and `path` and `linkpath` of pax's records."""
    if kind in (b"L", b"K"):
        yield content.rstrip(b"\0")
        return
    for line in content.split(b"\n"):
        key, _, value = line.partition(b" ")[2].partition(b"=")
        if key in (b"path", b"linkpath"):
            yield value


def _octal(field: bytes) -> int:
    if field[:1] >= b"\x80":
        return int.from_bytes(bytes([field[0] & 0x7F]) + field[1:], "big")
    digits = field.strip(b" \0")
    if digits.strip(b"01234567"):
        raise fault("unreadable", "a number in the tar that is none", 422)
    return int(digits or b"0", 8)


class _Stream:
    """Pieces as one stream, of which one may take so many bytes."""

    def __init__(self, made: Iterator[bytes]) -> None:
        self._made = made
        self._held = bytearray()

    def take(self, size: int) -> bytes:
        """So many bytes; fewer at the end."""
        while len(self._held) < size and (piece := next(self._made, None)) is not None:
            self._held += piece
        taken = bytes(self._held[:size])
        del self._held[:size]
        return taken

    def skip(self, size: int) -> None:
        """Leave out so many."""
        while size > 0 and (taken := self.take(min(size, PIECE))):
            size -= len(taken)
