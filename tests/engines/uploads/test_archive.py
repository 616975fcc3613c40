"""Archives: bombs, ways out, and what hides in them; made by Python's own writers."""

import bz2
import contextlib
import gzip
import lzma
import os
import zipfile

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from troth.engines.uploads import Held, UploadError, archive
from troth.engines.uploads.eicar import TEST


def test_an_honest_archive_passes(files):
    assert files.code(b"a.zip", files.zipped(("x.txt", b"hello" * 100), ("b/c", b""))) == ""
    assert files.code(b"a.tar", files.tarred("x", "y/z")) == ""
    assert files.code(b"a.tgz", gzip.compress(files.tarred("x"))) == ""
    for packed in (gzip.compress, bz2.compress, lzma.compress):
        assert files.code(b"a.bin", packed(os.urandom(100_000))) == ""


def test_what_is_in_it_is_looked_at(files):
    inner = files.zipped(("note.txt", TEST))

    assert files.code(b"a.zip", inner) == "malware"
    assert files.code(b"a.zip", files.zipped(("x.zip", inner))) == "malware"
    assert files.code(b"a.gz", gzip.compress(TEST)) == "malware"
    assert files.code(b"a.gz", gzip.compress(inner)) == "malware"


def test_bombs(files):
    assert files.code(b"a.zip", files.zipped(("x", b"\0" * 10_000_000))) == "bomb"
    for packed in (gzip.compress, bz2.compress, lzma.compress):
        assert files.code(b"a.bin", packed(b"\0" * 10_000_000)) == "bomb"
    nested = files.zipped(("d", b"x"))
    for name in "cba":
        nested = files.zipped((f"{name}.zip", nested))
    assert files.code(b"a.zip", nested) == "bomb"


def test_a_directory_that_lies(files):
    made = files.zipped(("x", b"hello" * 10), ("y", b"hello" * 10))
    second = made.index(b"PK\1\2", made.index(b"PK\1\2") + 1)
    first = made.index(b"PK\1\2")
    whole = bytearray(made)
    whole[second + 42 : second + 46] = whole[first + 42 : first + 46]  # both at one place
    short = bytearray(made)
    short[first + 24 : first + 28] = (5).to_bytes(4, "little")  # says five bytes, has fifty

    assert files.code(b"a.zip", bytes(whole)) in {"bomb", "unreadable"}
    assert files.code(b"a.zip", bytes(short)) == "bomb"
    assert files.code(b"a.zip", made[:-5]) == "unreadable"
    assert files.code(b"a.zip", made + b"more") == "unreadable"
    assert files.code(b"a.zip", made.replace(b"x", b"z", 1)) == "unreadable"  # two names


@pytest.mark.parametrize("name", ["../x", "/x", "a/../../x", "C:\\x", "..\\x"])
def test_ways_out(files, name):
    assert files.code(b"a.zip", files.zipped((name, b"x"))) == "archive-path"
    assert files.code(b"a.tar", files.tarred(name)) == "archive-path"
    assert files.code(b"a.tar", files.tarred("x", link=name)) == "archive-path"


def test_a_long_name_leads_out_no_less(files):
    assert files.code(b"a.tar", files.tarred("a" * 150 + "/../../x")) == "archive-path"


def test_a_link_in_a_zip(files):
    link = zipfile.ZipInfo("x")
    link.create_system, link.external_attr = 3, 0o120777 << 16
    assert files.code(b"a.zip", files.zipped((link, b"/etc"))) == "archive-path"


def test_what_is_encrypted_or_cannot_be_read(files):
    made = bytearray(files.zipped(("x", b"hello")))
    made[6] |= 1
    made[made.index(b"PK\1\2") + 8] |= 1
    seven = b"7z\xbc\xaf\x27\x1c" + os.urandom(99)

    assert files.code(b"a.zip", bytes(made)) == "encrypted"
    assert files.code(b"a.zip", bytes(made), refuses_encrypted=False) == ""
    assert files.code(b"a.7z", seven) == "unreadable"
    assert files.code(b"a.7z", seven, refuses_encrypted=False) == ""


@settings(max_examples=60, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.data())
def test_whatever_is_broken_is_a_fault_and_no_crash(files, data):
    honest = [files.zipped(("x", b"y" * 50)), files.tarred("x")]
    made = bytearray(data.draw(st.sampled_from(honest)))
    for _ in range(data.draw(st.integers(1, 4))):
        made[data.draw(st.integers(0, len(made) - 1))] = data.draw(st.integers(0, 255))

    with contextlib.suppress(UploadError):
        list(archive.zip_entries(Held(bytes(made)), archive.Budget(), refuses_encrypted=True))
    with contextlib.suppress(UploadError):
        list(archive.tar_entries(iter([bytes(made)])))
