"""The audit logs of a home: kept sealed, witnessed, verified."""
