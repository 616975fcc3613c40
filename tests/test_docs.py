"""What stands in docs/reference is what the code says."""

import importlib.util
import re
import tomllib
from pathlib import Path

import msgspec

from troth.catalogue import Settings

DOCS = Path(__file__).parent.parent / "docs"


def test_the_settings_page_is_current():
    spec = importlib.util.spec_from_file_location("generate", DOCS / "generate.py")
    assert spec is not None
    assert spec.loader is not None
    generate = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(generate)

    written = (DOCS / "reference" / "settings.md").read_text("utf-8")
    assert written == generate.text(), "run: make docs"


def test_what_the_page_on_logins_says_to_write_is_taken():
    needed = {"host": "a.example"}
    text = (DOCS / "how" / "login.md").read_text("utf-8")
    blocks = [tomllib.loads(each) for each in re.findall(r"```toml\n(.*?)```", text, re.DOTALL)]
    assert len(blocks) == 4

    for said in blocks:
        whole = {
            "troth": {"name": "n", **needed},
            "application": {"upstream": "http://a", **needed},
            "status": needed,
        }
        msgspec.convert(whole | said, Settings)
