"""What holds for every body processor, on any bytes."""

import sys
from collections.abc import Callable
from types import FrameType

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from troth.engines.seclang.bodies import PROCESSORS
from troth.engines.seclang.model import Limits, Parts

LIMITS = Limits(body=1 << 17, arguments=200)
MULTIPART = b"multipart/form-data; boundary=B"
PIECES = [
    *(bytes([byte]) for byte in b"&=%+\"\\{}[],:<>/!?- \t\r\n\0a1;'"),
    *(b"%41", b"%4", b"\\u0041", b'"a":', b"[[", b"<a>", b"</a>", b"<!--", b"<![CDATA[", b"&lt;"),
    *(b"--B\r\n", b"--B--", b"--B--\r\n", b"\r\n\r\n", b'Content-Disposition: form-data; name="a"'),
    *(b"; filename=x", b"\r\n", b"--", b"\xff", b"\xfe", b"\xc3\xa9", b"\xed\xa0\x80", b"null"),
    *(b"<?xml version='1.0' encoding='", b"utf-16", b"'?>", b"<!DOCTYPE a [", b"<!ENTITY e 'x'>"),
]
# Repeated to fill a body: what costs a careless reader the square of its length.
HOSTILE = [
    b"&", b"=", b"%", b"%4", b"a=b&", b"%41%", b"[", b'{"a":', b'"', b'\\"', b'["', b",", b"[],",
    b"<a>", b"<a/>", b"<", b"<a ", b"<!--", b"&lt;", b" ", b"\n--", b"\n--B", b"\n-- ", b"--B\r\n",
    b"a: b\r\n", b"\r\n", b'"\\', b"\\", b"; a=", b"\n--B--x", b"\0", b"\xff", b"/*", b"1",
    b'--B\r\nContent-Disposition: form-data; name="a"\r\n\r\nx\r\n',
]  # fmt: skip
HEADS = {
    "URLENCODED": [b"", b"a="],
    "JSON": [b"", b'{"', b'["', b"[", b'{"a":"'],
    "XML": [b"", b"<a>", b"<a b='", b"<?xml "],
    "MULTIPART": [b"", b'--B\r\nContent-Disposition: form-data; name="a"\r\n\r\n', b"--B\r\n"],
}
TAILS = [b"", b'"}', b"</a>", b"\r\n--B--\r\n", b"x"]


def size(parts: Parts) -> int:
    """Bytes of all that was made."""
    pairs = (*parts.arguments, *parts.part_headers)
    files = sum(len(file.field) + len(file.name) + len(file.content) for file in parts.files)
    text = sum(map(len, (*parts.xml_text, *parts.xml_attributes)))
    return sum(len(name) + len(value) for name, value in pairs) + files + text


def ask(name: str, body: bytes, content_type: bytes = MULTIPART) -> Parts:
    """What a processor says, with what must always hold checked."""
    parts = PROCESSORS[name](body, content_type, LIMITS)
    assert len(parts.arguments) <= LIMITS.arguments
    assert len(parts.files) <= LIMITS.parts
    assert len(parts.xml_attributes) <= LIMITS.arguments
    assert parts.limit in ("", "arguments", "body", "depth", "parts", "value")
    assert size(parts) <= 40 * len(body) + (1 << 17)
    return parts


@pytest.mark.parametrize("name", PROCESSORS)
@settings(max_examples=80, deadline=None)
@given(pieces=st.lists(st.sampled_from(PIECES), max_size=25))
def test_no_body_raises(name: str, pieces: list[bytes]):
    ask(name, b"".join(pieces))


@pytest.mark.parametrize("name", PROCESSORS)
@settings(max_examples=80, deadline=None)
@given(body=st.binary(max_size=200), content_type=st.binary(max_size=60))
def test_no_bytes_raise(name: str, body: bytes, content_type: bytes):
    ask(name, body, content_type)
    ask(name, body, b"multipart/form-data;" + content_type)
    ask(name, body, b"x; charset=" + content_type)


@pytest.mark.parametrize("name", PROCESSORS)
@pytest.mark.parametrize("piece", HOSTILE)
def test_a_hostile_body_ends(name: str, piece: bytes):
    """A reader that takes the square of a hundred thousand steps does not come back soon."""
    for head in HEADS[name]:
        for tail in TAILS:
            room = LIMITS.body - len(head) - len(tail)
            ask(name, head + piece * (room // len(piece)) + tail)


def calls(work: Callable[[], object]) -> int:
    """How many functions were called, Python's and C's."""
    count = 0

    def note(_frame: FrameType, event: str, _argument: object) -> None:
        nonlocal count
        count += event in ("call", "c_call")

    sys.setprofile(note)
    try:
        work()
    finally:
        sys.setprofile(None)
    return count


@pytest.mark.parametrize("name", PROCESSORS)
@pytest.mark.parametrize("piece", HOSTILE)
def test_work_grows_with_size_at_most(name: str, piece: bytes):
    head = HEADS[name][-1]
    processor, limits = PROCESSORS[name], Limits(body=1 << 20, arguments=1 << 20, parts=1 << 20)

    def work(count: int) -> int:
        return calls(lambda: processor(head + piece * count, MULTIPART, limits))

    small, large = work(200), work(800)

    assert large <= 4 * small + 200


@pytest.mark.parametrize("name", PROCESSORS)
def test_a_body_over_the_limit_is_not_read(name: str):
    parts = PROCESSORS[name](b"a" * 11, MULTIPART, Limits(body=10))

    assert parts == Parts(limit="body")


@pytest.mark.parametrize("name", PROCESSORS)
@pytest.mark.parametrize("charset", [b"utf-7", b"ibm037", b"utf-16", b"shift_jis", b"x-unknown"])
def test_a_body_in_a_charset_of_other_bytes_is_an_error(name: str, charset: bytes):
    body = {
        "URLENCODED": b"a=1",
        "JSON": b'{"a":1}',
        "XML": b"<a/>",
        "MULTIPART": b'--B\r\nContent-Disposition: form-data; name="a"\r\n\r\nx\r\n--B--\r\n',
    }[name]
    declared = MULTIPART + b"; charset=" + charset

    assert "charset" in PROCESSORS[name](body, declared, LIMITS).error
    assert not PROCESSORS[name](body, MULTIPART + b"; charset=UTF-8", LIMITS).error
    # The one that servers may believe is the one that counts.
    both = MULTIPART + b"; charset=utf-8; charset=" + charset
    assert "charset" in PROCESSORS[name](body, both, LIMITS).error
