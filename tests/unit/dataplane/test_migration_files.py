"""Names and numbers of migration files."""

from __future__ import annotations

import hashlib
from typing import TYPE_CHECKING

import pytest

from alphintra.dataplane.migrations import migrations_of, read_folder
from alphintra.kernel.errors import AlphintraError
from alphintra.manifest import SERVICE_NAMES

if TYPE_CHECKING:
    from pathlib import Path


def write(folder: Path, *names: str) -> Path:
    for name in names:
        (folder / name).write_text("select 1;\n")
    return folder


def test_files_come_in_order_with_their_checksum(tmp_path: Path) -> None:
    write(tmp_path, "0002_post_drop_old.sql", "0001_pre_add_new.sql")
    first, second = read_folder(tmp_path, origin="user")
    assert (first.name, first.phase, second.phase) == ("0001_pre_add_new.sql", "pre", "post")
    assert first.checksum == hashlib.sha256(b"select 1;\n").hexdigest()


@pytest.mark.parametrize(
    "name",
    ["1_pre_x.sql", "0001_x.sql", "0001_mid_x.sql", "0001_pre_X.sql", "0001_pre_.sql", "0001_pre_x.txt", "readme.md"],
)
def test_a_wrong_name_is_refused(tmp_path: Path, name: str) -> None:
    with pytest.raises(AlphintraError, match="MIGRATION_NAME") as caught:
        read_folder(write(tmp_path, name), origin="user")
    assert name in caught.value.detail


@pytest.mark.parametrize("names", [("0002_pre_x.sql",), ("0001_pre_a.sql", "0001_pre_b.sql"), ("0000_pre_x.sql",)])
def test_a_number_missing_or_taken_twice_is_refused(tmp_path: Path, names: tuple[str, ...]) -> None:
    with pytest.raises(AlphintraError, match="MIGRATION_NUMBER"):
        read_folder(write(tmp_path, *names), origin="user")


def test_an_absent_folder_holds_no_migrations(tmp_path: Path) -> None:
    assert read_folder(tmp_path / "absent", origin="user") == ()


@pytest.mark.parametrize("service", SERVICE_NAMES)
def test_every_service_starts_with_the_common_tables(service: str) -> None:
    origins = [item.origin for item in migrations_of(service)]
    assert origins[0] == "common"
    assert origins == sorted(origins, key=lambda origin: origin != "common")
