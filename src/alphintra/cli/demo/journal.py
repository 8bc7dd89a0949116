"""What the demonstration remembers between runs, what it checked, and how it tells of it."""

from __future__ import annotations

import json
import sys
from dataclasses import asdict, dataclass, field
from typing import TYPE_CHECKING, Any

from alphintra.runtime.home import Home, write_atomically

if TYPE_CHECKING:
    from collections.abc import Callable

__all__ = ["Check", "Journal", "Run", "load_run", "save_run"]

_FILE = "demo.json"


@dataclass(slots=True)
class Run:
    """One run of the demonstration; an unfinished one is taken up again, with the same names and order ids."""

    number: int
    is_finished: bool = False

    @property
    def name(self) -> str:
        """Name of everything this run makes."""
        return f"demo {self.number}"

    @property
    def email(self) -> str:
        """The demonstration's user."""
        return "demo@alphintra.example"


@dataclass(frozen=True, slots=True)
class Check:
    """Something verified: what, in which service's data, and what was expected and found."""

    what: str
    owner: str
    expected: str
    found: str

    @property
    def is_ok(self) -> bool:
        """Whether it is as expected."""
        return self.expected == self.found


@dataclass(slots=True)
class Journal:
    """Collects checks and facts, and shows progress on standard error."""

    tell: Callable[[str], None]
    checks: list[Check] = field(default_factory=list)
    facts: dict[str, Any] = field(default_factory=dict)

    def step(self, text: str) -> None:
        """Tell what is being done now."""
        self.tell(text)

    def check(self, what: str, owner: str, *, expected: object, found: object) -> None:
        """Verify that something is as expected."""
        check = Check(what, owner, str(expected), str(found))
        self.checks.append(check)
        if not check.is_ok:
            self.tell(f"NOT as expected: {what} ({owner}): expected {check.expected}, found {check.found}")

    @property
    def is_ok(self) -> bool:
        """Whether something was checked and all of it is as expected."""
        return bool(self.checks) and all(check.is_ok for check in self.checks)

    def document(self) -> dict[str, object]:
        """Return everything as plain JSON values."""
        checks = [asdict(check) | {"is_ok": check.is_ok} for check in self.checks]
        return {"is_ok": self.is_ok, "facts": self.facts, "checks": checks}


def load_run(home: Home) -> Run:
    """Return the run to do: the one that was interrupted, or the next."""
    path = home.run / _FILE
    try:
        stored = json.loads(path.read_text(encoding="utf-8"))
        run = Run(int(stored["number"]), bool(stored["is_finished"]))
    except (OSError, ValueError, KeyError):
        return Run(1)
    return Run(run.number + 1) if run.is_finished else run


def save_run(home: Home, run: Run) -> None:
    """Remember how far the demonstration is."""
    write_atomically(home.run / _FILE, json.dumps(asdict(run)).encode())


def to_stderr(text: str) -> None:
    """Write a line of progress."""
    sys.stderr.write(f"  {text}\n")
    sys.stderr.flush()
