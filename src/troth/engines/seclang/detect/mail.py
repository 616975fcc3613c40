"""Lines that were smuggled into a field of one line: headers of HTTP and mail, SMTP and IMAP.

People quote mails in messages, headers and all; so a header's line counts only directly behind a
short piece of data without spaces (an address, a number, a name in a form's field), and a command
only in its protocol's grammar.

Sources: CWE-93, CWE-113, CWE-147; OWASP WSTG-INPV-10 (IMAP/SMTP), WSTG-INPV-15 (splitting);
RFC 9112 2.2, RFC 5322 2.2, RFC 5321 4.1, RFC 9051 6.
"""

import re

from troth.engines.seclang.detect.layers import through
from troth.engines.seclang.detect.rooted import rooted

# A space may stand for the line's end that some framework has made of it; more than three lines of
# text are a message, not a field.
_FIELD = rb"[^\r\n]{0,100}?"
_BREAK = rb"(?:\r\n|\n\r|\n|\r|\xe5\x98\x8a|\xe5\x98\x8d|\\r\\n|\\n)[ \t]{0,8}"
_MAIL = re.compile(
    rb"\s{0,4}[^\s]{0,100}\s{0,4}"
    + _BREAK
    + rb"(?i:(?:bcc|cc|to|from|reply-to|sender|return-path)\s{0,4}:\s{0,8}[^\s,]{1,64}@"
    rb"|(?:subject|mime-version|content-type|content-transfer-encoding|x-mailer"
    rb"|date)\s{0,4}:\s{0,8}\S)"
)
_HTTP = re.compile(
    rb"[^\r\n]{0,200}?" + _BREAK + rb"(?i:set-cookie\s{0,4}:\s{0,8}[\w.-]{1,60}\s{0,4}[=:]"
    rb"|location\s{0,4}:\s{0,8}(?:https?:)?/|(?:transfer-encoding"
    rb"|content-length)\s{0,4}:\s{0,8}[\w]"
    rb"|http/[0-3](?:\.\d)?\s{1,4}\d{3}|(?:get|post|put|head|delete|options"
    rb"|patch)\s{1,4}/[^\r\n]{0,200}\shttp/\d|access-control-allow-origin\s{0,4}:"
    rb"|host\s{0,4}:\s{0,8}[\w.-]{1,80}[\r\n]"
    rb"|(?:x-(?:forwarded-\w+|xss-protection|injected|[\w-]{2,30})|link|refresh"
    rb"|content-security-policy|www-authenticate|authorization|cookie|user-agent"
    rb"|referer)\s{0,4}:\s{0,8}\S)"
)
# A request within a value: a proxy that splits lines sends it on.
_REQUEST = re.compile(
    rb"\s{0,4}[^\s]{0,40}?[\r\n]{0,2}"
    rb"(?:GET|POST|HEAD|PUT|DELETE|OPTIONS|PATCH|CONNECT|TRACE)[ \t]{1,4}\S{1,400}[ \t]{1,4}HTTP/\d"
)
_BODY = re.compile(
    rb"[^\s]{0,80}(?:\r\n|\n){2}\s{0,4}<(?:html|script|svg|img|body|!doctype)", re.IGNORECASE
)
_SMTP = re.compile(
    rb"(?i:"
    + _BREAK
    + rb"(?:mail\s{1,4}from\s{0,4}:\s{0,4}<?|rcpt\s{1,4}to\s{0,4}:\s{0,4}<?|(?:helo"
    rb"|ehlo)\s{1,4}[\w.-]{1,80}|vrfy\s{1,4}\S|expn\s{1,4}\S)"
    rb"|" + _BREAK + rb"\.\s{0,4}" + _BREAK + rb"(?:data|quit|rset|mail|rcpt|helo|ehlo))"
)
_IMAP = re.compile(
    rb"(?i:(?:"
    + _BREAK
    + rb"|[\"'(]\s{0,4})[a-z]{1,4}\d{1,5}\s{1,4}(?:capability|login|logout|authenticate|select"
    rb"|examine|create|delete|rename|subscribe|list|lsub|status|append|check|close|expunge"
    rb"|search|fetch|store|copy|uid|noop|starttls|idle|unselect)\b"
    rb"|\bbody(?:\.peek)?\[(?:header|text|mime|\d*)\][^\n]{0,60}"
    + _BREAK
    + rb"|"
    + _BREAK
    + rb"(?:user|pass|stat|list|retr|dele|top|uidl|apop)[ \t]{1,4}\S{1,60}[ \t]{0,4}"
    + _BREAK
    + rb"(?:user|pass|stat|list|retr|dele|top|uidl|quit|apop)\b"
    rb"|^[a-z]{1,4}\d{1,5}\s{1,4}(?:capability|login|logout|fetch|select|examine"
    rb"|authenticate)\b.{0,80}(?:"
    + _BREAK
    + rb"|\s)[a-z]{1,4}\d{1,5}\s{1,4}(?:capability|login|logout|fetch|select|list|search)\b)",
    re.DOTALL,
)
_MEMCACHED = re.compile(
    rb"(?i:"
    + _BREAK
    + rb"(?:(?:set|add|replace|append|prepend)\s\S{1,250}\s\d{1,10}\s\d{1,10}\s\d{1,10}\s{0,4}["
    rb"\r\n]|flush_all\b|(?:config\s{1,4}set|slaveof"
    rb"|module\s{1,4}load)\s{1,4}[\"'\w]\S{0,40}\s))"
)
MAX_SPACES = 2  # in a datum of one field
_PASTED = re.compile(rb"[A-Za-z-]{2,30}: |(?:GET|POST|HTTP)\b")
_END = re.compile(rb"[\r\n]|\\n|\xe5\x98")  # the last: what U+560A ends in when it is cut
MAX_LINES = 12

_COMMANDS = (("smtp", _SMTP), ("imap", _IMAP), ("memcached", _MEMCACHED))


def recognise(value: bytes) -> str | None:
    """One form of a value; `find` looks through its encodings as well."""
    text = value[:4096]
    if b"HTTP/" in text and _REQUEST.match(text):
        return "request"
    if _END.search(value) is None:
        return "imap" if b" " in value and _IMAP.search(text[:400]) else None
    if _HTTP.match(text) and _is_field(text):
        return "http-header"
    for name, pattern in (("mail-header", _MAIL), ("response-body", _BODY)):
        if pattern.match(text):
            return name
    if text.count(b"\n") > MAX_LINES:
        return None
    return next((name for name, pattern in _COMMANDS if pattern.search(text)), None)


def _is_field(text: bytes) -> bool:
    """Whether the first line is a field's datum rather than prose or a pasted header."""
    first = re.split(rb"[\r\n]|\\[rn]", text, maxsplit=1)[0]
    return first.count(b" ") <= MAX_SPACES and _PASTED.match(first) is None


find = through(rooted(recognise))
