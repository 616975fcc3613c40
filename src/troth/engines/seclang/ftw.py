"""go-ftw's regression tests, both schemas: parsed YAML to cases, cases to answers. Pure.

A test sends a request through a server to the rules and looks at their log. There is no server
here: `wire` reads the request as one would, and says which status it would answer by itself.

Source: https://github.com/coreruleset/go-ftw (README, "YAML format"), and the older format of
https://github.com/coreruleset/ftw.
"""

import base64
import binascii
import json
import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any
from urllib.parse import quote_plus, unquote_plus

from troth.engines.seclang import wire
from troth.engines.seclang.compile import Program
from troth.engines.seclang.model import Match, Message, Pairs, Verdict
from troth.kernel.errors import Failure

_FORM = b"application/x-www-form-urlencoded"
_FINE = 200

# What CRS's own runs of its tests set (its tests/regression directories): limits that are off by
# default are on, so that each rule has something to say.
SETTINGS = {
    "crs_validate_utf8_encoding": "1",
    "arg_name_length": "100",
    "arg_length": "400",
    "total_arg_length": "64000",
    "max_num_args": "255",
    "max_file_size": "64100",
    "combined_file_sizes": "65535",
}


class TestFileError(Failure):
    """A test file that cannot be read as one; `where` is the file and the test."""

    __test__ = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Expectation:
    """What a stage wants to see.

    Args:
        statuses: one of them is answered; empty: any.
        is_error: the server closes without an answer.
        ids, absent_ids: rules that must, and must not, be in the log.
        patterns, absent_patterns: regular expressions over the log.
        is_isolated: no other rule than `ids` is in the log.
    """

    statuses: frozenset[int] = frozenset()
    is_error: bool = False
    ids: frozenset[int] = frozenset()
    absent_ids: frozenset[int] = frozenset()
    patterns: tuple[str, ...] = ()
    absent_patterns: tuple[str, ...] = ()
    is_isolated: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Stage:
    """One request as bytes on the wire, from whom, and what is expected of it."""

    raw: bytes
    expects: Expectation
    client: str = "127.0.0.1"
    port: int = 80


@dataclass(frozen=True, slots=True, kw_only=True)
class Case:
    """One test: its title, and its stages in order; `is_enabled` is the file's own word."""

    name: str
    stages: tuple[Stage, ...]
    is_enabled: bool = True


def cases(document: object, name: str) -> tuple[Case, ...]:
    """The tests of one file.

    Args:
        document: what YAML made of it.
        name: of the file, for errors and for tests without a title.

    Raises:
        TestFileError: it is no go-ftw file.
    """
    if document is None:  # everything in it is commented out
        return ()
    if not isinstance(document, dict) or not isinstance(document.get("tests"), list):
        raise TestFileError("no go-ftw test file: it has no list of tests", where=name)
    meta = document.get("meta") or {}
    is_enabled = meta.get("enabled", True) is not False
    rule = document.get("rule_id")
    found = []
    for number, test in enumerate(document["tests"], 1):
        title = test.get("test_title") or f"{rule or name}-{test.get('test_id', number)}"
        try:
            stages = tuple(_stage(stage.get("stage", stage)) for stage in test["stages"])
        except (KeyError, TypeError, ValueError, AttributeError, binascii.Error) as error:
            raise TestFileError(
                f"cannot read the test: {error}", where=f"{name}: {title}"
            ) from None
        found.append(
            Case(
                name=str(title), stages=stages, is_enabled=is_enabled and test.get("enabled", True)
            )
        )
    return tuple(found)


def _stage(stage: Mapping[str, Any]) -> Stage:
    asked, output = stage.get("input") or {}, stage.get("output") or {}
    port = asked.get("port", 80)
    return Stage(raw=_raw(asked), expects=_expectation(output), port=int(port))


def _expectation(output: Mapping[str, Any]) -> Expectation:
    log = output.get("log") or {}
    status = output.get("status")
    patterns = [output.get("log_contains"), log.get("match_regex")]
    absent = [output.get("no_log_contains"), log.get("no_match_regex")]
    return Expectation(
        statuses=frozenset(int(s) for s in _listed(status)),
        is_error=bool(output.get("expect_error")),
        ids=frozenset(int(i) for i in _listed(log.get("expect_ids"))),
        absent_ids=frozenset(int(i) for i in _listed(log.get("no_expect_ids"))),
        patterns=tuple(str(p) for p in patterns if p),
        absent_patterns=tuple(str(p) for p in absent if p),
        is_isolated=bool(output.get("isolated")),
    )


def _listed(value: object) -> Sequence[Any]:
    if value is None:
        return ()
    return value if isinstance(value, list) else (value,)


def _bytes(value: object) -> bytes:
    """Text as UTF-8; a list of lines is joined by CRLF, as the older runner did."""
    if isinstance(value, list):
        return b"\r\n".join(_bytes(line) for line in value)
    return value if isinstance(value, bytes) else str(value).encode("utf-8", "surrogateescape")


