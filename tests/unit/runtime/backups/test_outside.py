"""pgBackRest and Barman are called as their manuals say, and what they say is passed on."""

from __future__ import annotations

from pathlib import Path

import pytest

from alphintra.kernel.errors import AlphintraError
from alphintra.runtime.backups.choices import External
from alphintra.runtime.backups.outside import back_up_outside, check_outside, recipe_of, show_outside

PGBACKREST = External(tool="pgbackrest", name="main")
BARMAN = External(tool="barman", name="main")


@pytest.fixture
def said(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Programs of those names that write down how they were called, and fail where a file tells them to."""
    for name in ("pgbackrest", "barman"):
        program = tmp_path / name
        program.write_text(
            f'#!/bin/sh\necho {name} "$@" >> {tmp_path}/said\necho "the words of {name}"\ntest ! -f {tmp_path}/fails\n'
        )
        program.chmod(0o755)
    monkeypatch.setenv("PATH", f"{tmp_path}:/usr/bin:/bin")
    return tmp_path / "said"


def lines(said: Path) -> list[str]:
    return said.read_text().splitlines()


async def test_a_backup_is_made_once_the_log_is_known_to_arrive(said: Path) -> None:
    await back_up_outside(PGBACKREST, is_full=True)
    await back_up_outside(BARMAN, is_full=False)
    assert lines(said) == [
        "pgbackrest --stanza=main check",
        "pgbackrest --stanza=main --type=full backup",
        "barman check main",
        "barman backup --incremental last main",
    ]


@pytest.fixture
def failing(said: Path) -> None:
    (said.parent / "fails").touch()


@pytest.mark.usefixtures("failing")
async def test_a_log_that_does_not_arrive_is_told_in_the_tools_words() -> None:
    with pytest.raises(AlphintraError, match=r"BACKUP_ARCHIVE.*the words of pgbackrest"):
        await check_outside(PGBACKREST)


async def test_what_the_tool_has_is_shown(said: Path) -> None:
    assert await show_outside(BARMAN) == "the words of barman"
    assert lines(said) == ["barman list-backups main"]


async def test_a_tool_that_is_not_there_is_told(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))
    with pytest.raises(AlphintraError, match="BACKUP_TOOL"):
        await check_outside(PGBACKREST)


def test_the_recipe_names_stanza_and_moment() -> None:
    for external in (PGBACKREST, BARMAN):
        first = recipe_of(external, "2026-11-23T14:05:00Z")[0]
        assert "2026-11-23T14:05:00Z" in first
        assert "main" in first
