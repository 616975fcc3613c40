"""Every page of a running demo, as a browser shows it: wide and 320 px, light and dark.

One demo for the whole file (`xdist_group`). With TROTH_SCREENSHOTS=DIR each page is also a picture.
"""

import base64
import json
import os
import re
import subprocess
import sys
import time
from collections.abc import Iterator
from dataclasses import dataclass
from html.parser import HTMLParser
from pathlib import Path

import pytest

import ports
from troth.adapters import browser, http
from troth.adapters.devtools import Tab, browsing
from troth.publish.words import LANGUAGES

pytestmark = [pytest.mark.browser, pytest.mark.xdist_group("demo")]

READY_S = 120.0
BROWSING_S = 170.0
MAX_PAGE_BYTES = 50_000
FIRST_ERROR = 400
DARK, BRIGHT = 0.2, 0.5  # relative luminance of the page's ground
MODES = {
    "light": (1280, "light"),
    "dark": (1280, "dark"),
    "narrow": (320, "light"),
}
INVITE = """
import sys
from pathlib import Path
from troth.adapters import chance, clock, config
from troth.catalogue import Settings, site
from troth.console.settings import derive, prepare
from troth.roles import state
from troth.roles.places import Places
data = Path(sys.argv[1])
settings, places = config.load(data / "troth.toml", Settings), Places(data)
url = state.role_url(settings, places, "console")
prepare(derive(settings, url=url, secret_key="x" * 64, role=""))
from troth.console.identity import invitation
token = invitation.issue("admin@courts.example", now=clock.now(), rng=chance.system())
print(invitation.link(site(settings), token))
"""
# What a page is, as the browser has it. Contrast: WCAG 2.2, 1.4.3 (4.5:1; 3:1 for large text).
FACTS = """
(() => {
  const box = document.documentElement;
  const colour = text => {
    const c = document.createElement('canvas').getContext('2d', {willReadFrequently: true});
    c.clearRect(0, 0, 1, 1); c.fillStyle = text; c.fillRect(0, 0, 1, 1);
    return Array.from(c.getImageData(0, 0, 1, 1).data);
  };
  const light = ([r, g, b]) => [r, g, b].map(v => v / 255)
    .map(v => v <= .04045 ? v / 12.92 : ((v + .055) / 1.055) ** 2.4)
    .reduce((sum, v, i) => sum + v * [.2126, .7152, .0722][i], 0);
  const over = (top, under) => [0, 1, 2]
    .map(i => top[i] * top[3] / 255 + under[i] * (1 - top[3] / 255));
  const ground = element => {
    const layers = [], isDark = matchMedia('(prefers-color-scheme: dark)').matches;
    for (let e = element; e; e = e.parentElement)
      layers.push(colour(getComputedStyle(e).backgroundColor));
    const base = isDark ? [18, 18, 18] : [255, 255, 255];
    return layers.reverse().reduce((under, top) => over(top, under), base);
  };
  const pale = [];
  const walker = document.createTreeWalker(document.body, NodeFilter.SHOW_TEXT);
  for (let node = walker.nextNode(); node; node = walker.nextNode()) {
    const e = node.parentElement;
    const isSeen = e.checkVisibility({opacityProperty: true, visibilityProperty: true});
    if (!node.data.trim() || !isSeen) continue;
    const style = getComputedStyle(e), under = ground(e);
    const a = light(over(colour(style.color), under)), b = light(under);
    const ratio = (Math.max(a, b) + .05) / (Math.min(a, b) + .05);
    const size = parseFloat(style.fontSize), bold = parseInt(style.fontWeight) >= 700;
    const least = size >= 24 || (bold && size >= 18.66) ? 3 : 4.5;
    if (ratio < least) pale.push(`${ratio.toFixed(2)} ${node.data.trim().slice(0, 40)}`);
  }
  const wide = Array.from(document.querySelectorAll('body *'))
    .filter(e => e.getBoundingClientRect().right > innerWidth + 1 && !e.closest('pre, table'))
    .map(e => `${e.tagName}.${e.className}`).slice(0, 5);
  const sideways = Array.from(document.querySelectorAll('body *'))
    .filter(e => e.tagName != 'PRE' && e.clientWidth > 1 && e.scrollWidth > e.clientWidth + 1
      && ['auto', 'scroll'].includes(getComputedStyle(e).overflowX))
    .map(e => `${e.tagName}.${e.className}`).slice(0, 5);
  return {
    sideways, title: document.title, lang: box.lang,
    h1: Array.from(document.querySelectorAll('h1')).filter(e => e.checkVisibility()).length,
    main: document.querySelectorAll('main').length,
    scroll: Math.max(box.scrollWidth, document.body.scrollWidth), inner: innerWidth, wide,
    unnamed: Array.from(document.querySelectorAll('a, button, input:not([type=hidden])'))
      .filter(e => e.checkVisibility() && !(e.innerText || '').trim() && !e.ariaLabel && !e.title
        && !(e.labels && e.labels.length) && !e.querySelector('[aria-label], title, img[alt]'))
      .map(e => e.outerHTML.slice(0, 80)),
    bare: Array.from(document.images).filter(e => !e.hasAttribute('alt')).length,
    scripts: document.scripts.length, pale: Array.from(new Set(pale)).slice(0, 5),
    ground: light(ground(document.body)), styled: Array.from(document.styleSheets).length,
  };
})()
"""


