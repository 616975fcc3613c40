from hypothesis import given, settings
from hypothesis import strategies as st

from troth.engines.tlog.edge import Edge
from troth.engines.tlog.merkle import EMPTY_ROOT, leaf_hash, root_of

HASHES = [leaf_hash(b"%d" % number) for number in range(140_000)]


def test_the_empty_tree():
    assert Edge().root() == EMPTY_ROOT
    assert list(Edge().unfinished()) == []


@settings(max_examples=30)
@given(st.lists(st.one_of(st.integers(0, 600), st.sampled_from([255, 256, 257])), max_size=12))
def test_any_steps_lead_to_the_same_tree(steps: list[int]):
    edge, size = Edge(), 0
    tiles = {}
    for step in steps:
        for level, index, row in edge.extend(HASHES[size : size + step]):
            assert (level, index) not in tiles
            tiles[(level, index)] = row
        size += step

        assert edge.size == size
        assert edge.root() == root_of(HASHES[:size])
    for level, index, row in edge.unfinished():
        tiles[(level, index)] = row
    below = [row for (level, _), row in sorted(tiles.items()) if level == 0]

    assert [each for row in below for each in row] == HASHES[:size]
    assert Edge(edge.rows).size == size


def test_three_levels():
    edge = Edge()
    done = list(edge.extend(HASHES))

    assert edge.root() == root_of(HASHES)
    assert [(level, index) for level, index, _ in done if level] == [(1, 0), (1, 1)]
    assert len(edge.rows[2]) == 140_000 // 65_536
