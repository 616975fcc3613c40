"""An upload told in short: what stays, what goes, and that the structure is kept as it came."""

import io
import tempfile

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from troth.enforce.uploads import KEPT_OF_A_FILE, UploadError, boundary_of, outline


def short(body: bytes, limit: int = 100_000) -> bytes:
    with tempfile.TemporaryFile() as file:
        file.write(body)
        file.flush()
        return outline(file, b"B", limit)


def part(head: bytes, content: bytes) -> bytes:
    return b"--B\r\nContent-Disposition: form-data; " + head + b"\r\n\r\n" + content + b"\r\n"


@pytest.mark.parametrize(
    ("header", "expected"),
    [
        (b"multipart/form-data; boundary=abc", b"abc"),
        (b'Multipart/Form-Data; charset=x; boundary="a b"', b"a b"),
        (b"multipart/form-data; boundary=abc; x=1", b"abc"),
        (b"application/json", None),
        (b"multipart/form-data", None),
        (b"multipart/form-data; boundary=" + b"x" * 71, None),
    ],
)
def test_the_boundary(header: bytes, expected: bytes | None):
    assert boundary_of(header) == expected


def test_fields_stay_whole_and_files_lose_their_rest():
    body = (
        part(b'name="a"', b"x" * 9000)
        + part(b'name="f"; filename="f"', b"y" * 90_000)
        + part(b'name="b"', b"end")
        + b"--B--\r\n"
    )

    said = short(body)

    assert said.count(b"x") == 9000
    assert said.count(b"y") == KEPT_OF_A_FILE
    assert said.endswith(part(b'name="b"', b"end") + b"--B--\r\n")


def test_what_has_only_short_files_stays_byte_for_byte():
    body = b"preamble\r\n" + part(b'name="f"; filename=f', b"\r\n\n--C\r\n") + b"--B--\r\nepilogue"

    assert short(body) == body


def test_nothing_is_nothing():
    assert short(b"") == b""


@pytest.mark.parametrize("body", [b"x", part(b'name="a"', b"x") * 1001, part(b"n", b"x" * 10**5)])
def test_what_cannot_be_told_or_does_not_fit_is_refused(body: bytes):
    with pytest.raises(UploadError):
        short(body)


@given(st.lists(st.binary(max_size=60), max_size=6), st.binary(max_size=40))
@settings(max_examples=50, deadline=None)
def test_any_bytes_are_told_or_refused(contents: list[bytes], tail: bytes):
    body = b"".join(part(b'name="a"; filename="f"', each) for each in contents) + tail
    try:
        said = short(body)
    except UploadError:
        return
    assert said == body


def test_a_file_that_is_no_file_on_disk_is_a_bug_and_not_a_pass():
    with pytest.raises(io.UnsupportedOperation):
        outline(io.BytesIO(b"--B"), b"B", 10)
