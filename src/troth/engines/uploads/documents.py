"""What an archive really is, and what may act in a document: macros, scripts, embedded programs.

Source: ECMA-376 part 2 (`[Content_Types].xml`), [MS-OVBA] 2.2.1 (`vbaProject.bin`, `_VBA_PROJECT`),
[MS-XLS] (macro sheets), ODF 1.3 part 2, 3.3 (`mimetype`), JAR File Specification.
"""

from troth.engines.uploads.content import Content, find
from troth.engines.uploads.signature import Kind

OFFICE = b"[Content_Types].xml"
_MACROS = (b"vbaproject.bin", b"/macrosheets/", b"basic/script-lb.xml", b"basic/standard/")
_OLE_MACROS = "_VBA_PROJECT".encode("utf-16-le")


def of_entries(names: list[bytes]) -> Kind:
    """What a zip with these names in it is."""
    found = set(names)
    if OFFICE in found:
        return Kind("ooxml", "office")
    if names[:1] == [b"mimetype"] and b"META-INF/manifest.xml" in found:
        return Kind("odf", "office")
    if b"AndroidManifest.xml" in found or b"META-INF/MANIFEST.MF" in found:
        return Kind("jar", "program")
    return Kind("zip", "archive")


def has_macros(names: list[bytes]) -> bool:
    """Whether a document in a zip has macros."""
    return any(mark in name.lower() for name in names for mark in _MACROS)


def ole_has_macros(content: Content) -> bool:
    """Whether a document of the old format has them: the storage's name is told in UTF-16."""
    return find(content, _OLE_MACROS) >= 0
