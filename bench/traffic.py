"""What a small SaaS sees on an ordinary day: 53 requests that mean no harm, and attacks to fill in.

The harmless ones are written for this: pages, searches in four languages, JSON, forms, GraphQL,
sessions in cookies, long agents, a batch of events. Attacks come from the files of a folder, one
a line, and are put where attackers put them.
"""

import json
import random
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple
from urllib.parse import quote, urlencode

Pair = tuple[bytes, bytes]

FIREFOX = "Mozilla/5.0 (X11; Linux x86_64; rv:133.0) Gecko/20100101 Firefox/133.0"
CHROME = (
    "Mozilla/5.0 (Windows NT 10.0; Win64; x64) AppleWebKit/537.36 (KHTML, like Gecko) "
    "Chrome/131.0.0.0 Safari/537.36"
)
IPHONE = (
    "Mozilla/5.0 (iPhone; CPU iPhone OS 18_1 like Mac OS X) AppleWebKit/605.1.15 (KHTML, like "
    "Gecko) Version/18.1 Mobile/15E148 Safari/604.1"
)
INAPP = IPHONE.replace("Version/18.1 ", "") + " [FBAN/FBIOS;FBAV/489.0.0.55.77;FBBV/663451478]"
TOKEN = "eyJhbGciOiJIUzI1NiJ9.eyJzdWIiOiI4MTIzIiwiZXhwIjoxNzY0MDAwMDAwfQ.q0x8Zl7s1mJt2uR5oVb3nA"
PAGE = "text/html,application/xhtml+xml,application/xml;q=0.9,*/*;q=0.8"


class Request(NamedTuple):
    """Method, target, headers in order, body."""

    method: bytes
    target: bytes
    headers: tuple[Pair, ...]
    body: bytes


def _request(  # noqa: PLR0913 -- a request has this many parts
    method: str,
    target: str,
    *,
    agent: str = FIREFOX,
    accept: str = PAGE,
    language: str = "en-GB,en;q=0.7",
    cookie: str = "",
    more: dict[str, str] | None = None,
    body: bytes = b"",
) -> Request:
    fields = {"Host": "app.example.com", "User-Agent": agent, "Accept": accept}
    fields |= {"Accept-Language": language, "Accept-Encoding": "gzip, deflate, br"}
    if cookie:
        fields["Cookie"] = cookie
    fields |= more or {}
    if body:
        fields["Content-Length"] = str(len(body))
    headers = tuple((name.encode(), value.encode()) for name, value in fields.items())
    return Request(method.encode(), target.encode(), headers, body)


SESSION = "__Host-sid=k3J9xQ2mV7tR1bY8nL4w; theme=dark; tz=Europe%2FRome"
TRACKED = SESSION + "; _ga=GA1.1.1893712354.1731480025; _ga_7X2=GS1.1.1732.4.1.1732.58.0.0"
CONSENT = SESSION + "; consent=%7B%22necessary%22%3Atrue%2C%22statistics%22%3Afalse%7D"


def pages() -> Iterator[Request]:
    """Sixteen pages and files."""
    home = {"Referer": "https://app.example.com/"}
    fetch = {"Sec-Fetch-Dest": "document", "Sec-Fetch-Mode": "navigate", "Sec-Fetch-Site": "none"}
    yield _request("GET", "/", more=fetch)
    yield _request("GET", "/pricing?utm_source=newsletter&utm_medium=email", agent=CHROME)
    yield _request("GET", "/courts/12", cookie=SESSION, more=home)
    yield _request("GET", "/courts/12/slots?day=2026-11-23&from=18:00", cookie=SESSION, more=home)
    yield _request("GET", "/bookings?page=3&per_page=50&sort=-created_at", cookie=TRACKED)
    yield _request("GET", "/account/profile", cookie=CONSENT, agent=CHROME, more=home)
    yield _request("GET", "/static/app.3f9c1b2a.js", accept="*/*", more=home)
    yield _request("GET", "/static/fonts/inter-var.woff2", accept="*/*", agent=IPHONE)
    yield _request("GET", "/img/avatar/8123.webp?w=64&h=64&fit=cover", accept="image/*")
    yield _request("GET", "/docs/getting-started/install#linux".partition("#")[0], agent=INAPP)
    yield _request("GET", "/blog/2026/11/why-we-moved-to-postgres", agent=CHROME, cookie=TRACKED)
    yield _request("GET", "/invite/9f1c2e7a-44d0-4b8e-9d1e-7c1d0c5b7a10", agent=IPHONE)
    yield _request("GET", "/calendar.ics?token=Zm9vYmFyYmF6cXV4", accept="text/calendar")
    yield _request("GET", "/sitemap.xml", accept="*/*")
    yield _request("HEAD", "/healthz", agent="uptime-check/2.1")
    yield _request("GET", "/oauth/callback?code=4%2F0AY0e-g7&state=xyz&scope=email%20profile")


