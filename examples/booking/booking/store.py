"""Everything the application asks of PostgreSQL: one function a question."""

from dataclasses import dataclass
from datetime import date, time
from pathlib import Path

import psycopg
from psycopg.errors import UniqueViolation
from psycopg.rows import class_row, scalar_row

Connection = psycopg.Connection[tuple[object, ...]]
DAYS_AHEAD = 14

_SCHEMA = Path(__file__).with_name("schema.sql")
_START_LOCK = 7_303_014  # any number: two processes starting at once take turns
_SLOT = """
    SELECT slot.id, slot.day, slot.starts, court.slug AS court, court.name AS court_name,
           court.kind, court.cents,
           EXISTS (SELECT FROM booking WHERE slot_id = slot.id AND cancelled IS NULL) AS taken,
           slot.day + slot.starts <= localtimestamp AS past
    FROM slot JOIN court ON court.id = slot.court_id
"""


class TakenError(Exception):
    """The slot, or the e-mail address, is somebody else's already."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Customer:
    id: int
    email: str
    name: str
    password: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Court:
    id: int
    slug: str
    name: str
    kind: str
    surface: str
    indoor: bool
    cents: int
    about: str
    free_today: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Slot:
    id: int
    day: date
    starts: time
    court: str
    court_name: str
    kind: str
    cents: int
    taken: bool
    past: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class Booking:
    id: int
    slot: int
    court: str
    court_name: str
    kind: str
    day: date
    starts: time
    note: str
    past: bool


def connect(url: str) -> Connection:
    """Open a connection that commits each statement; the venue's clock is UTC."""
    return psycopg.connect(url, autocommit=True, connect_timeout=5, options="-c TimeZone=UTC")


def prepare(connection: Connection, fresh_secret: str) -> str:
    """Create what is missing in the database and return the secret that signs session cookies."""
    with connection.transaction():
        connection.execute("SELECT pg_advisory_xact_lock(%s)", [_START_LOCK])
        connection.execute(_SCHEMA.read_bytes())
        connection.execute(
            "INSERT INTO setting VALUES ('secret', %s) ON CONFLICT DO NOTHING", [fresh_secret]
        )
        fill_calendar(connection)
        cursor = connection.cursor(row_factory=scalar_row)
        cursor.execute("SELECT value FROM setting WHERE name = 'secret'")
        return str(cursor.fetchone())


def fill_calendar(connection: Connection) -> None:
    """Make sure the coming days have their slots: cheap when they do, so asked at every look."""
    connection.execute(
        """
        INSERT INTO slot (court_id, day, starts)
        SELECT court.id, current_date + ahead, make_time(hour, 0, 0)
        FROM court, generate_series(0, %(ahead)s - 1) AS ahead, generate_series(8, 21) AS hour
        WHERE NOT EXISTS (
            SELECT FROM slot WHERE day = current_date + %(ahead)s - 1 AND court_id = court.id
        )
        ON CONFLICT DO NOTHING
        """,
        {"ahead": DAYS_AHEAD},
    )


def today(connection: Connection) -> date:
    """Return the venue's present day."""
    cursor = connection.cursor(row_factory=scalar_row)
    found = cursor.execute("SELECT current_date").fetchone()
    assert isinstance(found, date)
    return found


def add_customer(connection: Connection, email: str, name: str, password: str) -> int:
    """Register a customer and return the id; `TakenError` if the address has an account."""
    cursor = connection.cursor(row_factory=scalar_row)
    try:
        cursor.execute(
            "INSERT INTO customer (email, name, password) VALUES (%s, %s, %s) RETURNING id",
            [email, name, password],
        )
    except UniqueViolation:
        raise TakenError from None
    return _number(cursor.fetchone())


def close_account(connection: Connection, customer_id: int) -> None:
    """Forget a customer, with bookings and photos."""
    connection.execute("DELETE FROM customer WHERE id = %s", [customer_id])


def customer(connection: Connection, customer_id: int) -> Customer | None:
    """Find a customer by id."""
    cursor = connection.cursor(row_factory=class_row(Customer))
    cursor.execute("SELECT id, email, name, password FROM customer WHERE id = %s", [customer_id])
    return cursor.fetchone()


