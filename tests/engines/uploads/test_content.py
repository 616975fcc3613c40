"""Contents are read where one wants, and searched across pieces."""

from hypothesis import given
from hypothesis import strategies as st

from troth.engines.uploads.content import PIECE, Held, Slice, find, pieces


@given(st.binary(max_size=60), st.binary(min_size=1, max_size=3), st.integers(0, 60))
def test_it_finds_what_bytes_find(content: bytes, needle: bytes, begin: int):
    assert find(Held(content), needle, begin) == content.find(needle, begin)
    assert find(Held(content), needle, 0, begin) == content.find(needle, 0, begin)


def test_a_needle_across_two_pieces_is_found():
    content = b"x" * (PIECE - 2) + b"needle" + b"x" * 10

    assert find(Held(content), b"needle") == PIECE - 2


def test_a_slice_ends_where_it_ends():
    part = Slice(Held(b"0123456789"), 2, 6)

    assert (part.size, part.read(0, 100), part.read(3, 100), part.read(4, 1)) == (
        4, b"2345", b"5", b"",
    )  # fmt: skip
    assert b"".join(pieces(part)) == b"2345"
