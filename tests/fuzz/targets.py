"""What is fuzzed: each target takes any bytes, and raises when something is wrong with the product.

Wrong is: an exception that nobody said could come, a value that takes more time than its length
allows, and doors or readers that see different requests in the same bytes.
"""

import json
import time
from collections.abc import Callable, Mapping
from functools import cache

from fuzz import doors
from troth.engines.seclang import RuleError, Source, parse
from troth.engines.seclang.bodies import PROCESSORS, forms
from troth.engines.seclang.model import Limits
from troth.engines.seclang.operators.grammar import OPERATORS
from troth.kernel.request import Request
from troth.promises.guard.rules import cookies, fields

Target = Callable[[bytes], None]

# Far above what is promised (docs/why/0041): instrumented code is slower, the machine is shared.
# What is more than linear is beyond it all the same, once a value is long enough.
FIXED_S, PER_BYTE_S = 0.25, 40e-6
LONG_BYTES = 32 * 1024
EVERY = 32  # so often a value is tried in a long form, too


class Slow(Exception):  # noqa: N818 -- a finding
    """A value took longer than its length allows."""


class Disagreement(Exception):  # noqa: N818 -- a finding
    """Two readers saw different things in the same bytes."""


def timely(work: Callable[[], object], length: int, name: str) -> None:
    """Do it; raises Slow when it took too long three times in a row, by this thread's own time."""
    allowed = FIXED_S + PER_BYTE_S * length
    best = allowed
    for _ in range(3):
        began = time.thread_time()
        work()
        best = min(best, time.thread_time() - began)
        if best < allowed:
            return
    raise Slow(f"{name}: {best:.2f} s of {allowed:.2f} s for {length} bytes")


