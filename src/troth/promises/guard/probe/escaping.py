"""Writes a value with markup in it where `[guard.escaping]` says so, and looks how it comes back.

The markup is an inert element (`<q id=...>`) with a name of this run, and signs that end an
attribute: nothing runs and nobody is harmed where it is not escaped. What was written is taken back
by the forms that the settings name.
"""

import os
from contextlib import suppress
from datetime import timedelta
from typing import Any
from urllib.parse import quote, urlencode, urljoin, urlsplit

import msgspec

from troth.adapters import files
from troth.adapters.http import Headers, Response
from troth.adapters.vantage import Vantage
from troth.kernel.model import Observation
from troth.kernel.request import MARKER
from troth.promises.guard.probe.addresses import nonce
from troth.promises.guard.rules import escaping, paths
from troth.promises.guard.rules.csrf import NAME
from troth.promises.guard.settings import GuardSettings
from troth.promises.guard.settings.escaping import Step

MARK = MARKER.decode()
FORM = ("Content-Type", "application/x-www-form-urlencoded")
MAX_SECRET_BYTES = 256
DIGITS = str.maketrans("0123456789", "ghijkmnpqr")  # letters only: no number of anybody's
HTML, FIRST_ERROR = "text/html", 400
PUBLIC = frozenset({"forms", "pages", "shown", "raw"})


def planted(vantage: Vantage, settings: GuardSettings) -> Observation:
    """Plant, look, take back."""
    said = settings.escaping
    canary = _Canary(vantage, wants_token=bool(settings.csrf.paths))
    try:
        for step in said.plant:
            canary.post("form", step)
        for path in said.pages:
            canary.look("page", path)
        for path in said.reflected:
            canary.look("query", path.replace("{plant}", quote(canary.value, safe="")))
    finally:
        undone = [canary.post("undo", step) for step in said.undo]
    return Observation(
        facts={
            "forms": sum("{plant}" in "".join(step.fields.values()) for step in said.plant),
            "pages": len(said.pages) + len(said.reflected),
            "shown": canary.as_text + len(canary.raw),
            "raw": sorted(canary.raw),
            "refused": canary.refused,
            "missed": canary.missed,
            "undone": all(undone),
        },
        public=PUBLIC,
    )


class _Canary:
    """A client that posts forms and keeps its cookies."""

    def __init__(self, vantage: Vantage, *, wants_token: bool) -> None:
        run = nonce(vantage)
        self._client = vantage.as_client(f"escaping.{run}")
        self._word = "troth-" + run.translate(DIGITS)
        self._secret = _secret(vantage)
        self._jar: dict[str, str] = {}
        self._wants_token = wants_token
        self._tomorrow = f"{vantage.now + timedelta(days=1):%Y-%m-%d}"
        self.value = escaping.planted(self._word)
        self.as_text = 0
        self.raw: set[str] = set()  # kinds of places where it came back as markup
        self.refused = self.missed = 0

    def post(self, kind: str, step: Step) -> bool:
        """Fill in a form and send it; whether it was taken."""
        url = self._address(step)
        if not url:
            self.missed += 1
            return False
        fields = {
            name: value.replace("{plant}", self.value).replace("{canary}", self._secret)
            for name, value in step.fields.items()
        }
        if self._wants_token:
            fields[NAME] = self._token()
        answer = self._ask(url, "POST", urlencode(fields).encode())
        self._read(kind, answer)
        return answer.status < FIRST_ERROR

    def look(self, kind: str, path: str) -> None:
        """Load a page."""
        self._read(kind, self._ask(self._client.site.app + path))

    def _address(self, step: Step) -> str:
        """Where the form goes; empty where the page names no such place."""
        if not step.at:
            return self._client.site.app + step.path
        base = self._client.site.app + step.at.replace("{tomorrow}", self._tomorrow)
        pattern = paths.pattern(step.path)
        page = self._ask(base)
        for link in escaping.links(page.text):
            url = urljoin(base, link)
            is_ours = url.startswith(f"{self._client.site.app}/")
            if is_ours and pattern.match(paths.spelled(urlsplit(url).path.encode())) is not None:
                return url
        return ""

    def _token(self) -> str:
        """As the script gets it that an application's page loads; empty where none is given."""
        giver = f"{self._client.site.app}{self._client.site.prefix}csrf"
        answer = self._ask(giver, more=((NAME, "ask"),))
        try:
            return str(msgspec.json.decode(answer.body, type=dict[str, Any]).get("token", ""))
        except msgspec.MsgspecError:
            return ""

    def _ask(
        self, url: str, method: str = "GET", body: bytes = b"", more: Headers = ()
    ) -> Response:
        headers = [("Origin", self._client.site.app), FORM] if method == "POST" else []
        headers += more
        if self._jar:
            headers.append(("Cookie", "; ".join(f"{k}={v}" for k, v in self._jar.items())))
        answer = self._client.fetch(url, method=method, headers=headers, body=body, fresh=True)
        for line in answer.all("set-cookie"):
            name, _, value = line.partition(";")[0].partition("=")
            self._jar[name.strip()] = value.strip()
        return answer

    def _read(self, kind: str, answer: Response) -> None:
        """Count how the value comes back."""
        if answer.all(MARK):
            self.refused += 1
        if not (answer.one("content-type") or "").lower().startswith(HTML):
            return
        found = escaping.shown(answer.text, self._word)
        self.as_text += found.as_text
        if found.as_markup:
            self.raw.add(kind)


def _secret(vantage: Vantage) -> str:
    """This installation's own; made on first use, 0600. Elsewhere a word of this run."""
    made = nonce(vantage) * 2
    if vantage.data is None:
        return made
    path = vantage.data / "keys" / "canary"
    with suppress(FileExistsError):
        opened = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
        with os.fdopen(opened, "w") as stream:
            stream.write(made)
    return files.read_capped(path, MAX_SECRET_BYTES).decode("ascii")
