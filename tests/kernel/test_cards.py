"""Card numbers in text: found as people write them, and little else is."""

import random
import uuid
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from troth.kernel import cards

# Numbers that the schemes and their processors publish for tests; no account has them.
TEST_CARDS = """
4111111111111111 4012888888881881 4242424242424242 5555555555554444 5105105105105100
2223003122003222 2720990000000007 378282246310005 371449635398431 30569309025904 38520000023237
6011111111111117 6011000990139424 3530111333300000 3566002020360505 6200000000000005
6304000000000000 5019717010103742 6759649826438453 2200000000000004
""".split()  # fmt: skip
GROUPS = {14: (4, 6, 4), 15: (4, 6, 5), 16: (4, 4, 4, 4), 18: (4, 4, 4, 4, 2), 19: (4, 4, 4, 4, 3)}
FORTUNES = Path("/usr/share/games/fortunes")
TRIES = 4_000


def grouped(digits, sign):
    at, parts = 0, []
    for size in GROUPS[len(digits)]:
        parts.append(digits[at : at + size])
        at += size
    return sign.join(parts)


def completed(prefix, length, rng):
    """A number of that length that begins so, with its check digit."""
    body = prefix + "".join(rng.choice("0123456789") for _ in range(length - len(prefix) - 1))
    return next(body + last for last in "0123456789" if cards.passes_luhn(body + last))


@pytest.mark.parametrize("number", TEST_CARDS)
@pytest.mark.parametrize(
    "sign", ["", " ", "-", ".", "_", "+", "/", "\u00a0", "\u2009", "\u2011", "%20"]
)
def test_published_test_cards_are_found_however_they_are_grouped(number, sign):
    written = grouped(number, sign) if sign else number
    for text in (written, f"card: {written}, thanks.", f"n={written}&x=1", f'"{written}"'):
        (span,) = cards.spans(text)
        assert text[slice(*span)] == written


@pytest.mark.parametrize("issuer", cards.ISSUERS, ids=lambda issuer: "-".join(issuer[:2]))
def test_every_range_is_found_at_both_ends_in_every_length(issuer):
    first, last, lengths = issuer
    rng = random.Random(1)
    for prefix in (first, last):
        for length in lengths:
            assert cards.is_card(completed(prefix, length, rng))
    assert not any(cards.is_card(completed(first, length, rng)) for length in (12, 13, 20))


def test_the_ranges_are_in_order_and_apart():
    for (_, last, _), (first, *_) in zip(cards.ISSUERS, cards.ISSUERS[1:], strict=False):
        assert last.ljust(6, "9") < first.ljust(6, "0")


def test_luhn_as_in_the_standard():
    assert cards.passes_luhn("79927398713")
    assert not any(cards.passes_luhn(f"7992739871{last}") for last in "012456789")


@pytest.mark.parametrize(
    "text",
    [
        "4111111111111112",  # no check digit
        "4111 1111-1111 1111",  # signs that differ
        "x4111111111111111",  # within a word
        "4111111111111111a",
        "0.4111111111111111",  # a fraction
        "9111111111111111",  # nobody's range
        "0000000000000000",
        "4222222222222",  # 13 digits
        "41111111111111111111",  # 20 digits
        "DE89 3704 0044 0532 0130 00",
        "",
        "4111",
    ],
)
def test_what_is_none(text):
    assert cards.spans(text) == []
    assert cards.masked(text) == text


def test_an_account_number_is_none_though_a_part_of_it_would_be():
    # Bank code and account are a card's digits; the check digits before them make it an IBAN.
    card = completed("53", 16, random.Random(3))
    check = next(f"{n:02d}" for n in range(2, 99) if cards._is_iban(f"AT{n:02d}{card}"))
    spaced = " ".join((f"AT{check}", *(card[at : at + 4] for at in range(0, 16, 4))))

    assert cards.spans(card)
    assert cards.spans(spaced) == []
    assert cards.spans(spaced.replace(check, f"{(int(check) + 1) % 97:02d}", 1)) != []


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("4111 1111 1111 1111 12/29", "**** **** **** 1111 12/29"),
        ("1 2345 4111-1111-1111-1111.", "1 2345 ****-****-****-1111."),
        ("378282246310005 and 5555555555554444", "***********0005 and ************4444"),
        ("%B4111111111111111^DOE/J^29", "%B************1111^DOE/J^29"),
        (";4111111111111111=2912", ";************1111=2912"),
        ("\u00e4 4111111111111111", "\u00e4 ************1111"),
    ],
)
def test_masking_leaves_the_last_four(text, expected):
    assert cards.masked(text) == expected


