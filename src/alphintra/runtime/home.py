"""The data folder of one installation: its layout, who may read it, and the secrets made at first use."""

from __future__ import annotations

import errno
import fcntl
import os
import re
import secrets
import stat
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path

from alphintra.kernel.errors import AlphintraError, Kind

__all__ = ["Home", "write_atomically"]

_PRIVATE_FOLDER = 0o700
_PRIVATE_FILE = 0o600
_OTHERS = 0o077
_ID_FILE = "home.id"
_SETTINGS_FILE = "alphintra.toml"
_FOLDERS = ("postgres", "nats", "secrets", "logs", "run", "catalogue", "archives")
_ALLOWED_BEFORE_FIRST_USE = frozenset({_SETTINGS_FILE, "lost+found"})
_SECRET_NAME = re.compile(r"[a-z0-9][a-z0-9._-]{0,127}")
_SECRET_BYTES = 32


def write_atomically(path: Path, data: bytes, *, mode: int = _PRIVATE_FILE, durable: bool = True) -> None:
    """Replace a file whole: a reader sees the old bytes or the new ones, also after a power cut if durable."""
    temporary = path.with_name(f".{path.name}.{secrets.token_hex(6)}.tmp")
    descriptor = os.open(temporary, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW, mode)
    try:
        with os.fdopen(descriptor, "wb") as file:
            os.fchmod(file.fileno(), mode)
            file.write(data)
            file.flush()
            if durable:
                os.fsync(file.fileno())
        temporary.replace(path)
    except BaseException:
        temporary.unlink(missing_ok=True)
        raise
    if durable:
        _sync_folder(path.parent)


def _sync_folder(folder: Path) -> None:
    descriptor = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


