"""The demo's settings fit the example application."""

import base64
import hashlib
import re
from pathlib import Path
from urllib.parse import urlencode

import pytest

from troth.adapters import config
from troth.catalogue import Settings
from troth.promises.guard.enforce.csrf_script import SCRIPT

BOOKING = Path(__file__).parents[2] / "examples" / "booking"


@pytest.fixture
def settings() -> Settings:
    text = (BOOKING / "troth.toml").read_text("utf-8")
    for name in ("{port}", "{http_port}", "{status_port}"):
        text = text.replace(name, "8443")
    text = text.replace("{data}", "/data")
    return config.parse(text.encode(), Settings, where="troth.toml")


def digest(script: bytes) -> str:
    return f"sha256-{base64.b64encode(hashlib.sha256(script).digest()).decode()}"


def test_the_policy_names_the_scripts_by_their_hashes(settings):
    live = digest((BOOKING / "booking" / "static" / "live.js").read_bytes())
    token = digest(SCRIPT.encode())
    pages = "".join(p.read_text("utf-8") for p in (BOOKING / "booking" / "templates").iterdir())

    assert f"script-src '{live}' '{token}';" in settings.edge.csp.policy
    assert set(re.findall("<script[^>]*>", pages)) == {
        f'<script src="/static/live.js" integrity="{live}" defer>',
        f'<script src="/-/csrf.js" integrity="{token}" defer>',
    }


def test_the_forms_that_probes_post_set_a_cookie(settings, visitor):
    for form in (settings.edge.probe.cookie, *settings.edge.probe.forms):
        kind = {"Content-Type": "application/x-www-form-urlencoded"}
        _, headers, _ = visitor().ask("POST", form.path, urlencode(form.fields), kind)
        assert headers.get_all("Set-Cookie"), form.path


def test_the_broken_path_is_broken(settings, visitor):
    assert visitor().get(settings.edge.probe.broken)[0] == 500
