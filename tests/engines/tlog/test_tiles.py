import pytest
from hypothesis import given
from hypothesis import strategies as st

from troth.engines.tlog.edge import Edge
from troth.engines.tlog.errors import LogError
from troth.engines.tlog.merkle import (
    check_consistency,
    check_inclusion,
    consistency_proof,
    inclusion_proof,
    leaf_hash,
    root_of,
)
from troth.engines.tlog.tiles import (
    beginning,
    pack,
    perfect_from_tiles,
    split_hashes,
    tile_path,
    tiles_of,
    unpack,
)


@pytest.mark.parametrize(
    ("level", "index", "width", "path"),
    [
        (0, 0, 256, "tile/0/000"),
        (0, 1234067, 256, "tile/0/x001/x234/067"),  # the standard's own example
        (1, 999, 17, "tile/1/999.p/17"),
        ("entries", 1000, 1, "tile/entries/x001/000.p/1"),
    ],
)
def test_the_paths_are_the_standards(level, index: int, width: int, path: str):
    assert tile_path(level, index, width) == path


def test_the_standards_example_of_70000_leaves():
    tiles = [(0, 70_000), (1, 273), (2, 1)]

    assert [len(list(tiles_of(count))) for _, count in tiles] == [274, 2, 1]
    assert list(tiles_of(70_000))[-1] == (273, 112)
    assert list(tiles_of(273)) == [(0, 256), (1, 17)]


@given(st.lists(st.binary(max_size=300), max_size=20), st.integers(0, 20))
def test_entries_are_read_as_packed(entries: list[bytes], count: int):
    bundle = b"".join(map(pack, entries))

    assert unpack(bundle, len(entries), "here") == entries
    assert (
        unpack(beginning(bundle, min(count, len(entries))), min(count, len(entries)), "")
        == (entries[:count])
    )


@given(st.lists(st.binary(min_size=1, max_size=30), min_size=1, max_size=8), st.data())
def test_a_bundle_cut_or_lengthened_is_refused(entries: list[bytes], data):
    bundle = b"".join(map(pack, entries))
    cut = data.draw(st.integers(0, len(bundle) - 1))

    for changed in (bundle[:cut], bundle + b"\x00", bundle + b"\x00\x00"):
        with pytest.raises(LogError):
            unpack(changed, len(entries), "here")


def test_what_the_format_cannot_hold_is_refused():
    assert len(pack(b"x" * 65_535)) == 65_537
    with pytest.raises(ValueError, match="65535"):
        pack(b"x" * 65_536)
    with pytest.raises(LogError):
        split_hashes(b"x" * 63, 2, "here")


def test_proofs_from_tiles():
    leaves = [b"%d" % number for number in range(70_000)]
    hashes = [leaf_hash(leaf) for leaf in leaves]
    edge, stored = Edge(), {}
    for level, index, row in edge.extend(hashes):
        stored[tile_path(level, index)] = b"".join(row)
    for level, index, row in edge.unfinished():
        stored[tile_path(level, index, len(row))] = b"".join(row)
    perfect = perfect_from_tiles(lambda path, limit: stored[path], len(leaves))
    root = edge.root()

    assert root == root_of(hashes)
    assert set(stored) >= {"tile/1/000", "tile/1/001.p/17", "tile/2/000.p/1", "tile/0/273.p/112"}
    for index in (0, 255, 256, 65_535, 65_536, 69_999):
        proof = inclusion_proof(perfect, index, 70_000)
        check_inclusion(hashes[index], index, 70_000, proof, root)
    for old in (1, 255, 256, 257, 65_536, 65_537, 69_999):
        proof = consistency_proof(perfect, old, 70_000)
        check_consistency(old, root_of(hashes[:old]), 70_000, root, proof)
