# ruff: noqa: RUF001 -- people write so
"""A day of the example application's visitors, recorded as it happens.

`record(count)` starts `examples/booking` on a PostgreSQL of its own and drives it in its real flows:
people look around, sign up, mistype a password, log in, book with a note, change their mind, write
to the desk, use the API. Every request is kept as the application got it, and each step must be
answered as that flow expects, so nothing is recorded that the application would not have taken.
What they write is written for this, in English, German, Italian and French.
"""

import io
import os
import random
import re
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import psycopg

from troth.engines.postgres.binaries import find, readable, unprivileged
from troth.engines.postgres.cluster import SUPERUSER, Cluster

BOOKING = Path(__file__).parents[1] / "examples" / "booking"
AGENTS = (
    "Mozilla/5.0 (X11; Linux x86_64; rv:140.0) Gecko/20100101 Firefox/140.0",
    "Mozilla/5.0 (Windows NT 10.0; Win64; x64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/141.0.0.0 Safari/537.36",
    "Mozilla/5.0 (iPhone; CPU iPhone OS 18_1 like Mac OS X) AppleWebKit/605.1.15 (KHTML, like Gecko) Version/18.1 Mobile/15E148 Safari/604.1",
    "ExampleCourts/3.2 (Android 15; Pixel 9; de_CH) okhttp/5.1.0",
)
PEOPLE = {
    "en": ("Siobhán O'Brien", "D'Arcy McDonald-Smith", "Tom Drop", "Grant Union", "Mary-Jane & Paul", "Nick Shell Jr."),
    "de": ("Jörg Müller", "Änne Großmann", "Dr. Uwe von der Heydt", "Selma Wär", "Kerstin Und", "Özlem Yıldız"),
    "it": ("Niccolò D'Angelo", "Dell'Acqua, Maria", "Lucia De' Medici", "Pietro Sòla", "Anna Cat", "Gio' Rossi"),
    "fr": ("Aurélie L'Hôte", "Jean-François d'Estaing", "Hélène Or", "Noël L’Écuyer", "Maëlle Du Puy", "Zoé From"),
}  # fmt: skip
NOTES = {
    "en": ("Two rackets to rent, please", "We're 4 - or 5 if Dan's knee is OK :-)", "can't come before 7; sorry!",
           "Birthday: 50% off?? & cake", "Select the court next to the garden, if it's free", ""),
    "de": ("Zwei Schläger, bitte; Bälle bringen wir mit", "Für Anna & Jürgen (2 Std.?)", "Ich komm' ein bißchen später ...",
           "Können wir das Licht selbst an- und ausschalten?", "Tür bitte NICHT abschließen!!", ""),
    "it": ("È possibile l'ora dopo? Grazie :)", "Siamo in quattro, c'è anche l'istruttore", "Un po' di ritardo (10')...",
           "Racchette n° 3 e 4 = quelle dell'altra volta", "se piove, si gioca lo stesso?", ""),
    "fr": ("Deux raquettes, s'il vous plaît", "Aujourd'hui c'est l'anniversaire de Zoé <3", "On est 4, peut-être 5 ; ça va ?",
           "J'aimerais le terrain d'à côté, si possible", "Prix : 24 € ou 22 € ?", ""),
}  # fmt: skip
LETTERS = {
    "en": ("Hi,\r\n\r\nI was charged twice on 12/11 (EUR 24.00 -> EUR 48.00). Could you look into it? My booking's no. is #4711.\r\n\r\nCheers, Tom",
           "Do you select players for the league from the waiting list, or where do I sign up? I'd like to join a union team and drop my old table.",
           'Your site says "Internal Server Error" when I open https://demo.localhost/bookings?day=2026-11-23 on my phone; see script below?\n1) open 2) click 3) error.'),
    "de": ("Guten Tag,\r\n\r\nkönnen wir die Halle am 24.12. für 30 Personen mieten? Bitte auch ein Angebot für Essen & Getränke (ca. 15 €/Person).\r\n\r\nMit freundlichen Grüßen\r\nJ. Müller",
           "Bei der Anmeldung kommt „E-Mail-Adresse ist vergeben“, obwohl ich noch kein Konto habe: j.mueller+tennis@example.ch. Was nun?",
           "Ist der Platz 'Smash' wirklich 8 m hoch? Und: gibt's da Umkleiden / Duschen? LG, Änne"),
    "it": ("Buongiorno,\r\nvorrei sapere se l'abbonamento (10 ore = 200 €) vale anche d'estate; l'anno scorso non c'era.\r\nGrazie mille, Niccolò",
           "Non riesco più ad entrare: la password dell'account non va. Potete mandarmi un link? La mia e-mail è n.dangelo@example.it",
           "Quest'inverno c'è ancora il corso per bambini (6-10 anni)? Dov'è l'orario? Perché sul sito non l'ho trovato..."),
    "fr": ("Bonjour,\r\n\r\nj'aimerais annuler la réservation d'aujourd'hui (19 h) : mon fils s'est blessé. Est-ce qu'un remboursement est possible ?\r\nMerci d'avance, Aurélie L'Hôte",
           "Est-ce que l'entrée c'est par la rue de l'Église ou par le parking ? L'autre jour, tout était fermé !",
           "Votre page « Terrains » m'affiche 404 ; j'ai essayé avec l'ordinateur de mon mari & c'est pareil."),
}  # fmt: skip
PASSWORDS = (
    "correct horse battery staple",
    "Gr8!Summer#2026",
    "'; it's-a-trap",
    "pa$$w0rd && more",
    "<3 tennis <3",
    "ÄÖÜ-1=1",
)
COURTS = ("baseline", "volley", "passing-shot", "lob", "smash", "bandeja")