@given(st.text(max_size=300))
def test_masking_changes_digits_only_and_once(text):
    once = cards.masked(text)

    assert len(once) == len(text)
    assert cards.masked(once) == once
    assert all(a == b or (a.isdigit() and b == "*") for a, b in zip(text, once, strict=True))


@given(st.text("0123456789 -.A", max_size=200))
def test_nothing_that_is_found_survives_masking(text):
    assert cards.spans(cards.masked(text)) == []


def test_a_text_made_to_keep_us_busy_is_said_to_hold_one():
    rng = random.Random(5)
    wrong = [str(int(completed("4", 16, rng)) ^ 1) for _ in range(cards.MAX_PLAUSIBLE + 50)]
    wrong = [number for number in wrong if not cards.is_card(number)]

    assert cards.spans(" ".join(wrong[: cards.MAX_PLAUSIBLE - 1])) == []
    assert len(cards.spans(" ".join(wrong))) == 1
    assert cards.spans(" ".join(wrong[:1] * 5000)) == [], "one number many times is one number"


def rate(make):
    rng = random.Random(7)
    return sum(bool(cards.spans(make(rng))) for _ in range(TRIES)) / TRIES


def digits(rng, count, first="123456789"):
    return rng.choice(first) + "".join(rng.choice("0123456789") for _ in range(count - 1))


def ean13(rng):
    body = rng.choice(["400", "401", "413", "440"]) + digits(rng, 9)
    weighed = sum(int(one) * (3 if at % 2 else 1) for at, one in enumerate(body))
    return body + str(-weighed % 10)


@pytest.mark.parametrize(
    ("make", "most"),
    [
        (lambda rng: str(uuid.UUID(int=rng.getrandbits(128))), 0.0001),
        (lambda rng: f"{rng.getrandbits(256):064x}", 0.0001),
        (lambda rng: f"{rng.getrandbits(160):040x}", 0.0001),
        (lambda rng: str(rng.randrange(1_500_000_000_000, 2_000_000_000_000)), 0),  # ms
        (lambda rng: str(rng.randrange(15 * 10**17, 20 * 10**17)), 0),  # ns
        (lambda rng: f"20{digits(rng, 2)}-{digits(rng, 2)}-{digits(rng, 2)}T10:11:12.123", 0),
        (lambda rng: f"20{rng.randrange(20, 30)}{digits(rng, 10)}", 0),  # yyyymmddhhmmss
        (ean13, 0),
        (lambda rng: f"+49 {digits(rng, 3)} {digits(rng, 8)}", 0),
        (lambda rng: f"+39 3{digits(rng, 2)} {digits(rng, 3)} {digits(rng, 4)}", 0),
        (lambda rng: f"GA1.2.{digits(rng, 10)}.{digits(rng, 10)}", 0),
        (lambda rng: f"fb.1.{rng.randrange(15 * 10**11, 20 * 10**11)}.{digits(rng, 10)}", 0),
        (lambda rng: str(rng.random()), 0),
        (lambda rng: f"{rng.uniform(-90, 90)},{rng.uniform(-180, 180)}", 0),
        (lambda rng: f"ORD-2026-{digits(rng, 8)}", 0),
        (lambda rng: str(rng.randrange(10**17, 2 * 10**18)), 0.02),  # snowflakes
        (lambda rng: digits(rng, 16), 0.04),  # the price: these are numbers like any card's
    ],
)  # fmt: skip
def test_what_else_consists_of_digits_is_hardly_ever_taken_for_one(make, most):
    assert rate(make) <= most


def test_no_natural_text_holds_one():
    files = [path for path in FORTUNES.rglob("*") if path.is_file() and not path.suffix]
    if not files:
        pytest.skip("no fortunes here (Debian: apt install fortunes fortunes-de fortunes-it)")
    for path in files:
        assert cards.spans(path.read_text("utf-8", "replace")) == [], path
