import base64
from pathlib import Path

import pytest
from harmless import ALL
from hypothesis import given, settings
from hypothesis import strategies as st

from troth.engines.seclang.detect import html, htmltokens

SHARED = Path(__file__).parents[5] / "shared" / "corpora"
ATTACKS = [
    # elements that run or load
    b"<script>x()</script>",
    b"<ScRiPt src=//a.example/x.js>",
    b"<scr<script>ipt>x()</scr</script>ipt>",
    b"<scr\0ipt>x()</scr\0ipt>",
    b"<iframe src=//a.example></iframe>",
    b"<svg/onload=x()>",
    b"<math><a xlink:href=javascript:x()>y",
    b"<object data=//a.example/x.swf></object>",
    b"<embed src=//a.example/x.swf>",
    b"<base href=//a.example/>",
    b"<link rel=stylesheet href=//a.example/x.css>",
    b'<meta http-equiv="refresh" content="0;url=//a.example">',
    b"<iframe srcdoc='&lt;b&gt;'>",
    b"hello</script><b>",
    b"<x:script xmlns:x=http://www.w3.org/1999/xhtml>x()</x:script>",
    b"<animate attributeName=onload to=x()>",
    b"<?xml-stylesheet href=//a.example/x.xsl?>",
    b"<![CDATA[<script>x()</script>]]>",
    b"<!-- --!><img src=x onerror=x()>",
    b"<style>@import '//a.example/x.css'</style>",
    # what resembles tags that people speak of
    b"<script> x()",
    b"<script>typeof alert(1)",
    b"<script>let x = 1",
    b"<script>x /* y z */ ()",
    b"<script>.5.x()",
    b"<script>/* a b */x()",
    b"<svg><script>&#97;lert(1)",
    b"<svg>x<p onload=y()></svg>",
    b"<math>",
    b'<base href="/uploads/">',
    b'<base href="x" href="y" id=z>',
    b"<meta charset=utf-7>",
    b"'-\"a b\"-alert(1)-'",
    b"'+/a b/+alert(1)//",
    b"' in window, alert(1)//",
    b"'; void alert(1)",
    b"';location='//a.example'",
    b"';import('//a.example/x.js')//",
    b"';onerror=alert;throw 1//",
    b"${alert(1)}",
    b"a ${ eval(name) } b",
    b"';top.location='//a.example'",
    # handlers, however the attribute is written
    b"<p onclick=x()>",
    b"<p\nonclick\n=\nx()>",
    b"<p/onclick='x()'>",
    b'<img src=x"y" onerror=x()',
    b"<b onanimationend=x()>",
    b"<p title='<p onclick=x()>'>",
    # addresses
    b"<a href=javascript:x()>",
    b'<a href="jav\tascript:x()">',
    b"<a href=' \x01javascript:x()'>",
    b"<a href=data:text/html,y>",
    b"<form action=javascript:x()>",
    b"<img src=vbscript:x()>",
    b"javascript:alert(1)",
    b"JaVaScRiPt:eval(name)",
    b"data:text/html;base64,PHN2Zz4=",
    # inside an attribute
    b'" onfocus=alert(1) autofocus x="',
    b"' onmouseover='alert(1)",
    b"x onpointerenter=confirm`1`",
    b'"><img src=x>',
    b'" style="width:expression(alert(1))',
    # styles, frameworks
    b"<p style='width:exp/**/ression(x())'>",
    b"<p style='-moz-binding:url(//a.example/x.xml#y)'>",
    b"<p v-html='x()'>",
    b"<p @click='x()'>",
    b"{{constructor.constructor('x()')()}}",
    b"x.__proto__.y=1",
    # inside a script
    b"'-alert(1)-'",
    b"';alert(1)//",
    b'"+confirm`1`+"',
    b"alert(document.domain)",
    b"(prompt)(1)",
    b"top['alert'](1)",
    b"alert?.(1)",
    b"setTimeout('x()',9)",
    b"window.location='//a.example'",
    b"[].map.call`${alert}1`",
    b"[][(![]+[])[+[]]+(![]+[])[!+[]+!+[]]]",
]


@pytest.mark.parametrize("value", ATTACKS)
def test_markup_that_runs_is_an_attack(value):
    assert html.recognise(value) is not None


@pytest.mark.parametrize("value", ALL)
def test_what_people_write_is_none(value):
    assert html.find(value) is None


