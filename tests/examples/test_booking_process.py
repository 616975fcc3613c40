"""The example application as a process: it starts, says why it can't, stays small and stops."""

import re
import signal
import stat
import subprocess
import sys
import time
from pathlib import Path

import psycopg
import pytest

BOOKING = Path(__file__).parents[2] / "examples" / "booking"


def test_life_of_a_process(run_booking, database):
    before = time.monotonic()
    process, someone = run_booking(database)
    assert time.monotonic() - before < 10  # well under 2 s on an idle machine
    assert stat.S_IMODE(someone.path.stat().st_mode) == 0o660
    assert someone.get("/healthz") == (200, "ok\n")
    someone.post("/signup", name="Kim", email="life@customers.example", password="x")
    count = "SELECT count(*), (SELECT count(*) FROM court) FROM slot"
    with psycopg.connect(database) as connection:
        seeded = connection.execute(count).fetchone()
    stream, connection = someone.open("GET", "/events")
    stream.readline()

    process.send_signal(signal.SIGTERM)
    assert process.wait(10) == 0
    connection.close()
    assert not someone.path.exists()

    again = run_booking(database)[1]  # on the same database: nothing twice, and the cookie holds
    with psycopg.connect(database) as connection:
        assert connection.execute(count).fetchone() == seeded
    again.cookies = someone.cookies
    assert again.get("/bookings")[0] == 200


def test_the_error_page_needs_no_database(run_booking, short_lived_database):
    url, drop = short_lived_database
    try:
        someone = run_booking(url)[1]
        someone.post("/signup", name="Kim", email="kim@customers.example", password="x")
    finally:
        drop()
    status, html = someone.get("/")
    assert status == 500
    assert "our fault" in html
    assert "Traceback" not in html
    assert someone.get("/healthz")[0] == 500
    assert someone.get("/static/style.css")[0] == 200


@pytest.mark.parametrize(
    ("environment", "words"),
    [
        ({}, "set BOOKING_DATABASE_URL"),
        ({"BOOKING_DATABASE_URL": "postgresql:///x?host=/nowhere"}, "cannot start"),
    ],
)
def test_one_line_when_it_cannot_start(environment, words, place):
    done = subprocess.run(
        [sys.executable, "-m", "booking", "--unix", place / "app"],
        cwd=BOOKING,
        env={"BOOKING_UPLOADS": str(place), **environment},
        capture_output=True,
        text=True,
        timeout=30,
        check=False,
    )
    assert done.returncode == 1
    assert done.stderr.startswith("booking: ")
    assert words in done.stderr
    assert "Traceback" not in done.stderr


def test_it_stays_small(booking, visitor):
    visitor().get("/courts/lob")
    (home,) = [home for home in Path("/proc").glob("[0-9]*") if str(booking) in _command(home)]
    resident = re.search(r"VmRSS:\s+(\d+) kB", (home / "status").read_text())
    assert int(resident.group(1)) < 128 * 1024


def _command(home):
    try:
        return (home / "cmdline").read_text(errors="replace")
    except OSError:
        return ""