def _raw(asked: Mapping[str, Any]) -> bytes:
    if asked.get("encoded_request"):
        return base64.b64decode(asked["encoded_request"])
    if asked.get("raw_request"):
        return _bytes(asked["raw_request"])
    data = _bytes(asked["data"]) if asked.get("data") is not None else b""
    if asked.get("encoded_data"):
        data = base64.b64decode(asked["encoded_data"])
    named = list((asked.get("headers") or {}).items())
    named += [(header["name"], header["value"]) for header in asked.get("ordered_headers") or ()]
    headers = [(_bytes(name), _bytes(value)) for name, value in named]
    is_completed = asked.get("autocomplete_headers", not asked.get("stop_magic", False))
    if is_completed:
        headers, data = _completed(headers, data)
    words = (asked.get("method", "GET"), asked.get("uri", "/"), asked.get("version", "HTTP/1.1"))
    line = b" ".join(_bytes(word) for word in words)
    return b"".join([line, b"\r\n", *[b"%b: %b\r\n" % pair for pair in headers], b"\r\n", data])


def _completed(
    headers: list[tuple[bytes, bytes]], data: bytes
) -> tuple[list[tuple[bytes, bytes]], bytes]:
    """What the runner adds unless told not to: the body's type and length, and an end."""
    names = {name.lower(): value for name, value in headers}
    added = list[tuple[bytes, bytes]]()
    if data and b"content-type" not in names:
        added.append((b"Content-Type", _FORM))
    if data and names.get(b"content-type", _FORM).lower() == _FORM:
        data = _encoded(data)
    if b"content-length" not in names and b"transfer-encoding" not in names and data:
        added.append((b"Content-Length", b"%d" % len(data)))
    if b"connection" not in names:
        added.append((b"Connection", b"close"))
    return [*headers, *added], data


def _encoded(data: bytes) -> bytes:
    """A form's body percent-encoded, unless something in it is encoded already."""
    text = data.decode("latin-1")
    if unquote_plus(text, encoding="latin-1") != text:
        return data
    parts = []
    for part in text.split("&"):
        name, equals, value = part.partition("=")
        parts.append(
            quote_plus(name, encoding="latin-1") + equals + quote_plus(value, encoding="latin-1")
        )
    return "&".join(parts).encode("latin-1")


def failures(case: Case, program: Program) -> tuple[str, ...]:
    """Run a test; why it fails, stage by stage; empty when it passes."""
    found = list[str]()
    for number, stage in enumerate(case.stages, 1):
        place = f"stage {number}: " if len(case.stages) > 1 else ""
        found += [place + why for why in _unmet(stage, program)]
    return tuple(found)


def _unmet(stage: Stage, program: Program) -> Iterable[str]:
    got = wire.read(stage.raw, client=stage.client, server_port=stage.port)
    verdict = Verdict()
    if got.message is not None:
        verdict = program.inspect(_answered(got.message))
    expects = stage.expects
    if expects.is_error and not got.is_unanswered:
        yield "an answer came, where none was expected"
    # Suites are run with blocking on and off, and list what either answers.
    answers = {got.status} if got.status else {_FINE, verdict.status or _FINE}
    if expects.statuses and not answers & expects.statuses:
        told = " or ".join(map(str, sorted(answers)))
        yield f"answered {told}, not {' or '.join(map(str, sorted(expects.statuses)))}"
    yield from _unlogged(expects, verdict)


def _unlogged(expects: Expectation, verdict: Verdict) -> Iterable[str]:
    ids = frozenset(verdict.rules)
    said = f"matched: {' '.join(map(str, sorted(ids))) or 'nothing'}"
    for missing in sorted(expects.ids - ids):
        yield f"{missing} did not match ({said})"
    for extra in sorted(expects.absent_ids & ids):
        yield f"{extra} matched"
    if expects.is_isolated and ids - expects.ids:
        yield f"others matched as well ({said})"
    log = "\n".join(map(_line, verdict.matches))
    for pattern in expects.patterns:
        if not re.search(pattern, log):
            yield f"the log does not hold {pattern} ({said})"
    for pattern in expects.absent_patterns:
        if re.search(pattern, log):
            yield f"the log holds {pattern}"


def _line(match: Match) -> str:
    """A match as ModSecurity's error log words it."""
    data = match.data.decode("latin-1")
    tags = "".join(f' [tag "{tag}"]' for tag in match.tags)
    return f'[id "{match.rule}"] [msg "{match.message}"] [data "{data}"]{tags}'


def _answered(message: Message) -> Message:
    """With the response that the tests' back end (albedo) gives: `/reflect` answers as told."""
    if not message.uri.startswith(b"/reflect") or not message.body:
        return message
    try:
        told = json.loads(message.body)
        headers = _pairs(told.get("headers") or {})
        body = told.get("body", "").encode()
        body = base64.b64decode(told["encodedBody"]) if "encodedBody" in told else body
        status = int(told.get("status", _FINE))
    except (ValueError, AttributeError, TypeError, RecursionError):
        return message
    return replace(message, status=status, response_headers=headers, response_body=body)


def _pairs(headers: Mapping[str, str]) -> Pairs:
    return tuple((name.encode(), value.encode()) for name, value in headers.items())