@dataclass(frozen=True, slots=True)
class Home:
    """An opened data folder, owned by and readable for the running user alone.

    Args:
        path: absolute path without symbolic links.
        ident: random name of this installation, made once; tells two homes on one machine apart.
    """

    path: Path
    ident: str

    @classmethod
    def open(cls, path: Path) -> Home:
        """Create the folder and its parts where they are absent, check them where they are not.

        Raises:
            AlphintraError: HOME_NOT_A_FOLDER, HOME_UNREADABLE, HOME_NOT_WRITABLE, HOME_NOT_OURS (another user's, or
                a folder with other files in it), SECRET_MODE (a secret that others can read).
        """
        path = Path(os.path.abspath(path.expanduser()))  # noqa: PTH100 - Path.absolute keeps ".."
        with _explained(path):
            path.mkdir(mode=_PRIVATE_FOLDER, parents=True, exist_ok=True)
            path = path.resolve(strict=True)
            _require_own_folder(path)
            ident = _identify(path)
            path.chmod(_PRIVATE_FOLDER)
            for name in _FOLDERS:
                (path / name).mkdir(mode=_PRIVATE_FOLDER, exist_ok=True)
        home = cls(path, ident)
        home.check_secrets()
        return home

    @classmethod
    def existing(cls, path: Path) -> Home:
        """Open a folder that an earlier start created, changing nothing. Raises HOME_MISSING and those of `open`."""
        home = cls.find(path)
        if home is None:
            detail = f"{path} is no Alphintra home: run 'alphintra up' first, or set ALPHINTRA_HOME"
            raise AlphintraError("HOME_MISSING", detail, kind=Kind.NOT_FOUND, pointer="ALPHINTRA_HOME")
        return home

    @classmethod
    def find(cls, path: Path) -> Home | None:
        """As `existing`, but None where no start has created one and a first start may."""
        path = Path(os.path.abspath(path.expanduser()))  # noqa: PTH100 - Path.absolute keeps ".."
        with _explained(path):
            if not path.exists():
                _require_place(path)
                return None
            path = path.resolve(strict=True)
            if not path.is_dir():
                raise NotADirectoryError(errno.ENOTDIR, os.strerror(errno.ENOTDIR), str(path))
            _require_own_folder(path)
            if not (path / _ID_FILE).is_file():
                _require_nothing_else(path)
                return None
            ident = _identify(path)
        home = cls(path, ident)
        home.check_secrets()
        return home

    @property
    def postgres(self) -> Path:
        """Folder of the embedded PostgreSQL; belongs to the servers' account where there is one."""
        return self.path / "postgres"

    @property
    def nats(self) -> Path:
        """Folder of the embedded NATS server; belongs to the servers' account where there is one."""
        return self.path / "nats"

    @property
    def secrets(self) -> Path:
        """Folder of the secrets, one file each."""
        return self.path / "secrets"

    @property
    def logs(self) -> Path:
        """Folder of the logs, ``<process>.log``."""
        return self.path / "logs"

    @property
    def run(self) -> Path:
        """Folder of what is true only while the platform runs: lock, state, chosen ports."""
        return self.path / "run"

    @property
    def catalogue(self) -> Path:
        """Folder of the market-data catalogue."""
        return self.path / "catalogue"

    @property
    def archives(self) -> Path:
        """Folder of the sealed archives of records that left the databases."""
        return self.path / "archives"

    @property
    def settings_file(self) -> Path:
        """The operator's ``alphintra.toml``; may be absent."""
        return self.path / _SETTINGS_FILE

    def secret(self, name: str) -> str:
        """Return the secret of that name, drawn at first use (256 bits, URL-safe text) and kept from then on."""
        with self._secrets_locked():
            kept = self.read_secret(name)
            if kept is not None:
                return kept
            value = secrets.token_urlsafe(_SECRET_BYTES)
            write_atomically(self.secret_path(name), value.encode())
            return value

    def read_secret(self, name: str) -> str | None:
        """Return a secret, or None where there is none yet. Raises SECRET_MODE if others can read its file."""
        path = self.secret_path(name)
        with _explained(path):
            try:
                descriptor = os.open(path, os.O_RDONLY | os.O_NOFOLLOW)
            except FileNotFoundError:
                return None
            with os.fdopen(descriptor, encoding="utf-8") as file:
                _require_private(path, os.fstat(file.fileno()))
                return file.read()

    def write_secret(self, name: str, value: str) -> None:
        """Set or replace a secret, durable when this returns."""
        with self._secrets_locked():
            write_atomically(self.secret_path(name), value.encode())

    def replace_secret(self, name: str, *, by: str) -> bool:
        """Let one secret take the place of another, in one step and durably; False where there is none to take it."""
        with self._secrets_locked():
            try:
                self.secret_path(by).replace(self.secret_path(name))
            except FileNotFoundError:
                return False
            _sync_folder(self.secrets)
        return True

    def secret_path(self, name: str) -> Path:
        """Return where the secret of that name lies, for those who take it by file. Raises SECRET_NAME."""
        if not _SECRET_NAME.fullmatch(name):
            detail = f"secret name {name!r} may hold only lower-case letters, digits, dot, dash and underscore"
            raise AlphintraError("SECRET_NAME", detail, kind=Kind.BUG)
        return self.secrets / name

    def check_secrets(self) -> None:
        """Raise SECRET_MODE or HOME_NOT_OURS at the first secret, or their folder, that others could read or own."""
        with _explained(self.secrets):
            if not self.secrets.exists():
                return
            _require_private(self.secrets, self.secrets.lstat())
            for path in self.secrets.iterdir():
                with suppress(FileNotFoundError):  # another process's temporary file, renamed meanwhile
                    _require_private(path, path.lstat())

    @contextmanager
    def _secrets_locked(self) -> Iterator[None]:
        """Serialise writers, so that two processes at their first use agree on one value."""
        with _explained(self.secrets):
            descriptor = os.open(self.secrets, os.O_RDONLY | os.O_DIRECTORY)
            try:
                fcntl.flock(descriptor, fcntl.LOCK_EX)
                yield
            finally:
                os.close(descriptor)


