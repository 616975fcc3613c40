"""Payment card numbers in text: issuer's range, length, check digit, and how people write them.

Sources: ISO/IEC 7812-1 (structure, Luhn's check digit in annex B); the ranges that the schemes
themselves publish to merchants, in 2026. Of 16-digit numbers drawn by lot about one in thirty is
indistinguishable from a card number; everything else here is about not finding more than that.

Not found, on purpose: numbers of 13 digits (no scheme has issued any for decades, and one in ten
German article numbers would be one), digits apart from each other one by one, numbers within a
word, a fraction or an IBAN.
"""

import re
from bisect import bisect_right
from collections.abc import Iterator

# First and last prefix of a range (as many digits each), and the lengths it is issued in.
_LONG = (16, 17, 18, 19)
ISSUERS: tuple[tuple[str, str, tuple[int, ...]], ...] = (
    ("2200", "2204", _LONG),  # Mir
    ("2221", "2720", (16,)),  # Mastercard
    ("300", "305", (14, 16)),  # Diners Club
    ("3095", "3095", (14, 16)),
    ("34", "34", (15,)),  # American Express
    ("3528", "3589", _LONG),  # JCB
    ("36", "36", (14, 16)),  # Diners Club International
    ("37", "37", (15,)),  # American Express
    ("38", "39", (14, 16)),
    ("4", "4", (16, 19)),  # Visa
    ("5018", "5018", _LONG),  # Maestro
    ("5019", "5019", (16,)),  # Dankort
    ("5020", "5020", _LONG),
    ("5038", "5038", _LONG),
    ("506099", "506198", (16, 19)),  # Verve
    ("51", "55", (16,)),  # Mastercard
    ("5893", "5893", _LONG),  # Maestro
    ("6011", "6011", _LONG),  # Discover
    ("6062", "6062", (16,)),  # Hipercard
    ("62", "62", _LONG),  # UnionPay
    ("6304", "6304", _LONG),  # Maestro
    ("6362", "6363", (16,)),  # Elo
    ("644", "649", _LONG),  # Discover
    ("65", "65", _LONG),  # Discover, RuPay
    ("6759", "6759", _LONG),  # Maestro
    ("6761", "6763", _LONG),
    ("81", "82", _LONG),  # UnionPay, RuPay
    ("9792", "9792", (16,)),  # Troy
)
_WIDTH = 6
_FIRSTS = [int(first.ljust(_WIDTH, "0")) for first, _, _ in ISSUERS]
_LASTS = [int(last.ljust(_WIDTH, "9")) for _, last, _ in ISSUERS]
_LENGTHS = [frozenset(lengths) for _, _, lengths in ISSUERS]

_FREE = r"(?<![0-9A-Za-z])"  # not within a word, a token, a hash
_END = r"(?![0-9A-Za-z])"
# What stands between groups: one sign, the same all along. Spaces and dashes of typographers, too.
_SIGN = r"[ \t.\-_+/\u00a0\u2007\u2009\u200b\u202f\u2010-\u2014]|%20|%2[Dd]"
_WHOLE = re.compile(_FREE + r"(?<![0-9]\.)[2-689][0-9]{13,18}" + _END)
_TRACK = re.compile(r"(?:%B|;)([0-9]{14,19})(?=[=^])")  # Source: ISO/IEC 7813, tracks 1 and 2
# Looked for from every place, so that what stands before a number does not hide it.
_GROUPS = re.compile(
    _FREE
    + rf"(?=([2-689][0-9]{{3}}({_SIGN})(?:[0-9]{{4}}\2[0-9]{{4}}\2[0-9]{{4}}(?:\2[0-9]{{1,3}})?"
    r"|[0-9]{6}\2[0-9]{4,5}))" + _END + ")"
)
_IBAN = re.compile(r"[A-Z]{2}[0-9]{2}(?:[ \u00a0]?[0-9A-Z]){11,30}")  # Source: ISO 13616
_QUICK = re.compile(r"[0-9]{4}[^0-9A-Za-z]{0,2}(?:20|2[Dd])?[0-9]{4}")
SHORTEST = 14
# Different numbers of the right length and range without a right check digit: by chance that
# happens once in 10**45 texts, so somebody made this one to keep us busy.
MAX_PLAUSIBLE = 1000