def _lengthened(find: Callable[[bytes], object], name: str) -> Target:
    """Try each value, and now and then one made of it many times over."""
    count = 0

    def target(data: bytes) -> None:
        nonlocal count
        timely(lambda: find(data), len(data), name)
        count += 1
        if data and count % EVERY == 0:
            # A part repeated between the rest: nesting and repetition both grow.
            third = len(data) // 3
            start, middle, end = data[:third], data[third : -third or None], data[-third:]
            times = max(LONG_BYTES // max(len(middle), 1), 1)
            long = start + (middle * times)[:LONG_BYTES] + end
            timely(lambda: find(long), len(long), name)

    return target


def seclang(data: bytes) -> None:
    """A rule file parses or is refused with its place; nothing else."""
    text = data.decode("utf-8", "replace")

    def work() -> None:
        try:
            parse([Source("fuzzed.conf", text)], {})
        except RuleError as error:
            if not error.where:
                raise Disagreement("a refusal that names no place") from error

    timely(work, len(data), "seclang")


def _body(name: str, kinds: tuple[bytes, ...]) -> Target:
    limits = Limits()

    def read(data: bytes) -> None:
        first, _, body = data.partition(b"\n")
        kind = kinds[len(first) % len(kinds)].replace(b"$", first[:70])
        PROCESSORS[name](body, kind, limits)

    return _lengthened(read, name)


def query(data: bytes) -> None:
    """The query's reader and that of logins name the same fields, where both read all of it."""
    theirs = fields.urlencoded(data)
    pairs, whole, _ = forms.read(data, 1000)
    if not theirs.is_whole or not whole:
        return
    names = {name for name, _ in theirs.pairs}
    ours = {name.decode("utf-8", "replace") for name, _ in pairs}
    if any(name.isascii() and name not in ours for name in names if name):
        raise Disagreement(f"fields: {sorted(names)} against {sorted(ours)}")


def logins(data: bytes) -> None:
    """A login form of any kind is read, or said not to be whole."""
    kind, _, body = data.partition(b"\n")
    kinds = (b"application/json", b"application/x-www-form-urlencoded", b"multipart/form-data;")
    timely(lambda: fields.read(kinds[len(kind) % 3] + kind, body), len(data), "logins")


def cookie(data: bytes) -> None:
    """Cookies come apart in time that is linear."""
    request = Request(method=b"GET", target=b"/", host=b"a", headers=((b"cookie", data),))
    timely(lambda: cookies.cookies(request), len(data), "cookies")


def messages(data: bytes) -> None:
    """One stream of bytes is the same messages however it comes in pieces."""
    sizes, _, raw = data.partition(b"\n")
    whole = doors.heard([raw])
    pieces = doors.heard(doors.cut(raw, sizes))
    if whole != pieces:
        raise Disagreement(f"whole {whole!r}, in pieces {pieces!r}")


def same_request(data: bytes) -> None:
    """What is one request for the guard's own reader is that for every other door."""
    for message in doors.heard([data]).messages:
        doors.compare(message, Disagreement)


def topics() -> Mapping[str, Target]:
    """One target for each grammar."""
    found: dict[str, Target] = {}
    for name, build in sorted(OPERATORS.items()):
        found[name] = _lengthened(build("", {}), name)
    return found


@cache
def targets() -> Mapping[str, Target]:
    """All targets by name."""
    return {
        "seclang": seclang,
        "urlencoded": _body("URLENCODED", (b"application/x-www-form-urlencoded",)),
        "multipart": _body("MULTIPART", (b"multipart/form-data; boundary=$", b"multipart/$")),
        "json": _body("JSON", (b"application/json", b"application/json; charset=$")),
        "xml": _body("XML", (b"text/xml", b"application/xml; charset=$")),
        "query": query,
        "logins": logins,
        "cookies": cookie,
        "messages": messages,
        "doors": same_request,
        **topics(),
    }


_GET = b"GET /a%2e?q=1&q=2 HTTP/1.1\r\nHost: a.example\r\nCookie: a=b; c=d\r\n\r\n"
_POST = (
    b"POST /b HTTP/1.1\r\nHost: a\r\nContent-Type: application/x-www-form-urlencoded\r\n"
    b"Transfer-Encoding: chunked\r\n\r\n3\r\na=b\r\n0\r\n\r\n"
)
_ATTACKS = (
    b"1' or 1=1 -- -", b"<img src=x onerror=alert(1)>", b";cat /etc/passwd", b"../../etc/passwd",
    b"${jndi:ldap://a/b}", b"{{7*7}}", b'{"$ne":null}', b"*)(uid=*))(|(uid=*", b"http://127.1/",
    b'O:8:"stdClass":0:{}', b"a%0d%0aBcc: b@c", b"<?php system($_GET[0]);", b"rO0ABXNyAA==",
    b"<!ENTITY x SYSTEM 'file:///etc/passwd'>", b"{__schema{types{name}}}",
)  # fmt: skip
_SEEDS: Mapping[str, tuple[bytes, ...]] = {
    "seclang": (
        b'SecRule ARGS|!ARGS:a "@rx ^a+$" "id:1,phase:2,deny,t:none,chain"\n SecRule TX:x "@eq 1"',
        b"SecAction \"id:2,nolog,setvar:'tx.a=+%{tx.b}'\"\nSecMarker END\n",
    ),
    "urlencoded": (b"\na=b&c=%41&d", b"\n%u0041=1;b=2"),
    "query": (b"a=b&c=%41", b"user[email]=a&user.email=b"),
    "logins": (b'\n{"user":{"email":"a"},"password":"b"}', b"1\nusername=a&password=b"),
    "multipart": (
        b'x\n--x\r\nContent-Disposition: form-data; name="a"; filename="b"\r\n\r\nc\r\n--x--\r\n',
    ),
    "json": (b'\n{"a":[1,{"b":"\\u0041"}],"c":null}', b'1\n{"a":1,"a":2}'),
    "xml": (b"\n<a b='c'>&lt;d</a>", b"1\n<?xml version='1.0' encoding='utf-16'?><a/>"),
    "cookies": (b'a=b; c="d"; a=e',),
    "messages": (b"\x01\x05\n" + _GET + _POST, b"\x20\n" + _POST + _GET),
    "doors": (_GET, _POST, _GET + _POST),
}


def seeds(name: str) -> tuple[bytes, ...]:
    """Where a target begins."""
    return _SEEDS.get(name, (*_ATTACKS, json.dumps({"a": "b"}).encode()))
