"""XML that makes its reader fetch or grow: external entities, DTDs, bombs, XInclude, stylesheets.

A document type alone is harmless (HTML has one), an entity of plain text is, too. What counts is an
entity or a DTD from somewhere, and an entity made of entities.

Sources: XML 1.0 (Fifth Edition) 2.8, 4.2; XInclude 1.1, 3.1; CWE-611, CWE-776; OWASP WSTG-INPV-07.
"""

import re

from troth.engines.seclang.detect.layers import through
from troth.engines.seclang.detect.rooted import rooted

_WHOSE = (
    rb"\s{1,40}(?:SYSTEM\s{1,40}[\"']|PUBLIC\s{1,40}(?:\"[^\"]{0,200}\""
    rb"|'[^']{0,200}')\s{1,40}[\"'])"
)
_NAME = rb"[\w:.-]{1,100}"
_ENTITY = re.compile(
    rb"<!ENTITY\s{1,40}(?:(?:%|&#0{0,6}37;|&#x0{0,6}25;|&percnt;)\s{0,40})?" + _NAME + _WHOSE
)
_NESTED = re.compile(
    rb"<!ENTITY\s{1,40}(?:%\s{1,40})?"
    + _NAME
    + rb"\s{1,40}(?:\"[^\"]{0,2000}?(?:&(?!#|amp;|lt;|gt;|quot;|apos;)[\w:.-]{1,100};|%"
    + _NAME
    + rb";|&#(?:37|x25);)"
    rb"|'[^']{0,2000}?(?:&(?!#|amp;|lt;|gt;|quot;|apos;)[\w:.-]{1,100};|%"
    + _NAME
    + rb";|&#(?:37|x25);))"
)
_DOCTYPE = re.compile(rb"<!DOCTYPE\s{1,40}" + _NAME + _WHOSE + rb"([^\"'>]{0,300})")
# The document types of (X)HTML, SVG, MathML, property lists and feeds, which no reader fetches.
_KNOWN_TYPES = re.compile(
    rb"(?:https?://(?:www\.)?(?:w3\.org|apple\.com|oasis-open\.org|docbook\.org"
    rb"|freedesktop\.org)/|about:legacy-compat|-//)"
)
_INCLUDE = re.compile(
    rb"<(?:\w{1,20}:)?include\b[^>]{0,300}?(?:href|parse)\s{0,20}="
    rb"|=\s{0,20}[\"']http://www\.w3\.org/200[13]/XInclude"
)
_TRANSFORM = re.compile(
    rb"<\?xml-stylesheet\b[^>]{0,200}href\s{0,20}=\s{0,20}[\"'](?:https?|ftp|file)://"
    rb"|<xsl:(?:include|import)\s{1,20}href"
    rb"|<xsl:value-of[^>]{0,100}(?:document\(|system-property\(|unparsed-text\(|php:function)"
    rb"|<!ENTITY[^>]{0,200}(?:expect|php|gopher|jar|netdoc)://"
    rb"|xsi:schemaLocation\s{0,4}=\s{0,4}[\"'][^\"']{0,200}(?:file|gopher)://"
)


def recognise(value: bytes) -> str | None:
    """One form of a value; `find` looks through its encodings as well."""
    if b"<" not in value:
        return None
    if b"<!" in value:
        if _ENTITY.search(value):
            return "external-entity"
        if _NESTED.search(value):
            return "nested-entity"
        doctype = _DOCTYPE.search(value)
        if doctype is not None and not _KNOWN_TYPES.match(doctype.group(1).lstrip()):
            return "external-dtd"
    if b"nclude" in value and _INCLUDE.search(value) and b"<" in value.lstrip()[:1]:
        return "include"
    return (
        "stylesheet"
        if (b"<?xml-s" in value or b"<xsl:" in value) and _TRANSFORM.search(value)
        else None
    )


find = through(rooted(recognise))
