"""Decisions of trading: accounts, what an order may be and how its state folds over events, what a fill books."""
