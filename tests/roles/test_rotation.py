"""Logs stay small and whole."""

from hypothesis import given, settings
from hypothesis import strategies as st

from troth.roles import rotation
from troth.roles.rotation import Writer


def parts(path, kept):
    names = [path.with_name(f"{path.name}.{n}") for n in range(kept, 0, -1)]
    return [p.read_bytes() for p in (*names, path) if p.exists()]


@settings(deadline=None, max_examples=40)  # files are as slow as the disk
@given(st.lists(st.binary(min_size=1, max_size=40), max_size=60), st.integers(1, 64))
def test_nothing_is_lost_cut_or_out_of_order(tmp_path_factory, pieces, limit):
    path = tmp_path_factory.mktemp("log") / "x.log"
    writer = Writer(path, limit=limit, kept=5000)
    for piece in pieces:
        writer.write(piece)
    writer.close()

    found = parts(path, 5000)
    assert b"".join(found) == b"".join(pieces)


@settings(deadline=None, max_examples=40)  # files are as slow as the disk
@given(st.lists(st.text("ab", max_size=20), max_size=60), st.integers(8, 64))
def test_a_file_ends_where_a_line_ends(tmp_path_factory, lines, limit):
    path = tmp_path_factory.mktemp("log") / "x.log"
    writer = Writer(path, limit=limit, kept=5000)
    for line in lines:
        writer.write(line.encode() + b"\n")
    writer.close()

    found = parts(path, 5000)
    assert all(part.endswith(b"\n") for part in found if part)
    assert all(len(part) <= limit + 21 for part in found)


def test_only_so_many_are_kept(tmp_path):
    path = tmp_path / "x.log"
    writer = Writer(path, limit=10, kept=2)
    for number in range(100):
        writer.write(f"line {number:03}\n".encode())
    writer.close()

    assert sorted(p.name for p in tmp_path.iterdir()) == ["x.log", "x.log.1", "x.log.2"]
    assert (tmp_path / "x.log.1").read_text() == "line 098\nline 099\n"


def test_a_writer_goes_on_where_the_last_one_stopped(tmp_path):
    for _ in range(3):
        writer = Writer(tmp_path / "x.log", limit=10)
        writer.write(b"12345\n")
        writer.close()

    assert (tmp_path / "x.log.1").read_bytes() == b"12345\n12345\n"
    assert (tmp_path / "x.log").read_bytes() == b"12345\n"


def test_what_is_not_there_is_not_full(tmp_path):
    assert not rotation.is_full(tmp_path / "none")
    (tmp_path / "some").write_bytes(b"x" * 10)
    assert rotation.is_full(tmp_path / "some", 10)
    assert not rotation.is_full(tmp_path / "some", 11)
