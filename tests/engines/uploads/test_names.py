"""Names that lead out of a folder, and names that pretend."""

import pytest

from troth.engines.uploads import UploadError
from troth.engines.uploads.names import check, is_disguised


@pytest.mark.parametrize("name", [b"..", b"a/..", b"../a", b"a\\..\\b", b"/a", b"C:a", b"a\0b"])
def test_ways_out(name: bytes):
    with pytest.raises(UploadError):
        check(name)


@pytest.mark.parametrize("name", [b"a", b"a/b.c", b"..a", b"a..b/c...", b"", "Grüße".encode()])
def test_honest_names(name: bytes):
    check(name)


def test_disguises():
    assert is_disguised("a\u202egpj.exe".encode())
    assert is_disguised(b"a\tb")
    assert not is_disguised("Ferienfotos, März (2).jpg".encode())
