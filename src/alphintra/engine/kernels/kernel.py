"""A kernel is a plain function over float64 columns that carries its state from one call to the next.

Live it is called with one bar and interpreted; in a backtest it is called with all bars and compiled by numba. Because
both run the same lines over the same state, cutting the bars into other portions changes no value.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any, TypeAlias, TypeVar

import numpy as np

if TYPE_CHECKING:
    from numpy.typing import NDArray

__all__ = ["Kernel", "Vector", "bare_kernel", "kernel", "part"]

Vector: TypeAlias = "NDArray[np.float64]"
F = TypeVar("F", bound=Callable[..., Any])
_PARTS: list[Callable[..., Any]] = []  # what kernels call; told to numba once, when the first kernel is compiled


class Kernel:
    """One node's arithmetic.

    The function is called as ``function(params, state, *inputs, *outputs)`` with C-contiguous float64 arrays:
    ``params`` the node's numbers, ``state`` what it keeps (zeros before the first bar), inputs and outputs one value a
    bar. NaN means unknown. It fills every output at every bar and reads no input beyond that bar.
    """

    def __init__(self, function: Callable[..., None], *, makes_arrays: bool = True) -> None:
        self.interpreted = function
        self._makes_arrays = makes_arrays
        self._compiled: Callable[..., None] | None = None

    @property
    def name(self) -> str:
        """The function's name, for messages and measurements."""
        return self.interpreted.__name__

    @property
    def compiled(self) -> Callable[..., None]:
        """The machine-code form; compiled at the first use on a machine and read from numba's cache afterwards."""
        if self._compiled is None:
            import numba  # noqa: PLC0415 - a second of start-up that a live process never needs

            while _PARTS:
                numba.extending.register_jitable(_PARTS.pop())
            # numpy's rules of division: a kernel asks first, and no exception can leave half a column behind.
            options: dict[str, Any] = {} if self._makes_arrays else {"_nrt": False}
            self._compiled = numba.njit(cache=True, nogil=True, error_model="numpy", **options)(self.interpreted)
        return self._compiled


def kernel(function: Callable[..., None]) -> Kernel:
    """Make a kernel of a function; it must stand at the top of its module, so that its machine code can be kept."""
    return Kernel(function)


def bare_kernel(function: Callable[..., None]) -> Kernel:
    """Make a kernel of a function that makes no arrays.

    Numba then does without its memory runtime. Counting references to the arrays a kernel hands to its parts costs
    more than most of those parts do.
    """
    return Kernel(function, makes_arrays=False)


def part(function: F) -> F:
    """Mark a function that kernels of the same file call.

    Of the same file, because numba looks at the kernel's file alone to see whether its kept machine code is stale.
    """
    _PARTS.append(function)
    return function
