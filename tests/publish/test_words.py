"""The words: filled or refused, absolute ones refused in every language, translations whole."""

from importlib import resources

import pytest

from troth.publish import words
from troth.publish.words import Sentence, WordsError

GOOD = {
    "en": "The answer is no more than {n} seconds old.",
    "it": "La risposta ha al massimo {n} secondi.",
    "de": "Die Antwort ist höchstens {n} Sekunden alt.",
    "fr": "La réponse a au plus {n} secondes.",
}


def a_sentence(**more: str) -> Sentence:
    return Sentence(slug="age", claim={**GOOD, **more}, how=GOOD)


def test_a_good_sentence_has_no_complaint():
    assert words.lint([a_sentence()]) == []


@pytest.mark.parametrize(
    ("language", "text"),
    [
        ("it", "Il certificato è valido per {n} giorni."),
        ("de", "Das Zertifikat gilt {n} Tage."),
        ("fr", "Le certificat vaut {n} jours."),
        ("en", "The certificate is good for {n} days."),
    ],
)
def test_a_certificate_as_a_thing_may_be_named(language, text):
    assert words.lint([a_sentence(**{language: text})]) == []


@pytest.mark.parametrize(
    ("language", "text"),
    [
        ("en", "It is impossible to read {n}."),
        ("en", "We are certified since {n}."),
        ("en", "A guaranteed {n}."),
        ("en", "Protected 100 % for {n}."),
        ("it", "È impossibile leggere {n}."),
        ("it", "Sicurezza garantita da {n}."),
        ("it", "Un servizio certificato ISO dal {n}."),
        ("it", "Siamo conformi al GDPR dal {n}."),
        ("de", "Es ist unmöglich, {n} zu lesen."),
        ("de", "Seit {n} zertifiziert."),
        ("de", "Ein garantierter Schutz ab {n}."),
        ("fr", "Il est impossible de lire {n}."),
        ("fr", "Certifiés depuis {n}."),
        ("fr", "Protection garantie depuis {n}."),
    ],
)
def test_absolute_words_are_refused(language, text):
    (complaint,) = words.lint([a_sentence(**{language: text})])

    assert complaint.startswith(f"age: {language}: ")


def test_a_missing_a_repeated_and_a_drifted_translation_are_refused():
    missing = Sentence(slug="age", claim={k: v for k, v in GOOD.items() if k != "de"}, how=GOOD)

    assert words.lint([missing]) == ["age: de is missing"]
    assert words.lint([a_sentence(it=GOOD["en"])]) == ["age: it repeats the English words"]
    assert words.lint([a_sentence(fr="La réponse est récente.")]) == [
        "age: fr fills other placeholders than en"
    ]
    assert words.lint([Sentence(slug="age", claim=GOOD)]) == [
        "age: how.not said in any language",
        *(f"age: how.{language} is missing" for language in words.LANGUAGES),
    ]


def test_an_older_translation_is_told_from_one_that_followed():
    now = {"age": a_sentence(en="A new {n}.", de="Ein neues {n}.")}
    seen = {"age": dict(GOOD)}

    assert words.older(now, seen) == [
        "age: it is older than the English sentence",
        "age: fr is older than the English sentence",
    ]
    assert words.older({"age": a_sentence()}, seen) == []


def test_placeholders_are_filled_or_refused():
    assert words.fill("for {n} s", {"n": 5}) == "for 5 s"
    for text, values in (("for {n} s", {}), ("for {n} s", {"n": ""}), ("{}", {}), ("{", {})):
        with pytest.raises(WordsError):
            words.fill(text, values)
    for odd in ("{n.x}", "{n[0]}", "{0}", "{N}"):
        with pytest.raises(WordsError):
            words.fill(odd, {"n": 1})


def test_what_is_put_in_is_not_read_as_a_placeholder_again():
    assert words.fill("{n}", {"n": "{secret}", "secret": "x"}) == "{secret}"


@pytest.mark.parametrize(
    "raw",
    ["x = 1", "[a]\nen = 1", "[a]\nes = 'hola'", "[a]\nhow.es = 'x'", "[a\n", "[a]\nhow = 'x'"],
)
def test_a_file_of_another_shape_is_refused(raw):
    with pytest.raises(WordsError):
        words.parse(raw, where="sentences.toml")


def test_every_published_sentence_passes_the_linter():
    sentences = words.load(resources.files("troth.promises"))

    assert len(sentences) >= 20
    assert words.lint(sentences.values()) == []
