"""Each rule of the pack is seen to match an example of its own, and to pass its harmless twin."""

import base64
import re
import tomllib
from functools import cache
from pathlib import Path
from urllib.parse import quote

import pytest

from troth.engines.seclang import Message, Program, Verdict, compile, parse  # noqa: A004 -- its word
from troth.roles.score import pack_program, pack_sources

BROWSER = (
    (b"Host", b"app.example"),
    (b"User-Agent", b"Mozilla/5.0 (X11; Linux x86_64; rv:128.0) Gecko/20100101 Firefox/128.0"),
    (b"Accept", b"*/*"),
)
MINE = ("00-", "10-", "20-", "30-", "31-", "32-", "33-", "34-", "35-", "36-", "37-", "38-", "99-")
SETUP = {9000001, 9000010, 9000011}
OF_ANSWERS = {9099003, 9099004}  # test_leaks.py
FORM = b"application/x-www-form-urlencoded"
XXE = b'<!DOCTYPE a [<!ENTITY x SYSTEM "file:///etc/passwd">]><a>&x;</a>'


@cache
def pack() -> Program:
    return pack_program()


def get(uri: str | bytes = b"/", *headers: tuple[bytes, bytes], method: bytes = b"GET") -> Message:
    raw = uri.encode() if isinstance(uri, str) else uri
    return Message(method=method, uri=raw, headers=(*BROWSER, *headers))


def arg(value: str, name: str = "q") -> Message:
    return get(f"/s?{quote(name, safe='')}={quote(value, safe='')}")


def path(value: str) -> Message:
    return get("/" + quote(value, safe=""))


def cookie(value: str) -> Message:
    return get("/", (b"Cookie", f"c={value}".encode()))


def header(value: bytes, name: bytes = b"X-Value") -> Message:
    return get("/", (name, value))


def post(body: bytes, content_type: bytes = FORM, *headers: tuple[bytes, bytes]) -> Message:
    length = (b"Content-Length", str(len(body)).encode())
    kind = ((b"Content-Type", content_type),) if content_type else ()
    return Message(method=b"POST", uri=b"/", headers=(*BROWSER, *kind, length, *headers), body=body)


def upload(name: bytes, content: bytes = b"x", extra: bytes = b"") -> Message:
    body = (
        b'--b\r\nContent-Disposition: form-data; name="f"; filename="' + name + b'"\r\n'
        b"Content-Type: text/plain\r\n" + extra + b"\r\n" + content + b"\r\n--b--\r\n"
    )
    return post(body, b"multipart/form-data; boundary=b")


