"""An upload as a whole: its parts, each file's kind, what is wrong with it, and what rules read."""

from collections.abc import Callable
from dataclasses import dataclass

from troth.engines.uploads import eicar, parts
from troth.engines.uploads.content import Content, Slice
from troth.engines.uploads.model import NOT_ALLOWED, REFUSED, Fault, Rules, UploadError, malformed

HEAD_BYTES = 4096
READ_AS_FIELDS = (b"application/x-www-form-urlencoded",)
READ_AS_TEXT = (b"application/json", b"text/", b"application/xml")
TEXT_ENDINGS = (b"+json", b"+xml", b"/json", b"/xml", b"graphql")

# What a scanner says of a file: the name of what it found, or nothing. Raises OSError when gone.
Scan = Callable[[Content], str]


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
    for part in files:
        _file(
            Slice(content, part.begin, part.end),
            name=part.filename or b"",
            claimed=part.kind,
            place=f"FILES:{part.name.decode('latin-1')}",
            rules=rules,
            scan=scan,
        )
    return Looked(outline=parts.outline(content, boundary, found, limit), files=len(files))


def _whole(content: Content, kind: bytes, rules: Rules, limit: int, scan: Scan | None) -> Looked:
    """A body that is one thing: fields and short text are for the rules, all else is a file."""
    if kind in READ_AS_FIELDS:
        if content.size > limit:
            raise malformed("more fields than are inspected", code="fields", status=413)
        return Looked(outline=content.read(0, limit))
    _file(content, name=b"", claimed=kind, place="REQUEST_BODY", rules=rules, scan=scan)
    is_text = kind.startswith(READ_AS_TEXT) or kind.endswith(TEXT_ENDINGS)
    outline = content.read(0, limit) if is_text and content.size <= limit else None
    return Looked(outline=outline, files=1)


def _file(
    content: Content,
    *,
    name: bytes,
    claimed: bytes,
    place: str,
    rules: Rules,
    scan: Scan | None,
) -> None:
    """Raises UploadError for a file that is not let through."""
    head = content.read(0, HEAD_BYTES)
    found = "EICAR test file" if eicar.is_test(head) else ""
    found = found or (scan(content) if scan else "")
    if found:
        raise UploadError(
            Fault(
                code="malware",
                status=REFUSED,
                message=f"malware: {found}",
                place=place,
                value=name or claimed,
            )
        )
