"""Cross-site scripting: is there markup that runs, where an application would put the value?

The places: text, the value of an attribute (quoted with ", ' or `, or not at all), an address, and
a string within a script. In the first two HTML's own tokens decide (`htmltokens`), in the last the
shape of a call (`htmlscript`). People's `I <3 you`, `a < b`, `<b>bold</b>` and
`<name@example.org>` run nothing.
"""

import re

from troth.engines.seclang.detect import htmlscript, layers
from troth.engines.seclang.detect import htmltokens as html
from troth.engines.seclang.detect import htmlwords as words

MAX_DEPTH = 3  # of markup within attributes' values
# Tokens read of a value that holds the name of something that runs: 5 KB of dense markup.
MAX_TOKENS = 1000

_LETTERS = bytes(range(0x30, 0x3A)) + bytes(range(0x41, 0x5B)) + bytes(range(0x61, 0x7B))
_HARMLESS = _LETTERS + b" .,?!-_/\r\n\t;'\"&#%*+@$)]|~^" + bytes(range(0x80, 0x100))
_ANY_TAG = re.compile(rb"<[a-zA-Z!?/]")
_ELEMENTS = sorted((words.RUNNING | set(words.LOADED)) - {b"frameset", b"iframe", b"ilayer"})
_SCHEMES = re.compile(
    rb"(?:java|vb|live|j)script:|mocha:|data:(?:text/|image/svg|application/|[;,]|[^,]{0,40};base64,)"
)
_STYLES = re.compile(rb"/\*|\\|expression|binding|behavi|script|@import|url\(")
# What stands before an attribute's name.
_SEPARATORS = bytes(range(0x20)) + b"\"'`/<>=,;&?{}"
_APART = bytes.maketrans(_SEPARATORS, b" " * len(_SEPARATORS))
_NAME_BYTES = 48
_HANDLER = re.compile(rb"on(?:%b)[a-z]{0,24}" % b"|".join(words.EVENTS))
_BLANKS = bytes(range(0x21)) + b"\x7f"
_SCHEME = re.compile(
    rb"(?:feed:|view-source:|jar:|url=){0,4}[\"']?(?:javascript|vbscript|livescript|mocha|jscript):"
    rb"|data:(?:text/(?:html|xml|javascript|vbscript|css)|image/svg|application/(?:xhtml|xml"
    rb"|javascript|x-|ecma)|[;,]|[^,]{0,40};base64,)",
    re.IGNORECASE,
)
_DIRECTIVE = re.compile(
    rb"v-[\w:.-]+|(?:data-)?ng-[\w-]+|x-(?:data|init|on|html|bind|text|show|if|for|effect)[\w:.-]*"
    rb"|hx-on[\w:.-]*|@(?:%b)[\w.:-]*|\*ng\w+|data-bind|\[(?:inner|outer|src|href)\w*\]"
    % b"|".join(words.EVENTS)
)
_ALONE = frozenset({b"srcdoc", b"attributename"})
_IMAGE = re.compile(
    rb"data:(?:image/(?!svg)|font/|audio/|video/|application/(?:pdf|font))", re.IGNORECASE
)
_STYLE = re.compile(
    rb"expression\s*\(|-moz-binding|behaviou?r\s*:\s*url|(?:java|vb|live)script\s*:"
    rb"|@import\s*(?:url)?\s*['\"(]|url\s*\(\s*['\"]?\s*(?:data:(?!image)|javascript)",
    re.IGNORECASE,
)
_STYLE_NOISE = re.compile(rb"/\*[^*]*+(?:\*(?!/)[^*]*+)*+\*/|[\x00-\x08\\]")
# A prefix, or what a filter that takes tags out once would leave (`<scr<script>ipt>`).
_NAMESPACE = re.compile(rb"^.*[:<]", re.DOTALL)
# A value that ends an attribute and its tag, and begins another.
_BROKEN_OUT = re.compile(rb"[^<]{0,999}['\"]\s*/?>{1,3}\s*</?[a-zA-Z]")
_SPOKEN = re.compile(
    rb"<(script|(?P<harmless>(svg|math)(?=>[^<]{2,400}(?:</\3>|\Z))|base href=\"[\w$.-]*\"))>",
    re.IGNORECASE,
)
# Tags as editors of texts write them by the hundred: nothing in them runs. They are not counted.
_PLAIN_TAG = re.compile(
    rb"</?(?:p|br|hr|b|i|u|s|em|strong|code|kbd|samp|var|sub|sup|small|mark|del|ins|span|div|section"
    rb"|article|header|footer|figure|figcaption|blockquote|cite|q|pre|ul|ol|li|dl|dt|dd|table|caption"
    rb"|colgroup|col|thead|tbody|tfoot|tr|th|td|h[1-6]|a|img|details|summary|abbr|time|label|font|center)"
    rb"(?:\s++(?:(?:class|id|title|alt|width|height|align|valign|border|colspan|rowspan|lang|dir|rel"
    rb"|target|name|start|color|face|size|loading|data-(?:id|mce-\w{1,12}))=\"[^\"<>`]*+\""
    rb"|(?:href|src)=\"(?:https?://|mailto:|/(?![/\\])|\#)[^\"<>`]*+\"|style=\"[\w\s.,:;#%!-]*+\"))*+\s*+/?>",
    re.IGNORECASE,
)
MANY_TAGS = 100
MOST_TAGS = 8000  # looked at one by one, half a microsecond each; who writes more is not believed
MAX_BEGINNING = 100  # bytes of what stands behind a tag, to see whether it is a script
_HIDING = re.compile(rb"utf-?(?:7|16|32)", re.IGNORECASE)  # ASCII's letters stand for other text
_STRIPPED = re.compile(rb"<[^<>]{0,20}>")


