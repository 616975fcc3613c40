"""Natural text: what people said, by Debian's `fortunes`, `fortunes-de` and `fortunes-it`."""

from pathlib import Path

import pytest

from troth.engines.seclang.detect import graphql, html, ldap, nosql, sql

FORTUNES = Path("/usr/share/games/fortunes")
FOLDERS = {"en": FORTUNES, "de": FORTUNES / "de", "it": FORTUNES / "it"}
MOST_REFUSED = 0.0002  # of a language's texts, by any one grammar


@pytest.mark.parametrize("language", FOLDERS)
@pytest.mark.parametrize("grammar", [sql, html, nosql, ldap, graphql], ids=lambda m: m.__name__)
def test_people_may_write(language, grammar):
    files = [
        file
        for file in sorted(FOLDERS[language].glob("*"))
        if file.is_file() and file.suffix not in (".dat", ".u8")
    ]
    texts = [text.strip() for file in files for text in file.read_bytes().split(b"\n%\n")]
    if not texts:
        pytest.skip(f"no fortunes in {FOLDERS[language]}: apt install fortunes-{language}")
    refused = [text for text in texts if grammar.find(text) is not None]

    assert len(refused) <= len(texts) * MOST_REFUSED
