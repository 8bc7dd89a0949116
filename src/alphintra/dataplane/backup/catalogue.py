"""The backups of one scope, read from the target itself: nothing else has to be known but the key."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import Final

import msgspec

from alphintra.dataplane.backup.model import BackupKind, FileEntry, Manifest, mac_of
from alphintra.dataplane.backup.sealing import Key, Keyring, Sealer, unseal
from alphintra.dataplane.backup.targets import Target
from alphintra.infrastructure.faults import fault_point
from alphintra.kernel.errors import AlphintraError, Kind

__all__ = ["Catalogue"]

_MANIFEST: Final = "manifest.json"


@dataclass(frozen=True, slots=True, kw_only=True)
class Catalogue:
    """What lies at a target of one scope of one installation.

    Attributes:
        target: where.
        origin: installation.
        scope: ``instance-NAME`` or ``service-NAME``.
        keyring: gives the scope's keys.
    """

    target: Target
    origin: str
    scope: str
    keyring: Keyring

    @property
    def place(self) -> str:
        """Start of all names of the scope."""
        return f"{self.origin}/{self.scope}/"

    def backups(self) -> tuple[Manifest, ...]:
        """Return the backups that are whole, the oldest first. Raises BACKUP_CHECKSUM for a manifest that is not."""
        found = self.target.names(f"{self.place}backups/")
        return tuple(self._read(each.name) for each in found if each.name.endswith(f"/{_MANIFEST}"))

    def find(self, ident: str) -> Manifest:
        """Return one backup, checked: whose it is, and that its manifest was not changed.

        Raises BACKUP_UNKNOWN, BACKUP_CHECKSUM, BACKUP_KEY, BACKUP_ORIGIN, BACKUP_SERVICE.
        """
        name = f"{self.place}backups/{ident}/{_MANIFEST}"
        if not any(each.name == name for each in self.target.names(f"{self.place}backups/{ident}/")):
            known = [manifest.ident for manifest in self.backups()]
            last = f"the last is {known[-1]}" if known else "there is none"
            message = f"there is no backup {ident[:60]!r} of {self.scope} at {self.target.label}: {last}"
            raise AlphintraError("BACKUP_UNKNOWN", message, kind=Kind.NOT_FOUND)
        manifest = self._read(name)
        self.require_ours(manifest)
        return manifest

    def require_ours(self, manifest: Manifest) -> Key:
        """Return the key of a backup. Raises BACKUP_ORIGIN, BACKUP_SERVICE, BACKUP_KEY, BACKUP_CHECKSUM."""
        if manifest.origin != self.origin:
            message = (
                f"backup {manifest.ident} is of installation {manifest.origin}, this is {self.origin}: use its home"
            )
            raise AlphintraError("BACKUP_ORIGIN", message, kind=Kind.CONFLICT)
        if manifest.scope != self.scope:
            message = f"backup {manifest.ident} is of {manifest.scope}, not of {self.scope}"
            raise AlphintraError("BACKUP_SERVICE", message, kind=Kind.CONFLICT)
        key = self.key(manifest.key)
        if not manifest.is_authentic(key):
            message = (
                f"the manifest of backup {manifest.ident} was changed: use another one, and check {self.target.label}"
            )
            raise AlphintraError("BACKUP_CHECKSUM", message, kind=Kind.CONFLICT)
        return key

    def chain(self, manifest: Manifest) -> tuple[Manifest, ...]:
        """Return what a backup needs, the full one first and itself last. Raises BACKUP_CHAIN and those of `find`."""
        found = [manifest]
        known = {each.ident: each for each in self.backups()}
        while found[0].kind is BackupKind.INCREMENTAL:
            parent = known.get(found[0].parent)
            if parent is None or parent in found:
                message = (
                    f"backup {found[0].ident} builds on {found[0].parent}, which is not at {self.target.label}: "
                    "use an earlier full one"
                )
                raise AlphintraError("BACKUP_CHAIN", message, kind=Kind.CONFLICT)
            self.require_ours(parent)
            found.insert(0, parent)
        return tuple(found)

    def add(self, ident: str, name: str, plain: Iterable[bytes]) -> FileEntry:
        """Store one file of a backup to be; it counts once the manifest is written."""
        sealer = Sealer(self._newest(), self.about(ident, name))
        self.target.put(f"{self.place}backups/{ident}/{name}", sealer.seal(plain))
        fault_point("backup.stored")
        if sealer.measured is None:
            raise AlphintraError("BACKUP_FAILED", f"{name} was not read to its end", kind=Kind.BUG)
        measured = sealer.measured
        return FileEntry(
            name=name,
            bytes=measured.bytes,
            sha256=measured.sha256,
            stored_bytes=measured.stored_bytes,
            stored_sha256=measured.stored_sha256,
        )

    def complete(self, manifest: Manifest) -> Manifest:
        """Write the manifest, with which the backup is one; return it as it is stored."""
        key = self._newest()
        manifest = msgspec.structs.replace(manifest, key=key.ident)
        manifest = msgspec.structs.replace(manifest, mac=mac_of(manifest, key))
        fault_point("backup.complete")
        self.target.put(f"{self.place}backups/{manifest.ident}/{_MANIFEST}", [msgspec.json.encode(manifest)])
        return manifest

    def read(self, manifest: Manifest, name: str) -> Iterator[bytes]:
        """Return a file of a backup. Raises BACKUP_CHECKSUM, BACKUP_KEY, BACKUP_MISSING."""
        entry = next(each for each in manifest.files if each.name == name)
        where = f"{self.place}backups/{manifest.ident}/{name}"
        return unseal(
            self.target.get(where),
            key=self.key(manifest.key),
            about=self.about(manifest.ident, name),
            name=where,
            expected=entry.measured,
        )

    def remove(self, idents: Sequence[str]) -> None:
        """Remove backups, each manifest first: what is cut in between is no backup, and cleared by `clear_cut`."""
        for ident in idents:
            names = [each.name for each in self.target.names(f"{self.place}backups/{ident}/")]
            manifest = f"{self.place}backups/{ident}/{_MANIFEST}"
            self.target.delete([manifest])
            self.target.delete([name for name in names if name != manifest])

    def clear_cut(self) -> int:
        """Remove what backups that were cut have left; nobody else may be making one meanwhile. Returns how many."""
        cleared = self.target.clear_partial(self.place)
        found: dict[str, list[str]] = {}
        for each in self.target.names(f"{self.place}backups/"):
            found.setdefault(each.name.removeprefix(f"{self.place}backups/").partition("/")[0], []).append(each.name)
        cut = [names for names in found.values() if not any(name.endswith(f"/{_MANIFEST}") for name in names)]
        for names in cut:
            self.target.delete(names)
        return cleared + len(cut)

    def about(self, ident: str, name: str) -> str:
        """Return what is authenticated with a file: what it is and belongs to."""
        return f"{self.origin}/{self.scope}/{ident}/{name}"

    def key(self, ident: str) -> Key:
        """Return the key of that name. Raises BACKUP_KEY."""
        for key in self.keyring(self.scope):
            if key.ident == ident:
                return key
        message = (
            f"the key {ident} of {self.scope} is not in this home's secrets: put back the copy of the file "
            f"backup-{self.scope}.keys that you keep elsewhere; without it these backups cannot be read"
        )
        raise AlphintraError("BACKUP_KEY", message, kind=Kind.FORBIDDEN)

    def _newest(self) -> Key:
        return self.keyring(self.scope)[0]

    def _read(self, name: str) -> Manifest:
        try:
            return msgspec.json.decode(b"".join(self.target.get(name)), type=Manifest)
        except msgspec.DecodeError as error:
            message = (
                f"{name} at {self.target.label} cannot be understood: it was changed or cut off; remove that backup"
            )
            raise AlphintraError("BACKUP_CHECKSUM", message, kind=Kind.CONFLICT) from error
