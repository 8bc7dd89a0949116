"""The controls an order passes before it is placed: the same pure functions in risk and in backtests."""
