"""Content-Disposition of a part, strictly."""

import pytest

from troth.engines.seclang.bodies import disposition

QUOTING = {disposition.INVALID_QUOTING}
PART = {disposition.INVALID_PART}


@pytest.mark.parametrize(
    ("value", "name", "filename", "flags"),
    [
        (b'form-data; name="a"', b"a", b"", set()),
        (b"form-data; name=a", b"a", b"", set()),
        (b'form-data;name="a";', b"a", b"", set()),
        (b'form-data ; name = "a" ; filename="b.txt" ', b"a", b"b.txt", set()),
        (b'form-data; filename="b"; name="a"', b"a", b"b", set()),
        (b'form-data; name="a\\"b"', b'a"b', b"", set()),
        (b'form-data; name="a\\\\b"', b"a\\b", b"", set()),
        (b'form-data; name="a"; filename="c:\\d\\\\e.txt"', b"a", b"c:\\d\\e.txt", set()),
        (b'form-data; name="a;b=c"; filename="x;.php"', b"a;b=c", b"x;.php", set()),
        (b'form-data; name="a"; filename=""', b"a", b"", set()),
        (b"form-data; name='a'", b"a", b"", QUOTING),
        (b"form-data; name='a\\'b'", b"a'b", b"", QUOTING),
        (b"form-data", b"", b"", PART),
        (b"FORM-DATA; name=a", b"", b"", PART),
        (b'attachment; name="a"', b"", b"", PART),
        (b'form-data name="a"', b"", b"", PART),
        (b'form-data; name=""', b"", b"", PART),
        (b'form-data; NAME="a"', b"", b"", PART),
        (b'form-data; name="a"; foo="b"', b"a", b"", PART),
        (b"form-data; name=\"a\"; filename*=UTF-8''b", b"a", b"", PART),
        (b'form-data; name="a"; name="b"', b"a", b"", PART),
        (b'form-data; name="a"; filename="b"; filename="c"', b"a", b"b", PART),
        (b'form-data; name="a"b', b"a", b"", PART | QUOTING),
        (b'form-data; name="a', b"", b"", PART | QUOTING),
        (b'form-data; name="a"; filename="b\\"', b"a", b"", PART | QUOTING),
        (b"form-data; name=a b", b"a", b"", PART),
        (b"form-data; name", b"", b"", PART),
        (b"form-data; ; name=a", b"", b"", PART),
    ],
)
def test_dispositions(value: bytes, name: bytes, filename: bytes, flags: set[str]):
    assert disposition.read(value) == disposition.Disposition(name, filename, frozenset(flags))
