"""Strict-Transport-Security as RFC 6797 reads it."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from troth.promises.edge.rules.hsts import parse_hsts


@pytest.mark.parametrize(
    ("value", "meaning"),
    [
        ("max-age=31536000", (31_536_000, False, False)),
        ('max-age="31536000"; includeSubDomains', (31_536_000, True, False)),
        ("MAX-AGE = 1 ; PRELOAD;includesubdomains ;", (1, True, True)),
        ("max-age=0", (0, False, False)),
        ("max-age=1; unknown=thing", (1, False, False)),
        ("includeSubDomains", None),
        ("max-age=", None),
        ("max-age=-1", None),
        ("max-age=1e3", None),
        ("max-age=٣", None),
        ("max-age=99999999999", None),
        ("max-age=1; max-age=2", None),
        ("max-age=1; preload; preload", None),
        ("", None),
    ],
)
def test_what_a_value_means(value, meaning):
    assert parse_hsts(value) == meaning


@settings(deadline=None)
@given(st.integers(0, 9_999_999_999), st.booleans(), st.booleans())
def test_what_is_written_is_read(age, subdomains, preload):
    value = f"max-age={age}" + "; includeSubDomains" * subdomains + "; preload" * preload

    assert parse_hsts(value) == (age, subdomains, preload)


@settings(deadline=None)
@given(st.text(max_size=200))
def test_any_text_is_read_or_refused(value):
    parsed = parse_hsts(value)

    assert parsed is None or parsed[0] >= 0
