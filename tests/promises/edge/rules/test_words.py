"""The sentences say what is served."""

import tomllib
from importlib.resources import files

import msgspec
import pytest

from troth.promises.edge.rules import not_applicable
from troth.promises.edge.rules.words import lifetime, words
from troth.promises.edge.settings import EdgeSettings


def settings(**given) -> EdgeSettings:
    return msgspec.convert(given, EdgeSettings)


@pytest.mark.parametrize(
    ("seconds", "language", "text"),
    [
        (63_072_000, "en", "2 years"),
        (31_536_000, "it", "1 anno"),
        (86_400, "de", "1 Tag"),
        (7_200, "fr", "2 heures"),
        (300, "en", "5 minutes"),
        (61, "it", "61 secondi"),
        (1, "de", "1 Sekunde"),
        (0, "fr", "0 secondes"),
    ],
)
def test_a_lifetime_in_words(seconds, language, text):
    assert lifetime(seconds, language) == text


def test_a_policy_on_trial_is_told_as_what_it_is():
    on_trial = words(settings(csp={"mode": "report-only"}))["en"]
    enforced = words(settings(csp={"mode": "enforced"}))["en"]

    assert "on trial" in on_trial["csp_effect"]
    assert "no enforced" in on_trial["xss_successor"]
    assert "kept from running" in enforced["csp_effect"]
    assert "does its work" in enforced["xss_successor"]


def test_named_origins_and_headers():
    plain = words(settings())["de"]
    named = words(
        settings(
            cors={"origins": ["https://a.example", "https://b.example"]},
            headers={"cross_origin_opener_policy": True, "cross_origin_resource_policy": True},
            cookies={"readable": ["csrf"]},
        )
    )["de"]

    assert plain["cors_named"] == "derzeit ist keiner genannt"
    assert plain["readable_cookies"] == "keine"
    assert "Opener" not in plain["header_names"]
    assert named["cors_named"] == "es sind diese: https://a.example, https://b.example"
    assert named["readable_cookies"] == "csrf"
    assert named["header_names"].endswith(
        "Cross-Origin-Opener-Policy, Cross-Origin-Resource-Policy"
    )


def test_every_placeholder_of_the_sentences_has_a_value_in_every_language():
    text = (files("troth") / "promises" / "edge" / "sentences.toml").read_text("utf-8")
    values = words(settings())

    for entry in tomllib.loads(text).values():
        for language in ("en", "it", "de", "fr"):
            for sentence in (entry[language], entry["how"][language]):
                filled = sentence.format_map(values[language])
                assert "{" not in filled


@pytest.mark.parametrize(
    ("given", "slugs"),
    [
        (
            {"hsts": {"max_age_s": 31_536_000, "include_subdomains": True}},
            {"certificate-transparency"},
        ),
        (
            {
                "hsts": {"max_age_s": 31_536_000},
                "csp": {"mode": "off"},
                "tls": {"authority": "acme"},
            },
            {"hsts-long-lifetime", "csp"},
        ),
        (
            {"hsts": {"include_subdomains": True}, "tls": {"authority": "files"}},
            {"hsts-long-lifetime"},
        ),
    ],
)
def test_what_cannot_apply_says_why(given, slugs):
    because = not_applicable(settings(**given))

    assert slugs <= set(because)
    assert ("csp" in because) == ("csp" in slugs)
    assert ("hsts-long-lifetime" in because) == ("hsts-long-lifetime" in slugs)
    assert all(because.values())


@pytest.mark.parametrize(
    ("tls", "is_public"),
    [
        ({"authority": "local"}, False),
        ({"authority": "files"}, False),
        ({"authority": "files", "public_root": True}, True),
        ({"authority": "acme"}, False),
        ({"authority": "acme", "acme": {"directory": "https://a.example"}}, True),
        ({"authority": "acme", "acme": {"directory": "https://a", "ca_file": "/ca"}}, False),
    ],
)
def test_whose_authority_signed_the_certificate(tls, is_public):
    said = words(settings(tls=tls))["en"]

    assert ("publicly" in said["trust_anchor"]) is is_public
    assert bool(said["grade_trust"]) is not is_public
