"""Rendered files replace rendered files, and nothing else."""

from __future__ import annotations

from pathlib import Path

import pytest

from alphintra.kernel.errors import AlphintraError
from alphintra.runtime.deploy.folder import write_folder
from alphintra.runtime.deploy.render import HEADER_START

TEXTS = {"a.yaml": f"{HEADER_START}`\na: 1\n", "b.yaml": f"{HEADER_START}`\nb: 1\n"}


def test_a_new_folder_is_made_and_a_second_run_changes_nothing(tmp_path: Path) -> None:
    folder = tmp_path / "new" / "out"
    assert write_folder(folder, TEXTS) == ("a.yaml", "b.yaml")
    assert write_folder(folder, TEXTS) == ()
    assert {path.name: path.read_text() for path in folder.iterdir()} == TEXTS


def test_what_an_earlier_rendering_made_and_this_one_does_not_is_removed(tmp_path: Path) -> None:
    write_folder(tmp_path / "out", TEXTS)
    assert write_folder(tmp_path / "out", {"a.yaml": TEXTS["a.yaml"]}) == ("b.yaml",)
    assert [path.name for path in (tmp_path / "out").iterdir()] == ["a.yaml"]


@pytest.mark.parametrize("stranger", ["notes.txt", "a.yaml"])
def test_a_folder_with_other_files_is_refused_untouched(tmp_path: Path, stranger: str) -> None:
    (tmp_path / stranger).write_text("mine")
    with pytest.raises(AlphintraError, match="--force") as refused:
        write_folder(tmp_path, TEXTS)
    assert refused.value.code == "DEPLOY_OUT"
    assert [(path.name, path.read_text()) for path in tmp_path.iterdir()] == [(stranger, "mine")]


def test_forced_other_files_stay_beside(tmp_path: Path) -> None:
    (tmp_path / "notes.txt").write_text("mine")
    write_folder(tmp_path, TEXTS, is_forced=True)
    assert (tmp_path / "notes.txt").read_text() == "mine"
    assert (tmp_path / "a.yaml").read_text() == TEXTS["a.yaml"]


def test_a_link_is_not_written_through(tmp_path: Path) -> None:
    target = tmp_path / "target"
    target.write_text("mine")
    folder = tmp_path / "out"
    folder.mkdir()
    (folder / "a.yaml").symlink_to(target)
    with pytest.raises(AlphintraError, match="other files"):
        write_folder(folder, TEXTS)
    write_folder(folder, TEXTS, is_forced=True)
    assert target.read_text() == "mine"
    assert (folder / "a.yaml").read_text() == TEXTS["a.yaml"]


def test_a_file_in_place_of_the_folder_is_told(tmp_path: Path) -> None:
    (tmp_path / "out").write_text("a file")
    with pytest.raises(AlphintraError, match="choose another folder"):
        write_folder(tmp_path / "out", TEXTS)
