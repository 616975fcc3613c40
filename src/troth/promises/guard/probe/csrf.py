"""Replays a form post: without a token, with a wrong one, another browser's, and an expired one.

To a route of our own below the sink, on which a token soon expires. To the paths that are declared
goes a post without anything in it and without a token, from nobody.
"""

import time
from typing import Any
from urllib.parse import urlencode

import msgspec

from troth.adapters.vantage import Vantage
from troth.kernel.model import Observation
from troth.kernel.request import MARKER
from troth.promises.guard.probe.addresses import nonce
from troth.promises.guard.probe.replay import TAG
from troth.promises.guard.rules.canary import CANARY, TOKEN_LASTS, TOKEN_ROUTE
from troth.promises.guard.rules.csrf import NAME
from troth.promises.guard.settings import GuardSettings

MARK = MARKER.decode()
OK = 200
MOST_PATHS = 16
FORM = ("Content-Type", "application/x-www-form-urlencoded")
SLACK_S = 0.5


def replay(vantage: Vantage, settings: GuardSettings) -> Observation:
    """The same post with a good token and with none that is good."""
    browser = _Browser(vantage)
    tried = [browser.post("missing", browser.sink)]
    tried += [
        browser.post("declared", vantage.site.app + _filled(path))
        for path in settings.csrf.paths[:MOST_PATHS]
    ]
    own, other = browser.token(), browser.token()
    good = []
    if own and other:
        cookie, token = own
        good = [
            browser.post("field", browser.sink, cookie, field=token),
            browser.post("header", browser.sink, cookie, header=token),
        ]
        tried += [
            browser.post("missing", browser.sink, cookie),
            browser.post("forged", browser.sink, cookie, field=_altered(token)),
            browser.post("another-session", browser.sink, cookie, field=other[1]),
            browser.post("no-session", browser.sink, "", field=token),
        ]
        time.sleep(TOKEN_LASTS.total_seconds() + SLACK_S)
        tried.append(browser.post("expired", browser.sink, cookie, field=token))
    return Observation(
        facts={"tried": tried, "good": good, "paths": list(settings.csrf.paths)},
        public=frozenset({"paths"}),
    )


class _Browser:
    """Posts as a page of the application would, from a client of its own."""

    def __init__(self, vantage: Vantage) -> None:
        self._run = nonce(vantage)
        self._client = vantage.as_client(f"csrf.{self._run}")
        self._app, prefix = vantage.site.app, vantage.site.prefix
        self.sink = f"{self._app}{prefix}{TOKEN_ROUTE}"
        self._giver = f"{self._app}{prefix}csrf"
        self._posted = 0

    def token(self) -> tuple[str, str] | None:
        """Cookie and token, as the script is given them; None where none are given."""
        answer = self._client.fetch(self._giver, headers=((NAME, "ask"),), fresh=True)
        cookie = next(iter(answer.all("set-cookie")), "").partition(";")[0]
        try:
            said = msgspec.json.decode(answer.body, type=dict[str, Any])
        except msgspec.MsgspecError:
            return None
        token = said.get("token")
        return (cookie, token) if answer.status == OK and cookie and token else None

    def post(
        self, case: str, url: str, cookie: str = "", *, field: str = "", header: str = ""
    ) -> dict[str, Any]:
        """One post, and what became of it."""
        self._posted += 1
        tag = f"{self._run}.csrf.{self._posted}"
        headers = [("Origin", self._app), FORM, (TAG, tag)]
        headers += [("Cookie", cookie)] if cookie else []
        headers += [(NAME, header)] if header else []
        body = urlencode({NAME: field} if field else {}).encode()
        answer = self._client.fetch(url, method="POST", headers=headers, body=body, fresh=True)
        return {
            "case": case,
            "status": answer.status,
            "mark": answer.one(MARK) or "",
            "arrived": answer.one(TAG) == tag,
        }


def _filled(path: str) -> str:
    """A path that the pattern matches."""
    parts = path.split("/")
    return "/".join(CANARY if part[:1] in {"{", "*"} else part for part in parts)


def _altered(token: str) -> str:
    """The token with another first sign."""
    return ("1" if token[0] != "1" else "2") + token[1:]
