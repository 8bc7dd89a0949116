"""Market and backtest engine: bars, indicators, graphs, matching, portfolio, statistics; no input or output."""
