"""The page as HTML: whole, strict, small, readable by machines, keyboards and screen readers."""

import re
from datetime import timedelta
from html.parser import HTMLParser
from importlib import resources
from itertools import pairwise

import pytest

from troth.kernel.model import State
from troth.publish import render
from troth.publish.page import Page, all_stale, troubled
from troth.publish.words import LANGUAGES, placeholders

VOID = {"meta", "link", "br", "path", "circle", "rect", "use", "img"}
MAX_PAGE_BYTES = 50_000
MAX_CSS_BYTES = 12_000
GREEN = {  # state words that vouch for something, and what they are in each language
    "en": ("Proven", "Attested"),
    "it": ("Provata", "Attestata"),
    "de": ("Bewiesen", "Bezeugt"),
    "fr": ("Prouvée", "Attestée"),
}


class Tree(HTMLParser):
    """Checks nesting, and collects what accessibility is made of."""

    def __init__(self) -> None:
        super().__init__(convert_charrefs=True)
        self.open: list[str] = []
        self.faults: list[str] = []
        self.tags: list[tuple[str, dict[str, str]]] = []
        self.ids: list[str] = []
        self.names: list[tuple[str, str]] = []
        self._named: list[tuple[str, list[str]]] = []

    def handle_starttag(self, tag, attrs):
        given = {name: value or "" for name, value in attrs}
        self.tags.append((tag, given))
        if "id" in given:
            self.ids.append(given["id"])
        if tag not in VOID:
            self.open.append(tag)
        if tag in ("a", "summary", "h1", "h2", "h3", "title"):
            self._named.append((tag, [given.get("aria-label", "")]))

    def handle_startendtag(self, tag, attrs):
        self.tags.append((tag, dict(attrs)))

    def handle_endtag(self, tag):
        if not self.open or self.open[-1] != tag:
            self.faults.append(f"</{tag}> closes {self.open[-1:]}")
            return
        self.open.pop()
        if self._named and self._named[-1][0] == tag:
            name, said = self._named.pop()
            self.names.append((name, "".join(said).strip()))

    def handle_data(self, data):
        for _, said in self._named:
            said.append(data)


def tree(text: str) -> Tree:
    found = Tree()
    found.feed(text)
    found.close()
    assert text.startswith("<!doctype html>")
    assert found.faults == []
    assert found.open == []
    return found


def busy(bench, count: int = 12) -> Page:
    """One promise in each state, and more."""
    slugs = [f"promise-{n}" for n in range(count)]
    odd = bench.promise("odd", claim={k: f"<b>&{k}</b> \"'." for k in LANGUAGES})
    bench.catalogue(
        *(bench.promise(slug) for slug in slugs),
        odd,
        bench.promise("drilled", area="continuity", checks=[bench.check("drilled", "drill")]),
        bench.promise("training", area="people", kind="attested", checks=[]),
        bench.promise("later", area="identity", planned_for="2027-01-01"),
        bench.promise("none", area="unheard", not_applicable_because="there is none", checks=[]),
    )
    bench.attest("training", bench.NOW - timedelta(days=3), bench.NOW + timedelta(days=80))
    first, second, third, *rest = slugs
    bench.round({f"{first}.look": "pass"}, bench.NOW - timedelta(hours=3))
    bench.round({f"{slug}.look": "pass" for slug in rest}, bench.NOW - timedelta(seconds=9))
    bench.round({f"{second}.look": "fail"}, bench.NOW - timedelta(seconds=8))
    bench.round({f"{third}.look": "error"}, bench.NOW - timedelta(seconds=8))
    return bench.page()


@pytest.fixture
def page(bench):
    found = busy(bench)
    assert set(found.counts) == set(State)
    return found


def every(press, page, language):
    yield press.overview(page, language)
    yield press.tls(page, [], language)
    yield press.not_found(page, "404")
    yield from (press.promise(page, row, language) for row in page.rows)


