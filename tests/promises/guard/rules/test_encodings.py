"""Compressed bodies, read or refused."""

import contextlib
import gzip
import zlib

import pytest
from hypothesis import given
from hypothesis import strategies as st

from troth.promises.guard.rules.encodings import UnreadError, plain

TEXT = b"q=1' OR 1=1 -- -"


def packed(text: bytes) -> bytes:
    """The same at every run: names of tests are made of it."""
    return gzip.compress(text, mtime=0)


def raw_deflate(text: bytes) -> bytes:
    packer = zlib.compressobj(wbits=-15)
    return packer.compress(text) + packer.flush()


@pytest.mark.parametrize(
    ("body", "encodings"),
    [
        (TEXT, []),
        (TEXT, [b"identity"]),
        (packed(TEXT), [b"gzip"]),
        (packed(TEXT), [b" GZip "]),
        (packed(TEXT), [b"identity, x-gzip"]),
        (zlib.compress(TEXT), [b"deflate"]),
        (raw_deflate(TEXT), [b"deflate"]),
    ],
)
def test_what_can_be_read_is(body, encodings):
    assert plain(body, encodings, 100) == TEXT


@pytest.mark.parametrize(
    ("body", "encodings", "code"),
    [
        (TEXT, [b"br"], "encoding"),
        (TEXT, [b"zstd"], "encoding"),
        (packed(packed(TEXT)), [b"gzip, gzip"], "encoding"),
        (packed(TEXT), [b"gzip", b"gzip"], "encoding"),
        (TEXT, [b"gzip"], "broken"),
        (TEXT, [b"deflate"], "broken"),
        (b"", [b"gzip"], "broken"),
        (packed(TEXT)[:-1], [b"gzip"], "broken"),
        (packed(TEXT) + b"more", [b"gzip"], "broken"),
        (packed(bytes(10_000_000)), [b"gzip"], "too-long"),
        (packed(bytes(101)), [b"gzip"], "too-long"),
    ],
)
def test_what_cannot_is_told(body, encodings, code):
    with pytest.raises(UnreadError, match=code):
        plain(body, encodings, 100)


@given(st.binary(max_size=200), st.sampled_from([b"gzip", b"deflate"]))
def test_any_bytes_are_read_or_refused(body, encoding):
    with contextlib.suppress(UnreadError):
        assert len(plain(body, [encoding], 500)) <= 500
