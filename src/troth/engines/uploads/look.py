"""An upload as a whole: its parts, each file's kind, what is wrong with it, and what rules read."""

from dataclasses import dataclass

from troth.engines.uploads import parts
from troth.engines.uploads.content import Content, Slice
from troth.engines.uploads.file import File, Scan
from troth.engines.uploads.model import NOT_ALLOWED, Fault, Rules, UploadError, malformed

READ_AS_FIELDS = (b"application/x-www-form-urlencoded",)
READ_AS_TEXT = (b"application/json", b"text/", b"application/xml")
TEXT_ENDINGS = (b"+json", b"+xml", b"/json", b"/xml", b"graphql")


@dataclass(frozen=True, slots=True, kw_only=True)
class Looked:
    """What came of it.

    Args:
        outline: what the rules are to read of the body; None for nothing.
        fault: why it is not let through, if anything is wrong.
        files: how many files there were.
    """

    outline: bytes | None = None
    fault: Fault | None = None
    files: int = 0


def look(
    content: Content,
    headers: tuple[tuple[bytes, bytes], ...],
    rules: Rules,
    *,
    limit: int,
    scan: Scan | None = None,
) -> Looked:
    """Look at a body that lies whole.

    Args:
        content: the body.
        headers: of the request, names in lower case.
        rules: what the route takes.
        limit: of what rules read, in bytes.
        scan: the malware scanner, if there is one; what it raises is the caller's.
    """
    if not content.size:
        return Looked()
    try:
        return _looked(content, headers, rules, limit, scan)
    except UploadError as error:
        return Looked(fault=error.fault)


def _looked(
    content: Content,
    headers: tuple[tuple[bytes, bytes], ...],
    rules: Rules,
    limit: int,
    scan: Scan | None,
) -> Looked:
    if content.size > rules.max_bytes:
        raise malformed("longer than this route takes", code="too-large", status=413)
    kinds = [value for name, value in headers if name == b"content-type"]
    codings = [value.strip().lower() for name, value in headers if name == b"content-encoding"]
    if len(kinds) > 1 or any(coding not in {b"", b"identity"} for coding in codings):
        raise malformed("a compressed body, or two types", code="encoding", status=NOT_ALLOWED)
    kind = kinds[0] if kinds else b""
    boundary = parts.boundary_of(kind)
    if boundary is None:
        return _whole(content, kind.partition(b";")[0].strip().lower(), rules, limit, scan)
    found = parts.split(content, boundary, rules.parts)
    files = [part for part in found if part.filename is not None]
    texts: list[parts.Part] = []
    for part in files:
        inside = Slice(content, part.begin, part.end)
        if not inside.size:
            continue
        place = f"FILES:{part.name.decode('latin-1')}"
        file = File(inside, part.filename or b"", part.kind, place, rules)
        file.check(scan)
        if rules.reads_text and file.kind.group == "text":
            texts.append(part)
    outline = parts.outline(content, boundary, found, limit, tuple(texts))
    return Looked(outline=outline, files=len(files))


def _whole(content: Content, kind: bytes, rules: Rules, limit: int, scan: Scan | None) -> Looked:
    """A body that is one thing: fields and short text are for the rules, all else is a file."""
    if kind in READ_AS_FIELDS:
        if content.size > limit:
            raise malformed("more fields than are inspected", code="fields", status=413)
        return Looked(outline=content.read(0, limit))
    File(content, b"", kind, "REQUEST_BODY", rules).check(scan)
    is_text = kind.startswith(READ_AS_TEXT) or kind.endswith(TEXT_ENDINGS)
    outline = content.read(0, limit) if is_text and content.size <= limit else None
    return Looked(outline=outline, files=1)
