"""Bars of a plan that were evaluated together, ready to be decided on one by one."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from alphintra.engine.account.columns import Columns as Told
    from alphintra.engine.account.program import OrderProgram
    from alphintra.engine.graph.evaluation import Columns
    from alphintra.engine.graph.tape import Tape

__all__ = ["Run"]


@dataclass(frozen=True, slots=True)
class Run:
    """Bars evaluated together: what the nodes gave, and what the Order nodes are asked with, for one symbol."""

    tape: Tape
    columns: Columns
    asked: tuple[tuple[OrderProgram, Told], ...]
    row: int = 0
