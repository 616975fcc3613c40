"""What was found is remembered, within bounds, and a flood does not wash it out."""

from collections.abc import Sequence

import pytest

from troth.engines.seclang.scan.memo import remembering


@pytest.fixture
def asked():
    return []


@pytest.fixture
def recall(asked: list[bytes]):
    def answer(value: bytes) -> tuple[int, ...]:
        asked.append(value)
        return (len(value),)

    return remembering(answer, entries=8, max_bytes=16)[0]


def test_a_value_is_asked_once(recall, asked):
    assert [recall(b"abc") for _ in range(5)] == [(3,)] * 5
    assert asked == [b"abc"]


def test_long_values_are_not_kept(recall, asked):
    recall(b"x" * 17)
    recall(b"x" * 17)

    assert len(asked) == 2


def test_a_flood_of_values_that_come_once_leaves_what_is_in_use(recall, asked):
    recall(b"ours")
    recall(b"ours")
    for number in range(1000):
        recall(b"flood%d" % number)
        if number % 100 == 0:
            recall(b"ours")

    assert asked.count(b"ours") == 1


def test_the_number_of_entries_is_bounded(recall):
    for number in range(500):
        recall(b"%d" % number)
        recall(b"%d" % number)
    cells = [cell.cell_contents for cell in recall.__closure__]
    kept = sum(len(cell) for cell in cells if isinstance(cell, dict))

    assert kept <= 4 * 8


def test_what_a_sift_left_out_is_known_afterwards(asked):
    sifted: list[bytes] = []

    def sift(values: Sequence[bytes]) -> list[int]:
        sifted.extend(values)
        return [at for at, value in enumerate(values) if b"!" in value]

    def answer(value: bytes) -> tuple[int, ...]:
        asked.append(value)
        return (1,) if b"!" in value else ()

    recall, recall_many = remembering(answer, sift, entries=8, max_bytes=16)
    recall(b"known!")
    recall(b"plain")
    long = b"x" * 17

    assert list(recall_many([b"new", b"known!", b"plain", b"new!", long])) == [1, 2, 3]
    assert sifted == [b"new", b"new!", long]
    assert recall(b"new") == ()
    assert list(recall_many([b"new", long])) == []
    assert sifted == [b"new", b"new!", long, long]
    assert asked == [b"known!", b"plain"]
