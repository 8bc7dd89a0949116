"""Merkle trees against the definition in RFC 6962 and against every kind of forged proof."""

from __future__ import annotations

from hashlib import sha256
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from alphintra.kernel.merkle import (
    Frontier,
    consistency_path,
    inclusion_path,
    inclusion_paths,
    is_consistent,
    is_included,
    leaf_hash,
    tree_root,
)

# Inputs and roots of the test vectors published with the Certificate Transparency reference implementation.
ENTRIES = tuple(
    bytes.fromhex(text)
    for text in ("", "00", "10", "2021", "3031", "40414243", "5051525354555657", "606162636465666768696a6b6c6d6e6f")
)
ROOTS = (
    "6e340b9cffb37a989ca544e6bb780a2c78901d3fb33738768511a30617afa01d",
    "fac54203e7cc696cf0dfcb42c92a1d9dbaf70ad9e621f4bd8d98662f00e3c125",
    "aeb6bcfe274b70a14fb067a5e5578264db0fa9b51af5e0ba159158f329e06e77",
    "d37ee418976dd95753c1c73862b9398fa2a2cf9b4ff0fdfe8b30cd95209614b7",
    "4e3bbb1f7b478dcfe71fb631631519a3bca12c9aefca1612bfce4c13a86264d4",
    "76e67dadbcdf1e10e1b74ddc608abd2f98dfb16fbce75277b5232a127f2087ef",
    "ddb89be403809e325750d3d263cd78929c2942b7942a34b77e122c9594a74c8c",
    "5dc9da79a70659a9ad559cb701ded9a2ab9d823aad2f4960cfe370eff4604328",
)

leaf_lists = st.lists(st.binary(max_size=4), min_size=1, max_size=70).map(lambda es: tuple(map(leaf_hash, es)))


@pytest.mark.parametrize("size", range(1, 9))
def test_roots_are_those_of_the_published_vectors(size: int) -> None:
    assert tree_root([leaf_hash(entry) for entry in ENTRIES[:size]]).hex() == ROOTS[size - 1]


def test_the_root_of_nothing_is_the_hash_of_nothing() -> None:
    assert tree_root([]) == sha256(b"").digest()


def test_an_inner_node_is_never_a_leaf() -> None:
    left, right = leaf_hash(b"a"), leaf_hash(b"b")
    assert tree_root([left, right]) != leaf_hash(left + right)


@settings(deadline=None)
@given(leaf_lists)
def test_all_paths_at_once_are_the_paths_one_by_one(leaves: tuple[bytes, ...]) -> None:
    root, paths = inclusion_paths(leaves)
    assert root == tree_root(leaves)
    assert paths == tuple(inclusion_path(leaves, index) for index in range(len(leaves)))


@settings(deadline=None)
@given(leaf_lists)
def test_every_leaf_is_proven_at_its_place(leaves: tuple[bytes, ...]) -> None:
    root, paths = inclusion_paths(leaves)
    size = len(leaves)
    assert all(is_included(leaf, index=n, size=size, path=paths[n], root=root) for n, leaf in enumerate(leaves))


@settings(deadline=None)
@given(leaf_lists, st.data())
def test_a_proof_holds_for_no_other_leaf_place_size_root_or_path(
    leaves: tuple[bytes, ...], data: st.DataObject
) -> None:
    root, paths = inclusion_paths(leaves)
    size = len(leaves)
    index = data.draw(st.integers(0, size - 1))
    leaf, path = leaves[index], paths[index]
    other = leaf_hash(b"somebody else's")
    assert not is_included(other, index=index, size=size, path=path, root=root)
    assert not is_included(leaf, index=index, size=size, path=path, root=other)
    assert not is_included(leaf, index=index, size=size, path=(*path, other), root=root)
    assert not is_included(leaf, index=-1, size=size, path=path, root=root)
    assert not is_included(leaf, index=size, size=size, path=path, root=root)
    if path:
        place = data.draw(st.integers(0, len(path) - 1))
        assert not is_included(leaf, index=index, size=size, path=path[:place] + path[place + 1 :], root=root)
        forged = (*path[:place], other, *path[place + 1 :])
        assert not is_included(leaf, index=index, size=size, path=forged, root=root)


