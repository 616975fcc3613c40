"""The published words: read from TOML, filled from settings, and kept honest by a linter.

A sentence says what is. Absolute words are refused in every language, because no probe can see
them; so are claims of certification, which only an auditor can make. A missing placeholder is an
error, never an empty space.
"""

import re
import string
import tomllib
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from importlib.resources.abc import Traversable
from typing import Any

from troth.kernel.errors import Failure

LANGUAGES = ("en", "it", "de", "fr")

# Words that no measurement can carry. Stems, matched without letter case at a word's beginning.
ABSOLUTE: Mapping[str, tuple[str, ...]] = {
    "en": (
        *("impossible", "unbreakable", "unhackable", "bulletproof", "bullet-proof", "guarante"),
        *("100 ?%", "fully secure", "completely secure", "totally", "absolutely", "perfectly"),
        *("military-grade", "bank-grade", "state-of-the-art", "cannot be hacked", "never fail"),
        *("eliminates? all", "prevents? all", "satisf", "complian", "certified", "foolproof"),
    ),
    "it": (
        *("impossibil", "inviolabil", "inattaccabil", "garanti", "100 ?%"),
        *("certificat[oaie] (iso|iec|soc|pci|secondo|ai sensi|da)\\b", "siamo certificat"),
        *("assolutamente", "totalmente", "perfettamente", "di livello militare", "infallibil"),
        *("completamente sicur", "conform[ei] (a|al|alla|ai)\\b", "soddisfa", "elimina ogni"),
    ),
    "de": (
        *("unmöglich", "unknackbar", "unangreifbar", "garantier", "100 ?%", "zertifiziert"),
        *("absolut", "vollkommen sicher", "völlig", "militärisch", "unfehlbar", "lückenlos"),
        *("hundertprozentig", "konform", "erfüllt (alle|die anforderung)", "verhindert alle"),
    ),
    "fr": (
        *("impossible", "inviolable", "inattaquable", "garanti", "100 ?%", "certifié"),
        *("absolument", "totalement", "parfaitement", "militaire", "infaillible"),
        *("entièrement sécuris", "conformes? (à|au|aux)\\b", "satisfait", "élimine tou"),
    ),
}


class WordsError(Failure):
    """A sentence that cannot be published as it is written."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Sentence:
    """What is said of one promise: the claim, and how it is kept, by language."""

    slug: str
    claim: Mapping[str, str]
    how: Mapping[str, str] = field(default_factory=dict)


def parse(raw: str, *, where: str) -> dict[str, Sentence]:
    """Read one area's `sentences.toml`. Raises WordsError for anything but slugs and languages."""
    try:
        tables = tomllib.loads(raw)
    except tomllib.TOMLDecodeError as error:
        raise WordsError(f"not valid TOML: {error}", where=where) from error
    return {slug: _sentence(slug, table, where) for slug, table in tables.items()}


def _sentence(slug: str, table: Any, where: str) -> Sentence:
    place = f"{where}, [{slug}]"
    if not isinstance(table, dict):
        raise WordsError("not a table", where=place)
    claim = {key: value for key, value in table.items() if key != "how"}
    how = table.get("how", {})
    for name, words in (("", claim), ("how", how)):
        if not isinstance(words, dict) or set(words) - set(LANGUAGES):
            raise WordsError(f"{name or 'a sentence'} has a key that is no language", where=place)
        if not all(isinstance(text, str) for text in words.values()):
            raise WordsError("a sentence that is no text", where=place)
    return Sentence(slug=slug, claim=claim, how=how)


def load(areas: Traversable) -> dict[str, Sentence]:
    """Every sentence of every area below a folder such as `troth/promises`."""
    found: dict[str, Sentence] = {}
    for area in sorted(areas.iterdir(), key=lambda entry: entry.name):
        source = area / "sentences.toml"
        if area.is_dir() and source.is_file():
            sentences = parse(source.read_text("utf-8"), where=f"{area.name}/sentences.toml")
            if twice := set(found) & set(sentences):
                raise WordsError("a slug in two areas", where=min(twice))
            found |= sentences
    return found


def placeholders(text: str) -> frozenset[str]:
    """The names in braces. Raises WordsError for anything but plain names."""
    try:
        names = [name for _, name, _, _ in string.Formatter().parse(text) if name is not None]
    except ValueError as error:
        raise WordsError(f"braces that do not match: {error}", where=text[:60]) from error
    if odd := [name for name in names if not re.fullmatch(r"[a-z][a-z0-9_]*", name)]:
        raise WordsError(f"a placeholder that is no plain name: {odd[0]!r}", where=text[:60])
    return frozenset(names)


def fill(text: str, values: Mapping[str, object]) -> str:
    """Put values in for placeholders. Raises WordsError for one that is missing or empty."""
    for name in sorted(placeholders(text)):
        if str(values.get(name, "")) == "":
            raise WordsError(f"nothing to put in for {{{name}}}", where=text[:60])
    return text.format_map(values)


def filled(sentence: Sentence, values: Mapping[str, Mapping[str, object]]) -> Sentence:
    """The sentence with its placeholders filled.

    Args:
        sentence: as written.
        values: by language; what is the same in all may stand in each.
    """

    def each(words: Mapping[str, str]) -> dict[str, str]:
        return {language: fill(text, values.get(language, {})) for language, text in words.items()}

    return replace(sentence, claim=each(sentence.claim), how=each(sentence.how))


def complaints(text: str, language: str) -> Iterator[str]:
    """What is wrong with a text, in words for its author; nothing when it may be published."""
    for stem in ABSOLUTE[language]:
        if found := re.search(rf"(?i)(?<!\w){stem}\w*", text):
            yield f"{language}: {found[0].strip()!r} promises more than a probe can see"


def lint(sentences: Iterable[Sentence], languages: Iterable[str] = LANGUAGES) -> list[str]:
    """Every complaint about sentences as written: absolute words, missing or odd translations.

    A translation is odd when its placeholders are not those of the English sentence, or when it
    repeats the English one to the letter.
    """
    wanted = tuple(languages)
    found = []
    for sentence in sentences:
        for name, words in (("", sentence.claim), ("how.", sentence.how)):
            found += [f"{sentence.slug}: {name}{fault}" for fault in _faults(words, wanted)]
    return found


def _faults(words: Mapping[str, str], wanted: tuple[str, ...]) -> Iterator[str]:
    if not words:
        yield "not said in any language"
    for language in wanted:
        text = words.get(language, "")
        if not text.strip():
            yield f"{language} is missing"
            continue
        yield from complaints(text, language)
        if placeholders(text) != placeholders(words.get("en", text)):
            yield f"{language} fills other placeholders than en"
        if language != "en" and text == words.get("en"):
            yield f"{language} repeats the English words"
        if not text.rstrip().endswith((".", "»", "”", "“")):
            yield f"{language} does not end like a sentence"


def older(sentences: Mapping[str, Sentence], seen: Mapping[str, Mapping[str, str]]) -> list[str]:
    """Translations that did not follow a change of the English sentence.

    Args:
        sentences: as written now.
        seen: by slug and language, the text when all were last known to say the same.
    """
    found = []
    for slug, sentence in sentences.items():
        before = seen.get(slug, {})
        if not before or before.get("en") == sentence.claim.get("en"):
            continue
        found += [
            f"{slug}: {language} is older than the English sentence"
            for language, text in sentence.claim.items()
            if language != "en" and before.get(language) == text
        ]
    return found
