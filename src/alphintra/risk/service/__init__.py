"""Use cases of risk, by subject: decisions on orders, what trading tells, settings, reading."""
