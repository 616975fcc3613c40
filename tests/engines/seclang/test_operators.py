"""Every operator against public cases, and against ModSecurity itself."""

import json
import re
from pathlib import Path

import libmodsecurity
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from troth.engines.seclang.operators import OPERATORS

HOUSE = Path(__file__).parents[3]
CASES = HOUSE.parent / "shared" / "corpora" / "seclang" / "operators"
# Where we differ from the cases (Coraza's) on purpose, by operator and argument.
DIFFERENT = {
    ("ipmatch", "10.0.0.0/100"): "no network: refused when the rule is read, as ModSecurity does",
    ("ipmatch", "0:0::/80"): "an address in ::ffff:0:0/96 is in ::/80, as ModSecurity says",
}
NOT_OFFERED = {"validateschema"}
_ESCAPE = re.compile(rb"\\u00([0-9a-f]{2})|\\x([0-9a-fA-F]{2})")


class Oracle:
    """One operator in libmodsecurity 3."""

    def __init__(self, operator: str, argument: str) -> None:
        self.engine = libmodsecurity.ModSecurity()
        self.engine.set_log_callback(lambda _: None)
        self.rules = libmodsecurity.RulesSet()
        rule = (
            f'SecRuleEngine On\nSecRule REQUEST_HEADERS:x "@{operator} {argument}" '
            '"id:1,phase:1,pass,log,t:none,t:hexDecode"\n'
        )
        assert self.rules.load(rule) > 0, self.rules.get_parser_error()

    def __call__(self, value: bytes) -> bool:
        t = libmodsecurity.Transaction(self.engine, self.rules)
        t.process_connection("127.0.0.1", 1, "127.0.0.1", 2)
        t.process_uri("/", "GET", "1.1")
        t.add_request_header("x", value.hex())
        t.process_request_headers()
        return bool(t.get_rule_messages())


@pytest.mark.shared
@pytest.mark.skipif(not CASES.is_dir(), reason="../shared is not here")
def test_public_cases():
    data = {path.name: path.read_bytes() for path in (CASES / "op").iterdir()}
    count, wrong = 0, []
    for path in sorted(CASES.glob("*.json")):
        for case in json.loads(path.read_text("utf-8")):
            name, argument = case["name"].lower(), case.get("param", "")
            count += 1
            if name in NOT_OFFERED or (name, argument) in DIFFERENT:
                continue
            raw = case["input"].encode()
            value = _ESCAPE.sub(lambda found: bytes.fromhex((found[1] or found[2]).decode()), raw)
            found = OPERATORS[name](argument, data)(value)
            groups = [text.decode("latin-1") for text in found or ()]
            if (found is not None) != bool(case["ret"]) or (
                case.get("re_groups", groups) != groups and case.get("re_groups")
            ):
                wrong.append((case, found))

    assert not wrong
    assert count >= 3934


WORDS = st.lists(
    st.sampled_from([b"abc", b"ab", b"c", b" ", b"_", b"1", b"\xff", b"ABC", b"-", b"\0"]),
    max_size=6,
).map(b"".join)
NUMBERS = st.builds(
    lambda *parts: b"".join(parts),
    st.sampled_from([b"", b" ", b"-", b"+", b"0x", b"\t\n", b"a"]),
    st.from_regex(rb"[0-9]{0,25}", fullmatch=True),
    st.sampled_from([b"", b"a", b" ", b".5"]),
)
PIECES = st.lists(
    st.sampled_from([b"%", b"4", b"1", b"z", b"u", b"+", b"a", b"\xc3", b"\xa9", b"\xe2", b"\x82",
                     b"\xac", b"\xf0", b"\x9f", b"\x80", b"\xed", b"\xa0", b"\xc0", b"\xff"]),
    max_size=6,
).map(b"".join)  # fmt: skip
DIGITS = st.from_regex(
    rb"(?:[0-9]{3}-?[0-9]{2}-?[0-9]{4}|([0-9])\1{10}|[0-9]{10,19}|[0-9]{3}\.[0-9]{3}\.[0-9]{3}-[0-9]{2})",
    fullmatch=True,
)
ASKED = [
    *((name, argument, WORDS)
      for name in ("contains", "containsWord", "beginsWith", "endsWith", "streq", "strmatch",
                   "within", "pm")
      for argument in ("abc", "ABC abc", "a")),
    *((name, argument, NUMBERS)
      for name in ("eq", "ge", "gt", "le", "lt")
      for argument in ("0", "5", "-3", "x", "99999999999")),
    *((name, "", PIECES) for name in ("validateUtf8Encoding", "validateUrlEncoding")),
    ("validateByteRange", "32-126,10,0", st.binary(max_size=4)),
    ("verifyCC", "[0-9]{13,16}", DIGITS),
    ("verifySSN", "[0-9]{3}-?[0-9]{2}-?[0-9]{4}", DIGITS),
    ("verifyCPF", "([0-9]{3}[.]?){2}[0-9]{3}-?[0-9]{2}", DIGITS),
    ("verifySVNR", "([0-9]{4} ?[0-9]{6})", st.from_regex(rb"[0-9]{4} ?[01][0-9]{5}", fullmatch=True)
     .filter(lambda text: len(set(text) - {0x20}) > 1)),
]  # fmt: skip


