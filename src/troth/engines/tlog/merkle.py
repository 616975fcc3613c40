"""The Merkle tree of RFC 6962 section 2.1, pure: hashes, proofs and their checks.

A tree is `size` leaves; `MTH(lo, hi)` is the hash of the leaves lo..hi-1. Proofs are built from a
function that gives the hash of any *perfect* range (2**h leaves, aligned), so that tiles, a list
or a database can stand behind it.
"""

import hashlib
import hmac
from collections.abc import Callable, Sequence

from troth.engines.tlog.errors import LogError

HASH_BYTES = 32
EMPTY_ROOT = hashlib.sha256(b"").digest()
MAX_PROOF = 63  # Source: c2sp.org/tlog-witness: not more than 63 consistency proof lines

Perfect = Callable[[int, int], bytes]
"""`perfect(height, index)`: the hash of the leaves index * 2**height up to the next multiple."""


def leaf_hash(leaf: bytes) -> bytes:
    """The hash of one leaf's bytes."""
    return hashlib.sha256(b"\x00" + leaf).digest()


def node_hash(left: bytes, right: bytes) -> bytes:
    """The hash of an inner node."""
    return hashlib.sha256(b"\x01" + left + right).digest()


def root_of(hashes: Sequence[bytes]) -> bytes:
    """The tree hash over leaf hashes, or over the roots of equal perfect subtrees."""
    if not hashes:
        return EMPTY_ROOT
    row, sha256 = list(hashes), hashlib.sha256
    while len(row) > 1:
        # A lone last node rises unhashed: this is RFC 6962's split at the largest power of two.
        lone = row[-1:] if len(row) % 2 else []
        pairs = zip(row[::2], row[1::2], strict=False)
        row = [sha256(b"\x01" + left + right).digest() for left, right in pairs] + lone
    return row[0]


def mth(perfect: Perfect, lo: int, hi: int) -> bytes:
    """The hash of the leaves lo..hi-1, where lo is a multiple of the largest power of two within.

    Any range that a proof of RFC 6962 names is of this kind.
    """
    if lo == hi:
        return EMPTY_ROOT
    parts = []
    while lo < hi:
        height = (hi - lo).bit_length() - 1
        parts.append(perfect(height, lo >> height))
        lo += 1 << height
    acc = parts.pop()
    while parts:
        acc = node_hash(parts.pop(), acc)
    return acc


def _split(size: int) -> int:
    """The largest power of two smaller than `size` (2 or more)."""
    return 1 << ((size - 1).bit_length() - 1)


def inclusion_proof(perfect: Perfect, index: int, size: int) -> list[bytes]:
    """PATH(index, D[size]): the audit path, lowest first."""
    if not 0 <= index < size:
        raise LogError("no such leaf", where=f"index {index} of {size}")
    proof, lo, hi = [], 0, size
    while hi - lo > 1:
        middle = lo + _split(hi - lo)
        if index < middle:
            proof.append(mth(perfect, middle, hi))
            hi = middle
        else:
            proof.append(mth(perfect, lo, middle))
            lo = middle
    return proof[::-1]


def consistency_proof(perfect: Perfect, old: int, new: int) -> list[bytes]:
    """PROOF(old, D[new]), lowest first; empty when old is 0 or equals new."""
    if not 0 <= old <= new:
        raise LogError("no such sizes", where=f"{old} of {new}")
    if old in (0, new):
        return []
    proof, lo, hi = [], 0, new
    while old != hi:
        middle = lo + _split(hi - lo)
        if old <= middle:
            proof.append(mth(perfect, middle, hi))
            hi = middle
        else:
            proof.append(mth(perfect, lo, middle))
            lo = middle
    if lo:  # the old tree ends inside: its last part is not known from the old root alone
        proof.append(mth(perfect, lo, hi))
    return proof[::-1]


def _same(found: bytes, expected: bytes, what: str) -> None:
    if not hmac.compare_digest(found, expected):
        raise LogError(what)


def check_inclusion(
    leaf: bytes, index: int, size: int, proof: Sequence[bytes], root: bytes
) -> None:
    """Raise LogError unless the leaf hash stands at `index` of the tree of `size` and `root`.

    Source: RFC 9162 section 2.1.3.2 (the verification that RFC 6962 leaves to the reader).
    """
    if not 0 <= index < size:
        raise LogError("no such leaf", where=f"index {index} of {size}")
    fn, sn, acc = index, size - 1, leaf
    for step in _bounded(proof):
        if sn == 0:
            raise LogError("an inclusion proof that is too long")
        if fn & 1 or fn == sn:
            acc = node_hash(step, acc)
            while not fn & 1 and fn:
                fn, sn = fn >> 1, sn >> 1
        else:
            acc = node_hash(acc, step)
        fn, sn = fn >> 1, sn >> 1
    if sn:
        raise LogError("an inclusion proof that is too short")
    _same(acc, root, "an inclusion proof that leads to another root")


def check_consistency(
    old: int, old_root: bytes, new: int, new_root: bytes, proof: Sequence[bytes]
) -> None:
    """Raise LogError unless the tree of `new` leaves begins with the tree of `old` leaves.

    Source: RFC 9162 section 2.1.4.2.
    """
    steps = _bounded(proof)
    if not 0 <= old <= new:
        raise LogError("a log that shrank", where=f"from {old} to {new}")
    if old in (0, new):
        if steps:
            raise LogError("a consistency proof where none is needed")
        _same(old_root, new_root if old else EMPTY_ROOT, "two trees of one size that differ")
        return
    fn, sn = old - 1, new - 1
    while fn & 1:
        fn, sn = fn >> 1, sn >> 1
    if fn == 0:  # the old tree is perfect: its root is the first node, and is not sent
        steps = [old_root, *steps]
    if not steps:
        raise LogError("a consistency proof that is too short")
    _climb(fn, sn, steps, old_root, new_root)


def _climb(fn: int, sn: int, steps: list[bytes], old_root: bytes, new_root: bytes) -> None:
    """From the last whole subtree of the old tree up to both roots."""
    old_acc = new_acc = steps[0]
    for step in steps[1:]:
        if sn == 0:
            raise LogError("a consistency proof that is too long")
        if fn & 1 or fn == sn:
            old_acc, new_acc = node_hash(step, old_acc), node_hash(step, new_acc)
            while not fn & 1 and fn:
                fn, sn = fn >> 1, sn >> 1
        else:
            new_acc = node_hash(new_acc, step)
        fn, sn = fn >> 1, sn >> 1
    if sn:
        raise LogError("a consistency proof that is too short")
    _same(old_acc, old_root, "a consistency proof that does not begin at the old root")
    _same(new_acc, new_root, "a consistency proof that leads to another root")


def _bounded(proof: Sequence[bytes]) -> list[bytes]:
    if len(proof) > MAX_PROOF or any(len(step) != HASH_BYTES for step in proof):
        raise LogError("a proof that is no list of hashes")
    return list(proof)
