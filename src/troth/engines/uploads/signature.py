"""What a file is by its first bytes, and what its name and type claim it to be.

Source of the signatures: each format's own specification; media types by the IANA registry.
"""

import re
from dataclasses import dataclass

from troth.engines.uploads.content import Content

HEAD = 4096
TAR_MARK_AT = 257  # Source: POSIX.1-2017, pax, "ustar Interchange Format"


@dataclass(frozen=True, slots=True)
class Kind:
    """A format (`png`) and the group that operators name (`image`)."""

    format: str
    group: str


# First bytes -> format and group; the first that fits.
_MAGIC: tuple[tuple[bytes, str, str], ...] = (
    (b"\x89PNG\r\n\x1a\n", "png", "image"),
    (b"\xff\xd8\xff", "jpeg", "image"),
    (b"GIF87a", "gif", "image"),
    (b"GIF89a", "gif", "image"),
    (b"II*\0", "tiff", "image"),
    (b"MM\0*", "tiff", "image"),
    (b"\0\0\1\0", "ico", "image"),
    (b"8BPS\0\1", "psd", "image"),
    (b"\0\0\0\x0cJXL \r\n\x87\n", "jxl", "image"),
    (b"\xff\x0a", "jxl", "image"),
    (b"%PDF-", "pdf", "pdf"),
    (b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1", "ole", "office"),
    (b"{\\rtf", "rtf", "office"),
    (b"PK\3\4", "zip", "archive"),
    (b"PK\5\6", "zip", "archive"),
    (b"PK\7\x08", "zip", "archive"),
    (b"\x1f\x8b", "gzip", "archive"),
    (b"BZh", "bzip2", "archive"),
    (b"\xfd7zXZ\0", "xz", "archive"),
    (b"7z\xbc\xaf\x27\x1c", "7z", "archive"),
    (b"Rar!\x1a\7", "rar", "archive"),
    (b"\x28\xb5\x2f\xfd", "zstd", "archive"),
    (b"MSCF", "cab", "archive"),
    (b"ID3", "mp3", "audio"),
    (b"fLaC", "flac", "audio"),
    (b"OggS", "ogg", "audio"),
    (b"MThd", "midi", "audio"),
    (b"\x1aE\xdf\xa3", "matroska", "video"),
    (b"FLV\1", "flv", "video"),
    (b"\0\0\1\xba", "mpeg", "video"),
    (b"\0\0\1\xb3", "mpeg", "video"),
    (b"wOFF", "woff", "font"),
    (b"wOF2", "woff2", "font"),
    (b"OTTO", "otf", "font"),
    (b"\0\1\0\0\0", "ttf", "font"),
    (b"true\0", "ttf", "font"),
    (b"\x7fELF", "elf", "program"),
    (b"\xca\xfe\xba\xbe", "class", "program"),
    (b"\xfe\xed\xfa\xce", "mach-o", "program"),
    (b"\xfe\xed\xfa\xcf", "mach-o", "program"),
    (b"\xce\xfa\xed\xfe", "mach-o", "program"),
    (b"\xcf\xfa\xed\xfe", "mach-o", "program"),
    (b"\0asm", "wasm", "program"),
    (b"#!/", "script", "program"),
    (b"#! /", "script", "program"),
    (b"dex\n03", "dex", "program"),
    (b"L\0\0\0\1\x14\2\0", "lnk", "program"),
)
_RIFF = {b"WEBP": ("webp", "image"), b"WAVE": ("wav", "audio"), b"AVI ": ("avi", "video")}
_MPEG_AUDIO = (b"\xff\xfb", b"\xff\xfa", b"\xff\xf3", b"\xff\xf2", b"\xff\xf1", b"\xff\xf9")
_BRANDS = {
    b"avif": ("avif", "image"),
    b"avis": ("avif", "image"),
    b"heic": ("heic", "image"),
    b"heix": ("heic", "image"),
    b"mif1": ("heic", "image"),
    b"M4A ": ("m4a", "audio"),
    b"qt  ": ("mov", "video"),
}
_PROGRAM_TEXT = re.compile(rb"\s*<\?(php|=)|\s*<%[@=!\s]|\s*<jsp:", re.IGNORECASE)
_HTML_TEXT = re.compile(
    rb"(<!--.{0,512}?-->|\s)*<(!doctype\s+html|html|head|body|script|iframe|title|meta|style)\b",
    re.IGNORECASE | re.DOTALL,
)
_SVG_TEXT = re.compile(rb"<svg[\s>]|<svg:svg|<!doctype\s+svg", re.IGNORECASE)
_CONTROLS = bytes([*range(9), 11, *range(14, 27), *range(28, 32)])


def of(content: Content) -> Kind:
    """What it is by its first bytes; `other` when nothing is known."""
    head = content.read(0, HEAD)
    return _marked(head) or _shaped(head) or _text(head)


def _marked(head: bytes) -> Kind | None:
    """By what it begins with."""
    found = next((each for each in _MAGIC if head.startswith(each[0])), None)
    return Kind(found[1], found[2]) if found else None


def _shaped(head: bytes) -> Kind | None:
    """By what stands a little later."""
    shape: tuple[str, str] | None = None
    if head[:4] == b"RIFF":
        shape = _RIFF.get(head[8:12])
    elif head[4:8] == b"ftyp":
        shape = _BRANDS.get(head[8:12], ("mp4", "video"))
    elif head[:2] == b"BM" and head[6:10] == b"\0\0\0\0":
        shape = ("bmp", "image")
    elif head[TAR_MARK_AT : TAR_MARK_AT + 5] == b"ustar":
        shape = ("tar", "archive")
    elif head[:2] == b"MZ" and b"\0" in head[:64]:
        shape = ("pe", "program")
    elif head[:2] in _MPEG_AUDIO:
        shape = ("mp3", "audio")
    return Kind(*shape) if shape else None


def _text(head: bytes) -> Kind:
    if head[:2] in (b"\xff\xfe", b"\xfe\xff"):
        head = head[2:].replace(b"\0", b"")
    head = head.removeprefix(b"\xef\xbb\xbf")
    if _PROGRAM_TEXT.match(head):
        return Kind("server-script", "program")
    if _HTML_TEXT.match(head):
        return Kind("html", "html")
    if _SVG_TEXT.search(head):
        return Kind("svg", "svg")
    if len(head) != len(head.translate(None, _CONTROLS)):
        return Kind("unknown", "other")
    return Kind("text", "text")


# What names claim: extension -> group. What is not here claims nothing.
_CLAIMS = {
    "image": "png jpg jpeg jpe jfif gif webp bmp tif tiff ico avif heic heif psd jxl",
    "svg": "svg svgz",
    "audio": "mp3 flac ogg oga opus wav m4a mid midi aac",
    "video": "mp4 m4v mov avi mkv webm mpg mpeg flv ogv",
    "font": "woff woff2 otf ttf",
    "pdf": "pdf",
    "office": (
        "doc docx docm dot dotx xls xlsx xlsm xlsb ppt pptx pptm pps ppsx odt ods odp odg rtf"
    ),
    "archive": "zip gz tgz bz2 xz 7z rar zst tar cab",
    "text": "txt csv tsv md json xml log ini yaml yml toml ics vcf geojson",
    "html": "html htm xhtml shtml mht xht",
    "program": (
        "exe dll com scr msi bat cmd ps1 psm1 vbs vbe js mjs jse wsf hta jar class war sh bash zsh"
        " php php3 php4 php5 php7 php8 phtml phar pht asp aspx ashx asmx cer asa jsp jspx jspf cgi"
        " pl py pyc rb so dylib elf apk lnk reg cpl swf htaccess cfm cfml shtm"
    ),
}
_BY_EXTENSION = {name: group for group, names in _CLAIMS.items() for name in names.split()}
# Whatever stands after them: many servers run a file by any of its extensions.
# Source: Apache HTTP Server, mod_mime, "Files with Multiple Extensions".
_RUN_ANYWHERE = frozenset(
    "php php3 php4 php5 php7 php8 phtml phar pht asp aspx ashx jsp jspx cgi exe htaccess".split()
)
_BY_TYPE = (
    (b"image/svg+xml", "svg"),
    (b"image/", "image"),
    (b"audio/", "audio"),
    (b"video/", "video"),
    (b"font/", "font"),
    (b"application/pdf", "pdf"),
    (b"application/msword", "office"),
    (b"application/vnd.openxmlformats-officedocument", "office"),
    (b"application/vnd.oasis.opendocument", "office"),
    (b"application/vnd.ms-", "office"),
    (b"application/rtf", "office"),
    (b"application/zip", "archive"),
    (b"application/gzip", "archive"),
    (b"application/x-tar", "archive"),
    (b"text/html", "html"),
    (b"text/", "text"),
    (b"application/json", "text"),
)


def extensions(name: bytes) -> list[str]:
    """Those of a file's name, in lower case, the last last; a dotted name's own counts."""
    last = re.split(rb"[\\/]", name)[-1].lstrip(b" ").rstrip(b" .").decode("latin-1").lower()
    return [each.strip() for each in last.split(".")[1:]]


def is_run(name: bytes) -> bool:
    """Whether some server runs a file of this name, whatever is in it."""
    return any(each in _RUN_ANYWHERE for each in extensions(name))


def claims(name: bytes, kind: bytes) -> set[str]:
    """The groups that a name and a media type claim; nothing when they claim none."""
    found = {_BY_EXTENSION[each] for each in extensions(name)[-1:] if each in _BY_EXTENSION}
    found |= {next((group for start, group in _BY_TYPE if kind.startswith(start)), "")}
    return found - {""}


# True group -> what it may be called besides itself. Containers look alike from outside.
_ALSO: dict[str, frozenset[str]] = {
    "audio": frozenset({"video"}),
    "video": frozenset({"audio", "image"}),
    "archive": frozenset({"office", "svg"}),  # a document is a zip, `svgz` is gzip
    "office": frozenset({"archive", "text"}),
    "svg": frozenset({"text"}),
    "html": frozenset({"text"}),
    "program": frozenset(),
    "text": frozenset({"html", "svg", "office"}),
    "other": frozenset({"audio", "video", "archive", "office"}),
}


def fits(true: str, claimed: set[str]) -> bool:
    """Whether a file of a group may be called that."""
    return claimed <= {true, *_ALSO.get(true, ())}
