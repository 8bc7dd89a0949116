"""Running a kernel by itself, interpreted, in one portion or several."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

    from alphintra.engine.kernels.kernel import Kernel

__all__ = ["column", "run"]


def column(values: Sequence[float]) -> NDArray[np.float64]:
    """Return values as a column."""
    return np.array(values, dtype=np.float64)


def run(kernel: Kernel, numbers: Sequence[float], state: int, *inputs: Sequence[float]) -> list[float]:
    """Return the only output of a kernel over whole columns."""
    out = np.empty(len(inputs[0]))
    kernel.interpreted(column(numbers), np.zeros(state), *(column(values) for values in inputs), out)
    return [float(value) for value in out]
