"""libmodsecurity, asked: which rules of a rule set match a message."""

import re
from collections.abc import Iterable, Mapping
from pathlib import Path

import libmodsecurity

from troth.engines.seclang import Message, Source


class Oracle:
    """One rule set in libmodsecurity 3."""

    def __init__(self, rules: Iterable[str]) -> None:
        self._engine = libmodsecurity.ModSecurity()
        self._told_of: list[libmodsecurity.RuleMessage] = []
        self._engine.set_rule_message_callback(self._told)
        self._rules = libmodsecurity.RulesSet()
        for text in rules:
            if self._rules.load(text) < 0:
                raise ValueError(self._rules.get_parser_error())

    def _told(self, message: libmodsecurity.RuleMessage) -> None:
        self._told_of.append(message)

    def ids(self, message: Message) -> tuple[int, ...]:
        """Ids of the rules that matched and are logged, in order."""
        return tuple(message.rule_id for message in self.told(message))

    def told(self, message: Message) -> list[libmodsecurity.RuleMessage]:
        """What the rules that matched say, in order."""
        self._told_of = []
        t = libmodsecurity.Transaction(self._engine, self._rules)
        t.process_connection(message.client, message.port, message.server, message.server_port)
        protocol = message.protocol.decode("latin-1").removeprefix("HTTP/")
        t.process_uri(_text(message.uri), _text(message.method), protocol)
        for name, value in message.headers:
            t.add_request_header(_text(name), _text(value))
        t.process_request_headers()
        if message.body:
            t.append_request_body(message.body)
        t.process_request_body()
        if message.status is not None:
            for name, value in message.response_headers:
                t.add_response_header(_text(name), _text(value))
            t.process_response_headers(message.status, "HTTP/1.1")
            if message.response_body:
                t.append_response_body(message.response_body)
            t.process_response_body()
        t.process_logging()
        return self._told_of

    def close(self) -> None:
        """Let go of the engine's callback."""
        self._engine.set_rule_message_callback(None)


def _text(value: bytes) -> str:
    return value.decode("utf-8")


# Logged, but not audited: libmodsecurity does not tell of them (docs/why/0040-crs-exceptions.md).
UNTOLD = frozenset({980130, 980140, 980145})

_LINE_IN_PART = re.compile(rb'name="[^\r\n]*\r\n(?:[^\r\n]+\r\n)*\r\n[^\r\n]+\r?\n(?!--)')
_BACKSLASH = re.compile(rb"\\|%5c|%u005c|&#92", re.IGNORECASE)
_BACKSLASHES = re.compile(rb"(?:%5c|\\){2}", re.IGNORECASE)
_ETC_TWICE = re.compile(rb"etc(?:/|\\|%2f|%5c)[^&;]*etc(?:/|\\|%2f|%5c)", re.IGNORECASE)
_BYPASSES = re.compile(rb"[*?`'$]|%(?:2a|3f|60|27|24)", re.IGNORECASE)
_SUM = 949110  # follows from the others


def unexplained(message: Message, ours: set[int], theirs: set[int]) -> set[int]:
    """Of the rules that only one engine matched, those that no documented fault explains."""
    apart = ours ^ theirs
    rest = {rule for rule in apart if fault(message, rule, is_ours=rule in ours) is None}
    return set() if rest == {_SUM} != apart else rest


def fault(message: Message, rule: int, *, is_ours: bool) -> str | None:
    """The fault of libmodsecurity that makes a rule differ, each told of in docs/why/0040."""
    everything = b"\n".join([message.uri, *(v for _, v in message.headers), message.body or b""])
    types = tuple(value for _, value in message.headers)
    is_multipart = any(value.startswith(b"multipart/") for value in types)
    is_xml = any(value.endswith(b"/xml") for value in types)
    faults = {
        "line breaks of multipart fields": is_multipart
        and _LINE_IN_PART.search(message.body or b""),
        # They look at REQUEST_BODY, which is there for XML.
        "REQUEST_BODY of XML": is_xml and not is_ours and rule // 1000 in {920, 944},
        # One backslash of the request is meant, and two are read.
        "backslashes in a pattern": is_ours and rule == 920460 and _BACKSLASH.search(everything),
        # It looks at the last of the arguments that match.
        "order of arguments": rule == 932200 and len(_BYPASSES.findall(everything)) > 1,
        "t:normalizePathWin": is_ours and rule == 930120 and _BACKSLASHES.search(everything),
        "@pm of phrases alike": is_ours and rule == 930120 and _ETC_TWICE.search(everything),
    }
    return next((name for name, is_it in faults.items() if is_it), None)


def crs(
    sources: Iterable[Source], data: Mapping[str, bytes], place: Path, *, paranoia: int
) -> Oracle:
    """A whole rule set; `place` is a folder for the files that it names."""
    for name, content in data.items():
        (place / name).write_bytes(content)
    texts = []
    for source in sources:
        text = source.text.replace("@geoLookup", "@noMatch").replace("@rbl", "@noMatch")
        text = text.replace("FromFile ", f"FromFile {place}/")
        if source.name == "foundation":  # it tells of rules that do not disrupt, of no others
            level = f'"id:3,phase:1,nolog,pass,setvar:tx.paranoia_level={paranoia}"'
            text += f"\nSecRuleEngine DetectionOnly\nSecAction {level}\n"
        texts.append(text)
    return Oracle(texts)
