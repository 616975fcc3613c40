"""Which charset a body says it has."""

import pytest

from troth.engines.seclang.bodies import charset


@pytest.mark.parametrize(
    ("content_type", "name"),
    [
        (b"", ""),
        (b"text/xml", ""),
        (b"text/xml; charset=UTF-8", "utf-8"),
        (b'text/xml;charset="utf-16"', "utf-16"),
        (b"text/xml ;\tCharSet = 'ibm037' ; x=y", "ibm037"),
        (b"text/xml; charset=utf-8; charset=utf-7", "utf-7"),
        (b"text/xml; charset=utf-7; charset=utf-8", "utf-7"),
        (b"text/xml; xcharset=utf-7", ""),
    ],
)
def test_the_parameter(content_type: bytes, name: str):
    assert charset.charset_of(content_type) == name


@pytest.mark.parametrize(
    "name", ["utf-8", "utf8", "us-ascii", "iso-8859-1", "iso-8859-15", "windows-1252", "koi8-r"]
)
def test_charsets_in_which_ascii_is_ascii(name: str):
    assert charset.is_plain(name)
    assert charset.complaint(b"a/b; charset=" + name.encode()) == ""


@pytest.mark.parametrize(
    "name", ["utf-7", "utf-16", "ibm037", "shift_jis", "gbk", "big5", "x" * 90]
)
def test_charsets_in_which_it_is_not(name: str):
    assert not charset.is_plain(name)
    assert charset.complaint(b"a/b; charset=" + name.encode()).endswith(name[:40])


def test_a_wide_body_may_say_that_it_is_wide():
    assert charset.complaint(b"a/b; charset=utf-16le", is_wide=True) == ""
    assert charset.complaint(b"a/b; charset=utf-7", is_wide=True)


@pytest.mark.parametrize("name", ["utf-8", "utf-16-le", "utf-16-be", "utf-32-le", "utf-32-be"])
def test_the_encoding_shows_in_the_bytes(name: str):
    assert charset.wide_name('{"é'.encode(name)) == (name, 0)
    marked = "\ufeff1".encode(name)
    assert charset.wide_name(marked) == (name, len(marked) - len("1".encode(name)))
    assert charset.decoded('{"é'.encode(name), name) == '{"é'


def test_what_is_none_of_them():
    assert charset.wide_name(b"\0") == ("utf-8", 0)
    assert charset.wide_name(b"\0\0\0\0") == ("utf-8", 0)
    assert charset.decoded(b"\xff", "utf-8") is None
