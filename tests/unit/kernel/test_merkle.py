"""Merkle trees against the definition in RFC 6962 and against every kind of forged proof."""

from __future__ import annotations

from hashlib import sha256

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from alphintra.kernel.merkle import inclusion_path, inclusion_paths, is_included, leaf_hash, tree_root

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