def recognise(value: bytes) -> str | None:
    """What runs in one form of a value, or None. Linear, bounded."""
    if not value.translate(None, _HARMLESS):
        return None
    has_tag = b"<" in value and _ANY_TAG.search(value) is not None
    if has_tag or b"=" in value:
        reason = _Search().markup(value, has_tag=has_tag)
        if reason is not None:
            return reason
    return htmlscript.recognise(value)


find = layers.through(recognise)
"""`recognise` over every decoded form of a value."""


class _Search:
    """One value's search: what is left of its tokens is its state."""

    def __init__(self) -> None:
        self.left = MAX_TOKENS

    def markup(self, value: bytes, *, has_tag: bool) -> str | None:
        """The value as text, and inside of attributes, where names of what runs occur at all."""
        if has_tag:
            value = _mentioned(value)
            if MANY_TAGS < value.count(b"<") <= MOST_TAGS:
                value = _PLAIN_TAG.sub(b" ", value)
        lowered = value.lower().translate(None, b"\0")
        has_attribute = _has_attribute(lowered)
        if has_tag and (has_attribute or any(name in lowered for name in _ELEMENTS)):
            reason = self.tags(value, 0) or _declared(lowered)
            if reason is not None:
                return reason
        if has_tag:
            if _BROKEN_OUT.match(value) is not None:
                return "broken-out"
            stripped = _STRIPPED.sub(b"", value)  # a filter that takes tags out joins the rest
            if stripped != value and _has_attribute(stripped.lower()):
                reason = self.attributes(stripped)
                if reason is not None:
                    return reason
        return self.attributes(value) if has_attribute else None

    def tokens(self, value: bytes, state: str) -> list[html.Token]:
        """The tokens of a part, as many as are left."""
        taken = []
        for token in html.tokens(value, state):
            taken.append(token)
            self.left -= 1
            if self.left < 0:
                break
        return taken

    def tags(self, value: bytes, depth: int) -> str | None:
        """The first tag that runs something."""
        tag, name = b"", b""
        for kind, text in self.tokens(value, html.DATA):
            reason = None
            if kind is html.OPEN:
                tag, name = _NAMESPACE.sub(b"", text.translate(None, b"\0").lower()), b""
                reason = tag.decode() if tag in words.RUNNING else None
            elif kind is html.NAME:
                name = text.translate(None, _BLANKS).lower()
                reason = self._name(tag, name, depth)
            elif kind is html.VALUE and name:
                reason = _attribute(name, text) or self._within(text, depth)
                if tag == b"meta" and name == b"charset" and _HIDING.search(text):
                    reason = "meta-charset"
            elif kind is html.CLOSE and text.lower() == b"script":
                reason = "script-end"
            elif kind is html.TEXT and tag == b"style" and _is_active_style(text):
                reason = "style"
            elif kind is html.COMMENT:
                reason = self._within(text, depth)
            if reason is not None:
                return reason
        return "flood" if self.left < 0 else None

    def _name(self, tag: bytes, name: bytes, depth: int) -> str | None:
        if name in words.LOADED.get(tag, ()):
            return f"{tag.decode()}-{name.decode('latin-1')}"
        return self._within(name, depth)

    def _within(self, text: bytes, depth: int) -> str | None:
        return self.tags(text, depth + 1) if b"<" in text and depth < MAX_DEPTH else None

    def attributes(self, value: bytes) -> str | None:
        """The value inside an attribute: behind each kind of quotation mark, or as it is."""
        for quote in (b'"', b"'", b"`"):
            place = value.find(quote)
            if place >= 0:
                reason = self.continued(value[place + 1 :], is_quoted=True)
                if reason is not None:
                    return reason
        return self.continued(value, is_quoted=False)

    def continued(self, value: bytes, *, is_quoted: bool) -> str | None:
        """A handler among the attributes that a value continues a tag with."""
        name = b""
        for kind, text in html.tokens(value, html.TAG):
            self.left -= 1
            if self.left < 0:
                return "flood"
            if kind is html.NAME:
                name = text.translate(None, _BLANKS).lower()
            elif kind is html.VALUE:
                reason = _attribute(name, text)
                if reason is not None and (is_quoted or htmlscript.is_code(text)):
                    return reason
            elif kind is html.END:
                break
        return None