@dataclass(frozen=True, slots=True)
class Recorded:
    """One request as the application got it."""

    method: str
    target: str
    headers: tuple[tuple[str, str], ...]
    body: bytes


class _Recorder:
    """WSGI middleware: keeps each request, then lets the application answer it."""

    def __init__(self, app, kept: list[Recorded]) -> None:
        self.app, self.kept = app, kept

    def __call__(self, environ, start_response):
        body = environ["wsgi.input"].read(int(environ.get("CONTENT_LENGTH") or 0))
        environ["wsgi.input"] = io.BytesIO(body)
        query = environ.get("QUERY_STRING", "")
        target = environ["REQUEST_URI"] or environ["PATH_INFO"] + ("?" + query if query else "")
        names = {key.removeprefix("HTTP_"): value for key, value in environ.items()
                 if key.startswith("HTTP_") or (key in {"CONTENT_TYPE", "CONTENT_LENGTH"} and value not in {"", "0"})}  # fmt: skip
        headers = tuple((key.replace("_", "-").lower(), value) for key, value in names.items())
        self.kept.append(Recorded(environ["REQUEST_METHOD"], target, headers, body))
        return self.app(environ, start_response)


@contextmanager
def _database(folder: Path) -> Iterator[str]:
    identity = unprivileged()
    folder.chmod(0o755)
    cluster = Cluster(
        directory=folder / "data",
        binaries=readable(find(), identity, folder / "programs"),
        socket_directory=folder / "run",
        name="booking",
        identity=identity,
    )
    log = os.open(folder / "log", os.O_WRONLY | os.O_CREAT | os.O_APPEND)
    cluster.create()
    child = cluster.start(log)
    try:
        cluster.wait_ready(child, log)
        with psycopg.connect(cluster.url("postgres", SUPERUSER), autocommit=True) as connection:
            connection.execute("CREATE ROLE booking LOGIN")
            connection.execute("CREATE DATABASE booking OWNER booking")
        yield cluster.url("booking", "booking")
    finally:
        cluster.stop(child)
        os.close(log)


