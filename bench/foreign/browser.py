"""Headless Chromium as a visitor, and what it complains about on the way."""

import contextlib
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from ground import CHROMIUM, NotHereError, Tried

try:
    from playwright.sync_api import sync_playwright
except ImportError as error:  # make foreign installs it into a place of its own
    raise SystemExit("playwright is not installed here: make foreign") from error

FIRST_ERROR = 400


@dataclass  # no slots: playwright keeps its handlers on the instance
class Visitor:
    """One browser with one page, and everything that went wrong in it.

    `foreign` are requests to other origins than the public one (a redirect or an asset that
    escaped); `failed` are answers of 400 and above and requests that broke off.
    """

    page: Any
    context: Any
    origin: str
    failed: list[str] = field(default_factory=list)
    foreign: list[str] = field(default_factory=list)
    sockets: list[str] = field(default_factory=list)
    errors: list[str] = field(default_factory=list)
    said: list[str] = field(default_factory=list)
    expected: tuple[str, ...] = ()  # parts of addresses that may fail: the play means them to
    elsewhere: tuple[str, ...] = ()  # origins that the application itself loads from

    def watch(self, page: Any) -> None:
        """Listen to what a page says."""
        page.on("response", self._answered)
        page.on("requestfailed", self._broken)
        page.on("websocket", lambda door: self.sockets.append(door.url))
        page.on("console", self._console)
        page.on("pageerror", lambda error: self.errors.append(str(error)[:200]))

    def _console(self, message: Any) -> None:
        if message.type == "error":
            self.said.append(message.text[:300])

    def _is_expected(self, url: str) -> bool:
        return any(part in url for part in self.expected)

    def _answered(self, response: Any) -> None:
        url = response.url
        if url.startswith(("data:", "blob:")):
            return
        if "{0.scheme}://{0.netloc}".format(urlsplit(url)) != self.origin:
            if not url.startswith(self.elsewhere or "\0"):
                self.foreign.append(url)
        elif response.status >= FIRST_ERROR and not self._is_expected(url):
            self.failed.append(f"{response.status} {response.request.method} {url}")

    def _broken(self, request: Any) -> None:
        url, why = request.url, request.failure or ""
        is_ours = url.startswith(self.origin)
        # A page that is left behind cancels what it still loads.
        if is_ours and "ERR_ABORTED" not in why and not self._is_expected(url):
            self.failed.append(f"{why} {request.method} {url}")

    def go(self, path: str, until: str = "load") -> int:
        """Open a page; its status."""
        answer = self.page.goto(f"{self.origin}{path}", wait_until=until, timeout=60_000)
        return answer.status if answer else 0

    def judge(self, tried: Tried) -> None:
        """The lines that every application must pass at the end of a play."""
        tried.check("every asset and call answered below 400", not self.failed, self.failed[:5])
        tried.check("nothing loaded from another origin", not self.foreign, self.foreign[:5])
        tried.check("no script broke", not self.errors, self.errors[:3])
        tried.check("stayed on the public host", self.page.url.startswith(self.origin))
        cookies = self.context.cookies()
        bad = [
            c["name"] for c in cookies if not c["secure"] or c["sameSite"] not in ("Lax", "Strict")
        ]
        tried.check("cookies are Secure and SameSite", not bad, bad)


@contextlib.contextmanager
def visitor(origin: str, profile: Path) -> Iterator[Visitor]:
    """A browser for one play. Certificates of the local authority are accepted; curl verifies them."""
    if not CHROMIUM:
        raise NotHereError("no Chromium on this machine")
    with sync_playwright() as play:
        context = play.chromium.launch_persistent_context(
            str(profile),
            executable_path=CHROMIUM,
            headless=True,
            ignore_https_errors=True,
            args=["--no-sandbox", "--disable-gpu", "--disable-dev-shm-usage"],
        )
        page = context.pages[0] if context.pages else context.new_page()
        made = Visitor(page, context, origin)
        made.watch(page)
        context.on("page", made.watch)
        page.on("dialog", lambda dialog: dialog.accept())
        try:
            yield made
        except Exception:
            page.screenshot(path=str(profile.parent / "last.png"))
            print("  at", page.url, made.failed, made.errors, made.foreign[:3], made.said[-5:])
            raise
        finally:
            context.close()