@settings(deadline=None)
@given(st.integers(2, 70), st.data())
def test_a_proof_of_one_place_proves_no_other_place(size: int, data: st.DataObject) -> None:
    leaves = tuple(leaf_hash(str(n).encode()) for n in range(size))
    root, paths = inclusion_paths(leaves)
    index, other = data.draw(st.lists(st.integers(0, size - 1), min_size=2, max_size=2, unique=True))
    assert not is_included(leaves[index], index=other, size=size, path=paths[index], root=root)


def frontier_of(leaves: tuple[bytes, ...]) -> Frontier:
    edge = Frontier()
    edge.extend(leaves)
    return edge


@settings(deadline=None)
@given(leaf_lists, st.data())
def test_an_edge_that_is_kept_goes_on_to_the_same_root(leaves: tuple[bytes, ...], data: st.DataObject) -> None:
    cut = data.draw(st.integers(0, len(leaves)))
    kept = frontier_of(leaves[:cut])
    again = Frontier.from_bytes(cut, kept.to_bytes())
    again.extend(leaves[cut:])
    assert (again.size, again.root()) == (len(leaves), tree_root(leaves))
    assert kept.root() == tree_root(leaves[:cut])


@settings(deadline=None)
@given(leaf_lists, st.data())
def test_a_longer_log_is_proven_to_begin_with_the_shorter(leaves: tuple[bytes, ...], data: st.DataObject) -> None:
    cut = data.draw(st.integers(1, len(leaves)))
    path = consistency_path(frontier_of(leaves[:cut]), leaves[cut:])
    terms: dict[str, Any] = {
        "old_size": cut,
        "old_root": tree_root(leaves[:cut]),
        "size": len(leaves),
        "root": tree_root(leaves),
    }
    assert is_consistent(**terms, path=path)
    assert not is_consistent(**terms, path=(*path, path[0] if path else terms["root"]))
    if path:
        place = data.draw(st.integers(0, len(path) - 1))
        forged = bytes(byte ^ 1 for byte in path[place])
        assert not is_consistent(**terms, path=(*path[:place], forged, *path[place + 1 :]))
        assert not is_consistent(**terms, path=path[:-1])
        assert not is_consistent(**terms, path=path[1:])
        assert not is_consistent(**terms | {"root": forged}, path=path)
        assert not is_consistent(**terms | {"old_root": forged}, path=path)
    if cut < len(leaves):
        assert not is_consistent(**terms | {"old_size": cut + 1}, path=path)
    assert not is_consistent(**terms | {"old_size": 0}, path=path)


@settings(deadline=None)
@given(leaf_lists, st.data())
def test_a_log_with_an_older_leaf_changed_is_proven_by_no_path_of_its_own(
    leaves: tuple[bytes, ...], data: st.DataObject
) -> None:
    cut = data.draw(st.integers(1, len(leaves)))
    place = data.draw(st.integers(0, cut - 1))
    changed = (*leaves[:place], leaf_hash(b"changed"), *leaves[place + 1 :])
    path = consistency_path(frontier_of(changed[:cut]), changed[cut:])
    assert not is_consistent(
        old_size=cut, old_root=tree_root(leaves[:cut]), size=len(leaves), root=tree_root(changed), path=path
    )


@pytest.mark.parametrize(("size", "data"), [(1, b""), (3, bytes(32)), (2, bytes(31)), (0, bytes(32)), (-1, b"")])
def test_an_edge_that_fits_no_tree_is_refused(size: int, data: bytes) -> None:
    with pytest.raises(ValueError, match=r"subtrees|whole hashes"):
        Frontier.from_bytes(size, data)


@settings(deadline=None, max_examples=20)
@given(st.lists(st.binary(min_size=1, max_size=8), min_size=1, max_size=40))
def test_roots_are_those_of_another_library(entries: list[bytes]) -> None:
    pymerkle = pytest.importorskip("pymerkle")
    tree = pymerkle.InmemoryTree(algorithm="sha256")
    for entry in entries:
        tree.append_entry(entry)
    assert tree_root([leaf_hash(entry) for entry in entries]) == tree.get_root()
