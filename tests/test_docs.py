"""What stands in docs/reference is what the code says."""

import importlib.util
from pathlib import Path

DOCS = Path(__file__).parent.parent / "docs"


def test_the_settings_page_is_current():
    spec = importlib.util.spec_from_file_location("generate", DOCS / "generate.py")
    assert spec is not None
    assert spec.loader is not None
    generate = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(generate)

    written = (DOCS / "reference" / "settings.md").read_text("utf-8")
    assert written == generate.text(), "run: make docs"
