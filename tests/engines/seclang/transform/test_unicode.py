"""UTF-8 to `%u`, and the map of code points."""

from pathlib import Path

import pytest

from troth.engines.seclang.transform import unicode, url

MAP = b"""# a comment
1250  (ANSI - Central Europe)
00a1:21 00a2:63

20127 (US-ASCII)
00e9:65 00e8:65 201c:22 2014:2d
"""
DEBIAN = Path("/usr/share/nginx/docs/modsecurity/unicode.mapping")


def test_a_map_is_read_by_its_code_page():
    assert unicode.read_map(MAP, 20127) == {0xE9: 0x65, 0xE8: 0x65, 0x201C: 0x22, 0x2014: 0x2D}
    assert unicode.read_map(MAP, 1250) == {0xA1: 0x21, 0xA2: 0x63}


def test_a_code_page_that_is_not_there_is_refused():
    with pytest.raises(ValueError, match="no code page 932"):
        unicode.read_map(MAP, 932)


def test_a_map_decides_what_a_code_point_becomes():
    decode = url.url_decode_mapped(unicode.read_map(MAP, 20127))

    assert decode(b"%u0041%u00e9%u00e8 %u201Cx+%u2014%41") == b'Aee "x -A'
    assert decode(b"plain") == b"plain"
    assert decode(b"%uff1cscript") == b"<script"  # not in the map: full width by rule


@pytest.mark.skipif(not DEBIAN.is_file(), reason="nginx's ModSecurity module is not installed")
def test_debians_map():
    decode = url.url_decode_mapped(unicode.read_map(DEBIAN.read_bytes(), 20127))

    assert decode(b"%u201dQuoted%u2019s%u2018 word%u2014dash") == b"\"Quoted's' word-dash"


def test_a_long_text_in_utf8_and_what_is_broken():
    assert unicode.utf8_to_unicode("é€😀\\".encode()) == b"%u00e9%u20ac%u1f600\\"
    assert unicode.utf8_to_unicode("\x01é\\".encode()) == b"\x01%u00e9\\"
    assert unicode.utf8_to_unicode(b"\xc0\xaf\xe2\x82") == b"%u002f\xc0\x82"
