"""LDAP injection: a value that ends the filter it is put into, and goes on with one of its own.

A filter is `(&(uid=VALUE)(secret=...))` (RFC 4515, 3). A value leaves its place by a closing
parenthesis; it is an attack when what follows is a filter again, or when NUL cuts the rest off.
`(cn=x)` alone, and people's parentheses, are none: an item needs attribute, operator and value.
"""

import re

from troth.engines.seclang.detect import layers

_ATTRIBUTE = rb"[A-Za-z][\w.;-]{0,60}"  # RFC 4512, 1.4 and 2.5: letters, digits, hyphens, options
_ITEM = rb"%b(?::[\w.:]{0,40})?\s?(?:[~<>:]?=)[^()\r\n]{0,200}" % _ATTRIBUTE
# Out of the place, then an item, a composition, or nothing but a closing bracket to keep balance.
_ENDED = re.compile(
    rb"\)\s{0,8}(?:\)\s{0,8}){0,8}(?:\(\s{0,8}(?:[&|!]\s{0,8}(?:\(|\Z|\))|%b(?:\)|\Z|\())|\x00)"
    % _ITEM
)
# A filter within a filter: `*)(uid=*))(|(uid=*`, `admin)(&)`, `x)(|(a=*`.
_STARTED = re.compile(rb"\A[^()]{0,200}(?:\)\s{0,8}){1,9}\(")
# ... with the sign of a composition before it, to the value's end: `x)!(sn=*`.
_COMPOSED = re.compile(rb"\A[^()\s]{0,200}\)[!&|]\(%b\)?\Z" % _ITEM)
_WHOLE = re.compile(
    rb"\A\s{0,8}\(\s{0,8}[&|!]\s{0,8}(?:\(\s{0,8}(?:[&|!]\s{0,8}\(\s{0,8})?%b\)\s{0,8}){1,20}\)?"
    % _ITEM
)
# The wildcard as a whole item: `*)(objectClass=*`.
_WILDCARD = re.compile(
    rb"\A[^()]{0,200}\*(?:\)\s{0,8}){1,9}(?:\((?=[\s&|!\w(])|\x00)|\A\s{0,8}\*\)+\s{0,8}\Z|\A\*\(\|"
)
_TRAILING = re.compile(rb"\)\s{0,8}\([&|!]\s{0,8}\)?\s{0,8}\Z|\)\x00")


def recognise(value: bytes) -> str | None:
    """The production that makes one form of a value an attack, or None. Linear, bounded."""
    if b")" not in value and b"(" not in value:
        return None
    if _WHOLE.match(value) is not None:
        return "filter"
    if _WILDCARD.search(value) is not None:
        return "wildcard"
    if _TRAILING.search(value) is not None:
        return "cut"
    is_continued = _STARTED.match(value) is not None and _ENDED.search(value) is not None
    return "continued" if is_continued or _COMPOSED.match(value) is not None else None


find = layers.through(recognise)
"""`recognise` over every decoded form of a value."""
