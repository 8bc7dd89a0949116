"""The import contracts: kept by the code, and each of them fires on a planted violation."""

from __future__ import annotations

import configparser
import os
import re
import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path

import pytest

from alphintra.manifest import SERVICE_NAMES

ROOT = Path(__file__).resolve().parents[2]
CONFIG = ROOT / ".importlinter"
SERVICE_ROOMS = ("app", "endpoints", "settings", "service", "repository", "gateways", "domain")

# A whole tree in miniature that keeps every contract: each room and what it is meant to import.
_SERVICE: Mapping[str, tuple[str, ...]] = {
    "": (),
    ".domain": ("alphintra.kernel.money", "alphintra.engine.bars"),
    ".repository": ("alphintra.{s}.domain", "alphintra.infrastructure.postgres"),
    ".gateways": ("alphintra.{s}.domain", "alphintra.contracts.base", "alphintra.infrastructure.bus"),
    ".service": (
        "alphintra.{s}.domain",
        "alphintra.{s}.repository",
        "alphintra.{s}.gateways",
        "alphintra.contracts.base",
    ),
    ".settings": ("alphintra.infrastructure.settings",),
    ".endpoints": ("alphintra.{s}.service", "alphintra.contracts.base", "alphintra.infrastructure.bus"),
    ".app": (
        "alphintra.{s}.endpoints",
        "alphintra.{s}.settings",
        "alphintra.{s}.repository",
        "alphintra.infrastructure.postgres",
    ),
}
_SHARED: Mapping[str, tuple[str, ...]] = {
    "": (),
    "kernel": (),
    "kernel.money": ("decimal",),
    "manifest": ("alphintra.kernel.money",),
    "contracts": (),
    "contracts.base": ("msgspec", "alphintra.kernel.money"),
    "infrastructure": (),
    "infrastructure.postgres": ("asyncpg", "alphintra.manifest"),
    "infrastructure.bus": ("nats", "alphintra.infrastructure.settings"),
    "infrastructure.nats_link": ("nats",),
    "infrastructure.host": ("alphintra.infrastructure.bus", "alphintra.infrastructure.postgres"),
    "infrastructure.settings": ("os",),
    "engine": (),
    "engine.bars": ("alphintra.kernel.money",),
    "dataplane": (),
    "dataplane.plan": ("alphintra.manifest",),
    "dataplane.assess": (),
    "dataplane.assess.figures": ("msgspec",),
    "dataplane.assess.verdicts": ("alphintra.dataplane.assess.figures",),
    "dataplane.assess.landed": ("alphintra.dataplane.assess.figures",),
    "dataplane.assess.advise": ("alphintra.dataplane.assess.figures",),
    "dataplane.assess.ledger": ("alphintra.dataplane.assess.verdicts", "alphintra.dataplane.assess.advise"),
    "dataplane.apply": ("asyncpg", "alphintra.dataplane.plan", "alphintra.infrastructure.postgres"),
    "edge": (),
    "edge.app": ("fastapi", "starlette", "alphintra.contracts.base", "alphintra.infrastructure.bus"),
    "runtime": (),
    "runtime.supervisor": ("uvicorn", "alphintra.edge.app", "alphintra.trading.app", "alphintra.dataplane.apply"),
    "__main__": ("alphintra.cli.main",),
    "cli": (),
    "cli.main": ("click", "alphintra.runtime.supervisor"),
}

# (importer, imported, contract that must name the pair)
PLANTED = (
    ("kernel.money", "alphintra.manifest", "rooms"),
    ("manifest", "alphintra.infrastructure.settings", "rooms"),
    ("contracts.base", "alphintra.infrastructure.settings", "rooms"),
    ("engine.bars", "alphintra.contracts.base", "rooms"),
    ("infrastructure.settings", "alphintra.engine.bars", "rooms"),
    ("trading.domain", "alphintra.risk.domain", "rooms"),
    ("strategy.gateways", "alphintra.nocode.service", "rooms"),
    ("dataplane.apply", "alphintra.auth.settings", "rooms"),
    ("edge.app", "alphintra.user.endpoints", "rooms"),
    ("broker.app", "alphintra.runtime.supervisor", "rooms"),
    ("runtime.supervisor", "alphintra.cli.main", "rooms"),
    ("cli.main", "alphintra.__main__", "rooms"),
    ("auth.domain", "alphintra.auth.repository", "service-rooms"),
    ("auth.gateways", "alphintra.auth.repository", "service-rooms"),
    ("user.service", "alphintra.user.endpoints", "service-rooms"),
    ("risk.settings", "alphintra.risk.endpoints", "service-rooms"),
    ("nocode.endpoints", "alphintra.nocode.app", "service-rooms"),
    ("kernel.money", "time", "pure"),
    ("engine.bars", "random", "pure"),
    ("trading.domain", "asyncio", "pure"),
    ("risk.domain", "alphintra.contracts.base", "pure"),
    ("broker.domain", "alphintra.infrastructure.settings", "pure"),
    ("dataplane.plan", "os", "pure"),
    ("dataplane.assess.verdicts", "time", "pure"),
    ("trading.repository", "asyncpg", "driver"),
    ("infrastructure.settings", "asyncpg", "driver"),
    ("trading.service", "alphintra.infrastructure.postgres", "database"),
    ("cli.main", "alphintra.infrastructure.postgres", "database"),
    ("edge.app", "alphintra.infrastructure.postgres", "edge-database"),
    ("trading.settings", "alphintra.trading.repository", "repositories"),
    ("runtime.supervisor", "alphintra.trading.repository", "repositories"),
    ("trading.service", "alphintra.infrastructure.bus", "bus"),
    ("user.repository", "alphintra.infrastructure.nats_link", "bus"),
    ("strategy.gateways", "nats", "nats"),
    ("user.endpoints", "alphintra.infrastructure.host", "host"),
    ("notification.endpoints", "starlette", "http"),
    ("cli.main", "fastapi", "http"),
    ("infrastructure.settings", "alphintra.infrastructure.bus", "cycles"),
)


