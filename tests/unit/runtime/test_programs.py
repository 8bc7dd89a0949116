"""Which programs the servers' account can reach."""

from __future__ import annotations

from pathlib import Path

from alphintra.runtime.accounts import Account
from alphintra.runtime.programs import is_reachable_by

STRANGER = Account("stranger", 64_001, 64_001)


def test_program_below_a_closed_folder_is_out_of_reach(tmp_path: Path) -> None:
    # pytest's own folder is private to whoever runs the tests, so open programs are looked for elsewhere
    program = tmp_path / "postgres"
    program.write_text("")
    program.chmod(0o755)
    tmp_path.chmod(0o700)
    assert not is_reachable_by(STRANGER, program)
    assert is_reachable_by(None, program)


def test_open_program_is_reachable() -> None:
    assert is_reachable_by(STRANGER, Path("/bin/sh"))
