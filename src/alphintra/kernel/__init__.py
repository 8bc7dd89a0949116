"""Shared kernel: identifiers, money, time, errors and the vocabulary of trading; no input or output."""
