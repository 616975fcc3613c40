"""Drills in a real browser: what runs, what is framed, what leaks, what a script can read.

Attacks are made on the pages as the edge serves them (docs/why/0011-canaries.md): only bodies are
exchanged between the wire and the browser, headers stay the edge's own unless a control says so.
Foreign sites are made up inside the browser; nothing is asked of anybody.
"""

import base64
import hashlib
import json
from collections.abc import Iterable, Sequence
from typing import Any

from troth.adapters.devtools import Instead, Paused, Tab
from troth.adapters.http import Response
from troth.adapters.vantage import Vantage
from troth.kernel.model import Observation
from troth.kernel.request import CANARY
from troth.promises.edge.probe.answers import NOWHERE, STRANGER
from troth.promises.edge.probe.crawl import crawled
from troth.promises.edge.probe.forms import filled
from troth.promises.edge.probe.links import links
from troth.promises.edge.rules.csp import parse_csp
from troth.promises.edge.settings import EdgeSettings

FOREIGN = f"https://{STRANGER}/"
SINK = f"http://{STRANGER}/"
CSP, TRIAL = "content-security-policy", "content-security-policy-report-only"
REFERRER = "referrer-policy"
SECRET = "troth-canary-secret"  # noqa: S105 -- a word to look for, no secret
SUCCESS = 200
OK = range(SUCCESS, 300)
GIF = b"GIF89a/*" + bytes(8) + b"*/=0;window.troth_ran=(window.troth_ran||'')+'%s ';"
MOST_ROUTES = 25
REFUSED = "net::ERR_BLOCKED_BY_RESPONSE"  # by frame-ancestors or X-Frame-Options; not our doing
REPORT_WITHIN_S = 6.0
_TEXT = ("content-type", "text/html; charset=utf-8")
_OPEN = (("cross-origin-resource-policy", "cross-origin"), ("access-control-allow-origin", "*"))
_SIZED = frozenset({"content-length", "content-encoding", "transfer-encoding", "etag"})


def csp(vantage: Vantage, settings: EdgeSettings) -> Observation:
    """Plant scripts in the application's page, with its policy and, as the control, without."""
    path = settings.probe.page
    page = f"{vantage.site.app}{path}{'&' if '?' in path else '?'}{CANARY}"
    allowed = _allowed(vantage, settings)
    with vantage.browsing(settings.probe.browser) as tab:
        own = _plant(tab, page, allowed, is_bare=False)
        bare = _plant(tab, page, allowed, is_bare=True)
    return Observation(facts={"own": own, "bare": bare, "allowed": allowed[0]})


def _plant(tab: Tab, page: str, allowed: tuple[str, str], *, is_bare: bool) -> dict[str, Any]:
    """Open the page with three scripts in it; which of them ran, and what was reported."""
    nonces: list[str] = []

    def answer(paused: Paused) -> Instead | None:
        if paused.url.startswith(FOREIGN):
            return Instead(
                status=200, headers=(("content-type", "text/javascript"), *_OPEN), body=_ran("far")
            )
        if paused.url != page or not paused.status:
            return None
        nonces.extend(_nonces(paused.answered))
        dropped = {CSP, TRIAL} if is_bare else set()
        return _with_body(paused, _canary(allowed, nonces).encode(), dropped)

    tab.intercept(answer)
    tab.visit(page)
    has_report = False
    if not is_bare:
        has_report = tab.wait(lambda: any(_reports(tab)), REPORT_WITHIN_S)
    script = allowed[1]
    return {
        "ran": (tab.evaluate("window.troth_ran") or "").split(),
        "allowed_ran": bool(script)
        and tab.has("Debugger.scriptParsed", lambda params: params["url"] == script),
        "reported": list(_reports(tab)) if has_report else [],
    }


def _ran(name: str) -> bytes:
    return f"window.troth_ran=(window.troth_ran||'')+'{name} ';".encode()


def _canary(allowed: tuple[str, str], nonces: Sequence[str]) -> str:
    """A page as an attacker would have it: his scripts between those that may run."""
    kind, source = allowed
    own = ""
    if kind == "nonce":
        own = f'<script nonce="{nonces[0] if nonces else ""}">{_ran("own").decode()}</script>'
    elif source:
        integrity = f' integrity="{kind}"' if kind.startswith("sha") else ""
        own = f'<script src="{source}"{integrity}></script>'
    return (
        f"<!doctype html><title>canary</title><script>{_ran('inline').decode()}</script>"
        f'<script src="{FOREIGN}planted.js"></script>'
        f'<img src="data:," onerror="{_ran("handler").decode()}">{own}<p>canary</p>'
    )


