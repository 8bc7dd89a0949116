"""Use cases of strategy, by subject: imports, backtests, feeds, deployments."""