SEARCHES = (
    ("en-GB", "tennis court near the station"),
    ("en-US", "what's the best time to book?"),
    ("en-GB", "O'Brien & sons"),
    ("it-IT", "perché non riesco a prenotare il campo?"),
    ("it-IT", "lezioni di padel, livello intermedio"),
    ("de-DE", "Größe der Halle - Öffnungszeiten"),
    ("de-CH", "Gibt es einen Rabatt für Studenten?"),
    ("fr-FR", "où se trouve l'entrée du gymnase ?"),
    ("fr-FR", "annuler une réservation (remboursement)"),
    ("en-GB", "C++ meetup 50% off"),
)


def searches() -> Iterator[Request]:
    """Ten, as people type."""
    for number, (language, words) in enumerate(SEARCHES):
        yield _request(
            "GET",
            "/search?" + urlencode({"q": words, "page": number + 1}),
            agent=(FIREFOX, CHROME, IPHONE)[number % 3],
            language=f"{language},en;q=0.5",
            cookie=SESSION,
        )


def _json(method: str, target: str, value: object, **more: str) -> Request:
    body = json.dumps(value, ensure_ascii=False).encode()
    fields = {"Content-Type": "application/json", "Origin": "https://app.example.com"}
    fields |= {name.replace("_", "-"): text for name, text in more.items()}
    return _request(
        method, target, accept="application/json", agent=CHROME, cookie=SESSION, more=fields,
        body=body,
    )  # fmt: skip


def api() -> Iterator[Request]:
    """Fifteen calls with JSON, GraphQL among them."""
    bearer = f"Bearer {TOKEN}"
    note = "Hi Anna, the court is wet after the rain; could we move to 19:30? Thanks - Marco"
    yield _json("POST", "/api/v1/bookings", {"court": 12, "day": "2026-11-23", "slots": [36, 37]})
    yield _json("POST", "/api/v1/messages", {"thread": "t_81f", "text": note})
    yield _json("PATCH", "/api/v1/me", {"name": "Jörg Müller", "phone": "+41 44 668 18 00"})
    yield _json("PUT", "/api/v1/settings", {"notify": {"email": True, "sms": False}, "tz": "UTC"})
    yield _json("POST", "/api/v1/login", {"email": "a.b@example.com", "password": "Tr0ub4dor&3"})
    yield _json("POST", "/api/v1/tags", {"tags": ["beginner", "indoor", "women's team"]})
    yield _json("DELETE", "/api/v1/bookings/8812", {"reason": "ill", "refund": True})
    yield _json("POST", "/api/v1/notes", {"text": note + "\n\n" + "It rained. " * 40})
    yield _json(
        "POST", "/api/v1/import", {"rows": [[i, f"Member {i}", "x@y.org"] for i in range(20)]}
    )
    query = (
        "query Slots($c: ID!, $d: Date!) { court(id: $c) { name slots(day: $d) { id from to } } }"
    )
    yield _json("POST", "/graphql", {"query": query, "variables": {"c": "12", "d": "2026-11-23"}})
    change = "mutation M($i: BookingInput!) { book(input: $i) { id status } }"
    yield _json(
        "POST", "/graphql", {"query": change, "variables": {"i": {"court": 12, "slot": 36}}}
    )
    events = [
        {"id": f"e{i}", "at": f"2026-11-21T10:{i:02}:00Z", "name": "slot.viewed", "user": 8000 + i,
         "page": f"/courts/{i}", "ms": 12.5 * i, "device": {"os": "iOS", "lang": "it", "w": 390}}
        for i in range(25)
    ]  # fmt: skip
    yield _json("POST", "/api/v1/events", {"batch": events, "sent": "2026-11-21T10:30:00Z"})
    yield _request(
        "GET", "/api/v1/bookings/8812", accept="application/json", more={"Authorization": bearer}
    )
    yield _request("GET", "/api/v1/courts?filter%5Bcity%5D=Milano&filter%5Bindoor%5D=true&limit=20", accept="application/json", cookie=SESSION)  # fmt: skip
    yield _request("OPTIONS", "/api/v1/bookings", accept="*/*", more={"Origin": "https://app.example.com", "Access-Control-Request-Method": "POST"})  # fmt: skip


