"""UTF-8 to `%u`."""

from troth.engines.seclang.transform import unicode


def test_a_long_text_in_utf8_and_what_is_broken():
    assert unicode.utf8_to_unicode("é€😀\\".encode()) == b"%u00e9%u20ac%u1f600\\"
    assert unicode.utf8_to_unicode("\x01é\\".encode()) == b"\x01%u00e9\\"
    assert unicode.utf8_to_unicode(b"\xc0\xaf\xe2\x82") == b"%u002f\xc0\x82"
    assert unicode.utf8_to_unicode("\0é\0a\0".encode()) == b"%u00e9a\0"
