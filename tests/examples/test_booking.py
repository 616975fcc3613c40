"""The example application does its trade, and does nothing for its own security."""

import re
import threading
import time
from concurrent.futures import ThreadPoolExecutor
from datetime import date, timedelta

import psycopg
import pytest

PAGES = ("/", "/courts", "/courts/lob", "/login", "/signup", "/contact", "/about", "/nowhere")
PNG = b"\x89PNG\r\n\x1a\n" + bytes(range(256)) * 8


def free_slot(visitor, court, nth=0):
    today = date.fromisoformat(visitor.api("/api/slots")[1]["day"])
    day = (today + timedelta(days=3)).isoformat()
    _, answer = visitor.api(f"/api/slots?day={day}&court={court}")
    return [slot for slot in answer["slots"] if slot["free"]][nth]


def upload(visitor, name, content):
    body = (
        f'--edge\r\nContent-Disposition: form-data; name="photo"; filename="{name}"\r\n'
        "Content-Type: application/octet-stream\r\n\r\n"
    ).encode() + content + b"\r\n--edge--\r\n"  # fmt: skip
    kind = {"Content-Type": "multipart/form-data; boundary=edge"}
    return visitor.ask("POST", "/courts/volley/photos", body, kind)


def test_every_page_answers(visitor):
    someone = visitor()
    for page in PAGES[:-1]:
        status, html = someone.get(page)
        assert status == 200, page
        assert "<main" in html
    assert someone.cookies == {}  # nothing is remembered of somebody who only looks


def test_sign_up_log_out_log_in(visitor):
    someone = visitor()
    form = {"name": "Kim", "email": "Kim@customers.example", "password": "correct"}
    assert someone.post("/signup", **form)[:2] == (302, "/")
    assert "My bookings" in someone.get("/")[1]

    assert someone.post("/logout")[:2] == (302, "/")
    assert "My bookings" not in someone.get("/")[1]

    login = {"email": "kim@customers.example"}
    status, _, html = someone.post("/login", **login, password="wrong")
    assert status == 401
    assert "is wrong" in html
    assert someone.post("/login", **login, password="correct")[:2] == (302, "/bookings")
    assert someone.post("/login?next=/courts/lob", **login, password="correct")[1] == "/courts/lob"
    for abroad in ("https://other.example/", "//other.example", "/%5Cother.example"):
        location = someone.post(f"/login?next={abroad}", **login, password="correct")[1]
        assert location == "/bookings", abroad


def test_an_address_has_one_account(visitor):
    form = {"name": "Ada", "email": "ada@customers.example", "password": "x"}
    visitor().post("/signup", **form)
    status, _, html = visitor().post("/signup", **form | {"email": " ADA@customers.example"})
    assert status == 409
    assert "an account with this e-mail address already" in html


def test_book_and_cancel(customer):
    kim, ada = customer("kim"), customer("ada")
    slot = free_slot(kim, "lob")
    page = f"/courts/lob?day={slot['day']}"
    assert f'href="/book/{slot["id"]}"' in kim.get(page)[1]
    assert "Book this hour" in kim.get(f"/book/{slot['id']}")[1]

    status, location, _ = kim.post(f"/book/{slot['id']}", note="two <rackets>")
    assert (status, location) == (302, "/bookings")
    html = kim.get("/bookings")[1]
    assert "two &lt;rackets&gt;" in html
    number = re.search(r"/bookings/(\d+)/cancel", html).group(1)
    assert f'href="/book/{slot["id"]}"' not in ada.get(page)[1]

    status, _, html = ada.post(f"/book/{slot['id']}")
    assert status == 409
    assert "has just been taken" in html
    assert ada.post(f"/bookings/{number}/cancel")[0] == 404  # it is not hers

    assert kim.post(f"/bookings/{number}/cancel")[:2] == (302, "/bookings")
    assert "Nothing booked yet" in re.sub(r"<p class=.notice.*?</p>", "", kim.get("/bookings")[1])
    assert ada.post(f"/book/{slot['id']}")[:2] == (302, "/bookings")


def test_who_closes_the_account_is_forgotten(customer, visitor):
    kim = customer("kim")
    slot = free_slot(kim, "lob")
    kim.post(f"/book/{slot['id']}")
    assert "/account/close" in kim.get("/bookings")[1]
    assert "can't be undone" in kim.get("/account/close")[1]

    assert kim.post("/account/close")[:2] == (302, "/")
    assert "is closed" in kim.get("/")[1]
    assert kim.get("/bookings")[0] == 302
    assert f'href="/book/{slot["id"]}"' in visitor().get(f"/courts/lob?day={slot['day']}")[1]


def test_an_hour_is_booked_once_whoever_asks_at_once(customer):
    everybody = [customer(name) for name in ("one", "two", "three", "four")]
    slot = free_slot(everybody[0], "smash")
    together = threading.Barrier(len(everybody))

    def try_it(someone):
        together.wait(10)
        return someone.api("/api/bookings", {"slot": slot["id"]})[0]

    with ThreadPoolExecutor(len(everybody)) as pool:
        statuses = sorted(pool.map(try_it, everybody))

    assert statuses == [201, 409, 409, 409]