@pytest.mark.parametrize(("name", "argument", "values"), ASKED, ids=lambda part: str(part)[:20])
def test_as_modsecurity(name: str, argument: str, values: st.SearchStrategy[bytes]):
    oracle, ours = Oracle(name, argument), OPERATORS[name.lower()](argument, {})

    @settings(max_examples=40, deadline=None, derandomize=True)
    @given(value=values)
    def asked(value: bytes) -> None:
        assert (ours(value) is not None) == oracle(value)

    asked()


@pytest.mark.parametrize(
    ("name", "argument", "value", "found"),
    [
        ("pm", "union SELECT", b"xsElect", (b"sElect",)),
        ("pmFromFile", "words.data", b"a FOO b", (b"FOO",)),
        ("pmf", "words.data", b"# not a phrase", None),
        ("ipMatch", "192.0.2.0/24,2001:db8::1", b"192.0.2.7", (b"192.0.2.7",)),
        ("ipMatch", "192.0.2.0/24", b"::ffff:192.0.2.7", (b"::ffff:192.0.2.7",)),
        ("ipMatch", "192.0.2.0/24", b"192.0.3.7", None),
        ("ipMatch", "192.0.2.0/24", b"no address", None),
        ("ipMatch", "192.0.2.0/24", b"1" * 200, None),
        ("ipMatchFromFile", "nets.data", b"198.51.100.9", (b"198.51.100.9",)),
        ("ipMatchF", "nets.data", b"203.0.113.1", None),
        ("rx", "(a)(b)?", b"xa", (b"a", b"a", b"")),
        ("rxGlobal", "(a)(b)?", b"a ab", (b"a", b"a", b"", b"ab", b"a", b"b")),
        ("rxGlobal", "(a)", b"x", None),
        ("validateNid", "cl .*", b"11.111.111-1", (b"11.111.111-1",)),
        ("validateNid", "cl .*", b"7.654.321-6", (b"7.654.321-6",)),
        ("validateNid", "cl .*", b"k", None),
        ("validateByteRange", "97-99", b"abcd", (b"d",)),
        ("validateUrlEncoding", "", b"ab%zzc", (b"%zz",)),
        ("validateUtf8Encoding", "", b"\xf4\x90\x80\x80", (b"\xf4\x90\x80\x80",)),
        ("verifyCC", "[0-9]{16}", b"4111 1111 1111 1111", None),
        ("verifyCC", "[0-9]*", b"", None),
    ],
)  # fmt: skip
def test_what_is_found(name: str, argument: str, value: bytes, found: tuple[bytes, ...] | None):
    data = {
        "words.data": b"# a comment\n\nfoo\n bar \n",
        "nets.data": b"198.51.100.0/24 # ours\n2001:db8::/32\n",
    }

    assert OPERATORS[name.lower()](argument, data)(value) == found


@pytest.mark.parametrize(
    ("name", "argument", "why"),
    [
        ("pmFromFile", "absent.data", "no data file 'absent.data'"),
        ("ipMatchFromFile", "absent.data", "no data file 'absent.data'"),
        ("ipMatch", "10.0.0.0/100", "no address and no network"),
        ("validateByteRange", "1-999", "not within 0-255"),
        ("validateByteRange", "9-1", "not within 0-255"),
        ("validateByteRange", "a-z", "no byte and no range"),
        ("validateNid", "xx .*", "does not begin with cl or us"),
        ("verifyCC", "(?=1)1", "looks around"),
        ("rxGlobal", "(?=1)1", "looks around"),
        ("rx", "(", "ends"),
        ("geoLookup", "", "needs a database"),
        ("rbl", "example.org", "domain name system"),
        ("inspectFile", "/bin/true", "runs another program"),
        ("fuzzyHash", "x 1", "ssdeep"),
        ("validateSchema", "x", "schema"),
    ],
)
def test_what_cannot_be_asked_is_refused_when_it_is_built(name: str, argument: str, why: str):
    with pytest.raises(ValueError, match=why):
        OPERATORS[name.lower()](argument, {})


def test_a_flood_of_lookalike_numbers_is_a_match():
    check = OPERATORS["verifycc"]("[0-9]{13}", {})

    assert check(b"1" * 900) is None
    assert check(b"1" * 100_000) is not None


@settings(max_examples=60, deadline=None)
@given(value=st.binary(max_size=80))
def test_no_value_raises(value: bytes):
    for name, argument in (
        ("ipmatch", "192.0.2.0/24"), ("verifycc", "[0-9]+"), ("verifycpf", "[0-9]+"),
        ("verifyssn", "[0-9]+"), ("verifysvnr", ".*"), ("validatenid", "cl .*"), ("pm", "a b"),
        ("rx", "(a|b)*c"), ("rxglobal", "."), ("eq", "1"), ("containsword", "a"),
    ):  # fmt: skip
        found = OPERATORS[name](argument, {})(value)
        assert found is None or all(isinstance(text, bytes) for text in found)
