"""Tokens in a real browser: pages without any of their own, the script linked, a strict policy."""

import asyncio
import threading
import time
from collections.abc import Iterator
from contextlib import ExitStack
from dataclasses import dataclass, field
from datetime import timedelta
from pathlib import Path

import pytest

from troth.adapters import browser, chance, clock, http
from troth.adapters.devtools import Tab, browsing
from troth.enforce import authz, direct, wire
from troth.enforce.envoy import Upstream
from troth.enforce.keeper import Keeper, Means
from troth.enforce.snapshot import Current, Snapshot
from troth.kernel.site import Site
from troth.promises.edge.enforce import fragments
from troth.promises.edge.settings import Csp, EdgeSettings
from troth.promises.guard import enforce as guard
from troth.promises.guard.enforce.secrets import Secrets
from troth.promises.guard.rules.tokens import Key, Keyring
from troth.promises.guard.settings import GuardSettings
from troth.promises.guard.settings.csrf import Csrf

pytestmark = pytest.mark.browser

WITHIN_S = 60.0
LASTS_S = 600
POLICY = "default-src 'self'; form-action 'self'; base-uri 'none'"
HEAD = '<!doctype html><title>{title}</title><script src="/page.js"></script>'
FORM = """
<form id="plain" method="post" action="/pay">
<input name="amount" value="1"><button>ok</button></form>
<form id="parts" method="post" action="/pay" enctype="multipart/form-data">
<input name="amount" value="1"><button>ok</button></form>
<form id="other" method="post" action="/elsewhere"><button formaction="/pay">ok</button></form>
<form id="search" action="/found"><input name="q" value="x"><button>ok</button></form>
"""
# What a policy would have stopped is written down; so is what a request became.
SCRIPT = """
window.stopped = [];
document.addEventListener("securitypolicyviolation", (e) => stopped.push(e.violatedDirective));
"""
XHR = """(() => { const x = new XMLHttpRequest(); x.open("POST", "/pay");
x.onload = () => { window.became = x.status; }; x.send("a=1"); })()"""


@dataclass
class Shop:
    """An application with no tokens, and how far the guard's clock is ahead."""

    url: str = ""
    ca_file: str = ""
    asked: list[wire.Message] = field(default_factory=list)
    ahead: timedelta = timedelta(0)
    codes: list[object] = field(default_factory=list)

    def answer(self, message: wire.Message) -> wire.Reply:
        path = message.target.partition(b"?")[0]
        if path == b"/page.js":
            kind = ((b"content-type", b"text/javascript"),)
            return wire.Reply(status=200, headers=kind, body=SCRIPT.encode())
        script = '<script src="/-/csrf.js"></script>' if path == b"/" else ""
        if message.method == b"POST" or path == b"/found":
            self.asked.append(message)
        title = {"/pay": "paid"}.get(path.decode(), path.decode())
        page = HEAD.format(title=title) + script + FORM
        kind = ((b"content-type", b"text/html"),)
        return wire.Reply(status=200, headers=kind, body=page.encode())


def _token(text: str) -> str:
    return text.partition('"token": "')[2].partition('"')[0]


@pytest.fixture(scope="module")
def shop(edge, open_place: Path) -> Iterator[Shop]:
    made = Shop(url=f"https://{edge.plan.app_host}:{edge.plan.port}", ca_file=edge.ca_file)
    site = Site(name="n", app=made.url, http="http://a", troth=f"https://{edge.plan.troth_host}",
                status="https://s")  # fmt: skip
    secrets = Secrets(ring=Keyring((Key("k1", chance.system().randbytes(32)),)))
    composed = guard.compose(
        GuardSettings(csrf=Csrf(paths=("/pay",), lasts_s=LASTS_S)), site, secrets
    )
    snapshot = Snapshot(
        checks=composed.checks, own=composed.own, site=site, prefix="/-/", max_body_bytes=65536,
        config="", made=clock.now(),
    )  # fmt: skip

    def now():
        return clock.now() + made.ahead

    def told(_name, fields):
        made.codes.append(fields.get("code"))

    keeper = Keeper(Current(snapshot, told), Means(now=now, new_id=lambda: "0" * 16, told=told))

    def own(message: wire.Message) -> wire.Reply:
        fresh = f"{chance.system().getrandbits(128):032x}"
        return direct.owned(message, snapshot, now(), lambda: fresh) or wire.Reply(status=404)

    sockets = {name: open_place / f"csrf-{name}.sock" for name in ("app", "ask", "own")}
    answers = {"app": made.answer, "ask": authz.Authz(keeper).answer, "own": own}
    with ExitStack() as stack:
        stack.enter_context(_serving({sockets[name]: answers[name] for name in sockets}))
        chosen = fragments(EdgeSettings(csp=Csp(mode="enforced", policy=POLICY)))
        stack.enter_context(
            edge.altered(
                chosen,
                upstream=Upstream(socket=str(sockets["app"])),
                guards=(sockets["ask"],),
                guard_http=sockets["own"],
                guard_timeout_ms=10_000,
            )
        )
        yield made


