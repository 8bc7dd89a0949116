"""The account of a backtest, compiled: columns of prices and signals in, the reference's orders, fills and equity out.

docs/decisions/0017 says what is exact and when the reference decides. Needs numpy: nothing that a service loads when it
starts imports this package.
"""
