"""Documents and what acts in them."""

from troth.engines.uploads import Held
from troth.engines.uploads.documents import has_macros, of_entries, ole_has_macros

OOXML = [b"[Content_Types].xml", b"word/document.xml"]


def test_what_an_archive_is():
    assert of_entries(OOXML).group == "office"
    assert of_entries([b"mimetype", b"META-INF/manifest.xml"]).group == "office"
    assert of_entries([b"META-INF/MANIFEST.MF", b"A.class"]).group == "program"
    assert of_entries([b"a", b"b"]).group == "archive"


def test_macros():
    assert has_macros([*OOXML, b"word/vbaProject.bin"])
    assert has_macros([b"xl/macrosheets/sheet1.xml"])
    assert not has_macros(OOXML)
    ole = b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1" + b"\0" * 600
    assert ole_has_macros(Held(ole + "_VBA_PROJECT".encode("utf-16-le")))
    assert not ole_has_macros(Held(ole + b"_VBA_PROJECT"))
