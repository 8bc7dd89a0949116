"""A catalogue shows what is whole, and refuses what is not this home's, this service's, or was changed."""

from __future__ import annotations

import errno
import shutil
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path

import msgspec
import pytest

from alphintra.dataplane.backup.catalogue import Catalogue
from alphintra.dataplane.backup.log import LogArchive, segment_name, segment_number
from alphintra.dataplane.backup.model import BackupKind, LogRange, Manifest
from alphintra.dataplane.backup.sealing import Key
from alphintra.dataplane.backup.targets import FolderTarget, open_target
from alphintra.kernel.errors import AlphintraError

AT = datetime(2026, 11, 23, tzinfo=UTC)
MIB = 1_048_576
LOG = LogRange(timeline=1, start="0/2000028", end="0/3000120", segment_bytes=16 * MIB)


def catalogue(path: Path, *, scope: str = "service-risk", origin: str = "home", key: bytes = b"k" * 32) -> Catalogue:
    return Catalogue(target=FolderTarget(path), origin=origin, scope=scope, keyring=lambda _scope: (Key(key),))


def kept(found: Catalogue, ident: str = "b1", **more: object) -> Manifest:
    entry = found.add(ident, "schema.dump", [b"rows of ", b"risk" * 1000])
    manifest = Manifest(
        ident=ident,
        scope=found.scope,
        kind=BackupKind.DUMP,
        origin=found.origin,
        began_at=AT,
        ended_at=AT,
        server_version=180006,
        databases={"alphintra_risk": ["risk"]},
        key="",
        files=(entry,),
    )
    return found.complete(msgspec.structs.replace(manifest, **more))


def place(path: Path, ident: str = "b1", name: str = "schema.dump") -> Path:
    return path / "home" / "service-risk" / "backups" / ident / name


def test_what_was_stored_is_read_from_the_target_alone(tmp_path: Path) -> None:
    made = kept(catalogue(tmp_path))
    again = catalogue(tmp_path)
    assert again.backups() == (made,)
    assert b"".join(again.read(again.find("b1"), "schema.dump")) == b"rows of " + b"risk" * 1000


def test_a_backup_without_its_manifest_does_not_count_and_is_cleared(tmp_path: Path) -> None:
    found = catalogue(tmp_path)
    found.add("b1", "schema.dump", [b"x"])
    (tmp_path / "home" / "service-risk" / "backups" / ".partial-1-schema.dump").write_bytes(b"half")
    assert found.backups() == ()
    whole = kept(found, "b2")
    assert found.clear_cut() == 2
    assert found.backups() == (whole,)
    assert not place(tmp_path).exists()


