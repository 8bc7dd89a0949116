"""What a search may turn in each ready strategy: few numbers, over a range that holds their own value on its steps."""

from __future__ import annotations

from types import MappingProxyType
from typing import TYPE_CHECKING, Final, TypeAlias

import msgspec

from alphintra.engine.graph.wire import Exposure

if TYPE_CHECKING:
    from alphintra.engine.graph.wire import Graph, ParamValue

__all__ = ["searchable"]

_Ranges: TypeAlias = "dict[str, tuple[ParamValue, ParamValue, ParamValue]]"
"""By ``node.param``: the least value, the largest, and the step between."""

_AVERAGES: Final[tuple[_Ranges, tuple[str, ...]]] = (
    {"fast.period": (5, 40, 5), "slow.period": (20, 120, 10)},
    ("fast.period < slow.period",),
)
_RANGES: Final = MappingProxyType[str, tuple[_Ranges, tuple[str, ...]]](
    {
        "ema_crossover": _AVERAGES,
        "sma_crossover": _AVERAGES,
        "rsi_reversion": (
            {
                "rsi.period": (6, 22, 4),
                "oversold.value": (20.0, 40.0, 5.0),
                "recovered.value": (45.0, 65.0, 5.0),
            },
            ("oversold.value < recovered.value",),
        ),
        "macd_cross": (
            {"macd.fast": (6, 18, 3), "macd.slow": (20, 44, 6), "macd.signal": (5, 13, 2)},
            ("macd.fast < macd.slow",),
        ),
        "bollinger_breakout": (
            {"bands.period": (10, 40, 5), "bands.up": ("1.5", "2.5", "0.25"), "narrow.value": (10.0, 40.0, 10.0)},
            (),
        ),
        "turtle": (
            {"far.period": (35, 75, 10), "near.period": (10, 30, 5), "two.value": (1.0, 3.0, 0.5)},
            ("near.period < far.period",),
        ),
        "atr_trailing": (
            {"trend.period": (6, 18, 4), "trend.width": ("2", "4", "0.5"), "trail.multiple": ("2", "5", "0.5")},
            (),
        ),
        "vwap_reversion": (
            {"swing.period": (10, 40, 5), "far.value": (-3.0, -1.0, 0.25)},
            (),
        ),
        "opening_range": (
            {"range.minutes": (5, 30, 5), "usual.period": (10, 40, 10), "target.multiple": ("1", "4", "0.5")},
            (),
        ),
        "momentum_rotation": (
            {"roc.period": (42, 252, 42), "best.count": (1, 5, 2), "swing.period": (20, 100, 40)},
            (),
        ),
        "pairs": (
            {"spread.period": (60, 180, 60), "z.period": (20, 100, 40), "far.value": (1.5, 2.5, 0.5)},
            ("near.value < far.value", "far.value < lost.value"),
        ),
        "grid": (
            {"range.period": (40, 160, 20), "grid.levels": (10, 30, 5), "calm.value": (15.0, 35.0, 5.0)},
            (),
        ),
        "dollar_cost_averaging": (
            {"amount.value": (50.0, 200.0, 50.0), "lower.factor": ("0.8", "0.95", "0.05")},
            (),
        ),
    }
)


def searchable(name: str, graph: Graph) -> Graph:
    """Return a template's graph with the parameters it exposes and the rules between them."""
    ranges, constraints = _RANGES[name]
    exposed = {each: Exposure(min=low, max=high, step=step) for each, (low, high, step) in ranges.items()}
    return msgspec.structs.replace(graph, exposed=exposed, constraints=constraints)
