"""Accounts, orders, executions and the ledger in the trading database: rows to values and back."""
