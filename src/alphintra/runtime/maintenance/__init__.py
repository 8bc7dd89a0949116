"""Upkeep of services in the windows the operator gives them, by command and by itself."""