def test_the_database_itself_refuses_a_second_booking(customer, database):
    kim = customer("kim")
    slot = free_slot(kim, "baseline")
    assert kim.api("/api/bookings", {"slot": slot["id"]})[0] == 201
    again = "INSERT INTO booking (slot_id, customer_id) SELECT slot_id, customer_id FROM booking"
    with (
        psycopg.connect(database, autocommit=True) as connection,
        pytest.raises(psycopg.errors.UniqueViolation, match="booking_slot_taken_once"),
    ):
        connection.execute(f"{again} WHERE slot_id = %s", [slot["id"]])


def test_an_hour_that_began_cannot_be_booked(customer, database):
    kim = customer("kim")
    with psycopg.connect(database, autocommit=True) as connection:
        (past,) = connection.execute(
            "INSERT INTO slot (court_id, day, starts) SELECT id, current_date - 1, '12:00' "
            "FROM court WHERE slug = 'lob' ON CONFLICT (day, court_id, starts) "
            "DO UPDATE SET starts = excluded.starts RETURNING id"
        ).fetchone()
    assert kim.post(f"/book/{past}")[0] == 409
    assert kim.api("/api/bookings", {"slot": past})[0] == 409


def test_customers_only(visitor):
    someone = visitor()
    assert someone.ask("GET", "/bookings")[1]["Location"] == "/login?next=/bookings"
    assert someone.post("/book/1")[1] == "/login?next=/"
    assert someone.api("/api/bookings")[0] == 401
    assert someone.api("/api/bookings", {"slot": 1})[0] == 401


def test_json_api(customer):
    kim = customer("kim")
    courts = kim.api("/api/courts")[1]["courts"]
    assert {court["kind"] for court in courts} == {"padel", "tennis"}
    assert len(courts) == 6

    slot = free_slot(kim, "passing-shot", 4)
    status, made = kim.api("/api/bookings", {"slot": slot["id"], "note": "doubles"})
    assert status == 201
    assert made["slot"] == slot | {"free": False}
    (found,) = kim.api("/api/bookings")[1]["bookings"]
    assert (found["id"], found["slot"], found["note"]) == (made["id"], slot["id"], "doubles")

    for wish, expected in (({}, 400), ([1], 400), ({"slot": "7"}, 400), ({"slot": 0}, 404)):
        assert kim.api("/api/bookings", wish)[0] == expected, wish
    assert kim.api("/api/slots?day=tomorrow")[0] == 400
    assert kim.api("/api/nowhere")[0] == 404


def test_the_calendar_reaches_two_weeks_and_no_further(visitor):
    someone = visitor()
    first = someone.api("/api/slots")[1]
    today = date.fromisoformat(first["day"])
    hours = [
        len(someone.api(f"/api/slots?day={today + timedelta(days=ahead)}")[1]["slots"])
        for ahead in (0, 13, 14)
    ]
    assert hours == [6 * 14, 6 * 14, 0]


def test_a_court_opened_later_gets_its_hours(visitor, database):
    with psycopg.connect(database, autocommit=True) as connection:
        connection.execute(
            "INSERT INTO court (slug, name, kind, surface, indoor, cents, about) "
            "VALUES ('new', 'New', 'padel', 'Turf', true, 1, 'Just built.')"
        )
        try:
            (slot, *others) = visitor().api("/api/slots?court=new")[1]["slots"]
        finally:
            mine = "court_id = (SELECT id FROM court WHERE slug = 'new')"
            connection.execute(f"DELETE FROM slot WHERE {mine}")
            connection.execute("DELETE FROM court WHERE slug = 'new'")
    assert (slot["court"], slot["starts"], len(others)) == ("new", "08:00", 13)


def test_contact(visitor, database):
    someone = visitor()
    form = {"name": "Lee", "email": "lee@customers.example", "message": "A racket; it's mine"}
    assert someone.post("/contact", **form)[:2] == (302, "/contact")
    assert "We answer within" in someone.get("/contact")[1]
    with psycopg.connect(database) as connection:
        kept = connection.execute("SELECT name, email, body FROM message").fetchall()
    assert kept == [("Lee", "lee@customers.example", "A racket; it's mine")]


@pytest.mark.parametrize(
    ("name", "kind"),
    [("my court.png", "image/png"), ("x.html", "text/html; charset=utf-8")],
)
def test_an_upload_comes_back_as_its_name_says(customer, name, kind):
    kim = customer("kim")
    status, headers, _ = upload(kim, name, PNG)
    assert (status, headers["Location"]) == (302, "/courts/volley#photos")
    file = re.search(r'src="(/uploads/[^"]+)"', kim.get("/courts/volley")[1]).group(1)

    status, headers, content = kim.ask("GET", file)
    assert (status, headers["Content-Type"], content) == (200, kind, PNG)