def is_card(digits: str) -> bool:
    """Whether digits without separators are a card number: range, length and check digit."""
    return _is_plausible(digits) and passes_luhn(digits)


def _is_plausible(digits: str) -> bool:
    if not SHORTEST <= len(digits) <= 19:  # noqa: PLR2004 -- ISO/IEC 7812-1, 4.1
        return False
    prefix = int(digits[:_WIDTH])
    at = bisect_right(_FIRSTS, prefix) - 1
    return at >= 0 and prefix <= _LASTS[at] and len(digits) in _LENGTHS[at]


def passes_luhn(digits: str) -> bool:
    """The check digit. Source: ISO/IEC 7812-1, annex B."""
    odd, even = digits[-1::-2], digits[-2::-2]
    return (sum(map(int, odd)) + sum(map(_DOUBLED.__getitem__, map(int, even)))) % 10 == 0


_DOUBLED = tuple(sum(divmod(2 * digit, 10)) for digit in range(10))


def spans(text: str) -> list[tuple[int, int]]:
    """Where card numbers stand in a text, in order. Takes linear time.

    Fails closed: a text that holds `MAX_PLAUSIBLE` numbers that are nearly cards is said to hold
    one, at the last of them.
    """
    if len(text) < SHORTEST or _QUICK.search(text) is None:
        return []
    found: list[tuple[int, int]] = []
    wrong: set[str] = set()
    for digits, span in _candidates(text):
        if digits in wrong or not _is_plausible(digits):
            continue
        if passes_luhn(digits):
            found.append(span)
            continue
        wrong.add(digits)
        if len(wrong) >= MAX_PLAUSIBLE:
            found.append(span)
            break
    if found:
        ibans = [one.span() for one in _IBAN.finditer(text) if _is_iban(one.group())]
        found = [span for span in found if not any(_is_in(span, iban) for iban in ibans)]
    return _apart(found)


def _apart(found: list[tuple[int, int]]) -> list[tuple[int, int]]:
    """In order, those that overlap as one."""
    joined: list[tuple[int, int]] = []
    for start, end in sorted(found):
        if joined and start < joined[-1][1]:
            joined[-1] = (joined[-1][0], max(end, joined[-1][1]))
        else:
            joined.append((start, end))
    return joined


def _candidates(text: str) -> Iterator[tuple[str, tuple[int, int]]]:
    """Digits that may be a card number, and where they stand."""
    for match in _WHOLE.finditer(text):
        yield match.group(), match.span()
    for match in _TRACK.finditer(text):
        yield match[1], match.span(1)
    for match in _GROUPS.finditer(text):
        written, sign = match[1], match[2]
        start = match.start()
        digits = written.replace(sign, "")
        yield digits, (start, start + len(written))
        if len(digits) > 16:  # noqa: PLR2004 -- four groups of four
            # `4111 1111 1111 1111 12`: the last group may be the card's month.
            shorter = written.rpartition(sign)[0]
            yield shorter.replace(sign, ""), (start, start + len(shorter))


def _is_iban(text: str) -> bool:
    """Whether it is an account number. Source: ISO 7064, MOD 97-10."""
    plain = text.replace(" ", "").replace("\u00a0", "")
    return int("".join(str(int(one, 36)) for one in plain[4:] + plain[:4])) % 97 == 1


def _is_in(span: tuple[int, int], other: tuple[int, int]) -> bool:
    return other[0] <= span[0] and span[1] <= other[1]


def masked(text: str) -> str:
    """The text with every card number but its last four digits as `*`.

    Source: PCI DSS 4.0.1, 3.4.1 (at most the first six and the last four may be shown).
    """
    pieces, done = [], 0
    for start, end in spans(text):
        shown = end
        for _ in range(4):
            shown = max(at for at in range(start, shown) if text[at].isdigit())
        hidden = "".join("*" if one.isdigit() else one for one in text[start:shown])
        pieces += [text[done:start], hidden, text[shown:end]]
        done = end
    return "".join((*pieces, text[done:])) if pieces else text
