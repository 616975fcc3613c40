"""Sends harmless files and bad ones to upload routes: to an inert one of ours, and to those named.

What is bad here harms nobody: the EICAR test file, a zip whose directory says more than it holds, a
picture with the beginning of a server's script, a name that a server would run. A named route is
sent the test file alone, with no account and no tag: where it is not refused the application sees a
form that it did not ask for.
"""

import io
import uuid
import zipfile
from dataclasses import dataclass

from troth.adapters.vantage import Vantage
from troth.engines.uploads.eicar import TEST
from troth.kernel.errors import Failure
from troth.kernel.model import Observation
from troth.kernel.request import MARKER
from troth.promises.guard.probe.replay import TAG, noted
from troth.promises.guard.settings import GuardSettings

MOST_ROUTES = 4
BOUNDARY = "troth-upload-4d7a"
PUBLIC = frozenset({"harmless", "arrived", "bad", "refused", "routes", "unclear"})
# A picture of one pixel. Source: W3C PNG, 3rd edition; made with zlib, level 9.
_PNG = bytes.fromhex(
    "89504e470d0a1a0a0000000d4948445200000001000000010800000000"
    "3a7e9b550000000a49444154789c63600000000200014"
    "8afa4710000000049454e44ae426082"
)
# Begins as PHP does; no server runs it, for it says nothing.
_SCRIPTED = _PNG + b"<?php /* nothing */ ?>"


@dataclass(frozen=True, slots=True)
class _Sent:
    tag: str
    fate: str  # `refused` with a mark of ours, `arrived` at the sink, or `unclear`
    by: str


def desk(vantage: Vantage, _settings: GuardSettings) -> Observation:
    """What became of harmless and bad uploads, and of the test file on each named route."""
    nonce = uuid.UUID(int=vantage.rng.getrandbits(128)).hex[:12]
    sink = f"{vantage.site.sink}/upload"
    harmless = [
        _sent(vantage, sink, f"{nonce}.harmless.{name.partition('.')[0]}", name, kind, content)
        for name, kind, content in (
            ("picture.png", "image/png", _PNG),
            ("note.txt", "text/plain", b"A table for two, please."),
        )
    ]
    bad = [
        _sent(vantage, sink, f"{nonce}.attack.{number}", name, kind, content)
        for number, (name, kind, content) in enumerate(_bad())
    ]
    routes = [
        _sent(vantage, vantage.site.app + path, "", "note.txt", "text/plain", TEST)
        for path in vantage.site.upload_paths[:MOST_ROUTES]
    ]
    expected = {one.tag for one in harmless if one.fate == "arrived"}
    seen = noted(vantage.data, expected) if vantage.data is not None else None
    return Observation(
        facts={
            "harmless": len(harmless),
            "arrived": sum(one.fate == "arrived" for one in harmless),
            "bad": len(bad),
            "refused": sum(one.fate == "refused" for one in bad),
            "told": sum(one.fate == "arrived" for one in bad),
            "noted": None if seen is None else sum(one.tag in seen for one in bad),
            "unclear": sum(one.fate == "unclear" for one in (*harmless, *bad)),
            "routes": len(routes),
            "passed": sum(one.fate == "unclear" for one in routes),
            "silent": sum(one.fate == "silent" for one in routes),
        },
        public=PUBLIC,
    )


def _bad() -> list[tuple[str, str, bytes]]:
    return [
        ("note.txt", "text/plain", TEST),
        ("all.zip", "application/zip", _zip(("note.txt", TEST))),
        ("all.zip", "application/zip", _swollen()),
        ("out.zip", "application/zip", _zip(("../../note.txt", b"nothing"))),
        ("picture.png", "image/png", _SCRIPTED),
        ("picture.php.png", "image/png", _PNG),
    ]


def _zip(*entries: tuple[str, bytes]) -> bytes:
    made = io.BytesIO()
    with zipfile.ZipFile(made, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, content in entries:
            archive.writestr(zipfile.ZipInfo(name), content)
    return made.getvalue()


def _swollen() -> bytes:
    """A zip in whose directory an entry of seven bytes has three gigabytes."""
    made = bytearray(_zip(("note.txt", b"nothing")))
    listed = made.index(b"PK\1\2")
    made[listed + 24 : listed + 28] = (3 * 1024**3).to_bytes(4, "little")
    return bytes(made)


def _sent(vantage: Vantage, url: str, tag: str, name: str, kind: str, content: bytes) -> _Sent:
    body = (
        f'--{BOUNDARY}\r\nContent-Disposition: form-data; name="file"; filename="{name}"\r\n'
        f"Content-Type: {kind}\r\n\r\n"
    ).encode() + content + f"\r\n--{BOUNDARY}--\r\n".encode()  # fmt: skip
    headers = [
        ("Origin", vantage.site.app),
        ("Content-Type", f"multipart/form-data; boundary={BOUNDARY}"),
    ]
    if tag:
        headers.append((TAG, tag))
    client = vantage.as_client(f"uploads.{tag or url}")
    try:
        answer = client.fetch(url, method="POST", headers=tuple(headers), body=body, fresh=True)
    except (Failure, TimeoutError):
        return _Sent(tag, "silent", "")
    by = answer.one(MARKER.decode()) or ""
    if by:
        return _Sent(tag, "refused", by)
    if tag and answer.one(TAG) == tag:
        return _Sent(tag, "arrived", "")
    return _Sent(tag, "silent" if answer.status in {429, 502, 503, 504} else "unclear", "")