def _allowed(vantage: Vantage, settings: EdgeSettings) -> tuple[str, str]:
    """A script that the policy lets run: how it is named (`nonce` or a hash) and where it is."""
    seen = crawled(vantage, settings)
    home = next(answer for kind, answer in seen if kind == "page")
    values = home.all(CSP) or home.all(TRIAL)
    sources = [s for policy in parse_csp(values) for s in policy.get("script-src", ())]
    if any(source.startswith("'nonce-") for source in sources):
        return "nonce", ""
    for url, body in _scripts(vantage, seen):
        digest = f"sha256-{base64.b64encode(hashlib.sha256(body).digest()).decode()}"
        if f"'{digest}'" in sources:
            return digest, url
        if "'self'" in sources:
            return "self", url
    return "", ""


def _scripts(vantage: Vantage, seen: Iterable[tuple[str, Response]]) -> Iterable[tuple[str, bytes]]:
    """The application's own script files that its pages load."""
    pages = [page.text for kind, page in seen if kind in {"page", "crawled"}]
    addresses = [url for text in pages for url in links(text, f"{vantage.site.app}/")]
    for url in dict.fromkeys(url for url in addresses if url.partition("?")[0].endswith(".js")):
        answer = vantage.fetch(url)
        if answer.status in OK:
            yield url, answer.body


def _nonces(headers: Iterable[tuple[str, str]]) -> list[str]:
    values = [value for name, value in headers if name.lower() in {CSP, TRIAL}]
    sources = [s for policy in parse_csp(values) for many in policy.values() for s in many]
    return [s[len("'nonce-") : -1] for s in sources if s.startswith("'nonce-")]


def _reports(tab: Tab) -> Iterable[int]:
    """The answers to violation reports that the browser sent by itself, by either mechanism.

    Of one sent by the Reporting API it tells no status, only its success (2xx), told here as 200.
    """
    sent = {
        params["requestId"]
        for name, params in tab.events
        if name == "Network.requestWillBeSent" and params.get("type") == "CSPViolationReport"
    }
    for name, params in tab.events:
        if name == "Network.responseReceived" and params["requestId"] in sent:
            yield int(params["response"]["status"])
        report = params.get("report", {}) if name.startswith("Network.reportingApi") else {}
        if report.get("type") == "csp-violation" and report.get("status") == "Success":
            yield SUCCESS


def nosniff(vantage: Vantage, settings: EdgeSettings) -> Observation:
    """Disguised files with the headers of the application's own answers, as script and as page."""
    app = vantage.site.app
    html = b"<!doctype html><script>document.title='ran'</script>"
    files = {
        "plain.js": ("text/javascript", _ran("plain")),
        "gif-as-image.gif": ("image/gif", GIF % b"gif-as-image"),
        "gif-as-text.gif": ("text/plain", GIF % b"gif-as-text"),
        "script-as-bytes.bin": ("application/octet-stream", _ran("script-as-bytes")),
        "page.html": ("text/html", html),
        "html-as-image.png": ("image/png", html),
        "html-without-type": ("", html),
    }
    frame = "".join(
        f"<script src={NOWHERE}/{name}></script>" for name in files if "html" not in name
    )

    def answer(paused: Paused) -> Instead | None:
        if not paused.status or not paused.url.startswith(app):
            return None
        if paused.url == f"{app}{NOWHERE}/":
            return _with_body(paused, f"<!doctype html>{frame}".encode(), {CSP, TRIAL})
        kind, body = files.get(paused.url.rpartition("/")[2], ("", b""))
        if not body:
            return None
        types = (("content-type", kind),) if kind else ()
        return _with_body(paused, body, {CSP, TRIAL}, types)

    with vantage.browsing(settings.probe.browser) as tab:
        tab.intercept(answer)
        tab.visit(f"{app}{NOWHERE}/")
        ran = (tab.evaluate("window.troth_ran") or "").split()
        for name in files:
            if "html" in name:
                tab.visit(f"{app}{NOWHERE}/{name}")
                if tab.evaluate("document.title") == "ran":
                    ran.append(name)
    return Observation(facts={"ran": ran, "disguised": [n for n in files if n not in _PLAIN]})


_PLAIN = ("plain.js", "page.html")


def clickjacking(vantage: Vantage, settings: EdgeSettings) -> Observation:
    """Every route of the application, and Troth's own pages, framed by a foreign page."""
    site = vantage.site
    routes = [site.app + settings.probe.page, site.app + NOWHERE, site.trust, site.troth + NOWHERE]
    routes += list(_pages(vantage, settings))
    routes = list(dict.fromkeys(routes))[:MOST_ROUTES]
    control = f"{FOREIGN}framable"
    frames = "".join(f'<iframe src="{url}"></iframe>' for url in [control, *routes])

    def answer(paused: Paused) -> Instead | None:
        if not paused.url.startswith(FOREIGN):
            return None
        body = "<!doctype html>framable" if paused.url == control else f"<!doctype html>{frames}"
        return Instead(status=200, headers=(_TEXT,), body=body.encode())

    with vantage.browsing(settings.probe.browser) as tab:
        tab.intercept(answer)
        tab.visit(FOREIGN)
        tree = tab.call("Page.getFrameTree")["frameTree"]
        found = [child["frame"] for child in tree.get("childFrames", [])]
        blocked = {
            params["requestId"]
            for name, params in tab.events
            if name == "Network.loadingFailed" and params.get("errorText") == REFUSED
        }
        refused = {
            params["request"]["url"]
            for name, params in tab.events
            if name == "Network.requestWillBeSent" and params["requestId"] in blocked
        }
    framed = [f["url"] for f in found if f["url"] and not f.get("unreachableUrl")]
    return Observation(
        facts={
            "routes": len(routes),
            "framed": len([url for url in framed if url != control]),
            "refused": len(refused & set(routes)),
            "control": control in framed,
        },
        public=frozenset({"routes"}),
    )


