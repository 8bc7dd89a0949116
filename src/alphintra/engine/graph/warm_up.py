"""How long a value that never forgets depends on where the data began."""

from __future__ import annotations

import math

__all__ = ["STABLE_EPSILON", "recursive_warm_up"]

STABLE_EPSILON = 1e-4  # weight the seed may still carry once a recursive indicator counts as ready


def recursive_warm_up(alpha: float) -> int:
    """Return ceil(ln eps / ln(1 - alpha)): updates until the seed's weight is below STABLE_EPSILON.

    ``alpha`` is the smoothing factor, in (0, 1]; about 4.6 n updates for an EMA over n.
    """
    if alpha >= 1:
        return 0
    return math.ceil(math.log(STABLE_EPSILON) / math.log(1 - alpha))
