"""Measures of risk, pure: tails of a profit-and-loss distribution, covariance, VaR back-tests, a book's report.

Float64 inside; amounts enter and leave as Decimal in ``report`` alone. Needs numpy, which takes its time to load:
whoever reports imports this package then, not at start.
"""
