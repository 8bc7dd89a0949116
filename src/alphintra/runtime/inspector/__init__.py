"""Tells operators how the installation stands, with the home's credentials, over the bus: see decision 0028."""
