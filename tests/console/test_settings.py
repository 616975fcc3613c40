"""Django's settings follow from troth.toml."""

from datetime import timedelta

import pytest
from django.conf import settings as configured
from django.core import checks

from troth.adapters.database import DatabaseError
from troth.catalogue import Application, Settings, Status, Troth
from troth.console.settings import derive, prepare

SETTINGS = Settings(
    troth=Troth(name="Demo", host="troth.demo.localhost"),
    application=Application(host="demo.localhost", upstream="http://127.0.0.1:1"),
    status=Status(host="status.demo.localhost"),
)


def derived(url: str = "postgresql://u@/d?host=/run/pg", **more: object) -> dict:
    return derive(SETTINGS, url=url, secret_key="for tests " * 6, **more)


def test_it_answers_on_troths_own_host_only():
    assert derived()["ALLOWED_HOSTS"] == ["troth.demo.localhost"]


def test_cookies_are_bound_to_the_host_and_forms_are_protected():
    found = derived()

    assert found["CSRF_COOKIE_NAME"].startswith("__Host-")
    assert found["CSRF_COOKIE_SECURE"] is True
    assert "django.middleware.csrf.CsrfViewMiddleware" in found["MIDDLEWARE"]
    assert found["SECURE_REFERRER_POLICY"] != "no-referrer"
    assert found["DEBUG"] is False


def test_the_database_is_the_urls():
    url = "postgresql://u:hunter2@db.example:5433/d"
    found = derived(url, role="troth_console", statement=timedelta(seconds=3))["DATABASES"][
        "default"
    ]

    assert (found["HOST"], found["PORT"], found["NAME"]) == ("db.example", "5433", "d")
    assert (found["USER"], found["PASSWORD"]) == ("u", "hunter2")
    assert found["OPTIONS"]["sslmode"] == "verify-full"
    assert found["OPTIONS"]["assume_role"] == "troth_console"
    assert found["OPTIONS"]["options"] == "-c statement_timeout=3000"


def test_what_is_no_url_is_refused():
    with pytest.raises(DatabaseError):
        derived("sqlite:///x")


def test_one_process_is_configured_once():
    with pytest.raises(RuntimeError):
        prepare(derived())


def test_django_has_nothing_to_complain_about():
    assert configured.configured
    # The edge redirects to TLS and sets HSTS on every response; the console sits behind it.
    expected = {"security.W004", "security.W008"}

    assert {found.id for found in checks.run_checks(include_deployment_checks=True)} == expected
