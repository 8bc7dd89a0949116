"""Attacks the borders between the services, each with its own credential, and says what got through.

``probes`` holds what is tried, as data; ``ground`` learns what there is to try it on; ``raid`` tries it; ``findings``
says what an open probe means, how to close it, and which may stay open.
"""
