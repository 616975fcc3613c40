"""XML as text and attributes; no entity is ever declared."""

import pytest

from troth.engines.seclang.bodies import markup
from troth.engines.seclang.model import Limits

XML = b"text/xml"


@pytest.mark.parametrize(
    ("body", "text", "attributes"),
    [
        (b"<a>x<b>y</b>z</a>", b"xyz", ()),
        (b'<a q="1"><b r="2" s="3">y</b></a>', b"y", (b"1", b"2", b"3")),
        (b"<a>&lt;&#65;&amp;</a>", b"<A&", ()),
        (b"<a><![CDATA[<x>]]></a>", b"<x>", ()),
        (b"<a><!-- c --><?pi x?>t</a>", b"t", ()),
        (b'<a xmlns="u" xmlns:n="v" n:q="1">t</a>', b"t", (b"1",)),
        (b'<a b="&lt;\n"/>', b"", (b"< ",)),
        (b"  <a>t</a>\n", b"t", ()),
        (b"<!DOCTYPE a><a>t</a>", b"t", ()),
        (b"\xef\xbb\xbf<a>t</a>", b"t", ()),
        (b'<?xml version="1.0" encoding="iso-8859-1"?><a>\xe9</a>', "é".encode(), ()),
        ('<?xml version="1.0" encoding="utf-16"?><a b="ü">é</a>'.encode("utf-16"),
         "é".encode(), ("ü".encode(),)),
        ("<a>é</a>".encode("utf-16-le"), "é".encode(), ()),
    ],
)  # fmt: skip
def test_text_and_attributes(body: bytes, text: bytes, attributes: tuple[bytes, ...]):
    parts = markup.parse(body, XML, Limits())

    assert b"".join(parts.xml_text) == text
    assert parts.xml_attributes == attributes
    assert not parts.error


@pytest.mark.parametrize(
    "body",
    [b"<a>", b"<a></b>", b"x", b"", b"<a>\xff</a>", b"<a>t</a>x", b"<a>&e;</a>", b"<a b=1/>",
     b'<?xml version="1.0" encoding="utf-7"?><a>+ADw-</a>',
     b'<?xml version="1.0" encoding="ibm037"?><a/>',
     b'<?xml version="1.0" encoding="unicode_escape"?><a>\\x3c</a>',
     b'<?xml version="1.0" encoding="iso-8859-99"?><a/>',
     b"\x4c\x81\x6e"],
)  # fmt: skip
def test_what_is_no_xml_is_an_error(body: bytes):
    assert markup.parse(body, XML, Limits()).error.startswith("XML: ")


@pytest.mark.parametrize(
    "doctype",
    [b'<!DOCTYPE a [<!ENTITY e "v">]>', b'<!DOCTYPE a SYSTEM "http://example.org/x.dtd">',
     b'<!DOCTYPE a [<!ENTITY e SYSTEM "file:///etc/passwd">]>', b"<!DOCTYPE a []>",
     b'<!DOCTYPE a PUBLIC "x" "y">', b'<!DOCTYPE a [<!ENTITY % p SYSTEM "x"> %p;]>'],
)  # fmt: skip
def test_a_document_type_with_a_subset_is_an_error(doctype: bytes):
    for body in (doctype + b"<a b='&e;'>&e;</a>", b"<?xml version='1.0'?>\n" + doctype + b"<a/>"):
        for encoding in ("utf-8", "utf-16"):
            parts = markup.parse(body.decode().encode(encoding), XML, Limits())
            assert parts.error == "XML: a document type with a subset"
            assert parts.xml_text == ()


@pytest.mark.parametrize(
    ("body", "limit"),
    [
        (b"<a>" * 65, "depth"),
        (b"<a>" + b"<b/>" * 2000 + b"</a>", "arguments"),
        (b"<a>" + b"<b c='d'/>" * 101 + b"</a>", "arguments"),
    ],
)
def test_limits_are_named(body: bytes, limit: str):
    assert markup.parse(body, XML, Limits(arguments=100)).limit == limit
