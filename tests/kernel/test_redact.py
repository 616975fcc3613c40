"""What may be written down: secrets by their names, card numbers by their check digit."""

import pytest

from troth.kernel.redact import is_secret, masked, shown


@pytest.mark.parametrize(
    "name",
    ["password", "Passwd", "new_password", "pwd", "csrf_token", "api-key", "X-Api-Key",
     "authorization", "Cookie", "sessionid", "sid", "otp", "cvv", "card_number", "client_secret"],
)  # fmt: skip
def test_names_of_secrets(name: str):
    assert is_secret(name)


@pytest.mark.parametrize(
    "name", ["message", "q", "court", "email", "id", "side", "passenger", "spinner"]
)
def test_names_of_no_secrets(name: str):
    assert not is_secret(name)


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        (b"4111111111111111", b"************1111"),
        (b"my card 4111 1111 1111 1111 thanks", b"my card **** **** **** 1111 thanks"),
        (b"4111-1111-1111-1111", b"****-****-****-1111"),
        (b"4111111111111112", b"4111111111111112"),  # no check digit
        (b"order 12345", b"order 12345"),
        (b"", b""),
    ],
)
def test_card_numbers_are_masked(value: bytes, expected: bytes):
    assert masked(value) == expected


def test_what_is_shown_is_clipped_after_it_is_masked_and_holds_no_control_characters():
    assert shown(b"\x1b[31m\n\xff") == "\\x1b[31m\\x0a\\xff"
    assert shown(b"4111111111111111", clip=6) == "******... (16 bytes)"
