"""Reading what is published, pure: the page, the feed, security.txt. Facts out, no opinion."""

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from html.parser import HTMLParser
from xml.etree import ElementTree as ET

ATOM = "{http://www.w3.org/2005/Atom}"
MAX_ITEMS = 500
# Our program or a file of ours; a path, a header or an attribute that bears the name is data.
_OURS = re.compile(r"""(?i)\btroth\b(?! ?[-"'/.])|verify\.py""")
_NAMES = ("$APP", "$HTTP", "$TROTH", "$STATUS", "$CA")


@dataclass(slots=True)
class Item:
    """A promise as it stands on the page. `has_icon`: the state's own icon stands before it."""

    slug: str
    state: str
    word: str = ""
    sentence: str = ""
    evidence: tuple[str, ...] = ()
    has_icon: bool = False
    has_date: bool = False


@dataclass(slots=True)
class Reading:
    """What was read of a page.

    Args:
        language: its `lang`.
        generated: the rendering that it says it is of.
        items: its promises, in order.
        loose: sentences in the list that belong to no promise.
        counted: by state, the number that stands in the page's head.
        links: every address on it.
        footer: the text of its `<address>`.
        codes: by check, the command in its code block.
        marks: other `data-` attributes, the last of each name.
    """

    language: str = ""
    generated: str = ""
    items: list[Item] = field(default_factory=list)
    loose: int = 0
    counted: dict[str, int] = field(default_factory=dict)
    links: list[str] = field(default_factory=list)
    footer: str = ""
    codes: dict[str, str] = field(default_factory=dict)
    marks: dict[str, str] = field(default_factory=dict)


class _Reader(HTMLParser):
    def __init__(self) -> None:
        super().__init__(convert_charrefs=True)
        self.page = Reading()
        self._item: Item | None = None
        self._depth = 0  # of `li` below the item
        self._into: str = ""  # where text goes
        self._code = ""
        self._count = ""

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        given = {name: value or "" for name, value in attrs}
        page = self.page
        if tag == "html":
            page.language = given.get("lang", "")
        for name, value in given.items():
            if name.startswith("data-") and name not in ("data-slug", "data-state"):
                page.marks[name] = value
        page.generated = given.get("data-generated", page.generated)
        if "href" in given:
            page.links.append(given["href"])
        if "data-slug" in given and len(page.items) < MAX_ITEMS:
            self._item = Item(given["data-slug"], given.get("data-state", ""))
            self._depth = 0
            page.items.append(self._item)
        elif tag == "li" and self._item is not None:
            self._depth += 1
        self._inside(tag, given)

    def _inside(self, tag: str, given: Mapping[str, str]) -> None:
        item, page = self._item, self.page
        if tag == "h3" and item is None:
            page.loose += 1
        if item is not None:
            if tag == "use":
                item.has_icon |= given.get("href") == f"#i-{item.state}"
            elif tag == "time":
                item.has_date = True
            elif tag == "a" and "data-evidence" in given:
                item.evidence = (*item.evidence, given["data-evidence"])
            elif tag in ("h3", "b") and not (item.word if tag == "b" else item.sentence):
                self._into = tag
        if tag == "address":
            self._into = "address"
        elif tag == "code" and "data-check" in given:
            self._into, self._code = "code", given["data-check"]
        elif tag == "li" and given.get("class", "").startswith("s-") and item is None:
            self._into, self._count = "count", given["class"].removeprefix("s-")

    def handle_endtag(self, tag: str) -> None:
        if tag == "li" and self._item is not None:
            self._depth -= 1
            if self._depth < 0:
                self._item = None
        if tag in (self._into, "li") or (tag == "section" and self._into == "count"):
            self._into = ""

    def handle_data(self, data: str) -> None:
        item, page = self._item, self.page
        if self._into == "address":
            page.footer += data + " "
        elif self._into == "code":
            page.codes[self._code] = page.codes.get(self._code, "") + data
        elif self._into == "count" and (found := re.match(r"\s*(\d{1,6})\b", data)):
            page.counted[self._count] = int(found[1])
        elif item is not None and self._into == "h3":
            item.sentence += data
        elif item is not None and self._into == "b":
            item.word += data


def read_page(text: str) -> Reading:
    """What a page says. A page that is none has no items."""
    reader = _Reader()
    reader.feed(text)
    reader.close()
    for item in reader.page.items:
        item.word, item.sentence = item.word.strip(), " ".join(item.sentence.split())
    reader.page.footer = " ".join(reader.page.footer.split())
    return reader.page


def colours(css: str) -> Iterator[tuple[str, str]]:
    """The planned and the proven colour of each scheme that a stylesheet defines."""
    planned = re.findall(r"--planned:\s*(#[0-9a-fA-F]{3,8})", css)
    proven = re.findall(r"--proven:\s*(#[0-9a-fA-F]{3,8})", css)
    yield from zip(planned, proven, strict=False)


def read_feed(text: str) -> list[dict[str, str]]:
    """The entries of an Atom feed: `state`, `promise`, `evidence`, `updated`. ValueError if none.

    A document type, which could name entities, is refused.
    """
    if "<!DOCTYPE" in text or "<!ENTITY" in text:
        raise ValueError("a feed with a document type")
    try:
        root = ET.fromstring(text)  # noqa: S314 -- no entities: see above
    except ET.ParseError as error:
        raise ValueError(f"not well-formed: {error}") from error
    if root.tag != f"{ATOM}feed":
        raise ValueError("not an Atom feed")
    found = []
    for entry in root.iter(f"{ATOM}entry"):
        terms = {
            kind.get("scheme", "").removeprefix("urn:troth:"): kind.get("term", "")
            for kind in entry.iter(f"{ATOM}category")
        }
        terms["updated"] = entry.findtext(f"{ATOM}updated", "")
        terms["id"] = entry.findtext(f"{ATOM}id", "")
        found.append(terms)
    return found


def read_security_txt(text: str) -> dict[str, list[str]]:
    """Fields of a security.txt (RFC 9116), names in lower case."""
    found: dict[str, list[str]] = {}
    for line in text.splitlines():
        name, colon, value = line.partition(":")
        if colon and not line.startswith("#"):
            found.setdefault(name.strip().lower(), []).append(value.strip())
    return found


def squeezed(text: str) -> str:
    """Text as a reader compares it: tags gone, spaces single, case folded."""
    plain = re.sub(r"<[^>]*>", " ", text)
    return " ".join(plain.split()).casefold()


def is_readers_own(command: str) -> bool:
    """Whether a command is one line of a reader's own tools, with none of our code in it."""
    if not command.strip() or "\n" in command:
        return False
    rest = command
    for name in _NAMES:
        rest = rest.replace(name, "X")
    return not _OURS.search(rest)


def age_s(stamp: str, now: datetime) -> int | None:
    """How old a time as evidence writes it is, in whole seconds; None when it is no time."""
    try:
        return int((now - datetime.fromisoformat(stamp)).total_seconds())
    except (ValueError, TypeError):
        return None
