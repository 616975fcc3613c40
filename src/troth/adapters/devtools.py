"""A browser that can be asked and told: headless Chromium by its DevTools protocol, over a pipe.

For drills that need more than a document: what ran, what was framed, what was sent. No port is
opened: the protocol goes over two inherited descriptors. Everything waits for events, with one
deadline for the whole visit.
"""

import base64
import json
import os
import selectors
import sys
import tempfile
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path
from typing import Any

from troth.adapters import process
from troth.adapters.browser import QUIET, BrowserError

MAX_MESSAGE_BYTES = 32 * 1024 * 1024
MAX_EVENTS = 20_000
VISIT_S = 40.0
_CHUNK_BYTES = 1 << 16
# Chromium wants the pipe as descriptors 3 and 4, which are ours to choose only after the fork.
_LAUNCH = (
    "import fcntl, os, sys; far = [fcntl.fcntl(int(n), fcntl.F_DUPFD, 10) for n in sys.argv[1:3]]; "
    "os.dup2(far[0], 3); os.dup2(far[1], 4); os.execv(sys.argv[3], sys.argv[3:])"
)
# Off is what would hide an answer's own refusal: a process for each site's frames (one session
# is to see them all), silent upgrades of a plain sink, and the browser's own refusal to let a
# foreign page reach a loopback address. Reports are sent within a second, not within a minute.
_OFF = (
    *("IsolateOrigins", "site-per-process", "HttpsUpgrades", "HttpsFirstBalancedModeAutoEnable"),
    *("LocalNetworkAccessChecks", "BlockInsecurePrivateNetworkRequests"),
)
_FLAGS = (
    "--short-reporting-delay",
    "--disable-site-isolation-trials",
    f"--disable-features={','.join(_OFF)}",
)

Json = dict[str, Any]