def miniature_tree() -> dict[str, list[str]]:
    """Return module -> imports of a small tree with every room, which keeps all contracts."""
    tree = {module: list(imports) for module, imports in _SHARED.items()}
    for service in SERVICE_NAMES:
        for room, imports in _SERVICE.items():
            tree[f"{service}{room}"] = [line.format(s=service) for line in imports]
    return tree


def write_tree(folder: Path, tree: Mapping[str, list[str]]) -> None:
    """Write the tree as importable files; a module with children becomes a package."""
    for module, imports in tree.items():
        children = any(other.startswith(f"{module}.") for other in tree) or not module
        path = folder / "alphintra" / Path(*module.split("."))
        path = path / "__init__.py" if children else path.with_suffix(".py")
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text("".join(f"import {line}\n" for line in imports))


def lint(folder: Path, config: Path, *contracts: str) -> subprocess.CompletedProcess[str]:
    """Run import-linter on the ``alphintra`` package found in the folder."""
    chosen = [word for contract in contracts for word in ("--contract", contract)]
    command = "import sys; from importlinter.cli import lint_imports_command; lint_imports_command()"
    return subprocess.run(  # noqa: S603 - our own interpreter and configuration
        [sys.executable, "-c", command, "--no-logo", "--no-cache", "--config", str(config), *chosen],
        cwd=folder,
        env={**os.environ, "PYTHONPATH": str(folder), "COLUMNS": "200", "NO_COLOR": "1"},
        capture_output=True,
        text=True,
        check=False,
        timeout=60,
    )


def contract_ids() -> list[str]:
    parser = configparser.ConfigParser()
    parser.read(CONFIG)
    return [section.removeprefix("importlinter:contract:") for section in parser.sections() if ":contract:" in section]


def rooms_named() -> set[str]:
    """Return the packages directly below ``alphintra`` that the contracts name."""
    return set(re.findall(r"^    alphintra\.([a-z]+)$", CONFIG.read_text(encoding="utf-8"), re.MULTILINE))


def missing_rooms() -> set[str]:
    return {room for room in rooms_named() if not (ROOT / "src" / "alphintra" / room / "__init__.py").is_file()}


def test_every_room_that_the_contracts_name_exists() -> None:
    assert missing_rooms() == set()


def test_the_code_keeps_every_contract(tmp_path: Path) -> None:
    # import-linter gives up at the first name it does not find; what is there must keep the rest all the same.
    named = CONFIG.read_text(encoding="utf-8")
    config = tmp_path / "contracts.ini"
    config.write_text(re.sub(rf"^    alphintra\.({'|'.join(missing_rooms()) or '-'})\n", "", named, flags=re.MULTILINE))
    outcome = lint(ROOT / "src", config)
    assert outcome.returncode == 0, outcome.stdout + outcome.stderr
    assert f"{len(contract_ids())} kept, 0 broken" in outcome.stdout


def test_a_tree_with_every_room_keeps_every_contract(tmp_path: Path) -> None:
    write_tree(tmp_path, miniature_tree())
    outcome = lint(tmp_path, CONFIG)
    assert outcome.returncode == 0, outcome.stdout + outcome.stderr
    assert f"{len(contract_ids())} kept, 0 broken" in outcome.stdout


@pytest.mark.parametrize("contract", contract_ids())
def test_every_planted_violation_is_reported(contract: str, tmp_path: Path) -> None:
    planted = [(importer, imported) for importer, imported, breaks in PLANTED if breaks == contract]
    assert planted, f"no violation is planted for {contract}"
    tree = miniature_tree()
    for importer, imported in planted:
        tree[importer].append(imported)
    write_tree(tmp_path, tree)
    outcome = lint(tmp_path, CONFIG, contract)
    assert outcome.returncode == 1, outcome.stdout + outcome.stderr
    unreported = [pair for pair in planted if not is_reported(outcome.stdout, *pair)]
    assert not unreported, outcome.stdout


def is_reported(report: str, importer: str, imported: str) -> bool:
    """Say whether the report names the pair, in full or (as cycles are) by the last names of two siblings."""
    full = rf"alphintra\.{re.escape(importer)} -> {re.escape(imported)}\b"
    siblings = rf"- \.{importer.rpartition('.')[2]} -> \.{imported.rpartition('.')[2]} "
    return re.search(f"{full}|{siblings}", report) is not None


@pytest.mark.parametrize(("module", "contract"), [("trading.helpers", "service-rooms"), ("shared", "rooms")])
def test_a_room_that_no_contract_names_is_reported(module: str, contract: str, tmp_path: Path) -> None:
    write_tree(tmp_path, miniature_tree() | {module: []})
    outcome = lint(tmp_path, CONFIG, contract)
    assert outcome.returncode == 1
    assert f"- alphintra.{module}" in outcome.stdout


def test_the_room_contract_covers_exactly_the_services_of_the_manifest() -> None:
    parser = configparser.ConfigParser()
    parser.read(CONFIG)
    containers = parser["importlinter:contract:service-rooms"]["containers"].split()
    assert containers == [f"alphintra.{service}" for service in SERVICE_NAMES]
