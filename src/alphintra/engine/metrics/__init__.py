"""Figures of a run: what it earned, what it risked, what its trades were like and what they cost.

Everything is computed from plain float64 arrays (``series``), so that every way of running a strategy is measured by
the same code. Needs numpy, which takes its time to load: whoever measures imports these modules then, not at start.
``documents`` alone, which says what each figure means, is free of it.
"""
