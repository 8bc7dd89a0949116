"""Upkeep of one service's tables: vacuum, statistics, indexes, months to come."""
