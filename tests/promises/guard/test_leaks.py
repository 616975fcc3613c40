"""Each rule of answers is seen to withhold a leak of its own, and to let its harmless twin go."""

import json
import re
from functools import cache

import pytest

from troth.engines.seclang import Message, Program, Verdict
from troth.engines.seclang.late import of_answers
from troth.promises.guard.rules import probes
from troth.roles.score import pack_program, pack_sources

KEY = "A1b2" * 16
ETC = "root:x:0:0:root:/root:/bin/bash\ndaemon:x:1:1:daemon:/usr/sbin:/usr/sbin/nologin\n"
PYTHON = 'Traceback (most recent call last):\n  File "/srv/app.py", line 3, in <module>\n'
JAVA = "java.lang.NullPointerException\n\tat com.acme.shop.Cart.total(Cart.java:123)\n"
NET = r"   at Shop.Cart.Total(Int32 id) in C:\src\Cart.cs:line 12"
NODE = "TypeError: x is undefined\n    at Layer.handle (/app/node_modules/express/layer.js:95:5)\n"
SQL = "You have an error in your SQL syntax; check the manual that corresponds to your MySQL"
DJANGO = "<p>You're seeing this error because you have <code>DEBUG = True</code> in a file"
PHP = "<br />\n<b>Warning</b>:  f(): no link in <b>/var/www/a.php</b> on line <b>12</b><br />"

# Rule, status, content type, body. Sure signs are withheld whatever the status says.
LEAKS = [
    (9018001, 200, "text/plain", f"-----BEGIN RSA PRIVATE KEY-----\n{KEY}\n"),
    (9018001, 200, "application/json", json.dumps(f"-----BEGIN PRIVATE KEY-----\n{KEY}\n")),
    (9018002, 200, "text/html", 'aws_secret_access_key = "' + "wJ4l/" * 8 + '"'),
    (9018003, 200, "text/html", "token ghp_" + "aB3" * 12),
    (9018003, 200, "application/json", '{"key":"sk_live_' + "a1" * 12 + '"}'),
    (9018004, 200, "text/html", f"<pre>{ETC}</pre>"),
    (9018004, 200, "application/json", json.dumps(ETC)),
    (9018004, 200, "text/html", ETC.replace("\n", "<br>")),
    (9018005, 200, "text/plain", "root:$6$" + "a" * 20 + "$" + "b" * 60 + ":19000:0:99999:7:::"),
    (9018006, 200, "application/octet-stream", "A=b\n# the database\nDB_PASSWORD=hunter22\n"),
    (9018007, 200, "application/octet-stream", "[core]\n\trepositoryformatversion = 0\n"),
    (9018010, 200, "text/html", "<?php\n$db = new PDO('mysql:host=db');\n"),
    (9018010, 200, "application/octet-stream", "#!/usr/bin/env python3\nimport os\n"),
    (9018020, 200, "text/html", "<title>Index of /backup</title><h1>Index of /backup</h1>"),
    (9018020, 200, "text/html",
     "<title>Directory listing for /</title></head><body>\n<h1>Directory listing for /</h1>"),
    (9018021, 200, "text/html", "<title>PHP 8.2.7 - phpinfo()</title>"),
    (9018030, 500, "text/html", DJANGO),
    (9018030, 500, "text/html", "<title>KeyError: 'a' // Werkzeug Debugger</title>"),
    (9018030, 500, "text/html", "<pre>TypeError: x is not a function<br> &nbsp; &nbsp;at f (/a.js"),
    (9018031, 200, "text/html", PHP),
    (9018040, 500, "text/plain", PYTHON),
    (9018040, 500, "application/json", json.dumps({"error": PYTHON})),
    (9018040, 400, "text/html", PYTHON.replace('"', "&quot;").replace("\n", "<br>")),
    (9018041, 500, "text/html", JAVA),
    (9018041, 500, "application/problem+json", json.dumps({"trace": JAVA})),
    (9018042, 500, "text/html", NET),
    (9018043, 500, "application/json", json.dumps({"stack": NODE})),
    (9018044, 500, "text/plain", "app/models/cart.rb:12:in `total'"),
    (9018045, 500, "text/plain", "goroutine 12 [running]:\nmain.main()\n"),
    (9018046, 500, "text/plain", "Stack trace:\n#0 /var/www/a.php(12): f()\n"),
    (9018050, 500, "text/html", SQL),
    (9018050, 500, "application/json", '{"message":"SQLSTATE[42S02]: Base table not found"}'),
    (9018050, 500, "text/plain", 'ERROR:  syntax error at or near "FORM"'),
]  # fmt: skip

