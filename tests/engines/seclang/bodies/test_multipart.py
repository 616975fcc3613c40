"""Multipart forms: what is read, what is flagged, and how ModSecurity sees the same bytes."""

import libmodsecurity
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from troth.engines.seclang.bodies import multipart
from troth.engines.seclang.model import File, Limits, Parts

TYPE = b"multipart/form-data; boundary=BB"
FIELD = b'Content-Disposition: form-data; name="a"'
FILE = b'Content-Disposition: form-data; name="f"; filename="x.txt"'
END = b"--BB--\r\n"
STRICT = "MULTIPART_STRICT_ERROR"
FLAGS = (
    STRICT, multipart.UNMATCHED, multipart.DATA_BEFORE, multipart.DATA_AFTER, multipart.FOLDING,
    multipart.LF_LINE, multipart.BOTH_LINES, multipart.INVALID_FOLDING,
    "MULTIPART_BOUNDARY_QUOTED", "MULTIPART_BOUNDARY_WHITESPACE", "MULTIPART_MISSING_SEMICOLON",
    "MULTIPART_INVALID_QUOTING", "MULTIPART_INVALID_PART",
)  # fmt: skip


def part(head: bytes = FIELD, content: bytes = b"x") -> bytes:
    return b"--BB\r\n" + head + b"\r\n\r\n" + content + b"\r\n"


def read(body: bytes, content_type: bytes = TYPE, **limits: int) -> Parts:
    return multipart.parse(body, content_type, Limits(**limits))


def raised(parts: Parts) -> set[str]:
    """The flags, but for the one that stands for all."""
    flags = {name for name, value in parts.flags.items() if value == b"1"}
    assert (STRICT in flags) == bool(flags - {STRICT, multipart.UNMATCHED} or parts.error)
    return flags - {STRICT}


def test_fields_files_and_headers():
    head = FILE + b"\r\nContent-Type: text/plain"
    parts = read(part() + part(head, b"1\r\n2\n\r\n") + part(content=b"a\r\nb") + END)

    assert parts.arguments == ((b"a", b"x"), (b"a", b"a\r\nb"))
    assert parts.files == (File(field=b"f", name=b"x.txt", content=b"1\r\n2\n\r\n"),)
    assert parts.part_headers == (
        (b"a", FIELD), (b"f", FILE), (b"f", b"Content-Type: text/plain"), (b"a", FIELD),
    )  # fmt: skip
    assert not parts.error
    assert not raised(parts)


@pytest.mark.parametrize("body", [b"", END, b"--BB--"])
def test_an_empty_form(body: bytes):
    parts = read(body)

    assert parts.arguments == ()
    assert not parts.error
    assert not raised(parts)


@pytest.mark.parametrize(
    ("body", "flags"),
    [
        (b"x\r\n" + part() + END, {multipart.DATA_BEFORE}),
        (b"\r\n" + part() + END, {multipart.DATA_BEFORE}),
        (part() + END + b"\r\n", {multipart.DATA_AFTER}),
        (part() + END + part() + END, {multipart.DATA_AFTER}),
        (part().replace(b"\r\n", b"\n") + b"--BB--\n", {multipart.LF_LINE}),
        (part() + b"--BB--\n", {multipart.LF_LINE, multipart.BOTH_LINES}),
        (part(FIELD + b"\nX: y") + END, {multipart.LF_LINE, multipart.BOTH_LINES}),
        (part(content=b"a\nb") + END, set()),
        (part(b"X: y\r\n z\r\n" + FIELD) + END, {multipart.FOLDING}),
        (part(b"X: y\r\n\vz\r\n" + FIELD) + END, {multipart.FOLDING, multipart.INVALID_FOLDING}),
        (part(b"Content-Disposition: form-data; name='a'") + END, {"MULTIPART_INVALID_QUOTING"}),
        (part(content=b"--BBx") + END, {"MULTIPART_INVALID_PART"}),
        (part(FIELD + b"\r\n" + FIELD) + END, {"MULTIPART_INVALID_PART"}),
        (b"--BB\r\n" + FIELD + b"\r\n\r\n" + END, {"MULTIPART_INVALID_PART"}),
        (part(content=b"--x") + b"--BB--", {multipart.UNMATCHED}),
        (part(content=b"--x") + END, set()),
    ],
)
def test_what_is_doubtful_is_flagged(body: bytes, flags: set[str]):
    parts = read(body)

    assert raised(parts) == flags
    assert not parts.error
    assert [name for name, _ in parts.arguments] == [b"a"]


