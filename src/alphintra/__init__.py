"""Alphintra: a self-hosted algorithmic trading platform whose data isolation can be proven."""

__version__ = "0.1.0"
