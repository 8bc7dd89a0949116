"""Machine code of the kernels made ahead of their first use, so that no backtest waits for a compiler."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

import numpy as np

from alphintra.engine.account.columns import Columns
from alphintra.engine.account.rules import AccountRules
from alphintra.engine.account.run import simulate
from alphintra.engine.graph.catalogue import CATALOGUE, node_type
from alphintra.engine.graph.plan import compile_plan
from alphintra.engine.templates import GALLERY

if TYPE_CHECKING:
    from collections.abc import Callable, Collection

    from alphintra.engine.graph.definition import NodeType
    from alphintra.engine.graph.plan import Plan
    from alphintra.engine.kernels.kernel import Kernel

__all__ = ["compile_kernels", "kernel_names"]

ACCOUNT: Final = "the account"  # one of the nodes has the kernel of that name


def kernel_names(plan: Plan) -> frozenset[str]:
    """Return the names of the kernels that a run of a plan uses, as ``compile_kernels`` tells them."""
    entries = [(node_type(step.type, step.version), step.params) for step in plan.steps]
    kernels = [(entry.instead(params) or entry).kernel for entry, params in entries if entry is not None]
    return frozenset({ACCOUNT, *(_name(kernel) for kernel in kernels if kernel is not None)})


def compile_kernels(told: Callable[[str], None], *, skip: Collection[str] = ()) -> None:
    """Compile the account and every node's kernel but some; numba's cache keeps them, and is read where it has them.

    ``told`` is given the name of each kernel that is done; what it raises ends the work.
    """
    if ACCOUNT not in skip:
        _compile_account()
        told(ACCOUNT)
    first = {step.type for item in GALLERY.values() for step in compile_plan(item.graph).steps}
    for entry in sorted(CATALOGUE.values(), key=lambda entry: entry.type not in first):
        if entry.kernel is not None and _name(entry.kernel) not in skip:
            _compile(entry, entry.kernel)
            told(_name(entry.kernel))


def _name(kernel: Kernel) -> str:
    return f"{kernel.interpreted.__module__.rpartition('.')[2]}.{kernel.name}"


def _compile_account() -> None:
    one = np.ones(1)
    simulate(AccountRules(), Columns(open=one, high=one, low=one, close=one, entry=one, leave=one), is_compiled=True)


def _compile(entry: NodeType, kernel: Kernel) -> None:
    """Compile a kernel for the arrays that an evaluation hands it."""
    from numba import float64, types  # noqa: PLC0415 - a second of start-up, for those who compile only

    plain = 2 if entry.is_across else 1
    dimensions = [plain] * len(entry.clock)
    dimensions += [plain + port.is_many for port in entry.inputs] + [plain] * len(entry.outputs)
    columns = (types.Array(float64, count, "C") for count in (1, 1, *dimensions))
    kernel.compiled.compile(tuple(columns))  # type: ignore[attr-defined] # numba's dispatchers have it
