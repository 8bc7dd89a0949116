"""TCP ports on loopback: whether one is free, and one chosen once and remembered."""

from __future__ import annotations

import json
import secrets
import socket
from pathlib import Path

from alphintra.kernel.errors import AlphintraError, Kind
from alphintra.runtime.home import Home, write_atomically

__all__ = ["LOOPBACK", "choose_port", "is_port_free", "require_answer", "require_free_port"]

LOOPBACK = "127.0.0.1"
_LOWEST = 10_240
_TRIES = 200
_ANSWER_TIMEOUT_S = 5.0


def is_port_free(port: int) -> bool:
    """Tell whether a server could listen on the port of 127.0.0.1 now."""
    with socket.socket(socket.AF_INET, socket.SOCK_STREAM) as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((LOOPBACK, port))
            probe.listen(1)
        except OSError:
            return False
    return True


def require_free_port(port: int, *, setting: str) -> None:
    """Raise PORT_IN_USE, naming the setting to change (e.g. ``postgres_port``), if another program has the port."""
    if not is_port_free(port):
        variable = f"ALPHINTRA_{setting.upper()}"
        detail = f"port {port} of {LOOPBACK} is in use: stop what listens there, or set {variable} to another port"
        raise AlphintraError("PORT_IN_USE", detail, kind=Kind.CONFLICT, pointer=variable)


def require_answer(host: str, port: int, *, setting: str) -> None:
    """Raise SERVER_UNREACHABLE, naming the setting that led there, if nothing listens at an address."""
    try:
        socket.create_connection((host, port), timeout=_ANSWER_TIMEOUT_S).close()
    except OSError as error:
        variable = f"ALPHINTRA_{setting.upper()}"
        reason = error.strerror or str(error)
        detail = f"nothing answers at {host} port {port} ({reason}): start the server or correct {variable}"
        raise AlphintraError("SERVER_UNREACHABLE", detail, pointer=variable) from error


def choose_port(home: Home, *, setting: str, wanted: int) -> int:
    """Return the wanted port, or for 0 the one remembered for this home, or a new free one that is remembered.

    A remembered port that another program has taken meanwhile is replaced, since nothing outside relies on it.
    Raises PORT_IN_USE for a wanted port that is taken.
    """
    if wanted:
        require_free_port(wanted, setting=setting)
        return wanted
    path = home.run / "ports.json"
    known = _read(path)
    port = known.get(setting, 0)
    if port and is_port_free(port):
        return port
    known[setting] = _draw(avoid=set(known.values()))
    write_atomically(path, json.dumps(known).encode())
    return known[setting]


def _read(path: Path) -> dict[str, int]:
    try:
        read = json.loads(path.read_text(encoding="utf-8"))
    except (FileNotFoundError, ValueError):
        return {}
    return {str(name): port for name, port in read.items() if isinstance(port, int)} if isinstance(read, dict) else {}


def _draw(*, avoid: set[int]) -> int:
    """Draw below the range outgoing connections use: a client that retries there could take the port itself."""
    highest = max(_ephemeral_from(), _LOWEST + 1_000)
    for _ in range(_TRIES):
        port = _LOWEST + secrets.randbelow(highest - _LOWEST)
        if port not in avoid and is_port_free(port):
            return port
    detail = f"no free port was found on {LOOPBACK}: stop some servers"
    raise AlphintraError("PORT_NONE_FREE", detail, kind=Kind.UNAVAILABLE)


def _ephemeral_from() -> int:
    try:
        return int(Path("/proc/sys/net/ipv4/ip_local_port_range").read_text(encoding="ascii").split()[0])
    except (OSError, ValueError, IndexError):
        return 32_768