TEXT = b"text/plain"
# Rule: what it matches, and the nearest thing that it must not match.
EXAMPLES: dict[int, tuple[Message, Message]] = {
    9001001: (get(method=b"TRACE"), get(method=b"PATCH")),
    9001002: (
        Message(method=b"GET", uri=b"/", protocol=b"HTTP/9.9", headers=BROWSER),
        Message(method=b"GET", uri=b"/", protocol=b"HTTP/2.0", headers=BROWSER),
    ),
    9001003: (get("/", (b"Content-Length", b"+5")), get("/", (b"Content-Length", b"0"))),
    9001004: (get("/", (b"Host", b"other.example")), get()),
    9001005: (
        get("/", (b"Transfer-Encoding", b"xchunked")),
        get("/", (b"Transfer-Encoding", b"chunked")),
    ),
    9001006: (
        get("/", (b"Transfer-Encoding", b"chunked"), (b"Content-Length", b"3")),
        get("/", (b"Transfer-Encoding", b"chunked")),
    ),
    9001007: (get("/", (b"Content_Length", b"3")), get("/", (b"X-Content", b"3"))),
    9001008: (get("/", (b"Content-Length", b"5")), get("/", (b"Content-Length", b"0"))),
    9001010: (cookie("a%00b"), cookie("ab")),
    9001016: (arg("a%00.png"), arg("it ends with %00, says the manual")),
    9001011: (get(b"/a\x01b"), get(b"/ab")),
    9001012: (get("/?q=50%zz"), get("/?q=50%25")),
    9001013: (get("/?q=%c0%ae"), get("/?q=%c3%a9")),
    9001014: (get("/caf%e9"), get("/caf%c3%a9")),
    9001015: (get("/?q=%u0041"), get("/?q=%41")),
    9001020: (get("/?q=" + "a" * 62000), get("/?q=" + "a" * 5000)),
    9001021: (get("/", *[(b"X-%d" % n, b"1") for n in range(120)]), get()),
    9001022: (header(b"a" * 17000), header(b"a" * 4000)),
    9001023: (arg("1", "a" * 300), arg("1", "rooms[0][guests][1][name]")),
    9001030: (post(b"a=1", b"text"), post(b"a=1", FORM + b"; charset=utf-8")),
    9001031: (post(b"a=1", FORM + b"; charset=ibm037"), post(b"a=1", FORM + b"; charset=UTF-8")),
    9001032: (
        post(b"a=1", FORM, (b"Content-Encoding", b"gzip, gzip")),
        post(b"a=1", FORM, (b"Content-Encoding", b"gzip")),
    ),
    9001033: (post(b'{"a":', b"application/json"), post(b'{"a":1}', b"application/json")),
    9001034: (
        post(b'--b\r\nContent-Disposition: form-data; name="a"\r\n\r\n1\r\n--b--\r\nmore\r\nmore',
             b"multipart/form-data; boundary=b"),
        post(b'--b\r\nContent-Disposition: form-data; name="a"\r\n\r\n1\r\n--b--\r\n',
             b"multipart/form-data; boundary=b"),
    ),
    9001035: (
        upload(b"a.txt", extra=b"Content-Transfer-Encoding: base64\r\n"), upload(b"a.txt")
    ),
    9001040: (
        get("/", (b"Range", b"bytes=0-1,2-3,4-5,6-7,8-9,10-11")),
        get("/a/Plan.PDF", (b"Range", b"bytes=0-1,2-3,4-5,6-7,8-9,10-11")),
    ),
    9001044: (
        get("/plan.pdf", (b"Range", b"bytes=" + b",".join(b"%d-%d" % (n, n) for n in range(70)))),
        get("/plan.pdf", (b"Range", b"bytes=" + b",".join(b"%d-%d" % (n, n) for n in range(50)))),
    ),
    9001041: (get("/", (b"Lock-Token", b"x")), get()),
    9001042: (get("/", (b"Proxy", b"http://evil.example")), get("/", (b"Via", b"proxy"))),
    9001043: (
        get("/", (b"X-HTTP-Method-Override", b"TRACE")),
        get("/", (b"X-HTTP-Method-Override", b"PUT")),
    ),
    9002001: (get("/", (b"User-Agent", b"sqlmap/1.7")), get("/", (b"X-Map", b"sql map"))),
    9002002: (get("/", (b"X-Scanner", b"1")), get("/", (b"X-Scan", b"1"))),
    9002010: (get("/.git/config"), get("/.well-known/security.txt")),
    9002011: (get("/index.php~"), get("/index.php")),
    9002012: (get("/wp-config.php"), get("/help/config")),
    9002013: (get("/backup.tar.gz"), get("/exports/anna/data.zip")),
    9002014: (get("/actuator/heapdump"), get("/info/prices")),
    9003001: (arg("../../etc/passwd"), arg("see ../docs and /etc/passwd")),
    9003002: (cookie("../../etc/passwd"), cookie("a..b")),
    9003003: (header(b"../../etc/passwd"), header(b"a/b/c")),
    9003004: (path("php://filter/x"), path("a/b..c")),
    9003010: (arg("/etc/nginx/nginx.conf"), arg("/rooms/12")),
    9003011: (upload(b"a.php"), upload(b"php-notes.pdf")),
    9004001: (arg("8.8.8.8;id"), arg("cat & dog; ls, the list")),
    9004002: (cookie("`id`"), cookie("id")),
    9004003: (header(b"a|cat /x/y"), header(b"Tom & Jerry")),
    9004004: (path("x;cat /x/y"), path("x;v=1")),
    9004005: (post(b"|cat /x/y", TEXT), post(b"cat, the animal", TEXT)),
    9004010: (arg("() { _; } x"), arg("f() { x }")),
    9005001: (arg("<?php echo 1;"), arg("what is <?xml ?>")),
    9005002: (cookie("eval('x')"), cookie("evaluated")),
    9005003: (header(b"<?=1?>"), header(b"a <b> c")),
    9005004: (path("phpinfo()"), path("phpinfo")),
    9005005: (post(b"<?php echo 1;", TEXT), post(b"call me (maybe)", TEXT)),
    9006001: (arg("{{7*7}}"), arg("Dear {{ first_name }}")),
    9006002: (cookie("${7*7}"), cookie("${name}")),
    9006003: (header(b"<%= 7*7 %>"), header(b"<%= name %>")),
    9006004: (path("{{7*7}}"), path("{{id}}")),
    9006005: (post(b"#{7*7}", TEXT), post(b"#{name}", TEXT)),
    9007001: (arg("${jndi:ldap://x/a}"), arg("${order.total}")),
    9007002: (cookie("${jndi:dns://x}"), cookie("jndi")),
    9007003: (header(b"${${::-j}ndi:rmi://x}"), header(b"${a}")),
    9007004: (path("${jndi:ldap:x}"), path("jndi:x")),
    9007005: (post(b"${jndi:ldap://x/a}", TEXT), post(b"about jndi: hello", TEXT)),
    9007010: (get("/", (b"Authorization", b"${jndi:ldap://x}")),
              get("/", (b"Authorization", b"Bearer abc"))),
    9008001: (arg(XXE.decode()), arg("<!DOCTYPE html><p>hi</p>")),
    9008002: (cookie(quote(XXE.decode())), cookie("<a>")),
    9008003: (header(XXE), header(b"<a/>")),
    9008004: (path(XXE.decode()), path("<a>")),
    9008010: (
        post(b'<a xmlns:xi="http://www.w3.org/2001/XInclude"><xi:include href="x"/></a>',
             b"application/xml"),
        post(b"<a><include/></a>", b"application/xml"),
    ),
    9008011: (upload(b"a.svg", XXE), upload(b"a.svg", b"<svg/>")),
    9009001: (arg("http://169.254.169.254/"), arg("http://localhost:3000/callback")),
    9009002: (cookie("http://0x7f000001/"), cookie("http://app.example/")),
    9009010: (arg("http://10.1.2.3/x", "url"), arg("http://10.1.2.3/x", "redirect_uri")),
    9010001: (arg('O:8:"stdClass":1:{s:1:"a";i:1;}'), arg('a:1:{s:1:"a";i:1;}')),
    9010002: (cookie("rO0ABXNyABFqYXZhLnV0aWw"), cookie("rO1ABXNyABFqYXZhLnV0aWw")),
    9010003: (header(b"rO0ABXNyABFqYXZhLnV0aWw"), header(b"AB0Or")),
    9010004: (path('O:1:"A":1:{i:0;i:1;}'), path("O:1")),
    9010005: (post(b"!!python/object/apply:os.system [x]", TEXT), post(b"Wow!! great", TEXT)),
    9011001: (arg("a@b.example\r\nBcc: c@d.example"), arg("Dear all,\nCc: me on this")),
    9011002: (cookie("x%0d%0aSet-Cookie: a=b"), cookie("x%20y")),
    9011003: (header(b"x%0d%0aSet-Cookie: a=b"), header(b"Set-Cookie: a=b")),
    9011004: (get("/x%0d%0aSet-Cookie:%20a=b"), get("/x%20y")),
    9011010: (get("/x%0ay"), get("/x%20y")),
    9099001: (get("/.env"), get("/env")),
    9099002: (arg("${jndi:ldap://x/a}", "name"), arg("name")),
}  # fmt: skip


