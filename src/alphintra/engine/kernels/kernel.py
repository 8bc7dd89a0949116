"""A kernel is a plain function over float64 columns that carries its state from one call to the next.

Live it is called with one bar and interpreted; in a backtest it is called with all bars and compiled by numba. Because
both run the same lines over the same state, cutting the bars into other portions changes no value.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from alphintra.engine.kernels.marks import PARTS, Vector, part

__all__ = ["Kernel", "Vector", "bare_kernel", "kernel", "part"]


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
    def is_loaded(self) -> bool:
        """Whether its machine code is at hand, so that using it costs a short run nothing."""
        return self._compiled is not None

    @property
    def compiled(self) -> Callable[..., None]:
        """The machine-code form; compiled at the first use on a machine and read from numba's cache afterwards."""
        if self._compiled is None:
            import numba  # noqa: PLC0415 - a second of start-up that a live process never needs

            from alphintra.engine.kernels import cache  # noqa: PLC0415 - needs numba

            while PARTS:
                numba.extending.register_jitable(PARTS.pop())
            vars(numba.config)["CACHE_LOCATOR_CLASSES"] = cache.LOCATORS  # a setting read from the environment
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
