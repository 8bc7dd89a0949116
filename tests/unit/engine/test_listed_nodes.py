"""Every node that other platforms and our own lists name is here, is drawn from what is here, or has a reason."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Final

import pytest

from alphintra.engine.graph.catalogue import CATALOGUE
from alphintra.engine.templates import GALLERY

PAGE: Final = Path(__file__).parents[3] / "docs" / "nodes-elsewhere.md"
LISTED: Final = {
    "source": "Universe Bars Position Account Clock Const Param Webhook",
    "indicator": "SMA EMA WMA RSI MACD Bollinger ATR ADX Stochastic Donchian Keltner VWAP ROC StdDev ZScore RollingMax "
    "RollingMin RollingRank LinRegSlope OBV VolumeAvg OpeningRange VWMA HMA Williams%R CCI MFI AO",
    "transform": "Shift Change Math Clip Expression Align Pick Broadcast Spread HedgeRatio",
    "cross-section": "Rank TopN BottomN Percentile MeanAcross EqualWeights InverseVol CapWeights",
    "logic": "Compare Between CrossAbove CrossBelow And Any Not HeldFor Within Edge OncePer Cooldown TimeWindow "
    "DayFilter AND OR NOT XOR",
    "condition": "Comparison|Range|Percent change|Crossover|Golden cross|Divergence|Trend direction|Trend strength|"
    "Support and resistance|Breakout|Overbought, oversold|Multi-timeframe",
    "state": "Latch Counter LastValueWhen EntryCount",
    "signal": "Entry ExitWhen Gate Combine TargetWeights",
    "size": "FixedQty FixedNotional PercentEquity RiskPerTrade VolTarget WeightToQty fixed percentage fixed_risk kelly "
    "volatility equal_weight",
    "exit": "StopLoss TakeProfit TrailingStop BreakEven TimeStop ScaleOut Chandelier",
    "order": "Order Bracket RebalanceTo Grid DCA Close CancelTagged ReverseTo",
    "output": "Plot Notify Metric",
}
NODES: Final = frozenset(name for name, _version in CATALOGUE)


def rows() -> dict[str, str]:
    """Return the page's tables: what is said by each name."""
    lines = PAGE.read_text(encoding="utf-8").splitlines()
    cells = [[cell.strip() for cell in line.strip("|").split("|")] for line in lines if line.startswith("| ")]
    return {name: said for name, said in cells if name != "called elsewhere"}


@pytest.mark.parametrize("shelf", LISTED)
def test_every_listed_node_is_here_or_the_page_says_why_not(shelf: str) -> None:
    names = LISTED[shelf].split("|") if "|" in LISTED[shelf] else LISTED[shelf].split()
    told = rows()
    assert [name for name in names if name not in NODES and name not in told] == []


def test_the_page_names_nodes_and_templates_that_exist_and_none_that_needs_no_explanation() -> None:
    page, _, missing = PAGE.read_text(encoding="utf-8").partition("## Not there")
    table = "\n".join(line for line in page.splitlines() if line.startswith("| "))
    named = set(re.findall(r"`([A-Za-z_]+)`", table)) - {"exposed"}
    assert named - NODES <= set(GALLERY)
    for line in missing.splitlines():
        if line.startswith("| ") and not line.startswith("| called"):
            name, why = (cell.strip() for cell in line.strip("|").split("|"))
            assert name not in NODES, f"{name} is there now"
            assert why.endswith(".")
            assert len(why) > len(name)