def test_an_upload_stays_in_its_folder(customer, booking):
    kim = customer("kim")
    before = {path for path in booking.parent.rglob("*") if path.parent.name != "uploads"}
    assert upload(kim, "../../app.py", b"x")[0] == 302
    after = {path for path in booking.parent.rglob("*") if path.parent.name != "uploads"}
    assert after == before
    assert kim.get("/uploads/..%2Flog")[0] == 404
    assert kim.get("/uploads/nothing.png")[0] == 404


def test_events_arrive_one_by_one(customer):
    kim = customer("kim")
    slot = free_slot(kim, "bandeja")
    answer, connection = kim.open("GET", f"/events?court=bandeja&day={slot['day']}")
    assert answer.headers["Content-Type"].startswith("text/event-stream")
    started, arrivals, told = time.monotonic(), [], []
    for line in answer:
        if line.startswith(b"data: "):
            arrivals.append(time.monotonic() - started)
            told.append(f"{slot['id']}]".encode() in line)
            if len(told) == 1:
                assert kim.api("/api/bookings", {"slot": slot["id"]})[0] == 201
    connection.close()

    assert told == [False, True, True, True, True]  # the second already knows the booking
    assert arrivals[0] < arrivals[-1] - 2  # seconds: they did not come all together at the end


def test_open_streams_are_bounded(visitor):
    someone = visitor()

    def listen(method):
        """Open a stream; another test's may just be closing, so ask again until the deadline."""
        end = time.monotonic() + 15
        while True:
            answer, connection = someone.open(method, "/events")
            if answer.status == 200 or time.monotonic() > end:
                assert answer.status == 200
                return answer, connection
            answer.read()
            connection.close()

    opened = [listen("GET") for _ in range(4)]
    assert someone.ask("GET", "/events")[0] == 503
    assert someone.get("/healthz")[0] == 200  # there are threads left for everybody else
    for answer, connection in opened:
        answer.read()
        connection.close()
    for _ in range(5):  # one that sends no body gives its place back too
        listen("HEAD")[1].close()


def test_errors(visitor):
    someone = visitor()
    for target, status, words in (
        ("/nowhere", 404, "over the fence"),
        ("/courts/nothing", 404, "over the fence"),
        ("/courts/lob?day=2030-13-01", 400, "Bad Request"),
        ("/logout", 405, "Method Not Allowed"),
        ("/courts/%00", 500, "our fault"),  # the bug that the README owns up to
    ):
        found, html = someone.get(target)
        assert (found, words in html) == (status, True), target
    status, answer = someone.api("/api/slots?court=%00")
    assert (status, answer["error"]) == (500, "Internal Server Error")


def test_it_is_as_plain_as_it_says(customer, visitor):
    kim = visitor()
    status, headers, _ = kim.ask(
        "POST", "/signup", "name=k&email=plain%40customers.example&password=p",
        {"Content-Type": "application/x-www-form-urlencoded", "Origin": "https://evil.example"},
    )  # fmt: skip
    assert status == 302  # from any origin, without a token
    cookie = headers["Set-Cookie"].lower()
    assert cookie.startswith("session=")
    assert not any(word in cookie for word in ("secure", "httponly", "samesite"))
    for page in (*PAGES, "/static/style.css", "/healthz", "/api/courts"):
        _, headers, _ = kim.ask("GET", page)
        assert headers["Server"] == "waitress"
        assert headers["X-Powered-By"].startswith("Flask/")
        protective = {"strict-transport-security", "content-security-policy", "x-frame-options"}
        assert protective.isdisjoint(name.lower() for name in headers)


def test_redirects_stay_on_the_path(visitor):
    someone = visitor()
    for target in ("/courts/", "//courts", "/bookings", "/api/courts/", "/static"):
        _, headers, _ = someone.ask("GET", target, headers={"Host": "attacker.example"})
        assert headers.get("Location", "/").startswith("/"), target


def test_nothing_inline(customer):
    kim = customer("kim")
    slot = free_slot(kim, "volley")
    kim.api("/api/bookings", {"slot": slot["id"]})
    upload(kim, "court.png", PNG)
    inline = re.compile(
        r"<style|\sstyle=|\son[a-z]+=|<script(?![^>]* src=\"/static/)|javascript:|data:[a-z]+/|"
        r"(?:src|href|action)=\"(?!/|#)|<(?:base|iframe|object|embed)\b",
        re.IGNORECASE,
    )
    assert inline.search('<p style="x">')
    assert inline.search('<img src="https://other.example/x">')
    for page in (*PAGES, "/courts/volley", "/bookings", f"/book/{slot['id']}"):
        assert inline.search(kim.get(page)[1]) is None, page
    for file in ("style.css", "court.svg"):
        text = kim.get(f"/static/{file}")[1]
        assert "url(" not in text or re.search(r"url\((?!#)", text) is None, file
        assert "<style" not in text
        assert "@import" not in text
    assert kim.ask("GET", "/favicon.ico")[1]["Content-Type"] == "image/vnd.microsoft.icon"
