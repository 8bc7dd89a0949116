"""What Alphintra costs: start, memory, orders, replay and backtests, each beside something that bounds it."""
