"""One file: malware, name, kind, and what its kind may hold."""

from collections.abc import Callable, Iterator

from troth.engines.uploads import active, archive, documents, eicar, names, signature
from troth.engines.uploads.content import Content, Held, pieces
from troth.engines.uploads.model import NOT_ALLOWED, REFUSED, Fault, Rules, UploadError
from troth.engines.uploads.signature import Kind

HEAD_BYTES = 4096
TOLD_BYTES = 128
# What a scanner says of a file: the name of what it found, or nothing. Raises OSError when gone.
Scan = Callable[[Content], str]
_SQUEEZED = {"gzip", "bzip2", "xz"}
_PASSIVE = {"image", "audio", "video", "font"}


class File:
    """A file that is looked at.

    Args:
        content: all of it.
        name: as sent; empty when it has none.
        claimed: its media type, lower case, without parameters; empty for none.
        place: where it stands in the request, as events tell it.
        rules: what the route takes.
    """

    def __init__(
        self, content: Content, name: bytes, claimed: bytes, place: str, rules: Rules
    ) -> None:
        self.content = content
        self.name = name
        self.claimed = claimed
        self.place = place
        self.rules = rules
        self.kind = signature.of(content)

    def check(self, scan: Scan | None) -> None:
        """Raises UploadError for a file that is not let through; what `scan` raises, too."""
        try:
            self._malware(scan)
            self._named()
            inside = self._opened()
            self._claims()
            self._holds(inside)
        except UploadError as error:
            raise UploadError(self._told(error.fault)) from error

    def _told(self, fault: Fault) -> Fault:
        """The same with this file's place and name."""
        value = fault.value or self.name or self.claimed
        return Fault(
            code=fault.code,
            status=fault.status,
            message=fault.message,
            place=self.place,
            value=value[:TOLD_BYTES],
        )

    def _no(self, code: str, message: str, status: int = REFUSED) -> UploadError:
        return UploadError(Fault(code=code, status=status, message=message))

    def _malware(self, scan: Scan | None) -> None:
        head = self.content.read(0, HEAD_BYTES)
        found = "EICAR test file" if eicar.is_test(head) else ""
        found = found or (scan(self.content) if scan else "")
        if found:
            raise self._no("malware", f"malware: {found}")

    def _named(self) -> None:
        if names.is_disguised(self.name):
            raise self._no("name", "a name with control bytes, or with letters turned around")
        if "program" not in self.rules.kinds and signature.is_run(self.name):
            raise self._no("name", "a name by which some server runs the file")

    def _claims(self) -> None:
        """What it claims to be fits what it is, and what it is may come here."""
        if self.kind.group not in self.rules.kinds:
            message = f"is {self.kind.format} ({self.kind.group}), which this route does not take"
            raise self._no("kind", message, NOT_ALLOWED)
        claimed = signature.claims(self.name, self.claimed)
        if refused := claimed - self.rules.kinds:
            message = f"claims to be {min(refused)}, which this route does not take"
            raise self._no("kind", message, NOT_ALLOWED)
        if not signature.fits(self.kind.group, claimed):
            message = f"claims to be {', '.join(sorted(claimed))} and is {self.kind.format}"
            raise self._no("pretends", message, NOT_ALLOWED)

    def _holds(self, inside: list[bytes]) -> None:
        """Nothing in it acts that has no business there."""
        rules, group = self.rules, self.kind.group
        script = ""
        if group in _PASSIVE or group == "pdf":
            script = (
                active.in_picture(self.content)
                if group in _PASSIVE
                else active.server_script(self.content)
            )
        elif group == "svg":
            script = active.in_svg(self.content)
        elif group in {"text", "other", "html"} and "program" not in rules.kinds:
            script = active.server_script(self.content)
        if script:
            raise self._no("script", script)
        if group == "pdf" and rules.refuses_active_pdf and (does := active.in_pdf(self.content)):
            raise self._no("active-pdf", does)
        if group == "office" and rules.refuses_macros:
            is_ole = self.kind.format == "ole" and documents.ole_has_macros(self.content)
            if is_ole or documents.has_macros(inside):
                raise self._no("macros", "a document with macros")

    def _opened(self) -> list[bytes]:
        """Names in it, all looked at; a zip is then what it holds."""
        budget = archive.Budget()
        if self.kind.format == "zip":
            found = list(self._within(self.content, self.kind, budget, 1))
            self.kind = documents.of_entries(found)
            return found
        if self.kind.format in {*_SQUEEZED, "tar"}:
            return list(self._within(self.content, self.kind, budget, 1))
        if self.kind.group == "archive" and self.rules.refuses_encrypted:
            raise self._no("unreadable", f"{self.kind.format}: cannot be looked into", NOT_ALLOWED)
        return []

    def _within(
        self, content: Content, kind: Kind, budget: archive.Budget, depth: int
    ) -> Iterator[bytes]:
        if depth > archive.MOST_DEPTH:
            raise self._no("bomb", "archives in archives, deeper than is looked at")
        for entry in self._entries(content, kind, budget):
            yield entry.name
            if entry.content is None:
                continue
            if eicar.is_test(entry.content[:HEAD_BYTES]):
                raise self._no("malware", "malware: EICAR test file, in an archive")
            held = Held(entry.content)
            inner = signature.of(held)
            if inner.format in {"zip", "tar", *_SQUEEZED}:
                for name in self._within(held, inner, budget, depth + 1):
                    yield entry.name + b"/" + name

    def _entries(
        self, content: Content, kind: Kind, budget: archive.Budget
    ) -> Iterator[archive.Entry]:
        if kind.format == "zip":
            yield from archive.zip_entries(
                content, budget, refuses_encrypted=self.rules.refuses_encrypted
            )
            return
        made: Iterator[bytes]
        if kind.format == "tar":
            made = pieces(content)
        else:
            made = archive.squeezed(content, kind.format, budget)
            first = archive.first(made)
            made = first.stream
            if not first.is_tar:
                yield archive.Entry(name=b"", content=archive.whole(made))
                return
        yield from archive.tar_entries(made)