class _Visitor:
    """One person with a browser of their own."""

    def __init__(self, app, dice: random.Random, number: int) -> None:
        self.dice, self.language = dice, dice.choice(("en", "de", "it", "fr"))
        self.client = app.test_client()
        self.headers = {
            "Host": "demo.localhost",
            "User-Agent": dice.choice(AGENTS),
            "Accept": "text/html,application/xhtml+xml,*/*;q=0.8",
            "Accept-Language": f"{self.language},en;q=0.5",
        }
        self.name = dice.choice(PEOPLE[self.language])
        self.email = f"{re.sub('[^a-z]+', '.', self.name.lower()).strip('.')}+{number}@example.org"
        self.password = dice.choice(PASSWORDS)

    def get(self, target: str, *expected: int) -> str:
        answer = self.client.get(target, headers=self.headers)
        self._is(answer, target, expected or (200,))
        return answer.get_data(as_text=True) if "uploads" not in target else ""

    def post(self, target: str, *expected: int, json=None, **form) -> None:
        own = {**self.headers, "Origin": "https://demo.localhost", "Sec-Fetch-Site": "same-origin"}
        answer = self.client.post(target, headers=own, json=json, data=None if json else form)
        self._is(answer, target, expected or (302,))

    def _is(self, answer, target: str, expected: tuple[int, ...]) -> None:
        if answer.status_code not in expected:
            raise SystemExit(f"booking_day: {target}: {answer.status_code}, not {expected}")
        answer.close()

    def day(self) -> None:
        """What one person does in one visit."""
        self.get("/")
        self.get("/courts")
        for _ in range(self.dice.randrange(1, 4)):
            self.look()
        if self.dice.random() < 0.35:
            self.letter()
        if self.dice.random() < 0.3:
            self.get("/about")
            self.get("/search?q=" + self.dice.choice(("tennis", "padel+%26+sauna", "court's")), 404)
            return
        self.get("/signup")
        self.post("/signup", name=self.name, email=self.email, password=self.password)
        if self.dice.random() < 0.5:
            self.post("/logout")
            self.get("/login?next=/courts/lob%3Fday%3D2026-11-23")
            self.post("/login?next=/bookings", 401, email=self.email, password="wrong' guess")
            self.post("/login?next=/bookings", email=self.email, password=self.password)
        for _ in range(self.dice.randrange(1, 3)):
            self.book()
        if self.dice.random() < 0.3:
            photo = (
                io.BytesIO(b"\x89PNG\r\n\x1a\n" + self.dice.randbytes(600)),
                "L'été à côté (1).png",
            )
            court = self.dice.choice(COURTS)
            self.post(f"/courts/{court}/photos", photo=photo)
        self.api()

    def look(self) -> str:
        court, ahead = self.dice.choice(COURTS), self.dice.randrange(1, 14)
        page = self.get(f"/courts/{court}")
        days = re.findall(r'href="(/courts/[^"]+day=[^"]+)"', page)
        return self.get(days[ahead])

    def book(self) -> None:
        slots = re.findall(r'href="(/book/\d+)"', self.look())
        if not slots:
            return
        slot = self.dice.choice(slots)
        self.get(slot)
        self.post(slot, 302, 409, note=self.dice.choice(NOTES[self.language]))
        cancel = re.findall(r'action="(/bookings/\d+/cancel)"', self.get("/bookings"))
        if cancel and self.dice.random() < 0.3:
            self.post(cancel[0])

    def letter(self) -> None:
        self.get("/contact")
        self.post(
            "/contact",
            name=self.name,
            email=self.email,
            message=self.dice.choice(LETTERS[self.language]),
        )

    def api(self) -> None:
        self.get("/api/courts")
        free = re.findall(r'"free":\s*true,\s*"id":\s*(\d+)', self.get("/api/slots?court=lob"))
        for slot in free[-1:]:
            note = self.dice.choice(NOTES[self.language])
            self.post("/api/bookings", 201, 409, json={"slot": int(slot), "note": note})
        self.get("/api/bookings")


def record(count: int) -> list[Recorded]:
    """At least so many requests. Exits where the application does not answer as a flow expects."""
    sys.path.insert(0, str(BOOKING))
    from booking.app import create_app  # noqa: PLC0415 -- the example's, found only now
    from booking.venue import Venue  # noqa: PLC0415

    kept: list[Recorded] = []
    dice, number = random.Random(1), 0
    with (
        tempfile.TemporaryDirectory(prefix="troth-bench-") as name,
        _database(Path(name)) as url,
    ):
        app = create_app(Venue(database_url=url, uploads=Path(name) / "uploads"))
        app.wsgi_app = _Recorder(app.wsgi_app, kept)
        while len(kept) < count:
            number += 1
            _Visitor(app, dice, number).day()
    return kept