@pytest.mark.parametrize("language", LANGUAGES)
def test_every_page_is_well_formed_and_has_what_a_reader_needs(press, page, language):
    for variant in (page, all_stale(page), troubled(page.masthead, "torn", now=page.generated)):
        for text in every(press, variant, language):
            found = tree(text)
            tags = [tag for tag, _ in found.tags]
            assert tags.count("h1") == 1
            assert tags.count("main") == 1
            assert len(found.ids) == len(set(found.ids))
            assert all(name for _, name in found.names), "a link or heading without words"
            assert "script" not in tags
            assert not any("style" in given for _, given in found.tags)
            assert not any(name.startswith("on") for _, given in found.tags for name in given)
            for tag, given in found.tags:
                if tag == "svg":
                    assert given["aria-hidden"] == "true", "its word stands beside it"
                if tag == "nav" or given.get("role") == "region":
                    assert given["aria-label"]
                if given.get("href", "").startswith("#"):
                    assert given["href"][1:] in found.ids


def test_headings_descend_one_step_at_a_time(press, page):
    for text in every(press, page, "en"):
        levels = [int(tag[1]) for tag, _ in tree(text).tags if re.fullmatch(r"h[1-6]", tag)]
        assert all(after <= before + 1 for before, after in pairwise(levels))


@pytest.mark.parametrize("language", LANGUAGES)
def test_a_page_names_its_language_and_the_others(press, page, language):
    found = tree(press.overview(page, language)).tags
    (html,) = [given for tag, given in found if tag == "html"]
    others = {given["hreflang"] for tag, given in found if tag == "link" and "hreflang" in given}

    assert html["lang"] == language
    assert others == {*LANGUAGES, "x-default"}


@pytest.mark.parametrize("language", LANGUAGES)
def test_every_promise_has_slug_state_word_icon_and_evidence(press, page, language):
    text = press.overview(page, language)
    words = press.phrases[language]["states"]
    for row in page.rows:
        (item,) = re.findall(rf'<li id="{row.promise.slug}".*?</li>', text, re.DOTALL)
        assert f'data-state="{row.state}"' in item
        assert f'<use href="#i-{row.state}"/></svg>{words[row.state]}</b>' in item
        assert "data-evidence=" in item
        assert f'<symbol id="i-{row.state}"' in text


@pytest.mark.parametrize("language", LANGUAGES)
def test_no_green_word_on_a_stale_page(press, page, language):
    fresh = press.overview(page, language)
    assert all(word in fresh for word in GREEN[language])
    for stale in (
        all_stale(page),
        troubled(page.masthead, "x", now=page.generated, known=page.rows),
    ):
        for text in every(press, stale, language):
            plain = re.sub(r"<[^>]+>", " ", text)
            for word in GREEN[language]:
                assert not re.search(rf"(?i)(?<!\w){word}(?!\w)", plain), word
            assert 'data-state="proven"' not in text
            assert 'data-state="attested"' not in text
            assert "i-proven" not in text


def test_the_headline_says_the_worst(press, bench):
    empty = bench.page()
    assert "Nothing has been promised" in press.overview(empty, "en")
    bench.catalogue(bench.promise("a"), bench.promise("b"))
    assert "Not one of 2 promises" in press.overview(bench.page(), "en")
    bench.round({"a.look": "pass"}, bench.NOW - timedelta(seconds=3))
    assert "1 of 2 promises is proven" in press.overview(bench.page(), "en")
    bench.round({"b.look": "pass"}, bench.NOW - timedelta(seconds=2))
    assert "2 of 2 promises are proven" in press.overview(bench.page(), "en")
    bench.round({"b.look": "fail"}, bench.NOW - timedelta(seconds=1))
    assert "1 of 2 promises fails" in press.overview(bench.page(), "en")


def test_what_others_wrote_is_escaped(press, page):
    text = press.promise(page, page.row("odd"), "en")

    assert "&lt;b&gt;&amp;en&lt;/b&gt;" in text
    assert "<b>&en" not in text


def test_a_command_that_asks_as_another_address_says_where_it_works(press, bench):
    checks = {
        "near": 'curl --interface 127.66.9.9 "$APP/"',
        "far": 'curl "$APP/"',
    }
    bench.catalogue(
        *(bench.promise(slug, checks=[bench.check(slug, command=c)]) for slug, c in checks.items())
    )
    page = bench.page()

    for language, phrases in press.phrases.items():
        assert phrases["as_client"] in press.promise(page, page.row("near"), language)
        assert phrases["as_client"] not in press.promise(page, page.row("far"), language)