def _pages(vantage: Vantage, settings: EdgeSettings) -> Iterable[str]:
    """Addresses of the pages that the application's first page links to: no files, no streams."""
    start = vantage.site.app + settings.probe.page
    for url in links(vantage.fetch(start).text, start)[:MOST_ROUTES]:
        path = url.removeprefix(vantage.site.app)
        if path.startswith(settings.stream_paths or ("\0",)):
            continue
        if (vantage.fetch(url).one("content-type") or "").startswith("text/html"):
            yield url


def referrer(vantage: Vantage, settings: EdgeSettings) -> Observation:
    """A click from a page with a secret in its address to a foreign site, and to a plain one."""
    page = f"{vantage.site.app}{settings.probe.page}?{SECRET}"
    with vantage.browsing(settings.probe.browser) as tab:
        return Observation(
            facts={
                "origin": f"{vantage.site.app}/",
                "page": page,
                "foreign": _clicked(tab, page, f"{FOREIGN}sink"),
                "plain": _clicked(tab, page, f"{SINK}sink"),
                "control": _clicked(tab, page, f"{FOREIGN}sink", policy="unsafe-url"),
            }
        )


def _clicked(tab: Tab, page: str, target: str, policy: str = "") -> list[str]:
    """What the target was told of where the visitor came from, once for each request."""
    heard: list[str] = []

    def answer(paused: Paused) -> Instead | None:
        if paused.url == target:
            heard.append(paused.headers.get("referer", ""))
            return Instead(status=200, headers=(_TEXT,), body=b"<!doctype html>sink")
        if policy and paused.url == page and paused.status:
            kept = [(n, v) for n, v in paused.answered if n.lower() not in {REFERRER} | _SIZED]
            return Instead(
                status=200, headers=(*kept, (REFERRER, policy)), body=b"<!doctype html>page"
            )
        return None

    tab.intercept(answer)
    tab.visit(page)
    tab.evaluate(
        "(() => {const a = document.createElement('a'); a.textContent = 'x'; "
        f"a.href = {json.dumps(target)}; document.body.append(a); a.click()}})()"
    )
    tab.wait(lambda: bool(heard))
    return heard


def cookies(vantage: Vantage, settings: EdgeSettings) -> Observation:
    """What a script of the page can read of the cookies that the browser keeps for it."""
    forms = [form for form in (*settings.probe.forms, settings.probe.cookie) if form]
    page = vantage.site.app + settings.probe.page
    kept: list[Any] = []
    readable = control = ""
    if forms:
        with vantage.browsing(settings.probe.browser) as tab:
            for form in forms:
                tab.visit(page)
                tab.events.clear()
                fields = json.dumps(filled(form, vantage))
                tab.evaluate(_POST % (json.dumps(form.path), fields))
                tab.wait(tab.has_loaded)
                kept = tab.call("Network.getCookies", urls=[page])["cookies"]
                if kept:
                    break
            tab.visit(page)
            readable = tab.evaluate("document.cookie")
            control = tab.evaluate(
                "(document.cookie = 'troth-control=1; Secure; Path=/', document.cookie)"
            )
    return Observation(
        facts={
            "kept": [cookie["name"] for cookie in kept],
            "readable": [pair.partition("=")[0].strip() for pair in readable.split(";") if pair],
            "control": "troth-control=1" in control,
        }
    )


_POST = """(() => {
  const form = document.createElement('form');
  form.method = 'post'; form.action = %s;
  for (const [name, value] of Object.entries(%s)) {
    const field = document.createElement('input');
    field.name = name; field.value = value; form.append(field);
  }
  document.body.append(form); form.submit();
})()"""


def _with_body(
    paused: Paused,
    body: bytes,
    dropped: set[str],
    types: tuple[tuple[str, str], ...] = (_TEXT,),
) -> Instead:
    """The answer as it came, with another body of another type; headers of `dropped` left out."""
    gone = dropped | _SIZED | {"content-type"}
    kept = [(name, value) for name, value in paused.answered if name.lower() not in gone]
    return Instead(status=200, headers=(*kept, *types), body=body)