def customer_by_email(connection: Connection, email: str) -> Customer | None:
    """Find a customer by e-mail address, in lower case."""
    cursor = connection.cursor(row_factory=class_row(Customer))
    cursor.execute("SELECT id, email, name, password FROM customer WHERE email = %s", [email])
    return cursor.fetchone()


def courts(connection: Connection, slug: str | None = None) -> list[Court]:
    """Every court, or the one with this slug, each with the hours still free today."""
    fill_calendar(connection)
    cursor = connection.cursor(row_factory=class_row(Court))
    cursor.execute(
        """
        SELECT court.*, (
            SELECT count(*) FROM slot
            WHERE court_id = court.id AND day = current_date AND day + starts > localtimestamp
              AND NOT EXISTS (SELECT FROM booking WHERE slot_id = slot.id AND cancelled IS NULL)
        ) AS free_today
        FROM court WHERE %(slug)s::text IS NULL OR slug = %(slug)s ORDER BY id
        """,
        {"slug": slug},
    )
    return cursor.fetchall()


def slots(connection: Connection, day: date, court: str | None = None) -> list[Slot]:
    """Return the hours of a day, of all courts or of one, in order."""
    fill_calendar(connection)
    cursor = connection.cursor(row_factory=class_row(Slot))
    cursor.execute(
        _SLOT
        + """
        WHERE slot.day = %(day)s AND (%(court)s::text IS NULL OR court.slug = %(court)s)
        ORDER BY court.id, slot.starts
        """,
        {"day": day, "court": court},
    )
    return cursor.fetchall()


def slot(connection: Connection, slot_id: int) -> Slot | None:
    """Find one hour."""
    cursor = connection.cursor(row_factory=class_row(Slot))
    return cursor.execute(_SLOT + "WHERE slot.id = %s", [slot_id]).fetchone()


def book(connection: Connection, slot_id: int, customer_id: int, note: str) -> int:
    """Take an hour and return the booking's id; `TakenError` if the database says it is gone."""
    cursor = connection.cursor(row_factory=scalar_row)
    try:
        cursor.execute(
            "INSERT INTO booking (slot_id, customer_id, note) VALUES (%s, %s, %s) RETURNING id",
            [slot_id, customer_id, note],
        )
    except UniqueViolation:
        raise TakenError from None
    return _number(cursor.fetchone())


def bookings(connection: Connection, customer_id: int) -> list[Booking]:
    """Return what a customer has booked and not cancelled, the next first."""
    cursor = connection.cursor(row_factory=class_row(Booking))
    cursor.execute(
        """
        SELECT booking.id, slot.id AS slot, court.slug AS court, court.name AS court_name,
               court.kind, slot.day, slot.starts, booking.note,
               slot.day + slot.starts <= localtimestamp AS past
        FROM booking JOIN slot ON slot.id = booking.slot_id JOIN court ON court.id = slot.court_id
        WHERE booking.customer_id = %s AND booking.cancelled IS NULL
        ORDER BY slot.day, slot.starts
        """,
        [customer_id],
    )
    return cursor.fetchall()


def cancel(connection: Connection, booking_id: int, customer_id: int) -> bool:
    """Give an hour back; False if there is no such booking of this customer to cancel."""
    done = connection.execute(
        "UPDATE booking SET cancelled = now() "
        "WHERE id = %s AND customer_id = %s AND cancelled IS NULL",
        [booking_id, customer_id],
    )
    return done.rowcount == 1


def _number(found: object) -> int:
    assert isinstance(found, int)
    return found


def add_message(connection: Connection, name: str, email: str, body: str) -> None:
    """Keep what somebody wrote in the contact form."""
    connection.execute(
        "INSERT INTO message (name, email, body) VALUES (%s, %s, %s)", [name, email, body]
    )


def add_photo(connection: Connection, court_id: int, customer_id: int, file: str) -> None:
    """Remember an uploaded file as a photo of a court."""
    connection.execute(
        "INSERT INTO photo (court_id, customer_id, file) VALUES (%s, %s, %s)",
        [court_id, customer_id, file],
    )


def photos(connection: Connection, court_id: int) -> list[str]:
    """Return a court's latest photos, by file name; at most twelve."""
    cursor = connection.cursor(row_factory=scalar_row)
    cursor.execute(
        "SELECT file FROM photo WHERE court_id = %s ORDER BY id DESC LIMIT 12", [court_id]
    )
    return [str(file) for file in cursor.fetchall()]
