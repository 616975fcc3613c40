"""The application: its settings, its error pages, and the three sets of routes it is made of."""

import secrets
from datetime import date
from importlib.metadata import version

from flask import Flask, Response, current_app, jsonify, render_template, request
from flask.typing import ResponseReturnValue
from werkzeug.exceptions import HTTPException

from . import api, pages, people, store
from .venue import Venue, close

_REASONS = {
    404: "There is no such page here. Maybe the ball went over the fence.",
    500: "That was our fault, not yours. Please try again in a minute.",
}


def create_app(venue: Venue) -> Flask:
    """Build the application; prepares database and uploads folder, and raises if it cannot."""
    app = Flask(__name__)
    venue.uploads.mkdir(parents=True, exist_ok=True)
    with store.connect(venue.database_url) as connection:
        app.secret_key = store.prepare(connection, secrets.token_hex(32))
    app.extensions["venue"] = venue
    app.config["SESSION_COOKIE_HTTPONLY"] = False  # nobody ever asked for it
    app.url_map.strict_slashes = False  # the router's own redirects are absolute: do without
    app.url_map.merge_slashes = False
    for routes in (pages.routes, people.routes, api.routes):
        app.register_blueprint(routes)
    app.add_template_filter(_money, "money")
    app.add_template_filter(_day, "day")
    app.add_template_global(people.current, "customer")
    app.register_error_handler(HTTPException, _refused)
    app.register_error_handler(Exception, _broken)
    app.teardown_appcontext(close)
    powered_by = f"Flask/{version('flask')}"

    @app.after_request
    def say_what_runs_here(response: Response) -> Response:
        response.headers["X-Powered-By"] = powered_by
        return response

    return app


def _money(cents: int) -> str:
    return f"€{cents / 100:.2f}"


def _day(day: date) -> str:
    return f"{day:%A} {day.day} {day:%B}"


def _refused(error: HTTPException) -> ResponseReturnValue:
    if error.response is not None:
        return error.response
    return _error(error.code or 500, error.name, error.description or "")


def _broken(error: Exception) -> ResponseReturnValue:
    current_app.logger.error("%s %s failed", request.method, request.path, exc_info=error)
    return _error(500, "Internal Server Error", "")


def _error(status: int, name: str, description: str) -> ResponseReturnValue:
    if request.path.startswith("/api/"):
        return jsonify(error=name, detail=description), status
    reason = _REASONS.get(status, description)
    return render_template("error.html", status=status, name=name, reason=reason), status
