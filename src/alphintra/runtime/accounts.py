"""The account the embedded servers run under: ourselves, or an unprivileged system user when we are root."""

from __future__ import annotations

import os
import pwd
import shutil
import subprocess
from dataclasses import dataclass
from pathlib import Path

from alphintra.kernel.errors import AlphintraError, Kind

__all__ = ["Account", "current_user_name", "hand_over", "let_pass", "server_account"]

_SYSTEM_USER = "alphintra"
_USERADD_TIMEOUT_S = 20.0


@dataclass(frozen=True, slots=True)
class Account:
    """A user of the machine by name and numbers."""

    name: str
    uid: int
    gid: int


def server_account() -> Account | None:
    """Return the account servers drop to, made at first use; None when we are no root and they run as ourselves.

    PostgreSQL refuses to run as root. Raises SERVER_ACCOUNT if the system user cannot be made.
    """
    if os.geteuid() != 0:
        return None
    known = _find(_SYSTEM_USER)
    if known is None:
        reason = _create(_SYSTEM_USER)
        known = _find(_SYSTEM_USER)  # asked again whatever the outcome: another start may have been faster
        if known is None:
            detail = (
                f"cannot make the system user '{_SYSTEM_USER}' that the servers run under ({reason}): "
                "create it by hand, or start Alphintra as an ordinary user"
            )
            raise AlphintraError("SERVER_ACCOUNT", detail, kind=Kind.UNAVAILABLE)
    if known.uid == 0:
        detail = f"the system user '{_SYSTEM_USER}' has the powers of root: remove it, or start as an ordinary user"
        raise AlphintraError("SERVER_ACCOUNT", detail, kind=Kind.FORBIDDEN)
    return known


def current_user_name() -> str:
    """Return our user name, which PostgreSQL needs to know us by. Raises USER_UNKNOWN."""
    try:
        return pwd.getpwuid(os.geteuid()).pw_name
    except KeyError as error:
        detail = f"user number {os.geteuid()} has no name here: add it to /etc/passwd or start as another user"
        raise AlphintraError("USER_UNKNOWN", detail, kind=Kind.UNAVAILABLE) from error


def hand_over(folder: Path, account: Account | None) -> None:
    """Make one folder, created if absent, private to the account; what is in it and above it is not touched."""
    descriptor = _open_folder(folder)
    try:
        if account is not None:
            os.fchown(descriptor, account.uid, account.gid)
        os.fchmod(descriptor, 0o700)
    finally:
        os.close(descriptor)


def let_pass(folder: Path, account: Account | None) -> None:
    """Let the account step through a folder that stays ours: it cannot replace what lies in it."""
    descriptor = _open_folder(folder)
    try:
        os.fchmod(descriptor, 0o700 if account is None else 0o711)
    finally:
        os.close(descriptor)


def _open_folder(folder: Path) -> int:
    """Create if absent and open; a link planted by the account is refused, for root would act on its target."""
    folder.mkdir(mode=0o700, exist_ok=True)
    return os.open(folder, os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW)


def _find(name: str) -> Account | None:
    try:
        entry = pwd.getpwnam(name)
    except KeyError:
        return None
    return Account(entry.pw_name, entry.pw_uid, entry.pw_gid)


def _create(name: str) -> str:
    program = shutil.which("useradd", path="/usr/sbin:/sbin:/usr/bin:/bin")
    if program is None:
        return "there is no useradd"
    arguments = [program, "--system", "--user-group", "--no-create-home", "--home-dir", "/nonexistent"]
    try:
        result = subprocess.run(  # noqa: S603 - fixed arguments
            [*arguments, "--shell", "/usr/sbin/nologin", name],
            capture_output=True,
            text=True,
            check=False,
            timeout=_USERADD_TIMEOUT_S,
        )
    except (OSError, subprocess.TimeoutExpired) as error:
        return str(error)
    said = result.stderr.strip().splitlines()
    return said[-1] if said else f"useradd ended with status {result.returncode}"