def rules_of_mine() -> set[int]:
    return {
        int(number)
        for source in pack_sources()
        if source.name.startswith(MINE)
        for number in re.findall(r"id:(\d+)", source.text)
    }


def inspect(message: Message) -> Verdict:
    return pack().inspect(message)


def matched(message: Message) -> set[int]:
    return set(inspect(message).rules)


def test_each_rule_has_an_example_and_a_harmless_twin():
    assert rules_of_mine() - SETUP - OF_ANSWERS == set(EXAMPLES)


@pytest.mark.parametrize("rule", sorted(EXAMPLES))
def test_a_rule_matches_its_example_and_passes_its_twin(rule: int):
    attack, twin = EXAMPLES[rule]

    assert rule in matched(attack)
    assert rule not in matched(twin)
    assert not inspect(twin).is_disrupted


def basic(name: bytes, password: bytes) -> bytes:
    return b"Basic " + base64.b64encode(name + b":" + password)


NDJSON = b"application/x-ndjson"
PART = b'--b\r\nContent-Disposition: form-data; name="a"\r\n%b\r\n1\r\n--b--\r\n'
MULTIPART = b"multipart/form-data; boundary=b"


@pytest.mark.parametrize(
    "message",
    [
        get("/s?a=1&lt;=5&gt;=3&amp;b=%3Cb%3E"),
        get("/", (b"Authorization", basic(b"anna@mail.example", b"x' or 2=2 -- "))),
        get("/", (b"Content-Type", b"")),  # as some clients send it with no body
        get("/", (b"Content-Type", b"application/json")),
        get("/", (b"Content-Type", b"application/json"), method=b"OPTIONS"),
        post(b"", b"application/json"),
        post(b'{"a": 1}\n{"a": 2}\n', NDJSON),
        post(b'{"a": 1}\n{"a": 2}\n', b"application/jsonl; charset=utf-8"),
        post(b'[{"op": "test"}]', b"application/json-patch+json"),
        post(PART % b"Content-Transfer-Encoding: 8bit\r\n", MULTIPART),  # RFC 7578, 4.7
        post(PART % b"Content-Transfer-Encoding: binary\r\n", MULTIPART),
        post(PART % b"content-transfer-encoding:7bit\r\n", MULTIPART),
        post(b"--:.=1\r\n" + (PART % b"")[5:-9] + b"\r\n--:.=1--\r\n",
             b'multipart/form-data; boundary=":.=1"'),
    ],
)  # fmt: skip
def test_what_standards_allow_passes(message: Message):
    assert inspect(message).rules == ()


