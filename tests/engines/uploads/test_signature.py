"""What files are by their first bytes, and what names and types claim."""

import io
import sys
import tarfile
import wave
import zipfile
from pathlib import Path

import pytest

from troth.engines.uploads import Held
from troth.engines.uploads.signature import claims, extensions, fits, is_run, of


def _wave() -> bytes:
    made = io.BytesIO()
    with wave.open(made, "wb") as sound:
        sound.setnchannels(1)
        sound.setsampwidth(1)
        sound.setframerate(8000)
        sound.writeframes(b"\0" * 100)
    return made.getvalue()


def _tar() -> bytes:
    made = io.BytesIO()
    with tarfile.open(fileobj=made, mode="w") as archive:
        archive.addfile(tarfile.TarInfo("x"))
    return made.getvalue()


def _zip() -> bytes:
    made = io.BytesIO()
    zipfile.ZipFile(made, "w").close()
    return made.getvalue()


@pytest.mark.parametrize(
    ("content", "expected"),
    [
        (b"\x89PNG\r\n\x1a\n....", "png"),
        (b"\xff\xd8\xff\xe0", "jpeg"),
        (b"GIF89a", "gif"),
        (b"RIFF....WEBPVP8 ", "webp"),
        (b"\0\0\0\x18ftypavif", "avif"),
        (b"\0\0\0\x18ftypisom", "mp4"),
        (_wave(), "wav"),
        (_tar(), "tar"),
        (_zip(), "zip"),
        (b"%PDF-1.7", "pdf"),
        (Path(sys.executable).read_bytes()[:64], "elf"),
        (b"MZ\x90\0\3", "pe"),
        (b"MZ is how this text begins", "text"),
        (b"#!/bin/sh\n", "script"),
        (b"\xef\xbb\xbf  <?php echo 1;", "server-script"),
        (b"<%@ page import='x' %>", "server-script"),
        (b"<!-- a --> <!DOCTYPE html><p>", "html"),
        (b"<?xml version='1.0'?><svg xmlns='x'/>", "svg"),
        ("<html>".encode("utf-16"), "html"),
        (b"a;b\r\n1;2\r\n", "text"),
        ("Grüße".encode(), "text"),
        (bytes(range(256)), "unknown"),
        (b"", "text"),
    ],
    ids=lambda value: value if isinstance(value, str) else "",
)
def test_first_bytes(content: bytes, expected: str):
    assert of(Held(content)).format == expected


@pytest.mark.parametrize(
    ("name", "kind", "expected"),
    [
        (b"a.PNG", b"", {"image"}),
        (b"a.php.png", b"image/png", {"image"}),
        (b"a.docx", b"application/octet-stream", {"office"}),
        (b"a.svg", b"image/svg+xml", {"svg"}),
        (b"a.png", b"text/html", {"image", "html"}),
        (b"noname", b"", set()),
        (b".htaccess", b"", {"program"}),
        (b"C:\\x\\a.pdf. ", b"", {"pdf"}),
    ],
)
def test_claims(name: bytes, kind: bytes, expected: set[str]):
    assert claims(name, kind) == expected


def test_names_that_some_server_runs():
    assert all(map(is_run, [b"a.php", b"a.PhP.jpg", b".htaccess", b"x/y.jsp "]))
    assert not any(map(is_run, [b"a.jpg", b"php", b"a.phpx", b""]))
    assert extensions(b"a/b.tar.GZ") == ["tar", "gz"]


@pytest.mark.parametrize(
    ("true", "claimed", "expected"),
    [
        ("image", {"image"}, True),
        ("image", set(), True),
        ("image", {"pdf"}, False),
        ("text", {"image"}, False),
        ("text", {"office"}, True),
        ("program", {"other"}, False),
        ("svg", {"image"}, False),
    ],
)
def test_what_may_be_called_so(true: str, claimed: set[str], expected: bool):
    assert fits(true, claimed) is expected
