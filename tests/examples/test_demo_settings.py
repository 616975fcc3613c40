"""The demo's settings fit the example application."""

import base64
import hashlib
import re
from pathlib import Path
from urllib.parse import urlencode

import pytest

from troth.adapters import config
from troth.catalogue import Settings

BOOKING = Path(__file__).parents[2] / "examples" / "booking"


@pytest.fixture
def settings() -> Settings:
    text = (BOOKING / "troth.toml").read_text("utf-8")
    for name in ("{port}", "{http_port}", "{status_port}"):
        text = text.replace(name, "8443")
    text = text.replace("{data}", "/data")
    return config.parse(text.encode(), Settings, where="troth.toml")


def test_the_policy_names_the_one_script_by_its_hash(settings):
    script = (BOOKING / "booking" / "static" / "live.js").read_bytes()
    digest = f"sha256-{base64.b64encode(hashlib.sha256(script).digest()).decode()}"
    pages = "".join(p.read_text("utf-8") for p in (BOOKING / "booking" / "templates").iterdir())

    assert f"script-src '{digest}';" in settings.edge.csp.policy
    assert re.findall("<script[^>]*>", pages) == [
        f'<script src="/static/live.js" integrity="{digest}" defer>'
    ]


def test_the_forms_that_probes_post_set_a_cookie(settings, visitor):
    for form in (settings.edge.probe.cookie, *settings.edge.probe.forms):
        kind = {"Content-Type": "application/x-www-form-urlencoded"}
        _, headers, _ = visitor().ask("POST", form.path, urlencode(form.fields), kind)
        assert headers.get_all("Set-Cookie"), form.path


def test_the_broken_path_is_broken(settings, visitor):
    assert visitor().get(settings.edge.probe.broken)[0] == 500
