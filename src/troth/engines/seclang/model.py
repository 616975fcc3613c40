"""The engine's values: what is parsed, what is asked, what is answered. No behaviour.

Text from rule files is `str`; everything that comes from a request is `bytes`, byte for byte, as
SecLang works on bytes. Where bytes must be shown as text they are read as Latin-1.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Protocol

from troth.kernel.errors import Failure

Pairs = tuple[tuple[bytes, bytes], ...]
"""Names and values in the order they came, duplicates kept."""

Found = tuple[bytes, ...]
"""What an operator found: the matched text first, then its groups (at most nine); `b""` for a group
that took no part. An operator that has nothing to capture answers with the value alone."""

OperatorFunction = Callable[[bytes], Found | None]
"""An operator with its argument built in: None is no match. Never raises on any bytes."""

OperatorBuilder = Callable[[str, Mapping[str, bytes]], OperatorFunction]
"""From the argument (no macro in it) and the data files by base name.

Raises:
    ValueError: the argument is none that this operator understands (the parser adds file and line).
"""


class RuleError(Failure):
    """A rule set that is refused whole; `where` is `file:line`."""


@dataclass(frozen=True, slots=True)
class Source:
    """One rule file: its name (for errors) and its text."""

    name: str
    text: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Selector:
    """Which values a rule looks at: `ARGS`, `&ARGS:id`, `!REQUEST_COOKIES:/^__utm/`.

    Args:
        collection: in upper case (`ARGS`, `REQUEST_HEADERS`, `TX`, `XML`).
        key: in lower case, as written after the colon; empty for the whole collection.
            For XML it is the XPath (`/*`, `//@*`).
        is_pattern: the key is a regular expression, searched in names without regard to case.
        is_count: asks how many there are (`&`).
        is_exclusion: takes what it names away from what the others select (`!`).
    """

    collection: str
    key: str = ""
    is_pattern: bool = False
    is_count: bool = False
    is_exclusion: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Operator:
    """`!@rx ^a` is `Operator(name="rx", argument="^a", is_negated=True)`; names in lower case."""

    name: str
    argument: str
    is_negated: bool = False


@dataclass(frozen=True, slots=True)
class Action:
    """`setvar:tx.a=1` is `Action("setvar", "tx.a=1")`; names in lower case, quotes removed."""

    name: str
    argument: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Link:
    """One SecRule or SecAction line; a rule is a chain of one or more.

    Args:
        selectors: empty for SecAction.
        operator: None for SecAction, which always matches.
        transformations: in order, lower case, without `t:`; what stood before `t:none` is gone.
        actions: all others, in order, the defaults of SecDefaultAction left out.
        where: `file:line` of its first line.
    """

    selectors: tuple[Selector, ...]
    operator: Operator | None
    transformations: tuple[str, ...]
    actions: tuple[Action, ...]
    where: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Rule:
    """A rule with its chain.

    Args:
        id: 1 or more; unique in its set.
        phase: 1 request headers, 2 request body, 3 response headers, 4 response body, 5 logging.
        links: the head first, then what must match as well.
        disruption: `pass`, `deny`, `drop`, `allow`, `redirect` (`block` is resolved to what
            SecDefaultAction of the phase says).
        disruption_argument: of `allow` (`phase`, `request`) and `redirect` (the address).
        status: the answer's status when it denies; 403 by default.
        is_logged: a match is part of the verdict's matches.
        message, logdata: with macros not yet expanded.
        severity: 0 emergency to 7 debug; None when the rule says none.
        tags: as written, without macros.
        skip_after: the marker's name; empty when it skips nothing.
        skip: how many of the rules that follow in the phase are passed over.
    """

    id: int
    phase: int
    links: tuple[Link, ...]
    disruption: str = "pass"
    disruption_argument: str = ""
    status: int = 403
    is_logged: bool = True
    message: str = ""
    logdata: str = ""
    severity: int | None = None
    tags: tuple[str, ...] = ()
    skip_after: str = ""
    skip: int = 0

    @property
    def where(self) -> str:
        """`file:line` of its head."""
        return self.links[0].where


@dataclass(frozen=True, slots=True)
class Marker:
    """Where `skipAfter` lands."""

    name: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Ruleset:
    """All that was parsed, in order, updates and removals applied.

    Args:
        items: rules and markers as they follow each other.
        data: files by base name, for `@pmFromFile` and its kin.
        engine: SecRuleEngine: `On`, `DetectionOnly` or `Off`.
        is_body_read: SecRequestBodyAccess.
        is_response_read: SecResponseBodyAccess.
        response_types: SecResponseBodyMimeType, lower case.
        argument_separator: one byte.
        ignored: directives that do not concern us, as `file:line: name: why`.
    """

    items: tuple[Rule | Marker, ...]
    data: Mapping[str, bytes] = field(default_factory=dict)
    engine: str = "On"
    is_body_read: bool = True
    is_response_read: bool = True
    response_types: frozenset[str] = frozenset({"text/plain", "text/html", "text/xml"})
    ignored: tuple[str, ...] = ()

    @property
    def rules(self) -> tuple[Rule, ...]:
        """The rules alone."""
        return tuple(item for item in self.items if isinstance(item, Rule))


@dataclass(frozen=True, slots=True, kw_only=True)
class Limits:
    """What one request may cost. Beyond a limit the verdict says so; it is never passed unread.

    Args:
        arguments: how many, query and body together (PHP's max_input_vars is 1000).
        body: bytes of body that are parsed.
        depth: of JSON and XML.
        parts: of a multipart body.
        escapes: notations to be decoded (`&lt;`, `%u0041`, backslashes, `${`, overlong and
            full-width characters) in a body's values, all together; told as `decode`. 64 KB of
            nothing but escapes of six bytes: a text in any language has less.
        work: bytes that transformations and operators may look at, all together; what makes a
            verdict repeatable where a clock would not be.
    """

    arguments: int = 1000
    body: int = 1 << 20
    depth: int = 64
    parts: int = 200
    escapes: int = 10_923
    work: int = 1 << 30


@dataclass(frozen=True, slots=True, kw_only=True)
class Message:
    """One request, and its response when there is one already.

    Args:
        method, uri, protocol: as on the request line (`GET`, `/a?b=c`, `HTTP/1.1`).
        headers: as sent; names in any case.
        body: None when it is not there to be read (a stream, an upload that is scanned elsewhere).
        client: the visitor's address.
        port: the visitor's port.
        status: of the response; None while there is none, then only phases 1 and 2 run.
        response_headers: as sent.
        response_body: None when it is not there to be read.
        epoch_s: the time, in seconds since 1970 UTC, for TIME and its kin.
        removed: ids of rules that do not run for this message.
        excluded: a rule's id (0: every rule) and what it does not look at in this message.
    """

    method: bytes
    uri: bytes
    protocol: bytes = b"HTTP/1.1"
    headers: Pairs = ()
    body: bytes | None = None
    client: str = ""
    port: int = 0
    server: str = ""
    server_port: int = 0
    status: int | None = None
    response_protocol: bytes = b"HTTP/1.1"
    response_headers: Pairs = ()
    response_body: bytes | None = None
    epoch_s: int = 0
    removed: frozenset[int] = frozenset()
    excluded: tuple[tuple[int, Selector], ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class File:
    """One uploaded file: the form's field, the name it says, its content."""

    field: bytes
    name: bytes
    content: bytes


@dataclass(frozen=True, slots=True, kw_only=True)
class Parts:
    """What a body processor (`bodies.PROCESSORS`) made of a body.

    Args:
        arguments: become ARGS_POST (JSON: `json.a.b`, `json.list.0`).
        files: become FILES (by field), FILES_NAMES, FILES_SIZES, FILES_TMP_CONTENT.
        part_headers: become MULTIPART_PART_HEADERS: the part's name, the whole header line.
        flags: become variables of that name: `MULTIPART_STRICT_ERROR`, `MULTIPART_DATA_AFTER`,
            `MULTIPART_UNMATCHED_BOUNDARY`, ...; an absent one is `0`.
        xml_text: every text node, as XML:/* sees them joined.
        xml_attributes: values of attributes, as XML://@* sees them.
        error: why it could not be read; becomes REQBODY_ERROR and REQBODY_ERROR_MSG.
        limit: the name of the limit that was passed; then the rest was not read.
    """

    arguments: Pairs = ()
    files: tuple[File, ...] = ()
    part_headers: Pairs = ()
    flags: Mapping[str, bytes] = field(default_factory=dict)
    xml_text: tuple[bytes, ...] = ()
    xml_attributes: tuple[bytes, ...] = ()
    error: str = ""
    limit: str = ""


BodyProcessor = Callable[[bytes, bytes, Limits], Parts]
"""`bodies.PROCESSORS["MULTIPART"](body, content_type, limits)`; keys `URLENCODED`, `MULTIPART`,
`JSON`, `XML`. Never raises on any bytes; bounded by the limits."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Match:
    """One rule that matched and is logged, with the last value it matched on.

    Args:
        rule: its id.
        phase: 1 to 5.
        place: as `ARGS:message`; the part after the colon is the visitor's.
        value: as the operator saw it, clipped to 256 bytes. May be a secret: never in a log.
        message: macros expanded.
        severity: 0 to 7; None when the rule says none.
        tags: of the rule.
        data: logdata, macros expanded, clipped to 512 bytes. May be a secret.
    """

    rule: int
    phase: int
    place: str
    value: bytes
    message: str
    severity: int | None
    tags: tuple[str, ...]
    data: bytes = b""


@dataclass(frozen=True, slots=True, kw_only=True)
class Verdict:
    """What the rules say of a message.

    Args:
        status: to answer with when disrupted (403, 302 with `redirect`); None when it may pass.
        is_disrupted: a rule denied, dropped or redirected, and SecRuleEngine is On.
        by: id of the rule that disrupted; None when none did.
        redirect: where to, for a redirect.
        matches: in the order they matched, logged rules only.
        inbound, outbound: the anomaly scores (TX `blocking_inbound_anomaly_score`,
            `anomaly_score`, ...), 0 where the rules keep none.
        limits: names of limits that were passed (`arguments`, `body`, `depth`, ...). Not empty
            means that something was not looked at: the caller refuses unless told otherwise.
    """

    status: int | None = None
    is_disrupted: bool = False
    by: int | None = None
    redirect: bytes = b""
    matches: tuple[Match, ...] = ()
    inbound: int = 0
    outbound: int = 0
    limits: tuple[str, ...] = ()

    @property
    def rules(self) -> tuple[int, ...]:
        """Ids of the rules that matched, in order."""
        return tuple(match.rule for match in self.matches)


class Scan(Protocol):
    """Which heads may match at all, space by space: what `scan.Scanner` answers.

    Numbers are positions in `Program.steps`, ascending through all phases. It may name too many
    (each is confirmed by its own operator) and must never name too few.
    """

    def space(self, name: str, /) -> Callable[[bytes], tuple[int, ...]]:
        """For the values of one space (as in `scan.Test.spaces`), not yet transformed."""
        ...

    def sift(self, name: str, /) -> Callable[[Sequence[bytes]], Sequence[int]]:
        """Which of many such values must be asked one by one, by place; too many, never too few."""
        ...
