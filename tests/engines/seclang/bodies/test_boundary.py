"""The boundary parameter, in every spelling."""

import pytest

from troth.engines.seclang.bodies import boundary


@pytest.mark.parametrize(
    ("content_type", "value", "flags"),
    [
        (b"multipart/form-data; boundary=BB", b"BB", set()),
        (b"multipart/form-data;boundary=BB;charset=utf-8", b"BB", set()),
        (b"multipart/form-data; charset=utf-8; boundary=BB", b"BB", set()),
        (b"Multipart/Form-Data; boundary=----x'()+_,-./:=?", b"----x'()+_,-./:=?", set()),
        (b"multipart/form-data; boundary=boundary", b"boundary", set()),
        (b'multipart/form-data; boundary="BB"', b"BB", {boundary.QUOTED}),
        (b'multipart/form-data; boundary="B B"', b"B B", {boundary.QUOTED}),
        (b"multipart/form-data; boundary =BB", b"BB", {boundary.WHITESPACE}),
        (b"multipart/form-data; boundary= BB", b"BB", {boundary.WHITESPACE}),
        (b"multipart/form-data boundary=BB", b"BB", {boundary.SEMICOLON}),
    ],
)
def test_what_is_read(content_type: bytes, value: bytes, flags: set[str]):
    assert boundary.read(content_type) == boundary.Boundary(value, frozenset(flags))


@pytest.mark.parametrize(
    ("content_type", "why"),
    [
        (b"", "no Content-Type"),
        (b"multipart/form-data", "no Content-Type"),
        (b"multipart/form-data; x=y", "no boundary in"),
        (b"multipart/form-data, boundary=BB", "no Content-Type"),
        (b"multipart/form-data-x; boundary=BB", "no Content-Type"),
        (b"multipart/mixed; boundary=BB", "no Content-Type"),
        (b"multipart/form-data; Boundary=BB", "differently"),
        (b"multipart/form-data; boundary", "no boundary in"),
        (b"multipart/form-data; xboundary=BB", "differently"),
        (b"multipart/form-data; boundary=BB; boundary=CC", "more than one"),
        (b"multipart/form-data; boundary=", "characters"),
        (b"multipart/form-data; boundary=BB ", "characters"),
        (b"multipart/form-data; boundary=B\xffB", "characters"),
        (b'multipart/form-data; boundary="BB', "characters"),
        (b"multipart/form-data; boundary=" + b"B" * 71, "too long"),
        (b"multipart/form-data; boundary=BB;" + b" " * 1024, "too long"),
        (b"multipart/form-data;" + b" " * 900_000, "too long"),
    ],
)
def test_what_is_refused(content_type: bytes, why: str):
    read = boundary.read(content_type)

    assert why in read.error
    assert read.value == b""