class _serving:  # noqa: N801 -- used as a function
    """Doors in a thread of their own, for as long as the block lasts."""

    def __init__(self, answers: dict[Path, wire.Answer]) -> None:
        self._answers = answers
        self._open, self._stop = threading.Event(), asyncio.Event()
        self._loop = asyncio.new_event_loop()
        self._thread = threading.Thread(target=self._loop.run_until_complete, args=(self._serve(),))

    async def _serve(self) -> None:
        doors = [wire.Door(path, each, lambda *_: None) for path, each in self._answers.items()]
        for door in doors:
            await door.open()
        self._open.set()
        await self._stop.wait()
        for door in doors:
            await door.close()

    def __enter__(self) -> None:
        self._thread.start()
        assert self._open.wait(WITHIN_S)

    def __exit__(self, *_: object) -> None:
        self._loop.call_soon_threadsafe(self._stop.set)
        self._thread.join(WITHIN_S)
        self._loop.close()


@pytest.fixture(scope="module")
def tab(shop: Shop) -> Iterator[Tab]:
    try:
        program = browser.find()
    except browser.BrowserMissing:
        pytest.skip("no Chromium here (Debian: apt install chromium)")
    pins = (browser.pin_of_pem(shop.ca_file),)
    with browsing(program, pins=pins, within_s=170) as opened:
        yield opened


@pytest.fixture
def page(shop: Shop, tab: Tab):
    """`page("/")` opens it as somebody who was never here."""
    shop.asked.clear()
    shop.codes.clear()
    shop.ahead = timedelta(0)
    tab.call("Network.clearBrowserCookies")

    def opened(path="/"):
        tab.visit(shop.url + path)
        tab.evaluate("window.became = null")

    return opened


def until(tab: Tab, expression: str):
    end = time.monotonic() + WITHIN_S
    while not (found := tab.evaluate(expression)):
        assert time.monotonic() < end, expression
        time.sleep(0.02)
    return found


def fetched(tab: Tab, more: str = "") -> int:
    tab.evaluate("window.became = null")
    tab.evaluate(
        f'fetch("/pay", {{method: "POST", {more}}}).then((r) => {{ window.became = r.status; }})'
    )
    return until(tab, "window.became")


@pytest.mark.parametrize(
    "how",
    [
        'document.querySelector("#plain button").click()',
        'document.querySelector("#parts button").click()',
        'document.querySelector("#other button").click()',
        'document.querySelector("#plain").requestSubmit()',
    ],
)
def test_a_form_passes(shop, tab, page, how):
    page()
    tab.evaluate(how)

    assert until(tab, 'document.title == "paid" && document.title') == "paid"
    assert len(shop.asked) == 1
    assert shop.codes == []


def test_a_form_sent_by_a_script_passes(shop, tab, page):
    page()
    until(tab, 'fetch("/pay", {method: "POST"}).then(() => { window.became = 1 }), window.became')
    tab.evaluate('document.querySelector("#plain").submit()')

    assert until(tab, 'document.title == "paid"')


def test_fetch_and_xhr_pass_and_the_policy_stops_nothing(shop, tab, page):
    page()
    assert fetched(tab) == 200
    assert fetched(tab, 'headers: {"x-own": "1"}, body: "a=1"') == 200
    tab.evaluate("window.became = null")
    tab.evaluate(XHR)
    assert until(tab, "window.became") == 200
    assert [dict(one.headers).get(b"x-own") for one in shop.asked] == [None, b"1", None]
    assert not any(b"troth-csrf" in dict(one.headers) for one in shop.asked)

    assert tab.evaluate("window.stopped.length") == 0
    assert tab.evaluate("document.cookie") == "", "no script can read the cookie"


def test_what_changes_nothing_is_left_alone(shop, tab, page):
    page()
    fetched(tab)
    tab.evaluate('document.querySelector("#search button").click()')

    assert until(tab, 'location.pathname == "/found"')
    assert shop.asked[-1].target == b"/found?q=x"


def test_without_the_script_it_is_refused(shop, tab, page):
    page("/bare")
    assert fetched(tab) == 403
    tab.evaluate('document.querySelector("#plain button").click()')

    assert until(tab, 'document.title != "/bare" && document.title') != "paid"
    assert shop.asked == []
    assert set(shop.codes) == {"missing"}


def test_another_browsers_token_is_refused(shop, tab, page):
    page()
    assert fetched(tab) == 200
    page_token = _token(http.fetch(
        f"{shop.url}/-/csrf", ca_file=shop.ca_file, headers={"troth-csrf": "ask"}
    ).text)  # fmt: skip
    tab.visit(shop.url + "/bare")

    assert fetched(tab, f'headers: {{"troth-csrf": "{page_token}"}}') == 403
    assert shop.codes == ["another-session"]


def test_an_old_token_is_refused_until_the_page_has_a_new_one(shop, tab, page):
    page()
    assert fetched(tab) == 200
    shop.ahead = timedelta(seconds=LASTS_S + 1)
    assert fetched(tab) == 403
    assert shop.codes == ["expired"]

    page_again = shop.url + "/"
    tab.visit(page_again)
    assert fetched(tab) == 200


def test_the_script_can_be_kept_and_the_token_cannot(shop):
    script = http.fetch(f"{shop.url}/-/csrf.js", ca_file=shop.ca_file)
    bare = http.fetch(f"{shop.url}/-/csrf", ca_file=shop.ca_file)

    assert script.status == 200
    assert script.one("content-type") == "text/javascript; charset=utf-8"
    assert (bare.status, bare.all("set-cookie")) == (403, ())
