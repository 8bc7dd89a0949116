"""Use cases of trading, by subject: accounts, submission of orders, what venues report, reading."""
