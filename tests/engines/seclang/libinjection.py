"""libinjection, asked: the one inside the libmodsecurity wheel, by its own C interface."""

import ctypes
import random
from pathlib import Path

import libmodsecurity

NONE, SINGLE, DOUBLE, ANSI, MYSQL = 1, 2, 4, 8, 16
IN_QUOTES = {b"": NONE, b"'": SINGLE, b'"': DOUBLE}
LONGEST = 31


class _Token(ctypes.Structure):
    _fields_ = (
        ("pos", ctypes.c_size_t),
        ("len", ctypes.c_size_t),
        ("count", ctypes.c_int),
        ("type", ctypes.c_char),
        ("opened", ctypes.c_char),
        ("closed", ctypes.c_char),
        ("val", ctypes.c_ubyte * 32),
    )


class _State(ctypes.Structure):
    _fields_ = (
        ("s", ctypes.c_char_p),
        ("slen", ctypes.c_size_t),
        ("lookup", ctypes.c_void_p),
        ("userdata", ctypes.c_void_p),
        ("flags", ctypes.c_int),
        ("pos", ctypes.c_size_t),
        ("tokens", _Token * 8),
        ("rest", ctypes.c_char * 160),
    )


def _library() -> ctypes.CDLL:
    place = Path(libmodsecurity.__file__).parents[1] / "libmodsecurity.libs"
    return ctypes.CDLL(str(next(place.glob("libmodsecurity-*"))))


_C = _library()
Told = tuple[str, bytes, bytes, bytes]
"""A token: its kind, how it opens and closes, its text."""


def _begun(value: bytes, quote: bytes, *, is_mysql: bool) -> _State:
    state = _State()
    flags = IN_QUOTES[quote] | (MYSQL if is_mysql else ANSI)
    _C.libinjection_sqli_init(
        ctypes.byref(state), ctypes.c_char_p(value), ctypes.c_size_t(len(value)), flags
    )
    return state


def _told(token: _Token) -> Told:
    text = bytes(token.val[: min(token.len, LONGEST)])
    return token.type.decode(), token.opened.strip(b"\0"), token.closed.strip(b"\0"), text


def tokens(value: bytes, quote: bytes = b"", *, is_mysql: bool = False) -> list[Told]:
    """All tokens."""
    state, found = _begun(value, quote, is_mysql=is_mysql), []
    while _C.libinjection_sqli_tokenize(ctypes.byref(state)) == 1:
        found.append(_told(state.tokens[0]))
    return found


def folded(value: bytes, quote: bytes = b"", *, is_mysql: bool = False) -> list[Told]:
    """What folding leaves."""
    state = _begun(value, quote, is_mysql=is_mysql)
    count = _C.libinjection_sqli_fold(ctypes.byref(state))
    return [_told(token) for token in state.tokens[:count]]


def sqli(value: bytes) -> str | None:
    """The fingerprint of an injection."""
    found = ctypes.create_string_buffer(9)
    is_found = _C.libinjection_sqli(ctypes.c_char_p(value), ctypes.c_size_t(len(value)), found)
    return found.value.decode() if is_found else None


def xss(value: bytes) -> bool:
    """Whether a value is markup that runs."""
    return bool(_C.libinjection_xss(ctypes.c_char_p(value), ctypes.c_size_t(len(value))))


def case(path: Path) -> tuple[bytes, bytes]:
    """A case of its own tests: what goes in, what comes out."""
    _, _, rest = path.read_bytes().partition(b"--INPUT--\n")
    value, _, expected = rest.partition(b"--EXPECTED--\n")
    return value.strip(), expected.strip()


def made(rng: random.Random, parts: list[bytes], blank: float) -> bytes:
    """A value of up to nine parts, with that share of blanks between them."""
    chosen = rng.choices(parts, k=rng.randrange(1, 10))
    return b"".join(part + b" " * (rng.random() < blank) for part in chosen)