@pytest.mark.parametrize(
    ("value", "reason"),
    [
        (b"%253Cscript%253E", "url+url:script"),
        (b"&lt;svg/onload&equals;x()&gt;", "entity:svg"),
        (rb"\u003cscript\u003e", "script:script"),
        (base64.b64encode(b"<p onclick=x()>"), "base64:handler"),
        (b"+ADw-script+AD4-", "utf7:script"),
        (b"<a href=&#106;avascript:x()>", "entity:address"),
        ("\uff1cscript\uff1e".encode(), "wide:script"),
    ],
)
def test_it_is_found_through_encodings(value, reason):
    assert html.find(value) == reason


def test_a_flood_of_markup_is_refused_where_something_in_it_may_run():
    assert html.recognise(b"<b>x</b>" * 5000) is None
    assert html.recognise(b"<b x=y>x</b>" * 5000 + b"<b onclick=1>") == "flood"


ARTICLE = b'<p class="a" style="color: red">Anna\'s <b>data:</b> see <a href="https://a.example/?b=1">c</a>.\n'


@pytest.mark.parametrize(
    "more",
    [
        b"<b onclick=1>",
        b'<a href="javascript:x()">y</a>',
        b'<a href="java&#115;cript:x()">y</a>',
        b'<a href="//a.example" onfocus=x()>',
        b'<p style="a:expression(x())">',
        b"<p title='a' onclick=\"x()\">",
    ],
)
def test_a_long_article_is_read_to_its_end(more):
    assert html.find(ARTICLE * 400) is None
    assert html.find(ARTICLE * 200 + more + ARTICLE * 200) is not None


def test_long_prose_is_no_flood():
    assert (
        html.find(b"Our customers' personal data: it's only kept once=a year, in one place. " * 900)
        is None
    )


@settings(max_examples=200, deadline=None)
@given(
    st.lists(
        st.sampled_from(
            b"< > </ <! <!-- --> <![CDATA[ <? script svg a = ' \" ` / onload onclick= href= style="
            b" javascript: data: alert( ( ) [ ] { } {{ ; & &lt; \\ x \n \t \0 \xff".split(b" ")
        ),
        max_size=60,
    ).map(b"".join)
    | st.binary(max_size=99)
)
def test_nothing_raises(value):
    assert html.find(value) is None or isinstance(html.find(value), str)
    assert list(htmltokens.tokens(value, htmltokens.TAG)) is not None


@pytest.mark.parametrize("piece", [b"<a ", b"<a b=c", b"<!--<", b"<<", b"' x=", b"a=b "])
def test_tokens_are_linear_in_the_value(piece):
    short = len(list(htmltokens.tokens(piece * 100)))
    long = len(list(htmltokens.tokens(piece * 1000)))

    assert long <= 10 * short + 10


def lines(name):
    file = SHARED / name
    if not file.is_file():
        pytest.skip(f"no {file}")
    return [line.rstrip(b"\r") for line in file.read_bytes().split(b"\n") if line.strip()]


@pytest.mark.shared
def test_the_payloads_are_found():
    values = lines("payloads/xss/true-positives.txt")
    missed = [value for value in values if html.find(value) is None]

    assert len(missed) <= len(values) * 0.005
    assert [v for v in lines("payloads/xss/false-positives.txt") if html.find(v)] == []


NAMES = {
    "DATA_TEXT": htmltokens.TEXT,
    "TAG_NAME_OPEN": htmltokens.OPEN,
    "TAG_NAME_CLOSE": htmltokens.END,
    "TAG_NAME_SELFCLOSE": htmltokens.END,
    "ATTR_NAME": htmltokens.NAME,
    "ATTR_VALUE": htmltokens.VALUE,
    "TAG_CLOSE": htmltokens.CLOSE,
    "TAG_COMMENT": htmltokens.COMMENT,
    "DOCTYPE": htmltokens.DOCTYPE,
}
# Not comparable: what `</b>` ends with, CDATA and `<%` (text here), and the tokens within them.
OTHERWISE = {f"test-html5-{number:03d}.txt" for number in (30, 31, 49, 50, 51, 52, 61)}


@pytest.mark.shared
def test_libinjections_html_tokens_agree():
    cases = sorted((SHARED / "libinjection" / "tests").glob("test-html5-*.txt"))
    if not cases:
        pytest.skip("no unit cases in ../shared")
    different = set()
    for case in cases:
        _, _, rest = case.read_bytes().partition(b"--INPUT--\n")
        value, _, expected = rest.partition(b"--EXPECTED--")
        theirs = [
            NAMES[line.split(b",")[0].decode()] for line in expected.split(b"\n") if b"," in line
        ]
        ours = [token.kind for token in htmltokens.tokens(value.rstrip(b"\n"))]
        if ours != theirs:
            different.add(case.name)

    assert different == OTHERWISE
