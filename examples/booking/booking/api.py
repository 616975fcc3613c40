"""The JSON API, and the event stream that keeps an open court page current."""

import json
from collections.abc import Iterator
from datetime import date

from flask import Blueprint, Response, abort, jsonify, request
from flask.typing import ResponseReturnValue

from . import store
from .pages import chosen_day
from .people import current
from .venue import Venue, database, venue

routes = Blueprint("api", __name__)

EVENTS = 5  # then the stream ends and the browser comes back after RETRY_MS
PAUSE_S = 1.0
RETRY_MS = 20_000


@routes.get("/api/courts")
def courts() -> ResponseReturnValue:
    return jsonify(courts=[_court(court) for court in store.courts(database())])


@routes.get("/api/slots")
def slots() -> ResponseReturnValue:
    day = chosen_day(store.today(database()))
    found = store.slots(database(), day, request.args.get("court"))
    return jsonify(day=day.isoformat(), slots=[_slot(slot) for slot in found])


@routes.get("/api/bookings")
def bookings() -> ResponseReturnValue:
    customer = _customer()
    found = store.bookings(database(), customer.id)
    return jsonify(bookings=[_booking(booking) for booking in found])


@routes.post("/api/bookings")
def book() -> ResponseReturnValue:
    customer = _customer()
    wish = request.get_json()
    if not isinstance(wish, dict) or not isinstance(wish.get("slot"), int):
        abort(400, 'send {"slot": number, "note": text}')
    slot = store.slot(database(), wish["slot"])
    if slot is None:
        abort(404, "no such slot")
    if slot.past:
        abort(409, "that hour has already begun")
    try:
        number = store.book(database(), slot.id, customer.id, str(wish.get("note", "")))
    except store.TakenError:
        abort(409, "that hour is taken")
    return jsonify(id=number, slot=_slot(slot) | {"free": False}), 201


@routes.get("/events")
def events() -> ResponseReturnValue:
    """Tell which hours of a court are taken, a few times, as server-sent events."""
    here = venue()
    day = chosen_day(store.today(database()))
    if not here.listeners.acquire(blocking=False):
        return "Too many listeners, come back later.\n", 503, {"Retry-After": "20"}
    stream = Response(_events(here, day, request.args.get("court")), mimetype="text/event-stream")
    stream.call_on_close(here.listeners.release)
    stream.headers["Cache-Control"] = "no-cache"
    return stream


def _events(here: Venue, day: date, court: str | None) -> Iterator[str]:
    yield f"retry: {RETRY_MS}\n\n"
    for number in range(EVENTS):
        with store.connect(here.database_url) as connection:
            taken = [slot.id for slot in store.slots(connection, day, court) if slot.taken]
        data = json.dumps({"day": day.isoformat(), "court": court, "taken": taken})
        yield f"id: {number}\nevent: taken\ndata: {data}\n\n"
        if here.stopping.wait(PAUSE_S):
            return


def _customer() -> store.Customer:
    customer = current()
    if customer is None:
        abort(401, "log in first")
    return customer


def _court(court: store.Court) -> dict[str, object]:
    return {
        "slug": court.slug,
        "name": court.name,
        "kind": court.kind,
        "surface": court.surface,
        "indoor": court.indoor,
        "price_cents": court.cents,
        "free_today": court.free_today,
    }


def _slot(slot: store.Slot) -> dict[str, object]:
    return {
        "id": slot.id,
        "court": slot.court,
        "day": slot.day.isoformat(),
        "starts": f"{slot.starts:%H:%M}",
        "price_cents": slot.cents,
        "free": not slot.taken and not slot.past,
    }


def _booking(booking: store.Booking) -> dict[str, object]:
    return {
        "id": booking.id,
        "slot": booking.slot,
        "court": booking.court,
        "day": booking.day.isoformat(),
        "starts": f"{booking.starts:%H:%M}",
        "note": booking.note,
    }