# What people write about such things, and what applications send that looks a little like them.
HARMLESS = [
    (200, "text/html", f"<h1>How to read a stack trace</h1><pre>{PYTHON}</pre><pre>{JAVA}</pre>"),
    (200, "text/html", f"<p>MySQL says: {SQL}.</p><pre>SQLSTATE[42S02]</pre><pre>{NODE}</pre>"),
    (200, "application/json", json.dumps({"question": f"What does this mean? {NET} {PYTHON}"})),
    (200, "text/html", "<p>A private key begins with -----BEGIN PRIVATE KEY----- and ends</p>"),
    (200, "text/plain", f"-----BEGIN PUBLIC KEY-----\n{KEY}\n-----END PUBLIC KEY-----"),
    (200, "text/plain", f"-----BEGIN CERTIFICATE-----\n{KEY}\n-----END CERTIFICATE-----"),
    (200, "text/html", "aws_secret_access_key = wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY"),
    (200, "text/html", "<code>root:x:0:0:root:/root:/bin/bash</code> is the line of the operator"),
    (200, "text/html", "<p>Use <code>&lt;?php echo 1 ?&gt;</code>, then <b>Warning</b>: old.</p>"),
    (200, "text/markdown", "```php\n<?php\necho 1;\n```"),
    (200, "text/html", "<title>Index of authors</title><h1>Index of authors</h1>"),
    (200, "text/html", "<p>DB_PASSWORD=secret stands in a file named .env</p>"),
    (404, "text/html", "<h1>Not found</h1><p>We looked at every table and in the bin.</p>"),
    (500, "text/html", "<h1>Error</h1><p>Something went wrong. The number is 7f3a.</p>"),
    (500, "application/json", '{"error":"internal","at":"2026-01-01T00:00:00Z"}'),
    (422, "application/json", '{"errors":{"email":["is not an address, at least look at it"]}}'),
    (400, "text/html", "<p>Meet us at Bar (Main street 12) at noon; root cause: rain.</p>"),
    (403, "text/html", "<p>Traceback, a novel (most recent edition). File under drama.</p>"),
]  # fmt: skip


@cache
def pack() -> Program:
    return pack_program()


def answered(status: int, kind: str, body: str) -> Verdict:
    verdict = inspected(pack(), status, kind, body)
    assert inspected(of_answers(pack()), status, kind, body).matches == verdict.matches
    return verdict


def inspected(program: Program, status: int, kind: str, body: str) -> Verdict:
    return program.inspect(
        Message(
            method=b"GET",
            uri=b"/a",
            headers=((b"Host", b"a"), (b"User-Agent", b"Mozilla/5.0"), (b"Accept", b"*/*")),
            status=status,
            response_headers=((b"Content-Type", f"{kind}; charset=utf-8".encode()),),
            response_body=body.encode(),
        )
    )


def ids(verdict: Verdict) -> set[int]:
    return {match.rule for match in verdict.matches if match.rule < 9099000}


@pytest.mark.parametrize(
    ("rule", "status", "kind", "body"),
    LEAKS,
    ids=[f"{row[0]}-{number}" for number, row in enumerate(LEAKS)],
)
def test_a_leak_is_withheld_as_a_fault_of_the_application(rule, status, kind, body):
    verdict = answered(status, kind, body)

    assert rule in ids(verdict)
    assert (verdict.is_disrupted, verdict.status, verdict.by) == (True, 500, 9099004)


@pytest.mark.parametrize(
    ("status", "kind", "body"), HARMLESS, ids=[str(number) for number in range(len(HARMLESS))]
)
def test_what_is_none_goes_out(status, kind, body):
    verdict = answered(status, kind, body)

    assert not verdict.is_disrupted, ids(verdict)


@pytest.mark.parametrize("body", [PYTHON, JAVA, NET, NODE, SQL], ids=range(5))
def test_a_trace_on_a_page_that_did_not_fail_is_told_only(body):
    verdict = answered(200, "text/html", body)

    assert ids(verdict)
    assert not verdict.is_disrupted


def test_the_harmless_say_nothing_at_all_but_those_about_traces():
    said = [ids(answered(*row)) for row in HARMLESS[3:]]

    assert said == [set()] * len(said)


def test_each_rule_has_an_example():
    (source,) = (each for each in pack_sources() if each.name == "50-leak.conf")
    rules = {int(found) for found in re.findall(r"id:(\d+)", source.text)} - {9018000}

    assert rules == {row[0] for row in LEAKS}


@pytest.mark.parametrize("leak", probes.LEAKS, ids=range(len(probes.LEAKS)))
def test_what_proves_an_exclusion_is_withheld(leak):
    _, status, kind, body = leak

    assert answered(status, kind.decode(), body.decode()).is_disrupted


def test_pictures_are_not_read():
    assert not answered(200, "image/png", ETC).matches