def _form(target: str, pairs: dict[str, str], agent: str = FIREFOX) -> Request:
    more = {
        "Content-Type": "application/x-www-form-urlencoded",
        "Origin": "https://app.example.com",
        "Referer": f"https://app.example.com{target}",
    }
    return _request(
        "POST", target, agent=agent, cookie=SESSION, more=more, body=urlencode(pairs).encode()
    )


def forms() -> Iterator[Request]:
    """Twelve forms, one with a file."""
    csrf = {"csrf_token": "IjQ4ZjA5YzEi.Zz8xQw.mN0pQ2rS4tU6vW8xY0zA1bC2dE3"}
    yield _form(
        "/login", csrf | {"email": "anna.rossi@example.it", "password": "correct horse battery"}
    )
    yield _form(
        "/signup", csrf | {"name": "D'Angelo, Luca", "email": "luca@example.it", "terms": "on"}
    )
    yield _form("/contact", csrf | {"subject": "Invoice 2026/113", "message": "Hello,\r\n\r\nplease send the invoice again.\r\nKind regards"})  # fmt: skip
    yield _form("/contact", csrf | {"subject": "Domanda", "message": "Buongiorno, è possibile cambiare l'orario? Grazie mille!"}, IPHONE)  # fmt: skip
    yield _form("/contact", csrf | {"subject": "Frage", "message": "Guten Tag, können wir die Halle für 30 Personen mieten?"})  # fmt: skip
    yield _form("/contact", csrf | {"subject": "Question", "message": "Bonjour, j'aimerais réserver deux terrains pour samedi."})  # fmt: skip
    yield _form(
        "/book",
        csrf | {"court": "12", "day": "2026-11-23", "from": "18:00", "to": "19:30", "players": "4"},
    )
    yield _form("/profile", csrf | {"street": "Via Roma 12/B", "city": "Torino", "zip": "10123", "bio": "I like tennis, books & long walks."})  # fmt: skip
    yield _form("/review", csrf | {"stars": "4", "text": "Great place :-) but the showers (2nd floor) were cold; 8/10 would come again!"})  # fmt: skip
    yield _form(
        "/password",
        csrf | {"old": "winter2025", "new": "Gr8!Summer#2026", "again": "Gr8!Summer#2026"},
    )
    yield _form(
        "/team", csrf | {"members": "anna@example.it, marco@example.it; luca@example.it"}, CHROME
    )
    mark = "----WebKitFormBoundary7MA4YWxkTrZu0gW"
    parts = [
        ('name="title"', "", "Summer party"),
        (
            'name="photo"; filename="court.png"',
            "Content-Type: image/png\r\n",
            "\x89PNG" + "0" * 500,
        ),
    ]
    body = "".join(
        f"--{mark}\r\nContent-Disposition: form-data; {of}\r\n{kind}\r\n{text}\r\n"
        for of, kind, text in parts
    )
    body += f"--{mark}--\r\n"
    more = {"Content-Type": f"multipart/form-data; boundary={mark}"}
    yield _request(
        "POST", "/photos", agent=CHROME, cookie=SESSION, more=more, body=body.encode("latin-1")
    )


def harmless() -> list[Request]:
    """All 53, in order."""
    return [*pages(), *searches(), *api(), *forms()]


def attacks(folder: Path, count: int) -> list[Request]:
    """As many as wanted, drawn evenly from `folder/*/true-positives.txt`, in four places."""
    kinds = [
        [line for line in file.read_text("utf-8", "replace").splitlines() if line.strip()]
        for file in sorted(folder.glob("*/true-positives.txt"))
    ]
    dice = random.Random(1)
    made = []
    for number in range(count):
        text = dice.choice(kinds[number % len(kinds)])
        if number % 4 == 0:
            made.append(_request("GET", "/search?q=" + quote(text, safe=""), cookie=SESSION))
        elif number % 4 == 1:
            made.append(_form("/contact", {"subject": "x", "message": text}))
        elif number % 4 == 2:
            made.append(_json("POST", "/api/v1/notes", {"text": text}))
        else:
            made.append(_request("GET", "/a?id=1&next=" + quote(text, safe=""), agent=CHROME))
    return made
