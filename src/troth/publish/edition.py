"""One edition: every address that is published at one moment, from one `Page`.

The same code makes both variants, so that a sentence cannot be in one and missing in the other.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from importlib import resources

from troth.publish import api, status
from troth.publish.page import Page, all_stale
from troth.publish.record import Seen
from troth.publish.render import Press, address, status_address
from troth.publish.status import Watched
from troth.publish.tree import ATOM, HTML, JSON, TEXT, Rendering

STATIC = {"troth.css": "text/css; charset=utf-8", "logo.svg": "image/svg+xml"}
NAMES_TAKEN = frozenset({"evidence", "static", "tls-report", "ca.pem", "changes.atom", "errors"})


@dataclass(frozen=True, slots=True, kw_only=True)
class Extras:
    """What an edition carries beside the page.

    Args:
        tls: the newest verdicts of the checks that look at TLS.
        looks: the ring of rounds, as JSON, ready to be served.
        ca: the authority's certificate (PEM) where it is our own; empty otherwise.
        watched: the components of the status page.
    """

    tls: Sequence[Seen] = ()
    looks: bytes = b'{"generated":null,"rounds":[]}\n'
    ca: bytes = b""
    watched: Sequence[Watched] = ()


def compose(page: Page, press: Press, extras: Extras) -> Rendering:
    """Every address with both variants. Raises ValueError for a slug that is an address of ours."""
    both = (page, page if page.is_stale else all_stale(page))
    house = page.masthead
    made = Rendering(generated=page.generated, valid_until=page.valid_until)
    for row in page.rows:
        if row.promise.slug in NAMES_TAKEN | set(house.languages):
            raise ValueError(f"a promise may not be called {row.promise.slug}")
    for language in house.languages:
        _in_language(made, both, press, extras, language)
    _data(made, both)
    made.put("/api/v1/looks", JSON, extras.looks, None)
    made.put("/.well-known/security.txt", TEXT, api.security_txt(house, page.generated), None)
    made.put("/errors/404", HTML, press.not_found(page, "404"), None)
    _status(made, both, press, extras)
    _files(made, extras)
    return made


def _in_language(
    made: Rendering, both: tuple[Page, Page], press: Press, extras: Extras, language: str
) -> None:
    house = both[0].masthead

    def put(here: str, kind: str, current: str | bytes, stale: str | bytes) -> None:
        made.put(address(house, language, here), kind, current, stale)

    put("", HTML, *(press.overview(page, language) for page in both))
    put("tls-report", HTML, *(press.tls(page, extras.tls, language) for page in both))
    put("changes.atom", ATOM, *(api.feed(page, press, language) for page in both))
    for slug in (row.promise.slug for row in both[0].rows):
        put(slug, HTML, *(press.promise(page, page.row(slug), language) for page in both))


def _data(made: Rendering, both: tuple[Page, Page]) -> None:
    everything = (api.text(api.promises(page, page.rows)) for page in both)
    made.put("/api/v1/promises.json", JSON, *everything)
    for slug in (row.promise.slug for row in both[0].rows):
        one = (api.text(api.promises(page, [page.row(slug)])) for page in both)
        made.put(f"/api/v1/promises/{slug}.json", JSON, *one)


def _status(made: Rendering, both: tuple[Page, Page], press: Press, extras: Extras) -> None:
    """The status page, its API, and the feed of what changed, in the first language."""
    house, words = both[0].masthead, press.phrases["en"]
    found = [status.components(page, extras.watched) for page in both]
    for language in house.languages:
        shown = (press.status(p, f, language) for p, f in zip(both, found, strict=True))
        made.put(status_address(house, language), HTML, *shown)
    current, stale = (status.api(p, f, words) for p, f in zip(both, found, strict=True))
    for name, value in current.items():
        made.put(f"/api/v2/{name}.json", JSON, api.text(value), api.text(stale[name]))
    first = house.languages[0]
    made.put("/history.atom", ATOM, *(api.feed(page, press, first) for page in both))


def _files(made: Rendering, extras: Extras) -> None:
    static = resources.files("troth.publish") / "static"
    for name, kind in STATIC.items():
        made.put(f"/trust/static/{name}", kind, (static / name).read_bytes(), None)
    verifier = static / "verify.py"
    if verifier.is_file():
        made.put("/verify.py", "text/x-python; charset=utf-8", verifier.read_bytes(), None)
    if extras.ca:
        made.put("/trust/ca.pem", "application/x-pem-file", extras.ca, None)
