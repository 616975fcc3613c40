"""Databases as bytes: they come back as they went, and what is not whole is refused."""

import pytest

from troth.engines.seclang.scan.database import (
    Compiled,
    Entry,
    Job,
    compile,  # noqa: A004 -- its word
    dump,
    load,
    opened,
)

JOB = Job((Entry(3, rb"\bfoo\d+"), Entry(5, words=(b"bar", b"it's")), Entry(9, rb"^$")))


def found(compiled: Compiled, value: bytes) -> list[int]:
    ids: list[int] = []
    opened(compiled)(value, ids)
    return sorted(set(ids))


def test_a_database_comes_back_as_it_went():
    again = load(dump(compile(JOB)))

    assert found(again, b"a foo12 BAR") == [3, 5]
    assert found(again, b"IT'S") == [5]
    assert found(again, b"") == [9]
    assert found(again, b"nothing") == []


@pytest.mark.parametrize(
    "spoil", [lambda b: b[:-1], lambda b: b"", lambda b: b[:40] + bytes((b[40] ^ 1,)) + b[41:]]
)
def test_what_is_not_whole_is_refused(spoil):
    with pytest.raises(ValueError, match="hash"):
        load(spoil(dump(compile(JOB))))


def test_what_hyperscan_does_not_know_is_refused():
    with pytest.raises(ValueError, match="Hyperscan"):
        opened(Compiled(b"no database at all"))


def test_a_key_tells_jobs_and_machines_apart():
    other = Job(JOB.entries[:2])

    assert JOB.key("a") == Job(JOB.entries).key("a")
    assert len({JOB.key("a"), JOB.key("b"), other.key("a")}) == 3


def test_what_hyperscan_does_not_take_is_told():
    anchors = rb"(?:a$|b)c(?:^d|e)$f"  # an end in the middle
    made = compile(Job((Entry(1, anchors), Entry(2, anchors, (b"long enough",)))))

    assert made.absent == (1,)
    assert made.loose == (2,)
    assert found(made, b"LONG ENOUGH") == [2]


def test_nothing_to_look_for_is_a_database_too():
    assert found(load(dump(compile(Job(())))), b"abc") == []
