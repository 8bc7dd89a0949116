"""The credentials a script needs, made on the command line of a running platform."""

from __future__ import annotations

import json
import secrets
from typing import TYPE_CHECKING, Any

import httpx
import pytest

from fixtures.platform import Platform

if TYPE_CHECKING:
    from pathlib import Path

PASSWORD = "seven made-up words in a row"


def printed(platform: Platform, *arguments: str, text: str = "") -> Any:  # noqa: ANN401 - JSON
    ended = platform.run(*arguments, "--json", text=text)
    assert ended.returncode == 0, ended.stderr
    return json.loads(ended.stdout)


def prices_in(platform: Platform, tmp_path: Path) -> None:
    path = tmp_path / "prices.csv"
    path.write_text("symbol,date,open,high,low,close,volume\n" + "CRED,2024-01-02,10,11,9,10,100\n")
    printed(platform, "data", "import", str(path), "--source", "made up for a test")


@pytest.fixture
def email() -> str:
    return f"{secrets.token_hex(6)}@alphintra.example"


def test_a_key_that_trades_comes_with_one_paper_account(platform: Platform, tmp_path: Path, email: str) -> None:
    prices_in(platform, tmp_path)
    made = printed(platform, "user", "create", "--email", email, "--role", "trader", "--password", PASSWORD)
    assert (made["email"], made["role"]) == (email, "trader")
    words = ("user", "api-key", "create", "--user", email, "--scope", "trade", "--paper")
    first, second = printed(platform, *words), printed(platform, *words)
    assert first["secret"] != second["secret"]
    assert first["account_id"] == second["account_id"] is not None
    headers = {"APCA-API-KEY-ID": first["key_id"], "APCA-API-SECRET-KEY": first["secret"]}
    found = httpx.get(f"{platform.base_url}/api/v1/accounts", headers=headers).json()["accounts"]
    assert [(one["account_id"], one["mode"], one["status"]) for one in found] == [
        (first["account_id"], "paper", "active")
    ]


def test_a_person_registered_twice_and_a_key_for_nobody_are_told(platform: Platform, email: str) -> None:
    words = ("user", "create", "--email", email, "--role", "trader", "--password-stdin")
    printed(platform, *words, text=PASSWORD + "\n")
    again = platform.run(*words, text=PASSWORD + "\n")
    assert (again.returncode, again.stderr.split()[1]) == (2, "EMAIL_TAKEN:")
    nobody = platform.run("user", "api-key", "create", "--user", "nobody@alphintra.example", "--scope", "trade")
    assert (nobody.returncode, nobody.stderr.split()[1]) == (2, "USER_NOT_FOUND:")


def test_a_key_that_reads_gets_no_account(platform: Platform, email: str) -> None:
    printed(platform, "user", "create", "--email", email, "--role", "viewer", "--password", PASSWORD)
    made = printed(platform, "user", "api-key", "create", "--user", email, "--scope", "read")
    assert made["account_id"] is None
