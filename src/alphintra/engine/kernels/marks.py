"""What kernels and their parts are written in: columns of float64, and functions that numba must be told of."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any, TypeAlias, TypeVar

import numpy as np

if TYPE_CHECKING:
    from numpy.typing import NDArray

__all__ = ["MARKED", "PARTS", "Vector", "part"]

Vector: TypeAlias = "NDArray[np.float64]"
F = TypeVar("F", bound=Callable[..., Any])
PARTS: list[Callable[..., Any]] = []  # what kernels call; told to numba once, when the first kernel is compiled
MARKED: set[Callable[..., Any]] = set()
"""All of them, told or not."""


def part(function: F) -> F:
    """Mark a function that kernels call, of their own file or imported there by its name.

    By its name, because `cache` looks for those to see whether kept machine code is stale.
    """
    PARTS.append(function)
    MARKED.add(function)
    return function
