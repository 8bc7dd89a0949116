"""Defence against overfitting: what a good backtest is worth after all the others that were tried.

Pure and seeded: whoever needs chance passes a generator in. Float64 throughout. Needs numpy, like ``engine.metrics``.
"""