@pytest.mark.parametrize(
    ("content_type", "flag"),
    [
        (b'multipart/form-data; boundary="BB"', "MULTIPART_BOUNDARY_QUOTED"),
        (b"multipart/form-data; boundary =BB", "MULTIPART_BOUNDARY_WHITESPACE"),
        (b"multipart/form-data boundary=BB", "MULTIPART_MISSING_SEMICOLON"),
    ],
)
def test_a_doubtful_boundary_is_flagged(content_type: bytes, flag: str):
    parts = read(part() + END, content_type)

    assert raised(parts) == {flag}
    assert parts.arguments == ((b"a", b"x"),)


@pytest.mark.parametrize(
    ("body", "why"),
    [
        (b"hello", "no boundary in the body"),
        (part(), "no boundary at the end"),
        (part() + b"--BB-- \r\n", "something after it"),
        (part() + b"--BB \r\n" + END, "something after it"),
        (part() + b"--BB", "something after it"),
        (b"-- BB\r\n" + part() + END, "something before it"),
        (part(content=b"\n--BBx" * 40) + END, "too many lines"),
        (part(b"X: y") + END, "without Content-Disposition"),
        (part(b"Content-Disposition: attachment") + END, "not read alike"),
        (part(FIELD + b"\r\nbad") + END, "without name or colon"),
        (part(FIELD + b"\r\n: x") + END, "without name or colon"),
        (part(b" " + FIELD) + END, "begins with a folded header"),
        (part(FIELD + b"\r\nX: \0") + END, "with a NUL"),
        (part(FIELD + b"\r\nX: " + b"y" * 4096) + END, "too long"),
        (part(FIELD + b"\r\nX: y" * 40) + END, "too many headers"),
        (b"--BB\r\n" + FIELD + b"\r\n" + END, "without an empty line"),
        (b"--BB\r\n" + END, "without an empty line"),
    ],
)
def test_where_reading_on_would_be_a_guess_it_stops(body: bytes, why: str):
    parts = read(body)

    assert why in parts.error
    assert parts.flags[STRICT] == b"1"


def test_a_quoted_delimiter_is_an_error_where_the_boundary_is_quoted():
    body = b'--"BB"\r\n' + part() + END

    assert "before it" in read(body, b'multipart/form-data; boundary="BB"').error


def test_a_boundary_that_is_none_is_an_error():
    parts = read(part() + END, b"multipart/form-data; boundary=B\xffB")

    assert parts.error.startswith("multipart: ")
    assert parts.arguments == ()
    assert parts.flags[STRICT] == b"1"


def test_more_parts_than_the_limit():
    parts = read(part() * 4 + part(FILE) + END, parts=4)

    assert parts.limit == "parts"
    assert len(parts.arguments) == 4


