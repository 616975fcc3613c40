"""`multipart/form-data` (RFC 2046, 5.1; RFC 7578), with ModSecurity's flags for what is doubtful.

Servers read doubtful bodies differently, so whatever a strict writer would not send is flagged, and
MULTIPART_STRICT_ERROR stands for any of it. Where reading on would be a guess it stops with an
error. Unlike ModSecurity 3.0.15, a field's value keeps its line breaks.
"""

import re
from collections.abc import Iterator

from troth.engines.seclang.bodies import boundary, charset, disposition
from troth.engines.seclang.model import File, Limits, Parts

MAX_HEADERS = 32  # of a part; browsers send two
MAX_LINE_BYTES = 4096  # of a part's header, as ModSecurity v3
MAX_ODD_LINES = 32  # that begin like the boundary and go on
LF_LINE = "MULTIPART_LF_LINE"
BOTH_LINES = "MULTIPART_CRLF_LF_LINES"
DATA_BEFORE = "MULTIPART_DATA_BEFORE"
DATA_AFTER = "MULTIPART_DATA_AFTER"
FOLDING = "MULTIPART_HEADER_FOLDING"
INVALID_FOLDING = "MULTIPART_INVALID_HEADER_FOLDING"
UNMATCHED = "MULTIPART_UNMATCHED_BOUNDARY"
STRICT = "MULTIPART_STRICT_ERROR"
_CRLF = "crlf"  # noted like a flag, and none
_SPACE = b" \t\v\f\r"
_AFTER = (b"\r\n", b"\n", b"--\r\n", b"--\n", b"--")  # what may follow a boundary in its line


class _Broken(Exception):  # noqa: N818 -- never leaves this file
    """Reading on would be a guess; why."""


class _Limit(Exception):  # noqa: N818 -- never leaves this file
    """A limit was passed; its name."""


class _Form:
    """What has been read, and the flags raised on the way."""

    def __init__(self, flags: frozenset[str], limits: Limits) -> None:
        self.flags = set(flags)
        self.limits = limits
        self.unmatched = b""
        self.arguments: list[tuple[bytes, bytes]] = []
        self.files: list[File] = []
        self.headers: list[tuple[bytes, bytes]] = []

    def without_end(self, line: bytes) -> bytes:
        """A line without its line end, which is noted."""
        if line.endswith(b"\r\n"):
            self.flags.add(_CRLF)
            return line[:-2]
        self.flags.add(LF_LINE)
        return line[:-1]

    def add(self, block: bytes) -> None:
        """A part: all between two delimiter lines, up to and with the line end before the next."""
        if len(self.arguments) + len(self.files) >= self.limits.parts:
            raise _Limit("parts")
        headers, rest = self.head(block)
        if rest is None:
            self.flags.add(disposition.INVALID_PART)
            raise _Broken("a part without an empty line after its headers")
        written = [line for name, line in headers if name == b"content-disposition"]
        if not written:
            self.flags.add(disposition.INVALID_PART)
            raise _Broken("a part without Content-Disposition")
        said = disposition.read(written[0].partition(b":")[2].strip(b" \t"))
        self.flags |= said.flags
        if len(written) > 1:
            self.flags.add(disposition.INVALID_PART)
        if disposition.INVALID_PART in said.flags:
            raise _Broken("a part whose Content-Disposition is not read alike everywhere")
        self.headers.extend((said.name, line) for _, line in headers)
        if not rest:
            self.flags.add(disposition.INVALID_PART)
        content = rest.removesuffix(b"\n")
        if rest and not rest.endswith(b"\r\n"):
            self.flags.add(LF_LINE)
        content = content.removesuffix(b"\r")
        if said.filename:
            self.files.append(File(field=said.name, name=said.filename, content=content))
        else:
            self.arguments.append((said.name, content))

    def head(self, block: bytes) -> tuple[list[tuple[bytes, bytes]], bytes | None]:
        """Header lines by their name in lower case, and what follows the empty line after them."""
        headers: list[tuple[bytes, bytes]] = []
        at = 0
        for _ in range(MAX_HEADERS + 1):
            end = block.find(b"\n", at) + 1
            if not end:
                return headers, None
            line = self.without_end(block[at:end])
            at = end
            if not line:
                return headers, block[at:]
            if b"\0" in line or len(line) > MAX_LINE_BYTES:
                raise _Broken("a part's header with a NUL, or too long")
            self.header(line, headers)
        raise _Broken("too many headers in a part")

    def header(self, line: bytes, headers: list[tuple[bytes, bytes]]) -> None:
        """One line of a part's head; one that begins with white space continues the last."""
        if line[:1] in (b" ", b"\t", b"\v", b"\f", b"\r"):
            self.flags.add(FOLDING)
            if line[:1] not in (b" ", b"\t"):
                self.flags.add(INVALID_FOLDING)
            if not headers:
                raise _Broken("a part that begins with a folded header")
            headers[-1] = (headers[-1][0], headers[-1][1] + b" " + line.lstrip(_SPACE))
            return
        name, colon, _ = line.partition(b":")
        if not colon or not name:
            raise _Broken("a part's header without name or colon")
        headers.append((name.lower(), line))

    def values(self, error: str) -> dict[str, bytes]:
        """The flags as variables."""
        if {LF_LINE, _CRLF} <= self.flags:
            self.flags.add(BOTH_LINES)
        raised = self.flags - {_CRLF}
        values = dict.fromkeys(raised, b"1")
        if error or raised - {BOTH_LINES}:
            values[STRICT] = b"1"
        if self.unmatched:
            values[UNMATCHED] = self.unmatched
        return values