def _mentioned(value: bytes) -> bytes:
    """The value without tags that are spoken of: behind them stands no script, no picture.

    `<script>` without attributes before what is no script, `<svg>` and `<math>` around plain text,
    `<base>` whose address stays in the page's own folder (WHATWG URL, 4.4).
    """
    if _SPOKEN.search(value) is None:
        return value

    def written(tag: re.Match[bytes]) -> bytes:
        behind = value[tag.end() : tag.end() + MAX_BEGINNING]
        return b"<b>" if tag["harmless"] or htmlscript.is_stillborn(behind) else tag[0]

    return _SPOKEN.sub(written, value)


def _has_attribute(lowered: bytes) -> bool:
    """Whether the name of an attribute that can run something stands before an equals sign."""
    if b":" in lowered and _SCHEMES.search(lowered.translate(None, _BLANKS)) is not None:
        return True
    pieces = lowered.split(b"=", MAX_TOKENS)
    if len(pieces) > MAX_TOKENS:
        return True
    for piece in pieces[:-1]:
        name = piece[-_NAME_BYTES:].translate(_APART).rsplit(None, 1)[-1:]
        if name and _may_run(name[0], lowered):
            return True
    return False


def _may_run(name: bytes, lowered: bytes) -> bool:
    if name[:2] == b"on":
        return _HANDLER.fullmatch(name) is not None
    if name == b"style":
        return _STYLES.search(lowered) is not None
    return name in _ALONE or _DIRECTIVE.fullmatch(name) is not None


def _attribute(name: bytes, value: bytes) -> str | None:
    """What an attribute runs."""
    if name[:2] == b"on" and _HANDLER.fullmatch(name):
        return "handler"
    if name == b"srcdoc":
        return "srcdoc"
    if name == b"style":
        return "style" if _is_active_style(value) else None
    if name == b"attributename":
        return "handler" if value[:2].lower() == b"on" else None
    return _address(name, value)


def _address(name: bytes, value: bytes) -> str | None:
    bare = value.translate(None, _BLANKS)
    if _SCHEME.match(bare) and not _IMAGE.match(bare):
        return "address"
    return "directive" if _DIRECTIVE.fullmatch(name) and htmlscript.is_code(value) else None


def _is_active_style(value: bytes) -> bool:
    return _STYLE.search(_STYLE_NOISE.sub(b"", value)) is not None


def _declared(lowered: bytes) -> str | None:
    """Processing instructions and declarations that load a style sheet or an import."""
    if b"<?xml-stylesheet" in lowered or b"<?import" in lowered:
        return "stylesheet"
    return None