@dataclass(frozen=True, slots=True)
class Demo:
    """A running demo, and what its ready file says."""

    ready: dict[str, str]

    def address(self, where: str) -> str:
        """`troth:/trust/` and the like, whole."""
        name, _, path = where.partition(":")
        return self.ready[name].rstrip("/") + path

    def fetch(self, where: str) -> http.Response:
        return http.fetch(self.address(where), ca_file=self.ready["ca"])

    def published(self) -> list[str]:
        """Every address of the publisher's that is a page."""
        raw = (Path(self.ready["data"]) / "public/now/manifest.json").read_bytes()
        entries = json.loads(raw)["entries"]
        return [at for at, entry in entries.items() if entry["kind"].startswith("text/html")]


@pytest.fixture(scope="module")
def demo(open_place: Path) -> Iterator[Demo]:
    folder = open_place / "demo"
    folder.mkdir()
    free = ",".join(map(str, ports.free(3)))
    ready, log = folder / "ready.json", folder / "up.log"
    argv = [str(Path(sys.executable).parent / "troth"), "up", "--demo", "--ports", free]
    argv += ["--data", str(folder / "data"), "--ready", str(ready)]
    with log.open("wb") as said:
        child = subprocess.Popen(argv, stdout=said, stderr=said)
    try:
        deadline = time.monotonic() + READY_S
        while not ready.exists():
            assert child.poll() is None, log.read_text("utf-8")
            assert time.monotonic() < deadline, log.read_text("utf-8")
            time.sleep(0.1)
        yield Demo(json.loads(ready.read_text("utf-8")))
    finally:
        child.terminate()
        try:
            child.wait(30)
        except subprocess.TimeoutExpired:
            child.kill()
            child.wait()


@pytest.fixture(scope="module")
def invitation(demo: Demo) -> str:
    """The link that the first administrator gets."""
    argv = [sys.executable, "-c", INVITE, demo.ready["data"]]
    done = subprocess.run(argv, capture_output=True, text=True, timeout=60, check=False)
    assert done.returncode == 0, done.stderr
    return done.stdout.strip()


@pytest.fixture(scope="module")
def tab(demo: Demo) -> Iterator[Tab]:
    try:
        program = browser.find()
    except browser.BrowserMissing:
        pytest.skip("no Chromium here (Debian: apt install chromium)")
    pins = (browser.pin_of_pem(demo.ready["ca"]),)
    with browsing(program, pins=pins, within_s=BROWSING_S) as opened:
        opened.call("Log.enable")
        yield opened


