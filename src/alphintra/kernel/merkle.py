"""Merkle trees as RFC 6962 (section 2.1) hashes them, so that one signature covers many entries."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from hashlib import sha256

__all__ = [
    "Frontier",
    "consistency_path",
    "inclusion_path",
    "inclusion_paths",
    "is_consistent",
    "is_included",
    "leaf_hash",
    "tree_root",
]

_HASH_BYTES = 32


class Frontier:
    """The right edge of a tree that grows: the roots of its full subtrees, the largest first.

    It is all that is needed to go on and to tell the root, however many leaves there are.
    """

    def __init__(self, size: int = 0, peaks: Sequence[bytes] = ()) -> None:
        if size < 0 or len(peaks) != size.bit_count() or any(len(peak) != _HASH_BYTES for peak in peaks):
            message = f"a tree of {size} leaves has {max(size, 0).bit_count()} full subtrees"
            raise ValueError(message)
        self.size = size
        self.peaks = list(peaks)

    @classmethod
    def from_bytes(cls, size: int, data: bytes) -> Frontier:
        """Read one as written by `to_bytes`. Raises ValueError where the two do not fit."""
        if len(data) % _HASH_BYTES:
            message = "the right edge is not made of whole hashes"
            raise ValueError(message)
        return cls(size, [data[at : at + _HASH_BYTES] for at in range(0, len(data), _HASH_BYTES)])

    def to_bytes(self) -> bytes:
        """Return the peaks, one after another."""
        return b"".join(self.peaks)

    def copy(self) -> Frontier:
        """Return another one that grows by itself."""
        return Frontier(self.size, self.peaks)

    def extend(self, leaves: Iterable[bytes]) -> None:
        """Append leaf hashes."""
        size, peaks = self.size, self.peaks
        for leaf in leaves:
            node, full = leaf, size
            while full & 1:
                node = _node(peaks.pop(), node)
                full >>= 1
            peaks.append(node)
            size += 1
        self.size = size

    def root(self) -> bytes:
        """Return the root; the hash of nothing for an empty tree."""
        return _join(self.peaks) if self.peaks else sha256(b"").digest()


def leaf_hash(entry: bytes) -> bytes:
    """Return the hash of one entry; the prefix keeps leaves and inner nodes apart."""
    return sha256(b"\x00" + entry).digest()


def tree_root(leaves: Sequence[bytes]) -> bytes:
    """Return the root over leaf hashes, oldest first; the hash of nothing for an empty tree."""
    edge = Frontier()
    edge.extend(leaves)
    return edge.root()


def inclusion_path(leaves: Sequence[bytes], index: int) -> tuple[bytes, ...]:
    """Return the sibling hashes, leaf level first, that lead from one leaf to the root."""
    if len(leaves) <= 1:
        return ()
    split = _split(len(leaves))
    if index < split:
        return (*inclusion_path(leaves[:split], index), tree_root(leaves[split:]))
    return (*inclusion_path(leaves[split:], index - split), tree_root(leaves[:split]))


def inclusion_paths(leaves: Sequence[bytes]) -> tuple[bytes, tuple[tuple[bytes, ...], ...]]:
    """Return the root and the path of every leaf, hashing each node once; at least one leaf."""
    root, paths = _grow(leaves)
    return root, tuple(map(tuple, paths))


def is_included(leaf: bytes, *, index: int, size: int, path: Sequence[bytes], root: bytes) -> bool:
    """Tell whether the leaf stands at the index of a tree of that size and root (RFC 9162, 2.1.3.2)."""
    if not 0 <= index < size:
        return False
    node, position, last = leaf, index, size - 1
    for sibling in path:
        if last == 0:
            return False
        if position % 2 == 1 or position == last:
            node = _node(sibling, node)
            while position % 2 == 0 and position != 0:
                position //= 2
                last //= 2
        else:
            node = _node(node, sibling)
        position //= 2
        last //= 2
    return last == 0 and node == root


def consistency_path(old: Frontier, added: Sequence[bytes]) -> tuple[bytes, ...]:
    """Return the hashes that prove a tree to begin with an earlier one (RFC 9162, 2.1.4.1).

    Args:
        old: edge of the earlier tree, which is not empty.
        added: leaf hashes that came after it.
    """
    peaks = tuple(old.peaks)
    sizes = [1 << bit for bit in reversed(range(old.size.bit_length())) if old.size >> bit & 1]
    return _consistency(sizes, peaks, added, is_whole=True)


def is_consistent(*, old_size: int, old_root: bytes, size: int, root: bytes, path: Sequence[bytes]) -> bool:
    """Tell whether a tree begins with an earlier one that was not empty (RFC 9162, 2.1.4.2)."""
    if not 0 < old_size <= size:
        return False
    if old_size == size:
        return not path and old_root == root
    nodes = [old_root, *path] if old_size.bit_count() == 1 else list(path)
    if not nodes:
        return False
    position, last = old_size - 1, size - 1
    while position % 2 == 1:
        position //= 2
        last //= 2
    before = after = nodes[0]
    for sibling in nodes[1:]:
        if last == 0:
            return False
        if position % 2 == 1 or position == last:
            before, after = _node(sibling, before), _node(sibling, after)
            while position % 2 == 0 and position != 0:
                position //= 2
                last //= 2
        else:
            after = _node(after, sibling)
        position //= 2
        last //= 2
    return last == 0 and before == old_root and after == root


def _consistency(
    sizes: Sequence[int], peaks: Sequence[bytes], added: Sequence[bytes], *, is_whole: bool
) -> tuple[bytes, ...]:
    """Prove the tree of some full subtrees and what came after them; ``is_whole`` while the old tree is all of it."""
    old = sum(sizes)
    if not added:
        return () if is_whole else (_join(peaks),)
    split = _split(old + len(added))
    if old <= split:
        within = split - old
        return (*_consistency(sizes, peaks, added[:within], is_whole=is_whole), tree_root(added[within:]))
    return (*_consistency(sizes[1:], peaks[1:], added, is_whole=False), peaks[0])


def _join(peaks: Sequence[bytes]) -> bytes:
    node = peaks[-1]
    for peak in reversed(peaks[:-1]):
        node = _node(peak, node)
    return node


def _grow(leaves: Sequence[bytes]) -> tuple[bytes, list[list[bytes]]]:
    if len(leaves) == 1:
        return leaves[0], [[]]
    split = _split(len(leaves))
    left, left_paths = _grow(leaves[:split])
    right, right_paths = _grow(leaves[split:])
    for path in left_paths:
        path.append(right)
    for path in right_paths:
        path.append(left)
    return _node(left, right), left_paths + right_paths


def _node(left: bytes, right: bytes) -> bytes:
    return sha256(b"\x01" + left + right).digest()


def _split(size: int) -> int:
    return 1 << ((size - 1).bit_length() - 1)
