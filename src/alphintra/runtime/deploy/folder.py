"""A folder of rendered files: written whole, and never over what somebody else put there."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

from alphintra.kernel.errors import AlphintraError, Kind
from alphintra.runtime.deploy.render import HEADER_START
from alphintra.runtime.home import write_atomically

__all__ = ["write_folder"]

_MODE = 0o644


def write_folder(folder: Path, texts: Mapping[str, str], *, is_forced: bool = False) -> tuple[str, ...]:
    """Write the files, and remove those an earlier rendering made and this one does not.

    Other files are a reason to refuse; where forced they are left alone, but for those that bear a rendered one's name.
    Returns the names that changed. Raises DEPLOY_OUT, then nothing was written.
    """
    try:
        found = sorted(folder.iterdir()) if folder.exists() else []
        ours = {path.name for path in found if _is_ours(path)}
        strangers = [path.name for path in found if path.name not in ours]
        if strangers and not is_forced:
            detail = (
                f"{folder} holds other files ({', '.join(strangers[:3])}): choose an empty folder, "
                "or add --force to write beside them and over those of the same name"
            )
            raise AlphintraError("DEPLOY_OUT", detail, kind=Kind.CONFLICT, pointer="out")
        folder.mkdir(parents=True, exist_ok=True)
        changed = [name for name, text in texts.items() if not _holds(folder / name, text)]
        for name in changed:
            write_atomically(folder / name, texts[name].encode(), mode=_MODE)
        stale = sorted(ours - texts.keys())
        for name in stale:
            (folder / name).unlink()
    except OSError as error:
        detail = f"{folder} cannot be written ({error.strerror}): choose another folder"
        raise AlphintraError("DEPLOY_OUT", detail, pointer="out") from error
    return (*changed, *stale)


def _is_ours(path: Path) -> bool:
    if path.is_symlink() or not path.is_file() or path.suffix != ".yaml":
        return False
    with path.open("rb") as file:
        return file.read(len(HEADER_START)) == HEADER_START.encode()


def _holds(path: Path, text: str) -> bool:
    return path.is_file() and not path.is_symlink() and path.read_bytes() == text.encode()
