"""What a detector of paths finds, and what it lets people write."""

import pytest
from everyday import EVERYDAY
from hostile import HOSTILE, attacks, harmless
from hypothesis import given, settings
from hypothesis import strategies as st

from troth.engines.seclang.detect import path

ATTACKS = (
    b"../../../../etc/passwd",
    b"..%2f..%2f..%2fetc%2fpasswd",
    b"....//....//....//etc/passwd",
    b"..\\..\\..\\windows\\win.ini",
    b"/etc/passwd",
    b"/etc/passwd%00",
    b"file:///etc/passwd",
    b"php://filter/convert.base64-encode/resource=index.php",
    b"php://input",
    b"expect://id",
    b"data://text/plain;base64,PD9waHAgc3lzdGVtKCRfR0VUWydjJ10pOz8+",
    b"zip://archive.zip#shell.php",
    b"phar://x.phar",
    b"/proc/self/environ",
    b"..;/..;/manager/html",
    b"/..%c0%af..%c0%afetc/passwd",
    b"C:\\boot.ini",
    b"C:\\Windows\\win.ini",
    b"\\\\attacker\\c$\\x",
    b"/%5C../%5C../%5C../etc/passwd",
    b"WEB-INF/web.xml",
    b"../.env",
    b"../../wp-config.php",
    b"http://evil.example/shell.txt?",
    b"http://10.1.2.3/shell.php",
    b"https://evil.example/c99.txt%00",
    b".%252e/.%252e/etc/passwd",
    b"/images/../../../etc/shadow",
    b"..%5c..%5cboot.ini",
)
HARMLESS = (
    b"see /etc/passwd for the list of users",
    b"/usr/share/doc/x",
    b"C:\\Users\\x\\y.txt",
    b"a..b",
    b"1..10",
    b"...",
    b"and/or",
    b"../",
    b"https://example.com/a/../b",
    b"install.php",
    b"/booking/12/edit",
    b"path/to/file.txt",
    b"@scope/package",
    b"~/notes.txt",
)


@pytest.mark.parametrize("value", ATTACKS)
def test_attacks_are_found(value: bytes):
    assert path.find(value)


@pytest.mark.parametrize("value", [*HARMLESS, *EVERYDAY])
def test_what_people_write_passes(value: bytes):
    assert path.find(value) is None


@given(
    st.binary(max_size=200)
    | st.sampled_from(ATTACKS).flatmap(
        lambda a: st.binary(max_size=8).map(lambda b: a[:40] + b + a[40:])
    )
)
@settings(max_examples=150, deadline=None)
def test_it_never_raises(value: bytes):
    assert path.find(value) is None or isinstance(path.find(value), str)


@pytest.mark.parametrize("unit", HOSTILE)
def test_hostile_values_come_to_an_end(unit: bytes):
    value = unit * (16384 // len(unit))

    assert path.recognise(value) == path.recognise(value)


@pytest.mark.shared
@pytest.mark.parametrize("topic", ["traversal"])
def test_public_attacks_are_found_and_their_lookalikes_pass(topic: str):
    lines = attacks(topic)

    missed = [line for line in lines if not path.find(line)]

    assert len(missed) <= len(lines) * 0.005
    assert [line for line in harmless(topic) if path.find(line)] == []


def test_a_text_without_lookalikes_is_left_as_it_is():
    told = "Könnten wir am Montag um 9 in Genève / Zürich spielen? Più tardi, perché piove".encode()

    assert path.canonise(told) == told
    for sign, plain in (("\u2044", b"/"), ("\uff0e", b"."), ("\uf025", b"/"), ("\uefc8", b"/")):
        assert path.canonise(f"é{sign}a".encode()) == "é".encode() + plain + b"a"
    assert path.canonise(b"\xc3\xa9\xff/a") == b"\xc3\xa9\x1aa"
