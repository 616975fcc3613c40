"""Files and forms as visitors send them, good and bad."""

import io
import tarfile
import zipfile
from typing import Any

import pytest

from troth.engines.uploads import Held, Looked, Rules, look
from troth.promises.guard.settings.uploads import HARMLESS

HEADERS = ((b"content-type", b"multipart/form-data; boundary=B"),)


def rules(**changes: Any) -> Rules:
    return Rules(**{"kinds": frozenset(HARMLESS), "max_bytes": 10**9} | changes)


def form(name: bytes, content: bytes, kind: bytes = b"application/octet-stream") -> bytes:
    head = b'--B\r\nContent-Disposition: form-data; name="f"; filename="%b"\r\n' % name
    return head + b"Content-Type: %b\r\n\r\n" % kind + content + b"\r\n--B--\r\n"


def zipped(*entries: tuple[str, bytes]) -> bytes:
    made = io.BytesIO()
    with zipfile.ZipFile(made, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, content in entries:
            archive.writestr(name, content)
    return made.getvalue()


def tarred(*names: str, link: str = "") -> bytes:
    made = io.BytesIO()
    with tarfile.open(fileobj=made, mode="w") as archive:
        for name in names:
            entry = tarfile.TarInfo(name)
            entry.size = 3
            archive.addfile(entry, io.BytesIO(b"abc"))
        if link:
            entry = tarfile.TarInfo("link")
            entry.type, entry.linkname = tarfile.SYMTYPE, link
            archive.addfile(entry)
    return made.getvalue()


class Files:
    """What a test makes and asks."""

    form = staticmethod(form)
    zipped = staticmethod(zipped)
    tarred = staticmethod(tarred)
    rules = staticmethod(rules)

    @staticmethod
    def looked(body: bytes, headers=HEADERS, limit: int = 10**6, scan=None, **changes) -> Looked:
        return look(Held(body), headers, rules(**changes), limit=limit, scan=scan)

    def code(self, name: bytes, content: bytes, kind: bytes = b"", **changes: Any) -> str:
        """Of the fault; empty when the file passes."""
        found = self.looked(form(name, content, kind or b"application/octet-stream"), **changes)
        return found.fault.code if found.fault else ""


@pytest.fixture
def files() -> Files:
    return Files()
