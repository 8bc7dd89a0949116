"""The account of a backtest, compiled: columns of prices and signals in, the orders, fills and equity of the reference out.

docs/decisions/0017 says what is exact and when the reference decides. Needs numpy: nothing that a service loads at start
imports this package.
"""
