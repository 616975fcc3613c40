"""How a page shows a value that has markup in it: as text, or as what it says."""

from dataclasses import dataclass
from html.parser import HTMLParser

SIGNS = "\"'&"
_RAW = frozenset({"script", "style"})  # their content is no markup; what is in it has other rules


def planted(word: str) -> str:
    """The value: a word of this run, an inert element of that name, and what ends attributes."""
    return f"{word}<q id={word}>{SIGNS}"


@dataclass(frozen=True, slots=True)
class Shown:
    """How often a page shows the value.

    Args:
        as_text: whole, where a reader sees it or in an attribute.
        as_markup: as an element, or with the attribute it stood in ended early.
    """

    as_text: int = 0
    as_markup: int = 0


def shown(page: str, word: str) -> Shown:
    """Read a page as a browser would, for the value with this word."""
    reader = _Reader(word)
    reader.feed(page)
    reader.close()
    reader.flush()
    return Shown(reader.as_text, reader.as_markup)


class _Reader(HTMLParser):
    """Counts; text is gathered between tags, since it comes in pieces."""

    def __init__(self, word: str) -> None:
        super().__init__(convert_charrefs=True)
        self.as_text = self.as_markup = 0
        self._word = word
        self._gathered: list[str] = []
        self._within = ""

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        """An element of the run's name is ours; so is an attribute that was cut after the word."""
        self.flush()
        self._within = tag
        for name, value in attrs:
            said = value or ""
            if tag == "q" and (name, said) == ("id", self._word):
                self.as_markup += 1
            elif planted(self._word) in said:
                self.as_text += 1
            elif self._word in said and said.endswith((f"<q id={self._word}>", SIGNS[:1])):
                self.as_markup += 1

    def handle_endtag(self, tag: str) -> None:  # noqa: ARG002 -- the parser's own signature
        """Text ends here."""
        self.flush()
        self._within = ""

    def handle_data(self, data: str) -> None:
        """Text, or a script."""
        if self._within not in _RAW:
            self._gathered.append(data)

    def flush(self) -> None:
        """Count what was gathered."""
        text = "".join(self._gathered)
        self._gathered.clear()
        # An application may take markup out of what it is told: then the word alone is text.
        self.as_text += self._word in text


def links(page: str) -> list[str]:
    """Where the links and forms of a page lead, in order."""
    reader = _Links()
    reader.feed(page)
    return reader.found


class _Links(HTMLParser):
    """Gathers addresses."""

    def __init__(self) -> None:
        super().__init__(convert_charrefs=True)
        self.found: list[str] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        """`<a href>` and `<form action>`."""
        wanted = {"a": "href", "form": "action"}.get(tag)
        self.found += [value for name, value in attrs if name == wanted and value]