@contextmanager
def _explained(path: Path) -> Iterator[None]:
    """Turn what the operating system refuses into one sentence that names the folder and the way out."""
    try:
        yield
    except (NotADirectoryError, FileExistsError) as error:
        detail = f"{error.filename or path} is not a folder: move it away or set ALPHINTRA_HOME to another folder"
        raise AlphintraError("HOME_NOT_A_FOLDER", detail, pointer="ALPHINTRA_HOME") from error
    except PermissionError as error:
        where = Path(error.filename) if error.filename else path
        detail = f"no permission at {where}: change its owner or mode, or set ALPHINTRA_HOME to a folder of yours"
        is_new = os.access(where.parent, os.X_OK) and not where.exists()
        code = "HOME_NOT_WRITABLE" if is_new else "HOME_UNREADABLE"
        raise AlphintraError(code, detail, kind=Kind.FORBIDDEN, pointer="ALPHINTRA_HOME") from error
    except OSError as error:
        detail = f"cannot write to {error.filename or path}: {error.strerror}; set ALPHINTRA_HOME to another folder"
        raise AlphintraError("HOME_NOT_WRITABLE", detail, pointer="ALPHINTRA_HOME") from error


def _require_own_folder(path: Path) -> None:
    if path.stat().st_uid != os.geteuid():
        detail = f"{path} belongs to another user: run as that user, or set ALPHINTRA_HOME to a folder of yours"
        raise AlphintraError("HOME_NOT_OURS", detail, kind=Kind.FORBIDDEN, pointer="ALPHINTRA_HOME")
    if not os.access(path, os.R_OK | os.X_OK):
        detail = f"{path} cannot be read: run 'chmod u+rwx {path}', or set ALPHINTRA_HOME to another folder"
        raise AlphintraError("HOME_UNREADABLE", detail, kind=Kind.FORBIDDEN, pointer="ALPHINTRA_HOME")
    if not os.access(path, os.W_OK):
        detail = f"{path} cannot be written: free it, or set ALPHINTRA_HOME to another folder"
        raise AlphintraError("HOME_NOT_WRITABLE", detail, kind=Kind.FORBIDDEN, pointer="ALPHINTRA_HOME")


def _identify(path: Path) -> str:
    """Return the installation's name; a folder with other people's files in it is left alone."""
    marker = path / _ID_FILE
    if marker.exists():
        return marker.read_text(encoding="ascii").strip()
    _require_nothing_else(path)
    ident = secrets.token_hex(6)
    write_atomically(marker, f"{ident}\n".encode())
    return ident


def _require_nothing_else(path: Path) -> None:
    strangers = sorted({entry.name for entry in path.iterdir()} - _ALLOWED_BEFORE_FIRST_USE)
    if any(not name.startswith(f".{_ID_FILE}.") for name in strangers):
        detail = f"{path} already holds other files ({strangers[0]}): set ALPHINTRA_HOME to an empty or new folder"
        raise AlphintraError("HOME_NOT_OURS", detail, kind=Kind.CONFLICT, pointer="ALPHINTRA_HOME")


def _require_place(path: Path) -> None:
    """Raise what the making of the folder would, without making it."""
    above = next(folder for folder in path.parents if folder.exists())
    if not above.is_dir():
        raise NotADirectoryError(errno.ENOTDIR, os.strerror(errno.ENOTDIR), str(above))
    if not os.access(above, os.W_OK | os.X_OK):
        raise PermissionError(errno.EACCES, os.strerror(errno.EACCES), str(above))


def _require_private(path: Path, status: os.stat_result) -> None:
    if status.st_uid != os.geteuid() or stat.S_ISLNK(status.st_mode):
        detail = f"{path} belongs to another user or is a link: put back the original or restore it from a backup"
        raise AlphintraError("HOME_NOT_OURS", detail, kind=Kind.FORBIDDEN, pointer="ALPHINTRA_HOME")
    if stat.S_IMODE(status.st_mode) & _OTHERS:
        right = "700" if stat.S_ISDIR(status.st_mode) else "600"
        detail = f"{path} can be read by others: run 'chmod {right} {path}' and replace the secret if it was seen"
        raise AlphintraError("SECRET_MODE", detail, kind=Kind.FORBIDDEN, pointer="ALPHINTRA_HOME")
