"""The keys that wrap the data keys of stored secrets: drawn once, a newer one put before the others."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from alphintra.infrastructure.envelope import parse_keys
from alphintra.runtime.credentials import wrapping_keys
from alphintra.runtime.home import Home

if TYPE_CHECKING:
    from pathlib import Path


@pytest.mark.parametrize(
    ("service", "file"), [("broker", "broker-connections.keys"), ("notification", "notification-channels.keys")]
)
def test_a_key_is_kept_and_a_newer_one_joins_it(tmp_path: Path, service: str, file: str) -> None:
    home = Home.open(tmp_path / "home")
    first = wrapping_keys(home, service)
    assert wrapping_keys(home, service) == first
    both = parse_keys(wrapping_keys(home, service, with_new=True), of=service)
    assert set(both) == {1, 2}
    assert both[1] == parse_keys(first, of=service)[1] != both[2]
    assert (home.secret_path(file).stat().st_mode & 0o777) == 0o600
