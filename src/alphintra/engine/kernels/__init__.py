"""Kernels: the arithmetic of every node, written once, run bar by bar or compiled over whole arrays."""
