"""The keys that wrap the data keys of broker's connections: drawn once, a newer one put before the others."""

from __future__ import annotations

from typing import TYPE_CHECKING

from alphintra.broker.gateways.vault import parse_keys
from alphintra.runtime.credentials import connection_keys
from alphintra.runtime.home import Home

if TYPE_CHECKING:
    from pathlib import Path


def test_a_key_is_kept_and_a_newer_one_joins_it(tmp_path: Path) -> None:
    home = Home.open(tmp_path / "home")
    first = connection_keys(home)
    assert connection_keys(home) == first
    both = parse_keys(connection_keys(home, with_new=True))
    assert set(both) == {1, 2}
    assert both[1] == parse_keys(first)[1] != both[2]
    assert (home.secret_path("broker-connections.keys").stat().st_mode & 0o777) == 0o600