def show(tab: Tab, mode: str) -> None:
    width, scheme = MODES[mode]
    tab.call(
        "Emulation.setDeviceMetricsOverride",
        width=width,
        height=800,
        deviceScaleFactor=1,
        mobile=width < 600,
    )
    features = [{"name": "prefers-color-scheme", "value": scheme}]
    tab.call("Emulation.setEmulatedMedia", features=features)


def visit(tab: Tab, address: str) -> None:
    """As somebody who was never here."""
    tab.call("Network.clearBrowserCookies")
    show(tab, "light")
    tab.visit(address)


def complaints(tab: Tab, status: int) -> list[str]:
    """What the browser has against the page. That a refusal's page is one of 4xx, it may say."""
    found = []
    for name, told in tab.events:
        if name == "Log.entryAdded" and told["entry"]["level"] in ("error", "warning"):
            entry = told["entry"]
            # The icon belongs to the host: a browser asks for it once, on whatever page.
            if f"status of {status}" in entry["text"] or "favicon" in entry.get("url", ""):
                continue
            found.append(f"{entry['text']} {entry.get('url', '')}")
        elif name == "Runtime.exceptionThrown" or (
            name == "Runtime.consoleAPICalled" and told["type"] in ("error", "warning")
        ):
            found.append(json.dumps(told)[:200])
        elif name == "Network.loadingFailed" and not told.get("canceled"):
            found.append(f"not loaded: {told['errorText']}")
        elif name == "Network.responseReceived" and told["type"] != "Document":
            answer = told["response"]
            if answer["status"] >= FIRST_ERROR and "favicon" not in answer["url"]:
                found.append(f"{answer['status']} {answer['url']}")
    return found


def status_of(tab: Tab) -> int:
    answers = [
        told["response"]["status"]
        for name, told in tab.events
        if name == "Network.responseReceived" and told["type"] == "Document"
    ]
    assert answers, "no document came"
    return int(answers[-1])


def picture(tab: Tab, name: str) -> None:
    if folder := os.environ.get("TROTH_SCREENSHOTS"):
        shot = tab.call("Page.captureScreenshot", captureBeyondViewport=True)
        Path(folder).mkdir(parents=True, exist_ok=True)
        (Path(folder) / f"{name}.png").write_bytes(base64.b64decode(shot["data"]))


def judge(tab: Tab, name: str, *, status: int, lang: str) -> None:
    """What holds for every page, in every mode; the tab stands on it."""
    assert status_of(tab) == status
    assert complaints(tab, status) == []
    grounds = {}
    for mode, (width, _) in MODES.items():
        show(tab, mode)
        facts = tab.evaluate(FACTS)
        picture(tab, f"{name}-{mode}")
        grounds[mode] = facts["ground"]
        assert facts["inner"] == width, "the browser does not show what it was told to"
        assert facts["scroll"] <= width, (mode, facts["scroll"], facts["wide"])
        assert facts["sideways"] == [], "only a command may be scrolled sideways"
        assert facts["title"].strip()
        assert facts["lang"] == lang
        assert (facts["h1"], facts["main"]) == (1, 1)
        assert facts["unnamed"] == []
        assert facts["bare"] == 0
        assert facts["pale"] == [], mode
        assert facts["styled"] > 0
    assert grounds["dark"] < DARK, grounds
    assert grounds["light"] > BRIGHT, grounds
    show(tab, "light")


def prefix(language: str) -> str:
    return "" if language == LANGUAGES[0] else f"{language}/"


@pytest.mark.parametrize("language", LANGUAGES)
@pytest.mark.parametrize("page", ["", "hsts", "tls-report"])
def test_trust_pages(demo: Demo, tab: Tab, language: str, page: str):
    visit(tab, demo.address(f"troth:/trust/{prefix(language)}{page}"))

    judge(tab, f"trust-{page or 'all'}-{language}", status=200, lang=language)
    assert tab.evaluate("document.scripts.length") == 0, "no script is needed"


