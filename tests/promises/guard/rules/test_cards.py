"""What passes the quick look at a request's bytes holds no card number in any spelling."""

import random

from troth.kernel.request import Request
from troth.promises.guard.rules import cards

NUMBERS = ("4111111111111111", "4111 1111 1111 1111", "4111-1111-1111-1111", "378282246310005",
           "3782 822463 10005", "3056 930902 5904")  # fmt: skip
NOISE = (
    "%",
    "%%",
    "%2",
    "%3",
    "%25",
    "%20",
    "+",
    "=",
    "&",
    "4",
    "11",
    "\n",
    "é",
    "%ef%bc%94",
    "%g1",
)


def spelled(number: str, dice: random.Random) -> bytes:
    """A number as somebody may write it who does not want it found."""
    said = bytearray()
    for sign in number:
        plain = sign.encode()
        wide = chr(0xFF10 + int(sign)).encode() if sign.isdigit() else plain
        escaped = b"%%%02x" % plain[0]
        ways = (plain, plain, plain, escaped, escaped.replace(b"%", b"%25"), wide,
                b"".join(b"%%%02X" % byte for byte in wide), b"%%%x%%%02x" % (
                    plain[0] >> 4, b"0123456789abcdef"[plain[0] & 15]))  # fmt: skip
        said += dice.choice(ways)
    return bytes(said)


def test_the_quick_look_lets_nothing_through():
    dice = random.Random(7)
    found = 0
    for _ in range(4000):
        noise = ["".join(dice.choices(NOISE, k=dice.randint(0, 3))).encode() for _ in range(2)]
        text = dice.choice(NUMBERS)
        text = text if dice.random() < 0.8 else "".join(dice.sample(text, len(text)))
        data = noise[0] + spelled(text, dice) + noise[1]

        assert cards._has(data) == cards._has_surely(data), data
        found += cards._has_surely(data)
    assert found > 400


def test_dates_and_numbers_of_a_usual_request_are_not_looked_at_twice():
    usual = b"/courts/795766?day=2026-02-27&mail=anna%40example.org&phone=%2B41%2044%20795766"

    assert cards._MAYBE.search(usual) is None
    assert cards.place(Request(method=b"GET", target=usual, host=b"a", headers=())) == ""
