"""The probe of the origin check against small systems: an honest one, and ones that lie."""

import threading
from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import pytest

from troth.adapters import chance
from troth.adapters.vantage import Vantage
from troth.enforce.decide import decide
from troth.enforce.snapshot import Snapshot
from troth.kernel.errors import Failure
from troth.kernel.model import Verdict
from troth.kernel.request import FINE, MARKER, Known, Opinion, Refusal, Request
from troth.kernel.site import Site
from troth.promises.guard.enforce import origin as enforce
from troth.promises.guard.judge import origin as judge
from troth.promises.guard.probe import origin as probe
from troth.promises.guard.settings import GuardSettings, OriginCheck

NOW = datetime(2026, 1, 1, tzinfo=UTC)
Checks = Callable[[GuardSettings, Site], tuple]


class System:
    """A guard without an edge: both hosts on one port, over plain HTTP; an application behind."""

    def __init__(self, checks: Checks, settings: GuardSettings, *, status=404, marker=MARKER):
        system = self
        self.settings = settings

        class Handler(BaseHTTPRequestHandler):
            def log_message(self, *_):
                pass

            def do_GET(self):
                pairs = [(n.lower().encode(), v.encode()) for n, v in self.headers.items()]
                asked = Request(
                    method=self.command.encode(), target=self.path.encode(),
                    host=self.headers["Host"].encode(), headers=tuple(pairs),
                )  # fmt: skip
                refusal = decide(asked, system.snapshot, Known(now=NOW), lambda _: {}).refusal
                self.send_response(refusal.status if refusal else status)
                if refusal and marker:
                    self.send_header(marker.decode(), refusal.slug)
                self.send_header("Content-Length", "0")
                self.end_headers()

            do_POST = do_PUT = do_PATCH = do_DELETE = do_GET  # noqa: N815 -- http.server's names

        self.server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        port = self.server.server_port
        self.site = Site(
            name="n", app=f"http://demo.localhost:{port}", http="http://x",
            troth=f"http://troth.demo.localhost:{port}", status="http://x",
        )  # fmt: skip
        self.snapshot = Snapshot(
            checks=checks(settings, self.site), site=self.site, prefix="/-/", max_body_bytes=1,
            config="", made=NOW,
        )  # fmt: skip
        self.thread = threading.Thread(target=self.server.serve_forever, args=(0.01,))
        self.thread.start()

    def close(self):
        self.server.shutdown()
        self.server.server_close()
        self.thread.join()

    def vantage(self) -> Vantage:
        return Vantage(site=self.site, name="v", now=NOW, rng=chance.seeded(1))

    def look(self):
        seen = probe.origin_look(self.vantage(), self.settings)
        return judge.origin_look(seen.facts, self.settings), seen

    def attack(self):
        seen = probe.origin_attack(self.vantage(), self.settings)
        return judge.origin_attack(seen.facts, self.settings), seen


@pytest.fixture
def system() -> Iterator[Callable[..., System]]:
    made = []

    def make(checks=enforce.checks, settings=None, **more):
        made.append(System(checks, settings or GuardSettings(), **more))
        return made[-1]

    yield make
    for one in made:
        one.close()


def test_an_honest_system_passes(system):
    honest = system()

    looked, look = honest.look()
    attacked, attack = honest.attack()

    assert looked.verdict is attacked.verdict is Verdict.PASS
    assert (look.facts["asked"], look.facts["refused"], look.facts["controls"]) == (1, 1, 1)
    assert attack.facts["asked"] == attack.facts["refused"] > 40
    assert attack.facts["controls"] == 9
    assert look.public == attack.public == {"asked", "refused", "controls", "exempt"}


def test_named_and_exempt_do_not_disturb_it(system):
    named = OriginCheck(
        origins=("https://sister.demo.localhost", "http://demo.localhost"), exempt=("/api/",)
    )
    honest = system(settings=GuardSettings(origin=named))

    attacked, seen = honest.attack()

    assert attacked.verdict is Verdict.PASS
    assert seen.facts["exempt"] == ["/api/"]


def test_a_named_lookalike_is_not_held_against_the_guard(system):
    first = system()
    port = first.site.app.rpartition(":")[2]
    named = GuardSettings(origin=OriginCheck(origins=(f"https://sister.demo.localhost:{port}",)))

    names = [case.name for case in probe._on_app(first.site.app, named.origin.origins)]

    assert "sister" not in names
    assert "prefixed" in names


def only(*methods: bytes):
    """A guard that has forgotten the other methods."""

    def checks(settings, site):
        origin, _ = enforce.checks(settings, site)
        return (lambda request, now: origin(request, now) if request.method in methods else FINE,)

    return checks


def careless(compare):
    """A guard whose comparison of origins is somebody's idea."""

    def checks(settings, site):
        def check(request, now):
            origins = request.values(b"origin")
            if request.method != b"GET" and origins and compare(origins[-1].decode(), site.app):
                return FINE
            return enforce.checks(settings, site)[0](request, now)

        return (check,)

    return checks


def app_only(settings, site):
    origin, _ = enforce.checks(settings, site)
    return (
        lambda request, now: FINE if request.host.startswith(b"troth") else origin(request, now),
    )


LIARS = {
    "no check": lambda *_: (),
    "POST alone": only(b"POST", b"GET"),
    "no DELETE": only(b"POST", b"PUT", b"PATCH", b"GET"),
    "no handshakes": only(b"POST", b"PUT", b"PATCH", b"DELETE"),
    "begins alike": careless(lambda origin, own: origin.startswith(own)),
    "ends alike": careless(lambda origin, own: origin.endswith(own.rpartition("/")[2])),
    "contains": careless(lambda origin, own: own in origin),
    "without the port": careless(lambda o, own: o.rpartition(":")[0] == own.rpartition(":")[0]),
    "null": careless(lambda origin, own: origin == "null"),
    "the application is trusted everywhere": careless(lambda origin, own: origin == own),
    "Troth's own host is not checked": app_only,
}


@pytest.mark.parametrize("liar", LIARS)
def test_a_liar_fails(system, liar):
    attacked, seen = system(LIARS[liar]).attack()

    assert attacked.verdict is Verdict.FAIL
    assert seen.facts["refused"] < seen.facts["asked"]


def test_a_look_sees_that_there_is_no_check(system):
    assert system(LIARS["no check"]).look()[0].verdict is Verdict.FAIL
    assert system(marker=b"").look()[0].verdict is Verdict.FAIL


def test_what_refuses_everything_proves_nothing(system):
    def walls(*_):
        return (lambda *_: Opinion(refusal=Refusal(slug="origin-check", code="x")),)

    assert system(walls).look()[0].verdict is Verdict.ERROR
    assert system(walls).attack()[0].verdict is Verdict.ERROR


def test_an_application_that_is_down_proves_nothing(system):
    down = system(status=503)

    assert down.look()[0].verdict is Verdict.ERROR
    assert down.attack()[0].verdict is Verdict.ERROR


def test_nobody_there_is_an_exception(system):
    gone = system()
    gone.close()

    with pytest.raises((Failure, OSError)):
        gone.look()
    gone.server.server_close()


def test_it_writes_nothing(system):
    cases = [
        *probe._on_app("https://a", ()),
        *probe._on_troth("https://t", "https://a"),
        *probe._controls("https://a", "https://t"),
    ]

    assert {case.url for case in cases} == {"https://a" + probe.NOWHERE, "https://t/account/"}
    assert len({(c.name, c.kind, c.host) for c in cases}) == len(cases)
