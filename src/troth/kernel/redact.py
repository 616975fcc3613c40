"""What may be written down of a request: secrets never, card numbers masked, values clipped.

Pure and bounded. It errs towards hiding: a name that sounds like a secret is one.
"""

import re

MASK = b"***"
CLIP_BYTES = 256

# Parts of names whose values nobody writes down. Source: OWASP Logging Cheat Sheet, data to
# exclude; names of fields and headers of common frameworks and identity providers.
_SECRET = re.compile(
    r"pass(wor[dt]|wd|phrase|code)?($|[^a-z])|passw|pwd|secret|token|api[-_]?key|apikey|auth|cookie|session"
    r"|^sid$|csrf|xsrf|otp|\bpin\b|cvv|cvc|card[-_ ]?num|iban|ssn|signature|private|credential|jwt",
    re.IGNORECASE,
)
# 12 to 19 digits (ISO/IEC 7812-1) with single spaces or dashes between.
_DIGITS = re.compile(rb"(?<![0-9])[0-9](?:[ -]?[0-9]){11,18}(?![0-9])")


def is_secret(name: str) -> bool:
    """Whether what stands under this name (a field, header or cookie) is to be hidden."""
    return _SECRET.search(name) is not None


def masked(value: bytes) -> bytes:
    """The value without card numbers: all but the last four digits of what passes Luhn's test.

    Source: PCI DSS 4.0, 3.4.1 (at most the first six and last four may be shown).
    """
    if len(value) < 12:  # noqa: PLR2004 -- the shortest card number
        return value
    return _DIGITS.sub(_mask, value)


def shown(value: bytes, *, clip: int = CLIP_BYTES) -> str:
    """A value for a person or a log: masked, clipped, what is no printable ASCII escaped."""
    whole = masked(value)
    text = whole[:clip].decode("ascii", "backslashreplace")
    return "".join(c if c.isprintable() else f"\\x{ord(c):02x}" for c in text) + (
        f"... ({len(whole)} bytes)" if len(whole) > clip else ""
    )


def _mask(found: re.Match[bytes]) -> bytes:
    written = found.group()
    digits = [byte - 48 for byte in written if 48 <= byte <= 57]  # noqa: PLR2004 -- ASCII 0 to 9
    if not passes_luhn(digits):
        return written
    kept = 0
    out = bytearray(written)
    for at in range(len(out) - 1, -1, -1):
        if 48 <= out[at] <= 57:  # noqa: PLR2004 -- ASCII 0 to 9
            kept += 1
            if kept > 4:  # noqa: PLR2004 -- the last four stay
                out[at] = ord("*")
    return bytes(out)


def passes_luhn(digits: list[int]) -> bool:
    """The check digit of card numbers. Source: ISO/IEC 7812-1, annex B."""
    total = 0
    for at, digit in enumerate(reversed(digits)):
        doubled = digit * 2 if at % 2 else digit
        total += doubled - 9 if doubled > 9 else doubled  # noqa: PLR2004 -- sum of its digits
    return total % 10 == 0
