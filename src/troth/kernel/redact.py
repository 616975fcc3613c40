"""What may be written down of a request: secrets never, card numbers masked, values clipped.

Pure and bounded. It errs towards hiding: a name that sounds like a secret is one.
"""

import re

from troth.kernel import cards

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
    """The value without card numbers: of each, all digits but the last four are hidden.

    So are 12 to 19 digits of any other make that pass Luhn's test.

    Source: PCI DSS 4.0, 3.4.1 (at most the first six and last four may be shown).
    """
    if len(value) < 12:  # noqa: PLR2004 -- the shortest card number
        return value
    # Signs between groups that are no ASCII are found as UTF-8; what is no UTF-8 as single bytes.
    try:
        value = cards.masked(value.decode()).encode()
    except UnicodeDecodeError:
        value = cards.masked(value.decode("latin-1")).encode("latin-1")
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
    if not cards.passes_luhn("".join(filter(str.isdigit, written.decode()))):
        return written
    kept = 0
    out = bytearray(written)
    for at in range(len(out) - 1, -1, -1):
        if 48 <= out[at] <= 57:  # noqa: PLR2004 -- ASCII 0 to 9
            kept += 1
            if kept > 4:  # noqa: PLR2004 -- the last four stay
                out[at] = ord("*")
    return bytes(out)
