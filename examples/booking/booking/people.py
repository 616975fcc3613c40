"""Customers: sign up, log in, log out, and who is asking."""

from collections.abc import Callable
from functools import wraps
from typing import ParamSpec

from flask import Blueprint, flash, g, redirect, render_template, request, session, url_for
from flask.typing import ResponseReturnValue
from werkzeug.security import check_password_hash, generate_password_hash

from . import store
from .venue import database

routes = Blueprint("people", __name__)
P = ParamSpec("P")


def current() -> store.Customer | None:
    """Return the customer whose session cookie came with the request."""
    if "customer" not in session:
        return None
    if "customer" not in g:
        g.customer = store.customer(database(), session["customer"])
    found: store.Customer | None = g.customer
    return found


def customers_only(view: Callable[P, ResponseReturnValue]) -> Callable[P, ResponseReturnValue]:
    """Send whoever is not logged in to the login page, and back afterwards."""

    @wraps(view)
    def guarded(*args: P.args, **kwargs: P.kwargs) -> ResponseReturnValue:
        if current() is None:
            back = request.full_path if request.method == "GET" else url_for("pages.home")
            return redirect(url_for("people.login", next=back.rstrip("?")))
        return view(*args, **kwargs)

    return guarded


@routes.route("/signup", methods=["GET", "POST"])
def signup() -> ResponseReturnValue:
    if request.method == "GET":
        return render_template("signup.html")
    email, name = _email(), request.form["name"].strip()
    password = generate_password_hash(request.form["password"])
    try:
        session["customer"] = store.add_customer(database(), email, name, password)
    except store.TakenError:
        flash("There is an account with this e-mail address already.", "bad")
        return render_template("signup.html"), 409
    flash(f"Welcome, {name}. Your first hour is a few clicks away.")
    return redirect(url_for("pages.home"))


@routes.route("/login", methods=["GET", "POST"])
def login() -> ResponseReturnValue:
    if request.method == "GET":
        return render_template("login.html")
    customer = store.customer_by_email(database(), _email())
    if customer is None or not check_password_hash(customer.password, request.form["password"]):
        flash("E-mail address or password is wrong.", "bad")
        return render_template("login.html"), 401
    session["customer"] = customer.id
    return redirect(_own_path(request.args.get("next", "")))


@routes.post("/logout")
def logout() -> ResponseReturnValue:
    session.clear()
    return redirect(url_for("pages.home"))


@routes.route("/account/close", methods=["GET", "POST"])
@customers_only
def close() -> ResponseReturnValue:
    if request.method == "GET":
        return render_template("close.html")
    customer = current()
    assert customer is not None
    store.close_account(database(), customer.id)
    session.clear()
    g.pop("customer", None)
    flash("Your account is closed. We forgot what we knew of you.")
    return redirect(url_for("pages.home"))


def _email() -> str:
    return request.form["email"].strip().lower()


def _own_path(path: str) -> str:
    """Keep a way back only if it is a path of this site (browsers read `/\\` as `//`)."""
    own = path.startswith("/") and path[1:2] not in {"/", "\\"}
    return path if own else url_for("pages.bookings")