def test_a_sentence_without_a_translation_says_so(press, bench):
    bench.catalogue(bench.promise("a", claim={"en": "Only English."}))
    text = press.overview(bench.page(), "de")

    assert "Only English." in text
    assert press.phrases["de"]["missing_translation"] in text


def test_forty_promises_fit_into_fifty_kilobytes(press, bench):
    usual = "A sentence of the usual length, which says what is kept, and where. " * 2
    claim = dict.fromkeys(LANGUAGES, usual)
    command = 'curl --cacert "$CA" -sS -o /dev/null -D - "$APP/" | ' + "grep -Eic '^header: ' " * 4
    slugs = [f"a-promise-of-usual-name-{n}" for n in range(36)]
    bench.catalogue(
        *(
            bench.promise(slug, claim=claim, checks=[bench.check(slug, command=command)])
            for slug in slugs
        )
    )
    bench.round({f"{slug}.look": "pass" for slug in slugs}, bench.NOW - timedelta(seconds=9))
    css = (resources.files("troth.publish") / "static" / "troth.css").read_bytes()

    for language in LANGUAGES:
        text = press.overview(bench.page(), language).encode()
        assert len(text) + len(css) <= MAX_PAGE_BYTES
    assert len(css) <= MAX_CSS_BYTES


def test_every_phrase_is_said_in_every_language(press):
    def flat(table, prefix=""):
        for name, value in table.items():
            if isinstance(value, dict):
                yield from flat(value, f"{prefix}{name}.")
            else:
                yield f"{prefix}{name}", value

    english = dict(flat(press.phrases["en"]))
    for language in LANGUAGES:
        said = dict(flat(press.phrases[language]))
        assert set(said) == set(english)
        for name, value in said.items():
            assert value.strip()
            assert placeholders(value) == placeholders(english[name]), name


def test_durations_are_cut_never_rounded_up():
    units = {"s": "s", "min": "min", "h": "h", "d": "d"}
    cases = {1: "1 s", 60: "1 min", 119: "119 s", 120: "2 min", 3599: "59 min", 3600: "1 h"}
    for seconds, said in (*cases.items(), (86400, "1 d"), (93_600, "26 h"), (-4, "0 s")):
        assert render.span(timedelta(seconds=seconds), units) == said


# -- colours ------------------------------------------------------------------------------------


def luminance(colour: str) -> float:
    """Source: WCAG 2.2, relative luminance."""
    full = colour if len(colour) == 7 else "#" + "".join(c * 2 for c in colour[1:])
    channels = [int(full[n : n + 2], 16) / 255 for n in (1, 3, 5)]
    linear = [c / 12.92 if c <= 0.03928 else ((c + 0.055) / 1.055) ** 2.4 for c in channels]
    return 0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2]


def contrast(one: str, other: str) -> float:
    dark, light = sorted((luminance(one), luminance(other)))
    return (light + 0.05) / (dark + 0.05)


def schemes():
    css = (resources.files("troth.publish") / "static" / "troth.css").read_text()
    blocks = re.findall(r":root\{([^}]*)\}", css)
    light = dict(re.findall(r"--([\w-]+):(#[0-9a-f]{3,6})", blocks[0]))
    dark = light | dict(re.findall(r"--([\w-]+):(#[0-9a-f]{3,6})", blocks[1]))
    return {"light": light, "dark": dark}


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_text_is_readable_in_both_schemes(scheme):
    colours = schemes()[scheme]
    states = [state.value for state in State]
    pairs = [
        (ink, paper) for ink in ("ink", "soft", "link", *states) for paper in ("paper", "card")
    ]
    for state in ("failing", "stale"):
        pairs += [(ink, f"{state}-bg") for ink in ("ink", "soft", "link", state)]
    for ink, paper in pairs:
        assert contrast(colours[ink], colours[paper]) >= 4.5, (ink, paper)


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_planned_and_proven_differ_in_colour(scheme):
    colours = schemes()[scheme]

    assert len({colours[s] for s in ("proven", "attested", "planned", "failing", "stale")}) == 5
