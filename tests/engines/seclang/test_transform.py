"""Every transformation against public cases, and against ModSecurity itself."""

import json
import re
from pathlib import Path

import libmodsecurity
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from troth.engines.seclang.transform import FUNCTIONS

HOUSE = Path(__file__).parents[3]
CASES = HOUSE.parent / "shared" / "corpora" / "seclang" / "transformations"
_GO = re.compile(rb'\\(?:x([0-9a-fA-F]{2})|u([0-9a-fA-F]{4})|([abfnrtv\\"]))')
_LETTER = dict(zip(b'abfnrtv\\"', b'\a\b\f\n\r\t\v\\"', strict=True))
# Where the cases (Coraza's) and ModSecurity v3 differ we do as ModSecurity v3 does: input, and why.
DIFFERENT = {
    ("cssDecode", b"test\\a"): "Coraza writes characters in UTF-8, ModSecurity the low byte",
    ("cssDecode", b"\\1A\\1 "): "the same",
    ("escapeSeqDecode", b"\\8\\9\\66"): "ModSecurity drops the backslash of an invalid \\x",
    ("hexDecode", b"01234567890z"): "Coraza gives nothing where a digit is none",
    ("hexDecode", b"54657374004"): "Coraza gives nothing for an odd number of digits",
    ("urlDecodeUni", b"+%u0000"): "Coraza has a map of code page 20127 built in",
    ("urlDecodeUni", b"%u201c"): "the same",
    ("urlDecodeUni", b"%u201d"): "the same",
    ("urlDecodeUni", b"%u0041"): "the same",
}
UNKNOWN_TO_MODSECURITY = {"none"}
ALPHABET = [
    *(bytes([byte]) for byte in b"%uU0147fFxX\\/*-<!>#&;.=A+gn\"'(^, \t\n\r\0a9"),
    *(b"\xff", b"\xc3", b"\xa9", b"\xe2", b"\x82", b"\xf0", b"\xf5", b"\xa0", b"\xed", b"\x80"),
    *(b"41", b"lt", b"quot", b"amp", b"..", b"/*", b"*/", b"--", b"0x", b"\x01", b"\x85"),
]


def unwritten(text: str) -> bytes:
    """The bytes of a case: escapes as Go's strings have them where there is a `\\x`."""
    raw = text.encode().replace(b"\\u0000", b"\0")
    if b"\\x" not in raw:
        return raw

    def one(found: re.Match[bytes]) -> bytes:
        if found[1]:
            return bytes([int(found[1], 16)])
        return chr(int(found[2], 16)).encode() if found[2] else bytes([_LETTER[found[3][0]]])

    return _GO.sub(one, raw)


class Oracle:
    """One chain of transformations in libmodsecurity 3."""

    def __init__(self, *chain: str) -> None:
        self.engine = libmodsecurity.ModSecurity()
        self.engine.set_log_callback(lambda _: None)
        self.rules = libmodsecurity.RulesSet()
        steps = ",".join(f"t:{name}" for name in ("none", "hexDecode", *chain, "hexEncode"))
        rule = (
            'SecRuleEngine On\nSecRule REQUEST_HEADERS:x "@unconditionalMatch" '
            f"\"id:1,phase:1,pass,log,{steps},logdata:'%{{MATCHED_VAR}}'\"\n"
        )
        assert self.rules.load(rule) > 0, self.rules.get_parser_error()

    def __call__(self, value: bytes) -> bytes:
        t = libmodsecurity.Transaction(self.engine, self.rules)
        t.process_connection("127.0.0.1", 1, "127.0.0.1", 2)
        t.process_uri("/", "GET", "1.1")
        t.add_request_header("x", value.hex())
        t.process_request_headers()
        (message,) = t.get_rule_messages()
        return bytes.fromhex(message.data)


ORACLES = {name: Oracle(name) for name in FUNCTIONS if name not in UNKNOWN_TO_MODSECURITY}


def unlike(name: str, value: bytes) -> bool:
    """Where we differ from ModSecurity on purpose, as the docstrings say."""
    # It overlooks a backslash after two or more slashes; here it is a slash like the others.
    return name in ("normalisepathwin", "normalizepathwin") and b"\\" in value and bool(
        re.search(rb"[/\\.]{2}[/\\]", value)
    )  # fmt: skip


@pytest.mark.shared
@pytest.mark.skipif(not CASES.is_dir(), reason="../shared is not here")
def test_public_cases():
    count, wrong = 0, []
    for path in sorted(CASES.glob("*.json")):
        for case in json.loads(path.read_text("utf-8")):
            value, expected = unwritten(case["input"]), unwritten(case["output"])
            count += 1
            if any(path.stem == n and value.startswith(begin) for n, begin in DIFFERENT):
                assert FUNCTIONS[path.stem.lower()](value) == ORACLES[path.stem.lower()](value)
            elif FUNCTIONS[path.stem.lower()](value) != expected:
                wrong.append((path.stem, value, expected))

    assert not wrong
    assert count >= 358


@pytest.mark.parametrize("name", sorted(ORACLES))
@settings(max_examples=60, deadline=None, derandomize=True)
@given(pieces=st.lists(st.sampled_from(ALPHABET), min_size=1, max_size=9))
def test_as_modsecurity(name: str, pieces: list[bytes]):
    value = b"".join(pieces)

    assert FUNCTIONS[name](value) == ORACLES[name](value) or unlike(name, value)


@pytest.mark.parametrize("name", sorted(ORACLES))
@settings(max_examples=20, deadline=None, derandomize=True)
@given(value=st.binary(min_size=1, max_size=60))
def test_as_modsecurity_on_any_bytes(name: str, value: bytes):
    assert FUNCTIONS[name](value) == ORACLES[name](value) or unlike(name, value)


def test_a_chain_as_modsecurity():
    chain = ("urlDecodeUni", "htmlEntityDecode", "jsDecode", "cssDecode", "lowercase")
    value = b"%26lt%3BScr%u0069pt&#62;\\x41\\u0042\\43 d+%5c6a"
    expected = Oracle(*chain)(value)

    for name in chain:
        value = FUNCTIONS[name.lower()](value)

    assert value == expected == b"<script>ab# d \x06a"


@pytest.mark.parametrize("name", sorted(FUNCTIONS))
@pytest.mark.parametrize(
    "piece", [b"%41", b"%u0041", b"\\", b"\\x41", b"&lt;", b"&", b"/*", b"../", b"\xe2", b"=", b" ",
              b"\0", b'"^', b"<!--", b"0x41", b"-", b"/", b"a"]
)  # fmt: skip
def test_a_value_grows_by_a_small_factor_only(name: str, piece: bytes):
    value = piece * 2000

    assert len(FUNCTIONS[name](value)) <= 7 * len(value) + 40


@pytest.mark.parametrize("name", sorted(set(FUNCTIONS) - {"length", "md5", "sha1"}))
def test_the_empty_value_stays(name: str):
    assert FUNCTIONS[name](b"") == b""


@pytest.mark.parametrize(
    "name", "jsdecode cssdecode escapeseqdecode htmlentitydecode urldecode urldecodeuni removenulls"
    " replacenulls replacecomments removecommentschar removecomments normalisepath normalisepathwin"
    " sqlhexdecode utf8tounicode trim none".split()
)  # fmt: skip
def test_what_needs_no_change_is_the_same_object(name: str):
    value = b"Nothing to do here"

    assert FUNCTIONS[name](value) is value
