"""Decisions of strategy: reading market data, paging a replay, running a deployment's book."""
