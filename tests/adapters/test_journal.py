"""A journal: read again after a kill, kept aside when broken."""

import msgspec
import pytest

from troth.adapters.files import FileError
from troth.adapters.journal import Journal


class Line(msgspec.Struct):
    n: int


def made(path):
    return Journal(path / "j.jsonl", Line)


def read(path):
    return made(path).read(lambda: "then")


def test_what_was_appended_is_read(tmp_path):
    journal = made(tmp_path)
    for n in range(3):
        journal.append(Line(n))
    journal.sync()

    assert [line.n for line in read(tmp_path).lines] == [0, 1, 2]
    journal.rewrite([Line(7)])
    journal.append(Line(8))
    assert [line.n for line in read(tmp_path).lines] == [7, 8]
    assert journal.count == 2
    assert (tmp_path / "j.jsonl").stat().st_mode & 0o777 == 0o600
    journal.close()
    journal.close()


def test_none_is_empty(tmp_path):
    found = read(tmp_path)

    assert (found.lines, found.torn, found.broken, found.aside) == ((), False, 0, None)


def test_a_torn_tail_is_dropped(tmp_path):
    (tmp_path / "j.jsonl").write_bytes(b'{"n":1}\n{"n":')

    found = read(tmp_path)
    assert ([line.n for line in found.lines], found.torn, found.broken) == ([1], True, 0)


def test_what_is_broken_is_kept_aside_whole(tmp_path):
    raw = b'{"n":1}\n\xff\xfe\n{"x":2}\n{"n":3}\n'
    (tmp_path / "j.jsonl").write_bytes(raw)

    found = read(tmp_path)

    assert ([line.n for line in found.lines], found.broken) == ([1, 3], 2)
    assert found.aside.name == "j.jsonl.broken-then"
    assert found.aside.read_bytes() == raw


def test_it_says_where_it_cannot_write(tmp_path):
    journal = Journal(tmp_path / "none" / "j.jsonl", Line)

    with pytest.raises(FileError) as caught:
        journal.append(Line(1))
    assert "j.jsonl" in caught.value.where