def test_a_file_with_a_changed_byte_is_not_given_out(tmp_path: Path) -> None:
    made = kept(catalogue(tmp_path))
    path = place(tmp_path)
    stored = bytearray(path.read_bytes())
    stored[len(stored) // 2] ^= 1
    path.write_bytes(bytes(stored))
    with pytest.raises(AlphintraError, match=r"BACKUP_CHECKSUM.*schema\.dump"):
        b"".join(catalogue(tmp_path).read(made, "schema.dump"))


@pytest.mark.parametrize(
    ("changed", "code"),
    [
        ({"origin": "other"}, "BACKUP_ORIGIN"),
        ({"scope": "service-auth"}, "BACKUP_SERVICE"),
        ({"server_version": 190000}, "BACKUP_CHECKSUM"),
        ({"key": "0123456789ab"}, "BACKUP_KEY"),
    ],
)
def test_a_manifest_of_another_or_that_was_changed_is_refused(
    tmp_path: Path, changed: dict[str, object], code: str
) -> None:
    made = kept(catalogue(tmp_path))
    place(tmp_path, name="manifest.json").write_bytes(msgspec.json.encode(msgspec.structs.replace(made, **changed)))
    with pytest.raises(AlphintraError, match=code):
        catalogue(tmp_path).find("b1")


def test_a_destroyed_manifest_is_told(tmp_path: Path) -> None:
    kept(catalogue(tmp_path))
    place(tmp_path, name="manifest.json").write_bytes(b'{"ident"')
    with pytest.raises(AlphintraError, match="BACKUP_CHECKSUM"):
        catalogue(tmp_path).backups()


def test_without_the_key_nothing_is_read(tmp_path: Path) -> None:
    kept(catalogue(tmp_path))
    with pytest.raises(AlphintraError, match="BACKUP_KEY"):
        catalogue(tmp_path, key=b"x" * 32).find("b1")


def test_an_incremental_backup_without_its_base_is_refused(tmp_path: Path) -> None:
    found = catalogue(tmp_path)
    kept(found, "b1", kind=BackupKind.FULL)
    last = kept(found, "b2", kind=BackupKind.INCREMENTAL, parent="b1")
    assert [each.ident for each in found.chain(last)] == ["b1", "b2"]
    shutil.rmtree(place(tmp_path, "b1").parent)
    with pytest.raises(AlphintraError, match=r"BACKUP_CHAIN.*b1"):
        found.chain(last)


def test_a_target_that_is_full_leaves_nothing_and_says_so(tmp_path: Path) -> None:
    def filling() -> Iterator[bytes]:
        yield b"x"
        raise OSError(errno.ENOSPC, "No space left on device")

    with pytest.raises(AlphintraError, match="SPACE"):
        FolderTarget(tmp_path).put("a/b", filling())
    assert [path for path in tmp_path.rglob("*") if path.is_file()] == []


def test_a_target_that_is_no_folder_is_told(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(AlphintraError, match="BACKUP_TARGET"):
        FolderTarget(tmp_path / "file").put("a/b", [b"x"])


@pytest.mark.parametrize("where", ["backups", "s3://", "s3://key:secret@bucket/x", ""])
def test_targets_are_absolute_paths_or_buckets(where: str) -> None:
    with pytest.raises(AlphintraError, match="CONFIG_VALUE"):
        open_target(where, environ={})


def test_segments_are_named_and_numbered_as_postgresql_does() -> None:
    assert segment_name(1, "0/2000028", 16 * MIB) == "000000010000000000000002"
    assert segment_name(3, "1A/FF000000", 16 * MIB) == "000000030000001A000000FF"
    assert (
        segment_number("000000010000000100000000", 16 * MIB) == segment_number("0000000100000000000000FF", 16 * MIB) + 1
    )


def test_a_gap_in_the_log_is_named(tmp_path: Path) -> None:
    archive = LogArchive(catalogue=catalogue(tmp_path / "target", scope="instance-main"))
    spool, out = tmp_path / "spool", tmp_path / "out"
    spool.mkdir()
    out.mkdir()
    for number in (2, 3, 5):
        (spool / f"00000001000000000000000{number}").write_bytes(b"log" * number)
    (spool / ".000000010000000000000006").write_bytes(b"half")
    assert archive.take(spool) == 3
    assert [path.name for path in spool.iterdir()] == [".000000010000000000000006"]
    archive.require(LOG)
    until = archive.until(LOG, archive.files())
    assert until is not None
    assert "000000010000000000000003" in until.name
    with pytest.raises(AlphintraError, match=r"BACKUP_LOG.*000000010000000000000004"):
        archive.fetch(out, log=LOG, known=archive.files())
    with pytest.raises(AlphintraError, match=r"BACKUP_LOG.*000000010000000000000004"):
        archive.require(msgspec.structs.replace(LOG, end="0/5000028"))


def test_the_log_that_no_backup_needs_is_removed_and_the_rest_comes_back(tmp_path: Path) -> None:
    archive = LogArchive(catalogue=catalogue(tmp_path / "target", scope="instance-main"))
    spool, out = tmp_path / "spool", tmp_path / "out"
    spool.mkdir()
    out.mkdir()
    for name in (
        "000000010000000000000001",
        "000000010000000000000002",
        "000000010000000000000003",
        "00000002.history",
    ):
        (spool / name).write_bytes(name.encode())
    archive.take(spool)
    assert archive.remove_before(LOG) == 1
    assert archive.fetch(out, log=LOG, known=archive.files()) == 2
    assert {path.name: path.read_bytes().decode() for path in out.iterdir()} == {
        name: name for name in ("000000010000000000000002", "000000010000000000000003", "00000002.history")
    }
