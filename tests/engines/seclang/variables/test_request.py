"""Each variable against libmodsecurity: the same rules, what they log of what they saw."""

import sys
from pathlib import Path

import pytest

sys.path.insert(0, str(Path(__file__).parent.parent))

import oracle

from troth.engines import seclang
from troth.engines.seclang import Message, Source, parse

VARIABLES = (
    "REQUEST_URI REQUEST_URI_RAW REQUEST_FILENAME REQUEST_BASENAME REQUEST_LINE QUERY_STRING"
    " REQUEST_METHOD REQUEST_PROTOCOL PATH_INFO ARGS ARGS_GET ARGS_POST ARGS_NAMES"
    " ARGS_GET_NAMES ARGS_POST_NAMES REQUEST_COOKIES REQUEST_COOKIES_NAMES"
    " REQUEST_HEADERS REQUEST_HEADERS_NAMES REQUEST_BODY REQBODY_PROCESSOR FILES FILES_NAMES"
    " MULTIPART_PART_HEADERS REMOTE_ADDR REMOTE_PORT SERVER_PORT"
    " &ARGS &REQUEST_HEADERS:host"
).split()


def rules():
    text = ["SecRuleEngine DetectionOnly", "SecRequestBodyAccess On"]
    for number, name in enumerate(VARIABLES, 1):
        text.append(
            f'SecRule {name} "@unconditionalMatch" "id:{number},phase:2,pass,nolog,t:none,'
            f"t:hexEncode,setvar:'tx.v{number}=%{{tx.v{number}}} %{{MATCHED_VAR}}'\""
        )
        text.append(
            f"SecAction \"id:{1000 + number},phase:2,pass,log,msg:'{name}',"
            f"logdata:'%{{tx.v{number}}}'\""
        )
    return "\n".join(text)


FORM = ("Content-Type", "application/x-www-form-urlencoded")
PARTS = ("Content-Type", "multipart/form-data; boundary=xx")
MULTIPART = (
    b'--xx\r\nContent-Disposition: form-data; name="a"\r\n\r\nb\r\n'
    b'--xx\r\nContent-Disposition: form-data; name="f"; filename="g.txt"\r\n'
    b"Content-Type: text/plain\r\n\r\ncontent\r\n--xx--\r\n"
)
CASES = {
    "plain": ("GET", "/", (), b""),
    "query": ("GET", "/a/b.php?x=1&y=a+b%2bc&x=2&&=3&z&w==", (), b""),
    "encoded": ("GET", "/a%20b/%e4%zz%4?q=%u0041%zz%4&%3d=%26", (), b""),
    "hidden mark": ("GET", "/a%3fb/c?d=%3f&e=%23", (), b""),
    "absolute": ("GET", "http://h:80/p/q?x=1", (), b""),
    "fragment": ("GET", "/a?b=c#d", (), b""),
    "backslash": ("GET", "/a\\b", (), b""),
    "slashes": ("GET", "//a//./../b/", (), b""),
    "star": ("OPTIONS", "*", (), b""),
    "cookies": ("GET", "/", (("Cookie", "a=b%20c; d = e;f;  g=;h==i; j=k"), ("Host", "h")), b""),
    "two headers": ("GET", "/", (("X", "1"), ("X", "2"), ("Host", "h")), b""),
    "form": ("POST", "/p?g=1", (FORM,), b"a=b&c=d+e%3d&f"),
    "text": ("POST", "/", (("Content-Type", "text/plain"),), b"a=b"),
    "no type": ("POST", "/", (), b"a=b"),
    "parts": ("POST", "/?q=1", (PARTS,), MULTIPART),
}


@pytest.fixture(scope="module")
def engines():
    asked = oracle.Oracle([rules()])
    yield asked, seclang.compile(parse([Source("t", rules())]))
    asked.close()


@pytest.mark.parametrize("case", CASES)
def test_they_see_the_same(engines, case):
    asked, program = engines
    method, uri, headers, body = CASES[case]
    message = Message(
        method=method.encode(),
        uri=uri.encode(),
        headers=tuple((name.encode(), value.encode()) for name, value in headers),
        body=body or None,
        client="192.0.2.7",
        port=4711,
        server="192.0.2.1",
        server_port=8080,
    )

    # Sorted: they group arguments of one name, we keep the order in which they came.
    theirs = {told.message: sorted(told.data.split(" ")) for told in asked.told(message)}
    matches = program.inspect(message).matches
    ours = {match.message: sorted(match.data.decode().split(" ")) for match in matches}
    assert ours == theirs


def test_sizes_are_sums_of_bytes(ids):
    rules = """
    SecRule ARGS_COMBINED_SIZE "@eq 8" "id:1,phase:2,log,pass"
    SecRule FILES_COMBINED_SIZE "@eq 7" "id:2,phase:2,log,pass"
    SecRule FILES_SIZES:f "@eq 7" "id:3,phase:2,log,pass"
    """

    assert ids(rules, method="POST", uri="/?abc=def", headers=[PARTS], body=MULTIPART) == (1, 2, 3)