class Oracle:
    """What libmodsecurity 3 reads of a form."""

    names = ("ARGS_POST", "FILES", "FILES_SIZES", "REQBODY_ERROR", *FLAGS)

    def __init__(self) -> None:
        self.engine = libmodsecurity.ModSecurity()
        self.engine.set_log_callback(lambda _: None)
        self.rules = libmodsecurity.RulesSet()
        text = "SecRuleEngine On\nSecRequestBodyAccess On\n"
        for number, name in enumerate(self.names):
            both = '"@unconditionalMatch" "phase:2,pass,t:none,t:hexEncode'
            text += (
                f"SecRule {name} {both},id:{100 + number},nolog,setvar:'tx.a{number}="
                f"%{{tx.a{number}}}|%{{MATCHED_VAR_NAME}}@%{{MATCHED_VAR}}'\"\n"
                f"SecRule TX:a{number} {both},id:{200 + number},log,logdata:'%{{MATCHED_VAR}}'\"\n"
            )
        assert self.rules.load(text) > 0, self.rules.get_parser_error()

    def __call__(self, body: bytes, content_type: bytes) -> dict[str, list[tuple[bytes, bytes]]]:
        t = libmodsecurity.Transaction(self.engine, self.rules)
        t.process_connection("127.0.0.1", 1, "127.0.0.1", 2)
        t.process_uri("/", "POST", "1.1")
        t.add_request_header("Content-Type", content_type.decode())
        t.process_request_headers()
        t.append_request_body(body)
        t.process_request_body()
        read = {}
        for message in t.get_rule_messages():
            pairs = []
            for pair in bytes.fromhex(message.data).split(b"|")[1:]:
                name, _, value = pair.rpartition(b"@")
                pairs.append((name.partition(b":")[2], bytes.fromhex(value.decode())))
            read[self.names[message.rule_id - 200]] = pairs
        return read


ORACLE = Oracle()
LINES = st.sampled_from([b"\r\n"] * 14 + [b"\n"])
DISPOSITIONS = st.sampled_from(
    [FIELD] * 6 + [FILE]
    + [b"Content-Disposition: form-data; " + rest for rest in (
        b"name='a'", b"name=a", b'name="a\\"b"', b'filename="q"; name="b"', b'name="a"x',
        b'Name="a"', b'name="a"; filename=""', b"name=a;filename=b;", b'name="a"; name="b"')]
)  # fmt: skip
EXTRA = st.sampled_from(
    [b""] * 4 + [b"\r\nContent-Type: text/plain", b"\r\nX: y\r\n\tz", b"\r\nbad"]
)
CONTENT = st.sampled_from([b"x", b"", b"hello", b"--", b"--x", b"-", b"a\r\nb", b"a\n--b", b"BB--"])
FORMS = st.builds(
    lambda *pieces: b"".join(pieces),
    st.sampled_from([b""] * 8 + [b"x\r\n", b"\r\n", b"--x\r\n"]),
    st.lists(
        st.builds(
            lambda one, head, extra, two, three, content, four: (
                b"--BB" + one + head + extra + two + three + content + four
            ),
            LINES, DISPOSITIONS, EXTRA, LINES, LINES, CONTENT, LINES,
        ),
        min_size=1, max_size=3,
    ).map(b"".join),
    st.sampled_from(
        [END] * 5 + [b"--BB--"] * 3 + [b"", b"--BB--\n", END + b"x", b"--BB-- \r\n", END + b"\r\n"]
    ),
)  # fmt: skip
TYPES = st.sampled_from(
    [TYPE] * 6 + [b'multipart/form-data; boundary="BB"', b"multipart/form-data boundary=BB",
                  b"multipart/form-data; boundary =BB"]
)  # fmt: skip


def without_lines(pairs: list[tuple[bytes, bytes]]) -> list[tuple[bytes, bytes]]:
    """It loses line breaks within a field's value (3.0.15)."""
    return [(name, value.translate(None, b"\r\n")) for name, value in pairs]


@settings(max_examples=120, deadline=None, derandomize=True)
@given(body=FORMS, content_type=TYPES)
def test_as_modsecurity(body: bytes, content_type: bytes):
    theirs, ours = ORACLE(body, content_type), read(body, content_type)

    assert (theirs["REQBODY_ERROR"] == [(b"", b"1")]) == bool(ours.error)
    if not ours.error:
        assert {name: theirs[name][0][1] or b"0" for name in FLAGS} == {
            name: ours.flags.get(name, b"0") for name in FLAGS
        }
        # It groups arguments of one name.
        assert sorted(without_lines(theirs.get("ARGS_POST", []))) == sorted(
            without_lines(list(ours.arguments))
        )
        assert sorted(theirs.get("FILES", [])) == sorted(
            (file.field, file.name) for file in ours.files
        )
        assert sorted(theirs.get("FILES_SIZES", [])) == sorted(
            (file.field, b"%d" % len(file.content)) for file in ours.files
        )
