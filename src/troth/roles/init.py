"""`troth init`: look at an application, write a troth.toml that does not break it.

What could break an application nobody knows begins gently: CSP report-only, HSTS of five minutes,
no cross-origin isolation. Each is made firm later by one command, when it has been learnt.
"""

import os
from dataclasses import dataclass
from pathlib import Path

import msgspec
import tomlkit

from troth.adapters import config as configuration
from troth.adapters import files, http, unix_http
from troth.catalogue import Settings
from troth.kernel.errors import Failure

PREFIX = "/-/"
TAKEN = ("", "session", "csp", "healthz", "csrf.js")  # what Troth answers below its prefix
# Cookies that well-known software hands to its own scripts: anti-forgery tokens that the script
# sends back as a header (Django, Angular and Laravel, axios), and settings of a user interface.
READABLE = ["csrftoken", "XSRF-TOKEN", "pretix_csrftoken", "wp-settings-*"]
NOT_FOUND = 404
PRIVILEGED = 1024


class InitError(Failure):
    """An application that Troth cannot be put in front of, as things stand."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Wish:
    """What the operator typed."""

    upstream: str
    host: str
    troth_host: str = ""
    name: str = ""
    prefix: str = PREFIX
    config: Path
    data: Path | None = None
    ports: tuple[int, int, int] | None = None


@dataclass(frozen=True, slots=True)
class Seen:
    """What the application showed of itself, and where the settings are that follow from it."""

    config: Path
    status: int
    server: str
    has_csp: bool
    cookies: int
    shares_with: str = ""

    def lines(self) -> list[str]:
        """What a person is told: what was written, what to look at, what comes next."""
        said = [f"wrote {self.config} (the application answers {self.status})"]
        if self.shares_with:
            said.append(
                f"it lets other origins read its answers ({self.shares_with}): Troth keeps them "
                "out until [edge.cors] origins names them"
            )
        if self.has_csp:
            said.append("it sends a Content-Security-Policy of its own, which stays in force")
        said.append(f"next: troth config check, then: troth up --config {self.config}")
        return said


def init(wish: Wish) -> Seen:
    """Look at the application and write `wish.config`.

    Raises:
        InitError: the file exists, the application does not answer, or it answers below the
            prefix itself.
        ConfigError: host or upstream are not what they must be.
    """
    if wish.config.exists():
        raise InitError(
            "exists already", where=str(wish.config), mend="edit it, or name another with --config"
        )
    text = compose(wish)
    configuration.parse(text.encode(), Settings, where=str(wish.config))
    seen = _look(wish)
    files.write_atomic(wish.config, text.encode())
    return seen


@dataclass(frozen=True, slots=True)
class _Answer:
    status: int
    body: bytes
    headers: tuple[tuple[str, str], ...] = ()


def ask(wish: Wish, path: str) -> _Answer:
    """One request as the edge will make it: the public name in Host, https in X-Forwarded-Proto."""
    headers = (("host", wish.host), ("x-forwarded-proto", "https"))
    try:
        if wish.upstream.startswith("unix:"):
            inner = unix_http.request(Path(wish.upstream.removeprefix("unix:")), path)
            return _Answer(inner.status, inner.body)
        outer = http.fetch(f"{wish.upstream}{path}", headers=headers)
        return _Answer(outer.status, outer.body, outer.headers)
    except (Failure, TimeoutError) as failure:
        raise InitError(
            f"the application does not answer: {failure}",
            where=wish.upstream,
            mend="start it, or correct --upstream",
        ) from failure


def _look(wish: Wish) -> Seen:
    home = ask(wish, "/")
    nowhere = ask(wish, f"{wish.prefix}no-such-page-of-the-application")
    for name in TAKEN:
        answer = ask(wish, wish.prefix + name)
        is_catch_all = (answer.status, answer.body) == (nowhere.status, nowhere.body)
        if answer.status != NOT_FOUND and not is_catch_all:
            raise InitError(
                f"the application itself answers {wish.prefix}{name} (status {answer.status})",
                where=wish.upstream,
                mend="choose another prefix with --prefix",
            )
    names = [name.lower() for name, _ in home.headers]
    server = next((value for name, value in home.headers if name.lower() == "server"), "")
    shares = "access-control-allow-origin"
    return Seen(
        config=wish.config,
        status=home.status,
        server=server,
        has_csp="content-security-policy" in names,
        cookies=names.count("set-cookie"),
        shares_with=next((value for name, value in home.headers if name.lower() == shares), ""),
    )


def compose(wish: Wish) -> str:
    """The text of a gentle troth.toml, commented."""
    is_local = wish.host == "localhost" or wish.host.endswith(".localhost")
    is_root = os.geteuid() == 0
    port, http_port, status_port = wish.ports or (
        (443, 80, 8444) if is_root and not is_local else (8443, 8080, 8444)
    )
    document = tomlkit.document()
    document.add(tomlkit.comment("Troth's one file. Every key: docs/reference/settings.md"))
    data = "/var/lib/troth" if is_root else str(Path.home() / ".local" / "share" / "troth")
    tables: dict[str, dict[str, object]] = {
        "troth": {
            "name": wish.name or wish.host,
            "host": wish.troth_host or f"troth.{wish.host}",
            "prefix": wish.prefix,
            "data": str(wish.data.absolute()) if wish.data else data,
            "public": False,
        },
        "application": {"host": wish.host, "upstream": wish.upstream},
        "status": {"host": f"status.{wish.host}", "port": status_port},
        "edge": {
            **({"addresses": ["127.0.0.1"]} if is_local else {}),
            "port": port,
            "http_port": http_port,
        },
        "edge.tls": {"authority": "local"},
        "edge.hsts": {"max_age_s": 300},
        "edge.csp": {"mode": "report-only"},
        "edge.headers": {"frame_ancestors": "self"},
        "edge.cookies": {"readable": READABLE},
    }
    notes = {
        "troth.public": "true once strangers reach it by these names",
        "edge.tls.authority": 'local: for trying; then "acme" or "files" (docs/how/tls.md)',
        "edge.hsts.max_age_s": "troth hsts raise: 300 s, a day, a year",
        "edge.csp.mode": "troth csp learn, then: troth csp enforce",
        "edge.headers.frame_ancestors": '"none" where no page shows another of its own in a frame',
        "edge.cookies.readable": "what the application's scripts read; all others: HttpOnly",
    }
    _fill(document, tables, notes)
    return tomlkit.dumps(document)


def _fill(
    document: tomlkit.TOMLDocument,
    tables: dict[str, dict[str, object]],
    notes: dict[str, str],
) -> None:
    made: dict[str, tomlkit.items.Table] = {}
    for dotted, values in tables.items():
        table = tomlkit.table()
        for key, value in values.items():
            item = tomlkit.item(msgspec.to_builtins(value))
            if note := notes.get(f"{dotted}.{key}"):
                item.comment(note)
            table.add(key, item)
        parent, _, name = dotted.rpartition(".")
        (made[parent] if parent else document).add(name, table)
        made[dotted] = table
