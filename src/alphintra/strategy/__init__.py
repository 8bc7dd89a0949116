"""strategy: market-data catalogue, backtests, price feeds, deployments and their persisted state."""
