"""Links of a page that lead to the same origin."""

from html.parser import HTMLParser
from urllib.parse import urldefrag, urljoin, urlsplit

_WHERE = {"a": "href", "link": "href", "script": "src", "img": "src"}
_MOST = 500


class _Reader(HTMLParser):
    def __init__(self) -> None:
        super().__init__()
        self.found: list[str] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        wanted = _WHERE.get(tag)
        self.found += [value for name, value in attrs if name == wanted and value]


def links(text: str, base: str) -> list[str]:
    """Addresses of the same origin that the page links to or loads, in order, each once.

    Args:
        text: the page; what is no HTML has none.
        base: its own address.
    """
    reader = _Reader()
    reader.feed(text)
    origin = urlsplit(base)[:2]
    found = []
    for target in reader.found[:_MOST]:
        try:
            url = urldefrag(urljoin(base, target.strip())).url
            if urlsplit(url)[:2] == origin:
                found.append(url)
        except ValueError:
            continue
    return list(dict.fromkeys(found))
