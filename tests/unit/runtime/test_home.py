"""The data folder: private, made once, and honest about why it cannot be used."""

from __future__ import annotations

import os
import stat
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from alphintra.kernel.errors import AlphintraError
from alphintra.runtime.home import Home, write_atomically


def mode_of(path: Path) -> int:
    return stat.S_IMODE(path.lstat().st_mode)


def refusal(path: Path) -> AlphintraError:
    with pytest.raises(AlphintraError) as caught:
        Home.open(path)
    assert "\n" not in caught.value.detail
    return caught.value


def test_new_home_and_its_folders_are_private(tmp_path: Path) -> None:
    before = os.umask(0o000)
    try:
        home = Home.open(tmp_path / "deep" / "home")
    finally:
        os.umask(before)
    folders = [home.path, home.postgres, home.nats, home.secrets, home.logs, home.run, home.catalogue]
    assert {mode_of(folder) for folder in folders} == {0o700}


def test_home_keeps_its_name_when_opened_again(tmp_path: Path) -> None:
    first = Home.open(tmp_path / "home")
    assert Home.open(tmp_path / "home") == first
    assert Home.existing(tmp_path / "home") == first
    assert Home.open(tmp_path / "other").ident != first.ident


def test_prepared_folder_with_settings_is_taken_and_made_private(tmp_path: Path) -> None:
    path = tmp_path / "home"
    path.mkdir(mode=0o755)
    (path / "alphintra.toml").write_text("port = 9000\n")
    assert mode_of(Home.open(path).path) == 0o700


def test_folder_with_other_files_is_refused_and_left_as_it_was(tmp_path: Path) -> None:
    path = tmp_path / "documents"
    path.mkdir(mode=0o755)
    (path / "thesis.txt").write_text("x")
    assert refusal(path).code == "HOME_NOT_OURS"
    assert mode_of(path) == 0o755
    assert [entry.name for entry in path.iterdir()] == ["thesis.txt"]


def test_home_that_is_a_file_or_lies_below_one_is_refused(tmp_path: Path) -> None:
    file = tmp_path / "file"
    file.write_text("x")
    assert refusal(file).code == "HOME_NOT_A_FOLDER"
    assert refusal(file / "home").code == "HOME_NOT_A_FOLDER"


def test_home_that_does_not_exist_yet_is_not_created_by_looking(tmp_path: Path) -> None:
    with pytest.raises(AlphintraError) as caught:
        Home.existing(tmp_path / "home")
    assert caught.value.code == "HOME_MISSING"
    assert not (tmp_path / "home").exists()


def test_home_of_another_user_is_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    Home.open(tmp_path / "home")
    monkeypatch.setattr(os, "geteuid", lambda: 12_345)
    assert refusal(tmp_path / "home").code == "HOME_NOT_OURS"


def test_secret_is_drawn_once_and_private(tmp_path: Path) -> None:
    home = Home.open(tmp_path / "home")
    value = home.secret("trading-database")
    assert len(value) >= 43
    assert home.secret("trading-database") == value
    assert home.secret("risk-database") != value
    assert mode_of(home.secret_path("trading-database")) == 0o600


def test_secret_drawn_by_many_at_once_is_one(tmp_path: Path) -> None:
    home = Home.open(tmp_path / "home")
    with ThreadPoolExecutor(16) as pool:
        values = set(pool.map(lambda _: home.secret("shared"), range(64)))
    assert values == {home.read_secret("shared")}


def test_absent_secret_is_none_and_a_written_one_comes_back(tmp_path: Path) -> None:
    home = Home.open(tmp_path / "home")
    assert home.read_secret("nats-risk.nk") is None
    home.write_secret("nats-risk.nk", "SU1")
    assert home.read_secret("nats-risk.nk") == "SU1"


@pytest.mark.parametrize("mode", [0o640, 0o604, 0o660, 0o601])
def test_secret_that_others_may_touch_is_refused_everywhere(tmp_path: Path, mode: int) -> None:
    home = Home.open(tmp_path / "home")
    home.secret("leaky")
    home.secret_path("leaky").chmod(mode)
    assert refusal(home.path).code == "SECRET_MODE"
    for use in (lambda: home.read_secret("leaky"), lambda: home.secret("leaky"), lambda: Home.existing(home.path)):
        with pytest.raises(AlphintraError) as caught:
            use()
        assert caught.value.code == "SECRET_MODE"
        assert "chmod 600" in caught.value.detail


def test_folder_of_secrets_that_others_may_enter_is_refused(tmp_path: Path) -> None:
    home = Home.open(tmp_path / "home")
    home.secrets.chmod(0o755)
    assert refusal(home.path).code == "SECRET_MODE"


def test_secret_that_is_a_link_is_refused(tmp_path: Path) -> None:
    home = Home.open(tmp_path / "home")
    (tmp_path / "elsewhere").write_text("x")
    home.secret_path("linked").symlink_to(tmp_path / "elsewhere")
    assert refusal(home.path).code == "HOME_NOT_OURS"


@pytest.mark.parametrize("name", ["../x", "a/b", "", ".hidden", "UPPER", "a\n", "x" * 129])
def test_name_that_could_leave_the_folder_is_refused(tmp_path: Path, name: str) -> None:
    with pytest.raises(AlphintraError) as caught:
        Home.open(tmp_path / "home").secret_path(name)
    assert caught.value.code == "SECRET_NAME"


def test_failed_write_leaves_the_old_file_and_nothing_else(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = tmp_path / "file"
    write_atomically(path, b"old")

    def fail(_: int) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(os, "fsync", fail)
    with pytest.raises(OSError, match="No space"):
        write_atomically(path, b"new")
    assert path.read_bytes() == b"old"
    assert [entry.name for entry in tmp_path.iterdir()] == ["file"]
