"""Liars about the page itself: what was published honestly is altered on its way to the reader."""

import json
import re
import threading
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from http.server import BaseHTTPRequestHandler
from pathlib import Path
from socketserver import ThreadingMixIn, UnixStreamServer

from liars.liar import Liar
from troth.adapters import clock
from troth.adapters.serve import Request
from troth.kernel.site import Site
from troth.publish.answer import Reader
from troth.roles.places import Places

Edit = Callable[[str, str], str]
"""An edit takes an address and the text published there, and returns what is served instead."""

PAGES = ("/trust/", "/trust/it/", "/trust/de/", "/trust/fr/")
UNPROVEN = "procedures-reviewed"  # nobody has signed it here: to leave it out changes no count


class _Server(ThreadingMixIn, UnixStreamServer):
    daemon_threads = True


def saying(edit: Edit) -> Callable[[Path, Site], AbstractContextManager[object]]:
    """Serve what is published, altered, in the place of the status role."""

    @contextmanager
    def beside(data: Path, _site: Site) -> Iterator[None]:
        places = Places(data)
        reader = Reader(places.public, places.log, home="/trust/", now=clock.now)
        socket, honest = places.socket("status"), places.run / "status-honest.sock"

        class Handler(BaseHTTPRequestHandler):
            def log_message(self, *_: object) -> None:
                pass

            def do_GET(self) -> None:
                answer = reader.answer(Request(method="GET", target=self.path, headers={}))
                body = answer.body
                if self.path.startswith(("/trust/", "/api/v1/promises", "/.well-known/")):
                    body = edit(self.path, body.decode()).encode()
                self.send_response_only(answer.status)
                for name, value in answer.headers:
                    self.send_header(name, value)
                self.send_header("content-length", str(len(body)))
                self.end_headers()
                self.wfile.write(body)

        socket.rename(honest)
        try:
            with _Server(str(socket), Handler) as server:
                socket.chmod(0o660)
                thread = threading.Thread(target=server.serve_forever, args=(0.05,), daemon=True)
                thread.start()
                yield
                server.shutdown()
                thread.join()
        finally:
            socket.unlink(missing_ok=True)
            honest.rename(socket)

    return beside


def on(paths: tuple[str, ...], pattern: str, instead: str) -> Edit:
    """Put something else in the place of a pattern; it must stand there."""

    def edit(path: str, text: str) -> str:
        if path.partition("?")[0] not in paths:
            return text
        altered, count = re.subn(pattern, instead, text, flags=re.DOTALL)
        if not count:
            raise LookupError(f"{pattern} is not on {path}")
        return altered

    return edit


def _item(slug: str) -> str:
    return rf'<li id="{slug}".*?</li>\n'


def _other_words(path: str, text: str) -> str:
    """Page and API agree on another sentence than the log's."""
    other = "Nothing is ever lost."
    if path == "/trust/":
        return re.sub(r'(<a href="/trust/hsts">).*?(</a>)', rf"\g<1>{other}\g<2>", text)
    if path == "/api/v1/promises.json":
        told = json.loads(text)
        (one,) = [entry for entry in told["promises"] if entry["slug"] == "hsts"]
        one["claim"]["en"] = other
        return json.dumps(told, indent=1)
    return text


def _planned_in_the_data(path: str, text: str) -> str:
    """A promise has a date ahead, and the page counts it as kept."""
    if path != "/api/v1/promises.json":
        return text
    told = json.loads(text)
    (one,) = [entry for entry in told["promises"] if entry["slug"] == "hsts"]
    one["planned_for"] = "2027-01-01"
    return json.dumps(told, indent=1)


def _our_own_tool(path: str, text: str) -> str:
    """A command that needs our program, on the page as in the API."""
    command = "troth prove hsts"
    if path == "/trust/hsts":
        return re.sub(
            r'(<code data-check="hsts\.[^"]*">).*?(</code>)', rf"\g<1>{command}\g<2>", text
        )
    if path == "/api/v1/promises.json":
        told = json.loads(text)
        (one,) = [entry for entry in told["promises"] if entry["slug"] == "hsts"]
        for check in one["checks"]:
            check["command"] = command
        return json.dumps(told, indent=1)
    return text


