"""Parts of a form, strictly: what servers would read differently is refused."""

import pytest

from troth.engines.uploads import Held, UploadError
from troth.engines.uploads.parts import KEPT_OF_A_FILE, boundary_of, outline, split

FIELD = b'--B\r\nContent-Disposition: form-data; name="a"\r\n\r\nvalue\r\n'
FILE = (
    b'--B\r\nContent-Disposition: form-data; name="f"; filename="n.bin"\r\n'
    b"Content-Type: image/png; x=y\r\n\r\n" + b"x" * 9000 + b"\r\n"
)
END = b"--B--\r\n"


def parts(body: bytes, most: int = 10):
    return split(Held(body), b"B", most)


def test_fields_and_files_are_told():
    field, file = parts(FIELD + FILE + END)

    assert (field.name, field.filename, field.kind) == (b"a", None, b"")
    assert (file.name, file.filename, file.kind) == (b"f", b"n.bin", b"image/png")
    assert file.end - file.begin == 9000


def test_the_outline_has_fields_whole_and_of_files_the_beginning():
    body = Held(FIELD + FILE + END)

    said = outline(body, b"B", parts(FIELD + FILE + END), 10_000)

    assert said.startswith(FIELD)
    assert said.count(b"x") - said.count(b"x=y") == KEPT_OF_A_FILE
    assert said.endswith(b"\r\n--B--\r\n")
    with pytest.raises(UploadError, match="more fields"):
        outline(body, b"B", parts(FIELD + FILE + END), 4000)


def test_a_text_stands_there_once_more_as_a_field():
    body = FILE.replace(b"x" * 9000, b"hello") + END

    said = outline(Held(body), b"B", parts(body), 10_000, parts(body))

    assert b'form-data; name="f"\r\n\r\nhello\r\n--B--' in said


@pytest.mark.parametrize(
    "body",
    [
        b"--B",
        b"preamble\r\n" + FIELD + END,
        FIELD + END + b"epilogue",
        FIELD,
        FIELD.replace(b"\r\n", b"\n") + END,
        FIELD + b"--B \r\n" + END,
        FIELD.replace(b"value", b"a--Bb") + END,
        FIELD.replace(b"value", b"\n--B\r\n") + END,
        b"--B\r\n\r\nvalue\r\n" + END,
        b'--B\r\nContent-Disposition: form-data; name="a"\r\nvalue\r\n' + END,
        FIELD.replace(b"\r\n\r\n", b"\r\nContent-Disposition: form-data\r\n\r\n") + END,
        FIELD.replace(b'"a"', b"\"a\"; filename*=utf-8''x.php") + END,
        FIELD.replace(b'"a"', b'"a";\r\n filename="x"') + END,
        FIELD.replace(b"form-data", b"attachment") + END,
        FIELD.replace(b'"a"', b'"a\0"') + END,
        FIELD.replace(b"\r\n\r\n", b"\r\nX: " + b"y" * 9000 + b"\r\n\r\n") + END,
    ],
    ids=range(16),
)
def test_what_is_odd_is_refused(body: bytes):
    with pytest.raises(UploadError) as refused:
        parts(body)

    assert refused.value.fault.status == 400


def test_too_many_parts_are_too_much():
    with pytest.raises(UploadError) as refused:
        parts(FIELD * 11 + END)

    assert (refused.value.fault.code, refused.value.fault.status) == ("parts", 413)


@pytest.mark.parametrize(
    ("header", "expected"),
    [
        (b"multipart/form-data; boundary=abc", b"abc"),
        (b'Multipart/Form-Data; charset=x; boundary="a b"', b"a b"),
        (b"application/json", None),
        (b"", None),
    ],
)
def test_the_boundary(header: bytes, expected: bytes | None):
    assert boundary_of(header) == expected


@pytest.mark.parametrize(
    ("header", "status"),
    [
        (b"multipart/form-data", 400),
        (b"multipart/form-data; boundary=a; boundary=b", 400),
        (b"multipart/form-data; boundary = a", 400),
        (b"multipart/form-data; boundary=" + b"x" * 71, 400),
        (b"multipart/mixed; boundary=a", 415),
    ],
)
def test_a_boundary_that_servers_read_differently(header: bytes, status: int):
    with pytest.raises(UploadError) as refused:
        boundary_of(header)

    assert refused.value.fault.status == status
