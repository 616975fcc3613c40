"""Numbers with a check digit: cards, and what states give their people.

The argument is a pattern; each place it matches is checked. A value with more than 1,000 such
places counts as a match without more looking: who floods it is refused.
"""

import re
from collections.abc import Callable, Mapping
from itertools import pairwise

from troth.engines.seclang.model import Found, OperatorBuilder, OperatorFunction
from troth.engines.seclang.scan import pattern, text, tree
from troth.engines.seclang.scan.rx import compiled

MAX_PLACES = 1000
_NO_DIGIT = bytes(byte for byte in range(256) if not 0x30 <= byte <= 0x39)  # noqa: PLR2004
_NO_RUT = bytes(byte for byte in range(256) if byte not in b"0123456789kK")
_DOUBLED = (0, 2, 4, 6, 8, 1, 3, 5, 7, 9)  # twice a digit, its digits added (ISO/IEC 7812-1, B)


def _digits(found: bytes) -> list[int]:
    return [byte - 0x30 for byte in found.translate(None, _NO_DIGIT)]


def is_luhn(found: bytes) -> bool:
    """The digits' last one is their check digit by ISO/IEC 7812-1, annex B. No digits: not."""
    digits = _digits(found)
    if not digits:
        return False
    return (sum(digits[-1::-2]) + sum(_DOUBLED[digit] for digit in digits[-2::-2])) % 10 == 0


def is_ssn(found: bytes) -> bool:
    """A number that the United States' social security may have given (SSA, RM 10201)."""
    digits = _digits(found)
    if len(digits) != 9:  # noqa: PLR2004
        return False
    area, group, serial = (
        int("".join(map(str, part))) for part in (digits[:3], digits[3:5], digits[5:])
    )
    if area in (0, 666) or area >= 740 or not group or not serial:  # noqa: PLR2004
        return False
    steps = {after - before for before, after in pairwise(digits)}
    return steps not in ({0}, {1})  # one digit repeated, or 123456789


def is_cpf(found: bytes) -> bool:
    """Brazil's Cadastro de Pessoas Físicas: two check digits modulo 11."""
    digits = _digits(found)
    if len(digits) != 11 or len(set(digits)) == 1:  # noqa: PLR2004
        return False
    for size in (9, 10):
        weighted = sum(digit * (size + 1 - at) for at, digit in enumerate(digits[:size]))
        if weighted * 10 % 11 % 10 != digits[size]:
            return False
    return True


def is_svnr(found: bytes) -> bool:
    """Austria's Sozialversicherungsnummer: the fourth digit checks the other nine, modulo 11.

    A remainder of ten counts as zero, as ModSecurity v3 counts; such numbers are not given out.
    One digit ten times is none, also where ModSecurity v3 takes it (eights and nines).
    """
    digits = _digits(found)
    if len(digits) != 10 or len(set(digits)) == 1:  # noqa: PLR2004
        return False
    weights = (3, 7, 9, 0, 5, 8, 4, 2, 1, 6)
    weighted = sum(a * b for a, b in zip(digits, weights, strict=True))
    return weighted % 11 % 10 == digits[3]


def is_rut(found: bytes) -> bool:
    """Chile's Rol Único Tributario: a check digit modulo 11, `k` for ten."""
    body = found.translate(None, _NO_RUT).lower()
    if len(body) < 2 or not body[:-1].isdigit():  # noqa: PLR2004
        return False
    weighted = sum((byte - 0x30) * (2 + at % 6) for at, byte in enumerate(reversed(body[:-1])))
    return b"0k987654321"[weighted % 11] == body[-1]


def _checking(is_right: Callable[[bytes], bool]) -> OperatorBuilder:
    def build(argument: str, _data: Mapping[str, bytes]) -> OperatorFunction:
        return _places(argument, is_right)

    return build


def _places(argument: str, is_right: Callable[[bytes], bool]) -> OperatorFunction:
    node = pattern.read(argument)
    if not tree.is_regular(node):
        raise ValueError("looks around or back, which this operator does not")
    search = compiled(text.regular(node)).search

    def find(value: bytes) -> Found | None:
        at = 0
        for _ in range(MAX_PLACES):
            found = search(value, at)
            if found is None:
                return None
            if is_right(found[0]):
                return (found[0],)
            at = found.start() + 1
            if at > len(value):
                return None
        return (value[at : at + 64],)

    return find


verify_cc = _checking(is_luhn)
verify_ssn = _checking(is_ssn)
verify_cpf = _checking(is_cpf)
verify_svnr = _checking(is_svnr)
_STATES = {"cl": is_rut, "us": is_ssn}
_NID = re.compile(r"(\w+)\s+(.+)", re.DOTALL)


def validate_nid(argument: str, _data: Mapping[str, bytes]) -> OperatorFunction:
    """`cl PATTERN` or `us PATTERN` (Coraza's); ModSecurity v3 knows the others alone."""
    found = _NID.fullmatch(argument)
    if not found or found[1] not in _STATES:
        raise ValueError(f"{argument[:40]!r} does not begin with cl or us and a pattern")
    return _places(found[2], _STATES[found[1]])
