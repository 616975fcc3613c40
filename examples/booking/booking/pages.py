"""The pages people see: courts, their hours, bookings, photos, contact."""

import secrets
from datetime import date, timedelta

from flask import (
    Blueprint,
    abort,
    flash,
    redirect,
    render_template,
    request,
    send_from_directory,
    url_for,
)
from flask.typing import ResponseReturnValue
from werkzeug.utils import secure_filename

from . import store
from .people import current, customers_only
from .venue import database, venue

routes = Blueprint("pages", __name__)


@routes.get("/")
def home() -> ResponseReturnValue:
    return render_template("home.html", courts=store.courts(database()))


@routes.get("/courts")
def courts() -> ResponseReturnValue:
    return render_template("courts.html", courts=store.courts(database()))


@routes.get("/courts/<slug>")
def court(slug: str) -> ResponseReturnValue:
    found = _court(slug)
    first = store.today(database())
    day = chosen_day(first)
    return render_template(
        "court.html",
        court=found,
        day=day,
        days=[first + timedelta(days=ahead) for ahead in range(store.DAYS_AHEAD)],
        slots=store.slots(database(), day, slug),
        photos=store.photos(database(), found.id),
    )


@routes.post("/courts/<slug>/photos")
@customers_only
def add_photo(slug: str) -> ResponseReturnValue:
    found, customer = _court(slug), current()
    assert customer is not None
    photo = request.files["photo"]
    name = secure_filename(photo.filename or "")
    if not name:
        flash("Choose a file first.", "bad")
        return redirect(url_for("pages.court", slug=slug))
    file = f"{secrets.token_hex(4)}-{name}"
    photo.save(venue().uploads / file)
    store.add_photo(database(), found.id, customer.id, file)
    flash("Thank you, your photo is on the page.")
    return redirect(url_for("pages.court", slug=slug, _anchor="photos"))


@routes.get("/uploads/<name>")
def upload(name: str) -> ResponseReturnValue:
    return send_from_directory(venue().uploads, name)


@routes.route("/book/<int:slot_id>", methods=["GET", "POST"])
@customers_only
def book(slot_id: int) -> ResponseReturnValue:
    slot, customer = store.slot(database(), slot_id), current()
    assert customer is not None
    if slot is None:
        abort(404)
    if request.method == "GET":
        return render_template("book.html", slot=slot)
    if slot.past:
        flash("That hour has already begun.", "bad")
        return render_template("book.html", slot=slot), 409
    try:
        store.book(database(), slot.id, customer.id, request.form.get("note", "").strip())
    except store.TakenError:
        flash("Somebody was quicker: that hour has just been taken.", "bad")
        return render_template("book.html", slot=store.slot(database(), slot.id)), 409
    flash(f"Booked: {slot.court_name}, {slot.starts:%H:%M}. See you on court.")
    return redirect(url_for("pages.bookings"))


@routes.get("/bookings")
@customers_only
def bookings() -> ResponseReturnValue:
    customer = current()
    assert customer is not None
    return render_template("bookings.html", bookings=store.bookings(database(), customer.id))


@routes.post("/bookings/<int:booking_id>/cancel")
@customers_only
def cancel(booking_id: int) -> ResponseReturnValue:
    customer = current()
    assert customer is not None
    if not store.cancel(database(), booking_id, customer.id):
        abort(404)
    flash("Cancelled. The hour is free again.")
    return redirect(url_for("pages.bookings"))


@routes.route("/contact", methods=["GET", "POST"])
def contact() -> ResponseReturnValue:
    if request.method == "GET":
        return render_template("contact.html")
    form = request.form
    store.add_message(database(), form["name"].strip(), form["email"].strip(), form["message"])
    flash("Thank you. We answer within a working day.")
    return redirect(url_for("pages.contact"))


@routes.get("/about")
def about() -> ResponseReturnValue:
    return render_template("about.html")


@routes.get("/favicon.ico")
def favicon() -> ResponseReturnValue:
    return send_from_directory(f"{routes.root_path}/static", "favicon.ico")


@routes.get("/healthz")
def healthz() -> ResponseReturnValue:
    store.today(database())
    return "ok\n", {"Content-Type": "text/plain; charset=utf-8"}


def chosen_day(default: date) -> date:
    """Return the day the request's query names; 400 if it is not a date."""
    text = request.args.get("day")
    if not text:
        return default
    try:
        return date.fromisoformat(text)
    except ValueError:
        abort(400, "day is a date like 2030-12-31")


def _court(slug: str) -> store.Court:
    found = store.courts(database(), slug)
    if not found:
        abort(404)
    return found[0]