LIARS = (
    Liar(
        "public-measure-list",
        "one is left out in every language",
        beside=saying(on(PAGES, _item(UNPROVEN), "")),
        only=("public-measure-list.page", "public-measure-list.log"),
    ),
    Liar(
        "public-measure-list",
        "one links no evidence",
        beside=saying(on(PAGES, r'(<li id="csp".*?)<a [^>]*data-evidence="[^"]*"[^>]*>', r"\1<a>")),
        only=("public-measure-list.page",),
    ),
    Liar(
        "public-measure-list",
        "other words than the log's",
        beside=saying(_other_words),
        only=("public-measure-list.log",),
    ),
    Liar(
        "planned-labelled",
        "planned, and counted as kept",
        beside=saying(_planned_in_the_data),
        only=("planned-labelled.page",),
    ),
    Liar(
        "planned-labelled",
        "no look of its own",
        beside=saying(on(("/trust/static/troth.css",), r"\[data-state=planned\]", ".nothing")),
        only=("planned-labelled.page",),
    ),
    Liar(
        "page-languages",
        "one is missing in German",
        beside=saying(on(("/trust/de/",), _item(UNPROVEN), "")),
        only=("page-languages.same",),
    ),
    Liar(
        "page-languages",
        "French links other evidence",
        beside=saying(on(("/trust/fr/",), r'(<li id="csp".*?data-evidence=")[^"]*', r"\g<1>log:0")),
        only=("page-languages.same",),
    ),
    Liar(
        "page-languages",
        "a sentence drifted in Italian",
        beside=saying(on(("/trust/it/",), r'(<a href="/trust/it/csp">)[^<]*', r"\1Altro.")),
        only=("page-languages.same",),
    ),
    Liar(
        "reader-can-retest",
        "a command that needs our program",
        beside=saying(_our_own_tool),
        only=("reader-can-retest.commands",),
    ),
    Liar(
        "reader-can-retest",
        "no command on a promise's page",
        beside=saying(on(("/trust/csp",), r"<code data-check=[^>]*>.*?</code>", "")),
        only=("reader-can-retest.commands",),
    ),
    Liar(
        "tls-report-public",
        "of another certificate",
        beside=saying(
            on(
                ("/trust/tls-report",),
                r'data-certificate="[^"]*"',
                f'data-certificate="{"cd" * 32}"',
            )
        ),
        only=("tls-report-public.report",),
    ),
    Liar(
        "tls-report-public",
        "not linked",
        beside=saying(on(PAGES, r'<li><a href="/trust/[a-z/]*tls-report">.*?</li>', "")),
        only=("tls-report-public.report",),
    ),
    Liar(
        "tls-report-public",
        "two days old",
        beside=saying(
            on(
                ("/trust/tls-report",),
                r'data-collected="[^"]*"',
                'data-collected="2020-01-01T00:00:00+00:00"',
            )
        ),
        only=("tls-report-public.report",),
    ),
    Liar(
        "procedures-reviewed",
        "the feed keeps a change back",
        beside=saying(
            on(
                ("/trust/changes.atom",),
                r"<entry>(?:(?!</entry>).)*term=\"csp\"(?:(?!</entry>).)*</entry>\n",
                "",
            )
        ),
        only=("procedures-reviewed.feed",),
    ),
    Liar(
        "contact-published",
        "no address in French",
        beside=saying(on(("/trust/fr/",), r"1 Example Street", "")),
        only=("contact-published.pages",),
    ),
    Liar(
        "contact-published",
        "security.txt names somebody else",
        beside=saying(
            on(
                ("/.well-known/security.txt",),
                r"Contact: .*?\n",
                "Contact: mailto:x@nobody.example\n",
            )
        ),
        only=("contact-published.pages",),
    ),
)
