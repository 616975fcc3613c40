"""Scripts in what claims to be a picture or a document.

A picture that also begins a server's script runs where a server is told to run it; one that holds
markup runs in a browser that guesses. Neither has any business in a picture, anywhere in it. SVG is
markup by nature: what of it runs is listed.
"""

import re
import zlib
from collections.abc import Iterator
from typing import Any

import re2

from troth.engines.uploads.content import PIECE, Content, pieces

OVERLAP = 512  # longer than anything that is looked for


def _linear(pattern: str) -> Any:
    """In RE2, so that no content makes the search slow."""
    options = re2.Options()
    options.encoding = re2.Options.Encoding.LATIN1
    options.case_sensitive = False
    options.dot_nl = True
    options.log_errors = False
    return re2.compile(pattern.encode("latin-1"), options)


# PHP and JSP openings, none shorter than five bytes: shorter ones are in every large picture.
_SERVER = _linear(
    r"<\?php[\s\x00]|<\?=\s*(\$_?[a-z]{3}|(system|exec|eval|shell_exec|passthru|phpinfo)\b)"
    r"|<\?=\s*`[ -~]{2,60}`|<%@\s*page|<jsp:[a-z]|<script\s+language\s*=\s*[\"']?php"
    r"|<%\s*(eval|execute|response|request)\b"
)
_MARKUP = _linear(
    r"<script[\s>/]|<iframe[\s>]|<svg[^>]{0,200}\sonload\s*=|<html[\s>]|<!doctype\s+html"
    r"|<body[^>]{0,200}\sonload\s*=|<img\s[^>]{0,200}\sonerror\s*="
)
_SVG = re.compile(
    rb"<(\w+:)?(script|foreignobject|iframe|embed|object|handler|listener)[\s>/]"
    rb"|\son[a-z]{3,30}\s*=|(href|src|from|to|values)\s*=\s*[\"']?\s*(java|vb)script:"
    rb"|(href|src)\s*=\s*[\"']?\s*data:\s*(text/html|image/svg|application/xhtml)"
    rb"|<!entity|<\?xml-stylesheet|@import|&#(x0*6a|0*106);?",
    re.IGNORECASE,
)
# Names in PDF may be written with #xx for any byte (ISO 32000-1, 7.3.5).
_PDF = re.compile(rb"/(JavaScript|Launch|RichMedia)(?![A-Za-z0-9])|/XFA\s*[\[0-9]")
_PDF_ESCAPE = re.compile(rb"#([0-9A-Fa-f]{2})")
_PDF_STREAM = re.compile(rb"stream\r?\n")
DICTIONARY_BYTES = 400  # before a stream, that are read as its dictionary
MAX_STREAMS = 2000
MAX_STREAM_BYTES = 1024 * 1024
MAX_SVG_BYTES = 1024 * 1024


def windows(content: Content) -> Iterator[bytes]:
    """All of it in pieces that overlap, so that nothing short stands across two."""
    before = b""
    for piece in pieces(content):
        yield before + piece
        before = piece[-OVERLAP:]


def in_picture(content: Content) -> str:
    """What a picture, a sound or a font has no business to hold; empty for nothing."""
    for window in windows(content):
        if found := _SERVER.search(window):
            return f"a server's script: {found[0][:20].decode('latin-1')!r}"
        if found := _MARKUP.search(window):
            return f"markup that runs: {found[0][:20].decode('latin-1')!r}"
    return ""


def server_script(content: Content) -> str:
    """A server's script anywhere in it; empty for none."""
    found = next((each for each in map(_SERVER.search, windows(content)) if each), None)
    return f"a server's script: {found[0][:20].decode('latin-1')!r}" if found else ""


def in_svg(content: Content) -> str:
    """What of an SVG runs; empty for nothing."""
    if content.size > MAX_SVG_BYTES:
        return "more than is read of an SVG"
    text = content.read(0, content.size)
    if text[:2] in (b"\xff\xfe", b"\xfe\xff"):
        text = text[2:].replace(b"\0", b"")
    if found := _SVG.search(text):
        return f"markup that runs: {found[0][:24].decode('latin-1')!r}"
    return ""


def in_pdf(content: Content) -> str:
    """What of a PDF acts by itself; empty for nothing. Compressed objects are read, too."""
    for window in windows(content):
        if found := _acts(window):
            return found
    return next((found for each in _streams(content) if (found := _acts(each))), "")


def _acts(text: bytes) -> str:
    if b"#" in text:
        text = _PDF_ESCAPE.sub(lambda found: bytes([int(found[1], 16)]), text)
    found = _PDF.search(text)
    return f"acts by itself: {found[0].decode('latin-1')}" if found else ""


def _streams(content: Content) -> Iterator[bytes]:
    """The beginning of what each compressed stream holds: object streams may hide actions."""
    count = 0
    at = 0
    while at < content.size and count < MAX_STREAMS:
        window = content.read(at, PIECE)
        for found in _PDF_STREAM.finditer(window):
            before = window[max(0, found.start() - DICTIONARY_BYTES) : found.start()]
            if b"ObjStm" not in before or b"FlateDecode" not in before:
                continue
            count += 1
            packed = content.read(at + found.end(), PIECE)
            try:
                yield zlib.decompressobj().decompress(packed, MAX_STREAM_BYTES)
            except zlib.error:
                continue
        at += max(len(window) - 1024, 1) if len(window) == PIECE else PIECE


__all__ = ["in_pdf", "in_picture", "in_svg", "server_script"]