@pytest.mark.parametrize("language", LANGUAGES)
def test_status_pages(demo: Demo, tab: Tab, language: str):
    visit(tab, demo.address(f"status:/{prefix(language)}"))

    judge(tab, f"status-{language}", status=200, lang=language)


def test_a_piece_of_evidence(demo: Demo, tab: Tab):
    """Through the link that a reader follows."""
    deadline = time.monotonic() + 60
    link = None
    while link is None:
        assert time.monotonic() < deadline, "no evidence within a minute"
        link = re.search(r'href="(/trust/evidence/[^"]+)"', demo.fetch("troth:/trust/hsts").text)
        time.sleep(0.5)
    visit(tab, demo.address(f"troth:{link[1]}"))

    judge(tab, "evidence", status=200, lang="en")
    assert len(demo.fetch(f"troth:{link[1]}").body) <= MAX_PAGE_BYTES


@pytest.mark.parametrize(
    ("name", "where", "status"),
    [
        ("missing-page", "troth:/trust/nowhere", 404),
        ("missing-on-status", "status:/nowhere", 404),
        ("guards-own", "app:/-/nowhere", 404),
        ("setup-without-link", "troth:/account/setup", 410),
    ],
)
def test_pages_of_refusal(demo: Demo, tab: Tab, name: str, where: str, status: int):
    visit(tab, demo.address(where))

    judge(tab, f"{status}-{name}", status=status, lang="en")


def test_a_forged_form_is_refused_with_a_page(demo: Demo, tab: Tab):
    visit(tab, "about:blank")
    tab.events.clear()
    form = f'<form method="post" action="{demo.address("app:/login")}"></form>'
    tab.evaluate(f"document.body.innerHTML = {json.dumps(form)}; document.forms[0].submit()")
    assert tab.wait(tab.has_loaded)

    judge(tab, "403-forged", status=403, lang="en")


def test_the_first_administrators_form(demo: Demo, tab: Tab, invitation: str):
    visit(tab, invitation)

    judge(tab, "setup", status=200, lang="en")
    assert tab.evaluate("location.search") == "", "the token stands in no address"
    assert tab.evaluate("document.forms.length") == 1


class Outline(HTMLParser):
    """A page's language, title and headings."""

    def __init__(self) -> None:
        super().__init__()
        self.lang, self.title, self.headings, self._at = "", "", [], ""

    def handle_starttag(self, tag, attrs):
        self._at = tag
        if tag == "html":
            self.lang = dict(attrs).get("lang") or ""
        if re.fullmatch("h[1-6]", tag):
            self.headings.append(int(tag[1]))

    def handle_data(self, data):
        if self._at == "title":
            self.title += data

    def handle_endtag(self, tag):
        self._at = ""


def test_every_published_page(demo: Demo):
    """All of them, without a browser: size, language, title, headings in order."""
    pages = demo.published()
    titles: dict[str, str] = {}
    for at in pages:
        on_status = not at.startswith(("/trust/", "/errors/"))
        if at.startswith("/errors/"):
            continue  # served in the place of another, seen above
        answer = demo.fetch(f"{'status' if on_status else 'troth'}:{at}")
        outline = Outline()
        outline.feed(answer.text)
        language = next((x for x in LANGUAGES if f"/{x}/" in at), LANGUAGES[0])

        assert answer.status == 200, at
        assert len(answer.body) <= MAX_PAGE_BYTES, f"{at} has {len(answer.body)} bytes"
        assert outline.lang == language, at
        assert outline.title.strip(), at
        assert outline.headings.count(1) == 1, at
        steps = zip(outline.headings, outline.headings[1:], strict=False)
        assert all(after <= before + 1 for before, after in steps), (at, outline.headings)
        titles[at] = outline.title
    assert len(pages) > 100
    for host in ("/trust/", ""):
        own = [title for at, title in titles.items() if at.startswith("/trust/") == bool(host)]
        assert len(set(own)) > len(own) * 0.9, "pages cannot be told apart by their titles"