def parse(body: bytes, content_type: bytes, limits: Limits) -> Parts:
    """Fields, files, and the headers of parts."""
    if len(body) > limits.body:
        return Parts(limit="body")
    if not body:
        return Parts()
    named = boundary.read(content_type)
    form = _Form(named.flags, limits)
    error, limit = named.error, ""
    try:
        if not error:
            for block in _blocks(b"\n" + body, named.value, form):
                form.add(block)
    except _Broken as broken:
        error = f"multipart: {broken}"
    except _Limit as passed:
        limit = str(passed)
    error = error or charset.complaint(content_type)
    return Parts(
        arguments=tuple(form.arguments),
        files=tuple(form.files),
        part_headers=tuple(form.headers),
        flags=form.values(error),
        error=error,
        limit=limit,
    )


def _blocks(text: bytes, name: bytes, form: _Form) -> Iterator[bytes]:
    """What stands between delimiter lines. `text` begins with a line feed of our own."""
    _refuse_lookalikes(text, name, form)
    begun = 0  # where the part being read begins; 0 before the first delimiter
    clean = 0  # from where lines that look like a delimiter and are none count
    is_closed = False
    for at, end, line in _delimiters(text, name, form):
        is_closed = line.startswith(b"--")
        if begun:
            yield text[begun : at + 1]
            if line != b"--":
                form.unmatched, clean = b"2", at + 1
        elif at:
            form.flags.add(DATA_BEFORE)
        begun = end
        if is_closed:
            break
    # A line of `--` and a line feed alone does not look like one, to ModSecurity neither.
    lookalike = re.compile(rb"\n--(?!" + re.escape(name) + rb")(?=[^\n].)", re.DOTALL)
    if lookalike.search(text, clean, begun if is_closed else len(text)):
        form.unmatched = b"1"
    if not is_closed:
        raise _Broken("no boundary at the end" if begun else "no boundary in the body")
    if begun < len(text):
        form.flags.add(DATA_AFTER)


def _delimiters(text: bytes, name: bytes, form: _Form) -> Iterator[tuple[int, int, bytes]]:
    """Each delimiter line: where it begins and ends, and what follows the boundary in it."""
    delimiter = b"\n--" + name
    odd = 0
    at = text.find(delimiter)
    while at >= 0:
        end = text.find(b"\n", at + 1) + 1 or len(text)
        line = text[at + len(delimiter) : end]
        if line in _AFTER:
            if line != b"--":
                form.without_end(line)
            yield at, end, line
        elif line[:1] in _SPACE or line[2:3] in (b" ", b"\t") or end == len(text):
            raise _Broken("a boundary with something after it")
        else:
            form.flags.add(disposition.INVALID_PART)
            odd += 1
        if odd > MAX_ODD_LINES:
            raise _Broken("too many lines that begin like the boundary")
        at = text.find(delimiter, end - 1)


def _refuse_lookalikes(text: bytes, name: bytes, form: _Form) -> None:
    spaced = re.compile(rb"\n--[ \t\v\f\r]+" + re.escape(name))
    quoted = b'\n--"' + name
    if spaced.search(text) or (boundary.QUOTED in form.flags and quoted in text):
        raise _Broken("a boundary with something before it")
