import hashlib

import pytest
from hypothesis import given
from hypothesis import strategies as st

from troth.engines.tlog.errors import LogError
from troth.engines.tlog.merkle import (
    EMPTY_ROOT,
    check_consistency,
    check_inclusion,
    consistency_proof,
    inclusion_proof,
    leaf_hash,
    mth,
    node_hash,
    root_of,
)

# The inputs and roots of Certificate Transparency's own reference tests.
INPUTS = [
    bytes.fromhex(text)
    for text in (
        "",
        "00",
        "10",
        "2021",
        "3031",
        "40414243",
        "5051525354555657",
        "606162636465666768696a6b6c6d6e6f",
    )
]
ROOTS = [
    "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855",
    "6e340b9cffb37a989ca544e6bb780a2c78901d3fb33738768511a30617afa01d",
    "fac54203e7cc696cf0dfcb42c92a1d9dbaf70ad9e621f4bd8d98662f00e3c125",
    "aeb6bcfe274b70a14fb067a5e5578264db0fa9b51af5e0ba159158f329e06e77",
    "d37ee418976dd95753c1c73862b9398fa2a2cf9b4ff0fdfe8b30cd95209614b7",
    "4e3bbb1f7b478dcfe71fb631631519a3bca12c9aefca1612bfce4c13a86264d4",
    "76e67dadbcdf1e10e1b74ddc608abd2f98dfb16fbce75277b5232a127f2087ef",
    "ddb89be403809e325750d3d263cd78929c2942b7942a34b77e122c9594a74c8c",
    "5dc9da79a70659a9ad559cb701ded9a2ab9d823aad2f4960cfe370eff4604328",
]


def split(size: int) -> int:
    power = 1
    while power * 2 < size:
        power *= 2
    return power


def naive_root(leaves: list[bytes]) -> bytes:
    """MTH as RFC 6962 section 2.1 defines it, word for word."""
    if not leaves:
        return hashlib.sha256(b"").digest()
    if len(leaves) == 1:
        return hashlib.sha256(b"\x00" + leaves[0]).digest()
    k = split(len(leaves))
    left, right = naive_root(leaves[:k]), naive_root(leaves[k:])
    return hashlib.sha256(b"\x01" + left + right).digest()


def naive_path(m: int, leaves: list[bytes]) -> list[bytes]:
    if len(leaves) == 1:
        return []
    k = split(len(leaves))
    if m < k:
        return [*naive_path(m, leaves[:k]), naive_root(leaves[k:])]
    return [*naive_path(m - k, leaves[k:]), naive_root(leaves[:k])]


def naive_subproof(m: int, leaves: list[bytes], *, is_whole: bool) -> list[bytes]:
    if m == len(leaves):
        return [] if is_whole else [naive_root(leaves)]
    k = split(len(leaves))
    if m <= k:
        return [*naive_subproof(m, leaves[:k], is_whole=is_whole), naive_root(leaves[k:])]
    return [*naive_subproof(m - k, leaves[k:], is_whole=False), naive_root(leaves[:k])]


def perfect_of(leaves: list[bytes]):
    return lambda height, index: naive_root(leaves[index << height : (index + 1) << height])


def some(count: int) -> list[bytes]:
    return [b"leaf %d" % number for number in range(count)]


@pytest.mark.parametrize("size", range(9))
def test_the_reference_roots(size: int):
    assert root_of([leaf_hash(leaf) for leaf in INPUTS[:size]]).hex() == ROOTS[size]


@given(st.lists(st.binary(max_size=8), max_size=70))
def test_the_root_is_the_naive_root(leaves: list[bytes]):
    assert root_of([leaf_hash(leaf) for leaf in leaves]) == naive_root(leaves)
    assert mth(perfect_of(leaves), 0, len(leaves)) == naive_root(leaves)


