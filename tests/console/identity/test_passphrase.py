"""What a passphrase must not be."""

import pytest
from django.contrib.auth.password_validation import validate_password
from django.core.exceptions import ValidationError
from hypothesis import given
from hypothesis import strategies as st

from troth.console.identity.passphrase import is_monotonous
from troth.console.records.models import Person

ADA = Person(email="ada.lovelace@example.test")


@pytest.mark.parametrize(
    "passphrase",
    [
        "aaaaaaaaaaaaaaaa",
        "passwordpassword",
        "iloveyouiloveyou",
        "Summer2026summer2026",
        "1212121212121212",
        "correct horse",
        "ada.lovelace@example.test",
        "1234567890123456",
        "qwertyuiopasdfgh",
        "ABCDEFGHIJKLMNOPqr",
        "poiuytrewqlkjhgf",
    ],
)
def test_weak_ones_are_refused(passphrase: str):
    with pytest.raises(ValidationError):
        validate_password(passphrase, ADA)


@pytest.mark.parametrize(
    "passphrase", ["correct horse battery staple", "käse, brot und ein regenschirm"]
)
def test_some_unrelated_words_pass(passphrase: str):
    validate_password(passphrase, ADA)


@given(st.text(min_size=1, max_size=30), st.integers(2, 5))
def test_whatever_is_repeated_is_monotonous(unit: str, times: int):
    assert is_monotonous(unit * times)


@given(st.integers(0, 25))
def test_a_row_of_keys_is_monotonous_wherever_it_begins(start: int):
    letters = "abcdefghijklmnopqrstuvwxyz"

    assert is_monotonous(letters[start:] + letters[:start])


@given(st.permutations(["correct", "horse", "battery", "staple", "umbrella"]))
def test_words_in_any_order_are_not(words: list[str]):
    assert not is_monotonous(" ".join(words))