@pytest.mark.parametrize(
    "message",
    [
        post(b"1' or 2=2 -- ", b""),
        post(b'{"a": 1}\n{"a": "x\' or 2=2 -- "}\n', NDJSON),
        post(b'{"a": 1}\n{"a": "x\\u0027 or 2=2 -- "}\n', NDJSON),
        get("/s?q=%3Ca%20href=j&%23x41;vascript:x%281%29%3E"),
        get("/", (b"Authorization", basic(b"x' or 2=2 -- ", b"secret"))),
        get("/s?q=&lt;svg/onload&equals;x%281%29&gt;"),
        post(b'{"a": 1}\n{"a": "127.0.0.1;id"}\n', NDJSON),
        post(PART % b"Content-Transfer-Encoding: base64\r\n", MULTIPART),
        post(PART % b"Content-Transfer-Encoding: quoted-printable\r\n", MULTIPART),
    ],
)
def test_what_standards_allow_hides_nothing(message: Message):
    assert inspect(message).is_disrupted


def test_what_is_merely_odd_refuses_nothing_alone():
    for rule in (9001008, 9001012, 9001015, 9001032, 9003010):
        attack, _ = EXAMPLES[rule]
        verdict = inspect(attack)

        assert 0 < verdict.inbound < 5, rule
        assert not verdict.is_disrupted


def test_ids_are_unique_and_of_our_range():
    ids = [
        int(number) for source in pack_sources() for number in re.findall(r'"id:(\d+)', source.text)
    ]

    assert len(ids) == len(set(ids))
    assert all(9_000_000 <= number <= 9_099_999 for number in ids)


def test_whoever_compiles_may_raise_the_threshold():
    lenient = compile(parse(pack_sources()), settings={"inbound_anomaly_score_threshold": "1000"})

    verdict = lenient.inspect(get("/.env"))

    assert 9002010 in verdict.rules
    assert not verdict.is_disrupted


def test_the_pack_is_in_the_wheel():
    """Hatch takes everything below src/troth; what must not happen is a list of suffixes."""
    project = tomllib.loads((Path(__file__).parents[3] / "pyproject.toml").read_text("utf-8"))

    assert project["tool"]["hatch"]["build"]["targets"]["wheel"] == {"packages": ["src/troth"]}
