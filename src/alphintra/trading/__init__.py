"""trading: accounts, orders as events, executions, positions and the cash ledger."""