def test_every_inclusion_proof_of_small_trees():
    for size in range(1, 34):
        leaves = some(size)
        for index in range(size):
            proof = inclusion_proof(perfect_of(leaves), index, size)
            assert proof == naive_path(index, leaves)
            check_inclusion(leaf_hash(leaves[index]), index, size, proof, naive_root(leaves))


def test_every_consistency_proof_of_small_trees():
    for new in range(34):
        leaves = some(new)
        for old in range(new + 1):
            proof = consistency_proof(perfect_of(leaves), old, new)
            if old:
                assert proof == naive_subproof(old, leaves, is_whole=True)
            check_consistency(old, naive_root(leaves[:old]), new, naive_root(leaves), proof)


@given(st.integers(1, 300), st.data())
def test_a_changed_inclusion_proof_is_refused(size: int, data):
    leaves = some(size)
    root = naive_root(leaves)
    index = data.draw(st.integers(0, size - 1))
    proof = inclusion_proof(perfect_of(leaves), index, size)
    leaf = leaf_hash(leaves[index])
    wrong = [
        (leaf_hash(b"other"), index, size, proof),
        (leaf, index, size, [*proof, root]),
        (leaf, size, size, proof),
        (leaf, -1, size, proof),
    ]
    if proof:
        at = data.draw(st.integers(0, len(proof) - 1))
        flipped = bytes([proof[at][0] ^ 1]) + proof[at][1:]
        wrong += [
            (leaf, index, size, proof[:-1]),
            (leaf, index, size, [*proof[:at], flipped, *proof[at + 1 :]]),
            (leaf, index, size, [*proof[:at], proof[at][:-1], *proof[at + 1 :]]),
            (leaf, (index + 1) % size, size, proof),
        ]

    for changed in wrong:
        with pytest.raises(LogError):
            check_inclusion(*changed, root)


@given(st.integers(2, 300), st.data())
def test_a_changed_consistency_proof_is_refused(new: int, data):
    leaves = some(new)
    old = data.draw(st.integers(1, new - 1))
    old_root, root = naive_root(leaves[:old]), naive_root(leaves)
    proof = consistency_proof(perfect_of(leaves), old, new)
    at = data.draw(st.integers(0, len(proof) - 1))
    flipped = bytes([proof[at][0] ^ 1]) + proof[at][1:]

    for changed in (
        (old, node_hash(old_root, root), new, root, proof),
        (old, old_root, new, node_hash(root, root), proof),
        (old, old_root, new, root, proof[:-1]),
        (old, old_root, new, root, [*proof, root]),
        (old, old_root, new, root, [*proof[:at], flipped, *proof[at + 1 :]]),
        (new, root, old, old_root, proof),
        (old, old_root, new, root, [root] * 64),
    ):
        with pytest.raises(LogError):
            check_consistency(*changed)


def test_a_fork_has_no_consistency_proof():
    ours, theirs = some(20), [*some(9), b"another", *some(20)[10:]]
    proof = consistency_proof(perfect_of(theirs), 12, 20)

    with pytest.raises(LogError, match="begin"):
        check_consistency(12, naive_root(ours[:12]), 20, naive_root(theirs), proof)


def test_equal_sizes_must_have_equal_roots_and_the_empty_tree_one_root():
    root = naive_root(some(3))
    check_consistency(3, root, 3, root, [])
    check_consistency(0, EMPTY_ROOT, 3, root, [])

    for changed in (
        (3, root, 3, EMPTY_ROOT, []),
        (3, root, 3, root, [root]),
        (0, root, 3, root, []),
        (0, EMPTY_ROOT, 0, root, [root]),
    ):
        with pytest.raises(LogError):
            check_consistency(*changed)


def test_no_proof_of_what_is_not_there():
    with pytest.raises(LogError):
        inclusion_proof(perfect_of(some(3)), 3, 3)
    with pytest.raises(LogError):
        consistency_proof(perfect_of(some(3)), 4, 3)
