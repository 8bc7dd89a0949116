"""The API of Alpaca at ``/alpaca``: its paths, shapes, statuses and numbers over the platform's own commands."""
