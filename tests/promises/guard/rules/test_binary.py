"""What no grammar can be asked about."""

import gzip
import random

import pytest

from troth.promises.guard.rules.binary import is_binary, is_fields

TEXT = "Ein Tisch für zwei, bitte; l'orario è alle 18. ' OR 1=1 -- -"


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"x",
        TEXT.encode(),
        TEXT.encode("utf-16"),
        TEXT.encode("utf-16-be"),
        TEXT.encode("latin-1"),
        "日本語の文章です。".encode(),
        b'{"a": 1}\n\t\r\n',
        TEXT.encode() * 20 + b"\x00",
    ],
)
def test_text_is_no_binary(body):
    assert not is_binary(body)


@pytest.mark.parametrize(
    "body",
    [
        random.Random(1).randbytes(5000),
        gzip.compress(TEXT.encode() * 9, mtime=0),
        b"\x89PNG\r\n\x1a\n\0\0\0",
    ],
)
def test_pictures_and_archives_are(body):
    assert is_binary(body)


@pytest.mark.parametrize(
    ("kind", "expected"),
    [
        (b"", True),
        (b"application/json; charset=utf-8", True),
        (b"Application/Problem+JSON", True),
        (b"image/svg+xml", True),
        (b"multipart/form-data; boundary=b", True),
        (b"text/plain", True),
        (b"application/octet-stream", False),
        (b"image/png", False),
    ],
)
def test_kinds(kind, expected):
    assert is_fields(kind) is expected