@dataclass(frozen=True, slots=True, kw_only=True)
class Paused:
    """A request on its way out, or its answer on its way in (`status` is then not 0)."""

    url: str
    method: str
    headers: Mapping[str, str]
    status: int
    answered: tuple[tuple[str, str], ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Instead:
    """An answer in the place of another."""

    status: int
    headers: tuple[tuple[str, str], ...]
    body: bytes


# What is done with a paused request: None lets it go on.
Intercept = Callable[[Paused], Instead | None]


class Tab:
    """One page. Every method raises BrowserError when the browser is gone or out of time."""

    def __init__(self, wire: "_Wire", session: str) -> None:
        self._wire, self._session = wire, session
        self.events: list[tuple[str, Json]] = []
        self._intercept: Intercept = lambda _: None
        wire.listeners[session] = self._heard
        for domain in ("Page", "Network", "Runtime", "Debugger"):
            self.call(f"{domain}.enable")
        self.call("Page.setLifecycleEventsEnabled", enabled=True)
        self.call("Network.enableReportingApi", enable=True)

    def call(self, method: str, **params: Any) -> Json:
        """One command of the protocol and its result."""
        return self._wire.call(method, params, self._session)

    def intercept(self, answer: Intercept) -> None:
        """See every request before it goes out and every answer before it is read."""
        self._intercept = answer
        stages = ("Request", "Response")
        patterns = [{"urlPattern": "*", "requestStage": stage} for stage in stages]
        self.call("Fetch.enable", patterns=patterns)

    def visit(self, url: str) -> None:
        """Open a page and wait until it has loaded, or failed to."""
        self.events.clear()
        result = self.call("Page.navigate", url=url)
        loader = result.get("loaderId")
        if not result.get("errorText"):
            self.wait(lambda: self.has_loaded(lambda told: told["loaderId"] == loader))

    def evaluate(self, expression: str) -> Any:
        """The value of a JavaScript expression, which a page's policy does not hinder."""
        result = self.call(
            "Runtime.evaluate", expression=expression, returnByValue=True, userGesture=True
        )
        if "exceptionDetails" in result:
            raise BrowserError(f"the page threw: {result['exceptionDetails'].get('text')}")
        return result["result"].get("value")

    def has(self, method: str, where: Callable[[Json], bool] = lambda _: True) -> bool:
        """Whether such an event has come since the last visit began."""
        return any(name == method and where(params) for name, params in self.events)

    def has_loaded(self, which: Callable[[Json], bool] = lambda _: True) -> bool:
        """Whether a document has loaded since the last visit began."""
        return self.has("Page.lifecycleEvent", lambda told: told["name"] == "load" and which(told))

    def wait(self, is_true: Callable[[], bool], within_s: float = 15) -> bool:
        """Hear events until it is true, for at most that long; whether it became true."""
        return self._wire.wait(is_true, within_s)

    def _heard(self, method: str, params: Json) -> None:
        if len(self.events) < MAX_EVENTS:
            self.events.append((method, params))
        if method == "Fetch.requestPaused":
            self._decide(params)

    def _decide(self, params: Json) -> None:
        request = params["request"]
        answered = params.get("responseHeaders") or []
        paused = Paused(
            url=request["url"],
            method=request["method"],
            headers={name.lower(): value for name, value in request["headers"].items()},
            status=params.get("responseStatusCode", 0),
            answered=tuple((each["name"], each["value"]) for each in answered),
        )
        instead = self._intercept(paused)
        if instead is None:
            self._wire.send(
                "Fetch.continueRequest", {"requestId": params["requestId"]}, self._session
            )
            return
        self._wire.send(
            "Fetch.fulfillRequest",
            {
                "requestId": params["requestId"],
                "responseCode": instead.status,
                "responseHeaders": [{"name": n, "value": v} for n, v in instead.headers],
                "body": base64.b64encode(instead.body).decode(),
            },
            self._session,
        )


@contextmanager
def browsing(
    browser: Path, *, pins: Sequence[str] = (), within_s: float = VISIT_S
) -> Iterator[Tab]:
    """A fresh browser with one empty tab, until the end of the `with`; nothing of it is kept.

    Args:
        browser: from `browser.find`.
        pins: public keys (`browser.pin`) of authorities to trust beside the system's.
        within_s: for the whole visit.

    Raises:
        BrowserError: it did not start, or answered too late.
    """
    with tempfile.TemporaryDirectory(prefix="troth-browser-", ignore_cleanup_errors=True) as home:
        flags = ["--headless=new", "--remote-debugging-pipe", f"--user-data-dir={home}"]
        flags += [*QUIET, *_FLAGS]
        if pins:
            flags.append(f"--ignore-certificate-errors-spki-list={','.join(pins)}")
        if os.geteuid() == 0:
            flags.append("--no-sandbox")  # Chromium's sandbox refuses root
        theirs_in, ours_out = os.pipe()
        ours_in, theirs_out = os.pipe()
        quiet = os.open(os.devnull, os.O_WRONLY)
        launch = [sys.executable, "-S", "-c", _LAUNCH, str(theirs_in), str(theirs_out)]
        try:
            child = process.start(
                [*launch, str(browser), *flags],
                output=quiet,
                env={"HOME": home, "XDG_CONFIG_HOME": home, "XDG_CACHE_HOME": home},
                pass_fds=(theirs_in, theirs_out),
            )
        except process.ProcessError as error:
            os.close(ours_out)
            os.close(ours_in)
            raise BrowserError(f"the browser did not start: {error.what}") from error
        finally:
            for descriptor in (theirs_in, theirs_out, quiet):
                os.close(descriptor)
        try:
            wire = _Wire(ours_in, ours_out, time.monotonic() + within_s)
            target = wire.call("Target.createTarget", {"url": "about:blank"}, "")["targetId"]
            attached = wire.call("Target.attachToTarget", {"targetId": target, "flatten": True}, "")
            yield Tab(wire, attached["sessionId"])
        finally:
            os.close(ours_out)
            os.close(ours_in)
            child.stop(grace=timedelta(seconds=2))


class _Wire:
    """Messages end with a zero byte; answers carry the number of their command."""

    def __init__(self, ours_in: int, ours_out: int, deadline: float) -> None:
        self._in, self._out, self._deadline = ours_in, ours_out, deadline
        self._gathered = bytearray()
        self._number = 0
        self._answers: dict[int, Json] = {}
        self.listeners: dict[str, Callable[[str, Json], None]] = {}

    def send(self, method: str, params: Json, session: str) -> int:
        """Send a command whose answer nobody waits for; its number."""
        self._number += 1
        message = {"id": self._number, "method": method, "params": params}
        if session:
            message["sessionId"] = session
        data = memoryview(json.dumps(message).encode() + b"\0")
        try:
            while data:
                data = data[os.write(self._out, data) :]
        except OSError as error:
            raise BrowserError("the browser is gone") from error
        return self._number

    def call(self, method: str, params: Json, session: str) -> Json:
        """Send a command and hear events until its answer comes."""
        number = self.send(method, params, session)
        if not self.wait(lambda: number in self._answers, self._deadline - time.monotonic()):
            raise BrowserError(f"no answer to {method} in time")
        answer = self._answers.pop(number)
        if "error" in answer:
            raise BrowserError(f"{method}: {answer['error'].get('message', '')}"[:200])
        result: Json = answer["result"]
        return result

    def wait(self, is_true: Callable[[], bool], within_s: float) -> bool:
        """Hear until it is true, at most that long and not beyond the deadline."""
        until = min(time.monotonic() + within_s, self._deadline)
        while not is_true():
            left = until - time.monotonic()
            if left <= 0:
                return False
            self._hear(left)
        return True

    def _hear(self, within_s: float) -> None:
        with selectors.DefaultSelector() as selector:
            selector.register(self._in, selectors.EVENT_READ)
            if not selector.select(within_s):
                return
        piece = os.read(self._in, _CHUNK_BYTES)
        self._gathered += piece
        if not piece or len(self._gathered) > MAX_MESSAGE_BYTES:
            raise BrowserError("the browser is gone, or said too much")
        while (end := self._gathered.find(0)) >= 0:
            message = json.loads(bytes(self._gathered[:end]))
            del self._gathered[: end + 1]
            if "id" in message:
                self._answers[message["id"]] = message
            elif (listener := self.listeners.get(message.get("sessionId", ""))) is not None:
                listener(message["method"], message["params"])
