"""The private folder the Secrets are made in; it stays with the operator."""

from __future__ import annotations

import json
import os
import stat
from datetime import datetime
from pathlib import Path

from alphintra.kernel.errors import AlphintraError, Kind
from alphintra.runtime.deploy.render import yaml_text
from alphintra.runtime.deploy.secret_values import Vault, secret_manifests
from alphintra.runtime.deploy.site import Site
from alphintra.runtime.home import write_atomically

__all__ = ["write_secrets"]

_VALUES = "values.json"
_OTHERS = 0o077
_HEADER = "# Made by `alphintra deploy secrets`: holds secrets; apply it, never commit it.\n"


def write_secrets(folder: Path, site: Site, *, at: datetime) -> tuple[str, ...]:
    """Write ``values.json`` (all values), ``secrets.yaml`` (for kubectl) and ``operator-token``; return what was drawn.

    Raises SECRET_MODE for a folder that others can enter, DEPLOY_OUT for one that cannot be used.
    """
    try:
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        if not folder.is_dir() or stat.S_IMODE(folder.stat().st_mode) & _OTHERS or folder.stat().st_uid != os.geteuid():
            detail = f"others can get into {folder}: make it private (chmod 700) or choose a new folder"
            raise AlphintraError("SECRET_MODE", detail, kind=Kind.FORBIDDEN, pointer="out")
        kept = _kept(folder / _VALUES, folder)
        vault = Vault(kept, at=at)
        text = _HEADER + yaml_text(secret_manifests(site, vault))
        # What was drawn is kept before it is used anywhere.
        write_atomically(folder / _VALUES, (json.dumps(vault.values, indent=2, sort_keys=True) + "\n").encode())
        write_atomically(folder / "operator-token", f"{vault.operator_token}\n".encode())
        write_atomically(folder / "secrets.yaml", text.encode())
    except OSError as error:
        detail = f"{folder} cannot be used ({error.strerror}): choose another folder"
        raise AlphintraError("DEPLOY_OUT", detail, pointer="out") from error
    return tuple(sorted(name for name, value in vault.values.items() if kept.get(name) != value))


def _kept(path: Path, folder: Path) -> dict[str, str]:
    """Return what was drawn before; a folder that others use for something else is refused."""
    try:
        kept = json.loads(path.read_bytes())
    except FileNotFoundError as error:
        if any(folder.iterdir()):
            detail = f"{folder} holds other files and no {_VALUES}: choose a new folder"
            raise AlphintraError("DEPLOY_OUT", detail, kind=Kind.CONFLICT, pointer="out") from error
        return {}
    except ValueError as error:
        kept = error
    if not isinstance(kept, dict) or not all(isinstance(value, str) for value in kept.values()):
        detail = f"{path} is damaged: restore it from its backup, or choose a new folder to draw everything anew"
        raise AlphintraError("DEPLOY_OUT", detail, kind=Kind.CONFLICT, pointer="out")
    return kept
