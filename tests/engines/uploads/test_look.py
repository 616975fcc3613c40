"""An upload as a whole."""

import pytest

from troth.engines.uploads.eicar import TEST


def whole(kind: str, *more: tuple[bytes, bytes]):
    return ((b"content-type", kind.encode()), *more)


def test_a_form_is_told_in_short(files):
    field = b'--B\r\nContent-Disposition: form-data; name="a"\r\n\r\nvalue\r\n'

    found = files.looked(field + files.form(b"a.bin", b"\1" * 9000))

    assert (found.fault, found.files) == (None, 1)
    assert found.outline.startswith(field)
    assert len(found.outline) < 5000


@pytest.mark.parametrize(
    ("kind", "body", "outline"),
    [
        ("application/x-www-form-urlencoded", b"a=b", b"a=b"),
        ("application/json", b'{"a":1}', b'{"a":1}'),
        ("text/plain", b"hello", b"hello"),
        ("image/png", b"\x89PNG\r\n\x1a\n", None),
        ("application/offset+octet-stream", b"\1\2\3", None),
    ],
)
def test_a_body_that_is_one_thing(files, kind, body, outline):
    found = files.looked(body, whole(kind))

    assert (found.fault, found.outline) == (None, outline)


@pytest.mark.parametrize(
    ("headers", "body", "code", "status"),
    [
        (whole("text/plain"), TEST, "malware", 403),
        (whole("image/png"), b"\x7fELF\1", "kind", 415),
        (whole("image/png"), b"hello", "pretends", 415),
        (whole("application/x-www-form-urlencoded"), b"a=" + b"b" * 2000, "fields", 413),
        (whole("text/plain", (b"content-encoding", b"gzip")), b"x", "encoding", 415),
        (whole("text/plain", (b"content-type", b"a/b")), b"x", "encoding", 415),
        (whole("multipart/form-data; boundary=B"), b"x", "malformed", 400),
    ],
)
def test_faults_of_the_whole(files, headers, body, code, status):
    fault = files.looked(body, headers, limit=1000).fault

    assert (fault.code, fault.status) == (code, status)


def test_a_long_text_is_looked_at_and_not_read(files):
    found = files.looked(b'"' + b"a" * 2000 + b'"', whole("application/json"), limit=1000)

    assert (found.fault, found.outline) == (None, None)


def test_longer_than_the_route_takes(files):
    assert files.looked(b"x" * 101, whole("text/plain"), max_bytes=100).fault.status == 413


def test_nothing_is_nothing(files):
    assert files.looked(b"").fault is None


def test_text_files_are_read_as_fields_where_the_route_says_so(files):
    body = files.form(b"a.txt", b"' OR 1=1 -- -", b"text/plain")

    assert files.looked(body).outline.count(b"OR 1=1") == 1
    assert files.looked(body, reads_text=True).outline.count(b"OR 1=1") == 2
