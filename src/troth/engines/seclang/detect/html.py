"""Cross-site scripting: is there markup that runs, where an application would put the value?

The places: text, the value of an attribute (quoted with ", ' or `, or not at all), an address, and
a string within a script. In the first two HTML's own tokens decide (`htmltokens`), in the last the
shape of a call. People's `I <3 you`, `a < b`, `<b>bold</b>` and `<name@example.org>` run nothing.
"""

import re

from troth.engines.seclang.detect import htmltokens as html
from troth.engines.seclang.detect import htmlscript, layers
from troth.engines.seclang.detect import htmlwords as words

MAX_DEPTH = 3  # of markup within attributes' values

_LETTERS = bytes(range(0x30, 0x3A)) + bytes(range(0x41, 0x5B)) + bytes(range(0x61, 0x7B))
_HARMLESS = _LETTERS + b" .,?!-_/\r\n\t;'\"&#%*+@$)]|~^" + bytes(range(0x80, 0x100))
_TAG = re.compile(rb"<[a-zA-Z!?/]")
_HANDLER = re.compile(rb"on(?:%b)[a-z]{0,24}" % b"|".join(words.EVENTS), re.IGNORECASE)
# A handler as the value's first attribute, or behind one quotation mark and other attributes.
_ATTRIBUTE = re.compile(
    rb"(?:\A|[\s\"'`/\x00,;])(?:on[a-z]{3,30}|style|src|href|srcdoc|formaction|action|[vx]-[a-z:.-]+"
    rb"|ng-[a-z-]+|@[a-z]+|xlink:href)[\s\x00-\x20]*=",
    re.IGNORECASE,
)
_BLANKS = bytes(range(0x21)) + b"\x7f"
_SCHEME = re.compile(
    rb"(?:feed:|view-source:|jar:|url=)*[\"']?(?:javascript|vbscript|livescript|mocha|jscript):|data:"
    rb"(?:text/(?:html|xml|javascript|vbscript|css)|image/svg|application/(?:xhtml|xml|javascript"
    rb"|x-|ecma)|[;,]|[^,]{0,40};base64,)",
    re.IGNORECASE,
)
_IMAGE = re.compile(rb"data:(?:image/(?!svg)|font/|audio/|video/|application/(?:pdf|font))", re.I)
_STYLE = re.compile(
    rb"expression\s*\(|-moz-binding|behaviou?r\s*:\s*url|(?:java|vb|live)script\s*:"
    rb"|@import\s*(?:url)?\s*['\"(]|url\s*\(\s*['\"]?\s*(?:data:(?!image)|javascript)",
    re.IGNORECASE,
)
_STYLE_NOISE = re.compile(rb"/\*(?:[^*]|\*(?!/))*+\*/|[\x00-\x08\\]")
# A prefix, or what a filter that takes tags out once would leave (`<scr<script>ipt>`).
_NAMESPACE = re.compile(rb"^.*[:<]", re.DOTALL)
# A value that ends an attribute and its tag, and begins another.
_BROKEN_OUT = re.compile(rb"[^<]{0,999}['\"]\s*/?>{1,3}\s*</?[a-zA-Z]")
_STRIPPED = re.compile(rb"<[^<>]{0,20}>")


def recognise(value: bytes) -> str | None:
    """What runs in one form of a value, or None. Linear, bounded."""
    if not value.translate(None, _HARMLESS):
        return None
    if b"<" in value and _TAG.search(value) is not None:
        reason = _markup(value, html.DATA, 0) or _declared(value)
        if reason is not None:
            return reason
        if _BROKEN_OUT.match(value) is not None:
            return "broken-out"
        stripped = _STRIPPED.sub(b"", value)  # a filter that takes tags out joins what they parted
        reason = _in_attribute(stripped) if stripped != value else None
        if reason is not None:
            return reason
    if b"=" in value and (reason := _in_attribute(value)) is not None:
        return reason
    return htmlscript.recognise(value)


find = layers.through(recognise)
"""`recognise` over every decoded form of a value."""


def _markup(value: bytes, state: str, depth: int) -> str | None:
    """The first tag that runs something."""
    tag, name = b"", b""
    for kind, text in html.tokens(value, state):
        reason = None
        if kind is html.OPEN:
            tag, name = _NAMESPACE.sub(b"", text.translate(None, b"\0").lower()), b""
            if tag in words.RUNNING:
                reason = tag.decode()
        elif kind is html.CLOSE and text.lower() == b"script":
            reason = "script-end"
        elif kind is html.NAME:
            name = text.translate(None, _BLANKS).lower()
            if name in words.LOADED.get(tag, ()):
                reason = f"{tag.decode()}-{name.decode('latin-1')}"
            elif b"<" in text and depth < MAX_DEPTH:
                reason = _markup(text, html.DATA, depth + 1)
        elif kind is html.VALUE and name:
            reason = _attribute(name, text, depth)
        elif kind is html.TEXT and tag == b"style" and _is_active_style(text):
            reason = "style"
        elif kind is html.COMMENT and b"<" in text and depth < MAX_DEPTH:
            reason = _markup(text, html.DATA, depth + 1)
        if reason is not None:
            return reason
    return None


def _attribute(name: bytes, value: bytes, depth: int) -> str | None:
    """What an attribute runs."""
    if name[:2] == b"on" and _HANDLER.fullmatch(name):
        return "handler"
    if name == b"srcdoc":
        return "srcdoc"
    if name == b"style":
        return "style" if _is_active_style(value) else None
    if name in (b"attributename", b"http-equiv"):
        return "handler" if value[:2].lower() == b"on" else None
    bare = value.translate(None, _BLANKS)
    if _SCHEME.match(bare) and not _IMAGE.match(bare):
        return "address"
    if name.startswith(words.DIRECTIVES) and htmlscript.is_code(value):
        return "directive"
    if b"<" in value and depth < MAX_DEPTH:
        return _markup(value, html.DATA, depth + 1)
    return None


def _is_active_style(value: bytes) -> bool:
    return _STYLE.search(_STYLE_NOISE.sub(b"", value)) is not None


def _declared(value: bytes) -> str | None:
    """Processing instructions and declarations that load a style sheet or an import."""
    lowered = value.lower()
    if b"<?xml-stylesheet" in lowered or b"<?import" in lowered:
        return "stylesheet"
    if b"<!--[if" in lowered and b"<script" in lowered:
        return "conditional"
    return None


def _in_attribute(value: bytes) -> str | None:
    """The value inside an attribute: behind each kind of quotation mark, or as it is."""
    if _ATTRIBUTE.search(value) is None:
        return None
    for quote in (b'"', b"'", b"`"):
        place = value.find(quote)
        if place >= 0 and (reason := _handled(value[place + 1 :], is_quoted=True)) is not None:
            return reason
    return _handled(value, is_quoted=False)


def _handled(value: bytes, *, is_quoted: bool) -> str | None:
    """A handler among the attributes that a value continues a tag with."""
    name = b""
    for kind, text in html.tokens(value, html.TAG):
        if kind is html.NAME:
            name = text.translate(None, _BLANKS).lower()
        elif kind is html.VALUE:
            reason = _attribute(name, text, MAX_DEPTH)
            if reason is not None and (is_quoted or htmlscript.is_code(text)):
                return reason
        elif kind is html.END:
            break
    return None
