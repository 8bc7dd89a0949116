"""The commands people are told to call exist, and continuous integration calls the same ones."""

from __future__ import annotations

import os
import re
import subprocess
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
MAKEFILE = (ROOT / "Makefile").read_text(encoding="utf-8")


def test_the_makefile_offers_exactly_the_promised_targets() -> None:
    offered = re.findall(r"^([a-z-]+):.*## ", MAKEFILE, re.MULTILINE)
    assert offered == ["help", "run", "demo", "test", "check", "web", "bench", "clean"]


@pytest.mark.parametrize("target", ["run", "demo", "test", "check", "bench"])
def test_every_target_installs_what_it_needs_first(target: str) -> None:
    rule = re.search(rf"^{target}: (install(?:-dev)?) ##", MAKEFILE, re.MULTILINE)
    assert rule is not None
    assert f"\n{rule[1]}: $(" in MAKEFILE


def test_help_lists_every_target() -> None:
    outcome = subprocess.run(["make", "help"], cwd=ROOT, capture_output=True, text=True, check=True)  # noqa: S607
    for target in ("run", "demo", "test", "check", "web", "bench"):
        assert f"make {target} " in outcome.stdout


def test_continuous_integration_calls_check_test_and_demo() -> None:
    script = (ROOT / ".ci" / "run").read_text(encoding="utf-8")
    steps = re.findall(r"^ *((?:make|run_tests) [a-z]+)(?= \"|$)", script, re.MULTILINE)
    assert steps == ["make check", "run_tests test", "run_tests web", "run_tests test", "run_tests test", "make demo"]
    assert script.count('make "$1" ARGS=') == 2  # among the others, and alone
    assert os.access(ROOT / ".ci" / "run", os.X_OK)
    assert "set -euo pipefail" in script


def test_every_requirement_is_pinned_and_hashed() -> None:
    for name in ("build", "runtime", "dev", "web"):
        text = (ROOT / "requirements" / f"{name}.txt").read_text(encoding="utf-8").replace("\\\n", "")
        requirements = [line for line in text.splitlines() if line and not line.lstrip().startswith("#")]
        assert requirements
        assert [r for r in requirements if not re.match(r"[\w.\[\]-]+==\S+.*--hash=sha256:[0-9a-f]{64}", r)] == []


def test_the_requirement_files_agree_on_every_version() -> None:
    pins: dict[str, set[str]] = {}
    for name in ("build", "runtime", "dev", "web"):
        text = (ROOT / "requirements" / f"{name}.txt").read_text(encoding="utf-8")
        for package, version in re.findall(r"^([\w.-]+)(?:\[[\w,]+\])?==(\S+)", text, re.MULTILINE):
            pins.setdefault(package.lower(), set()).add(version)
    assert {package: versions for package, versions in pins.items() if len(versions) > 1} == {}
