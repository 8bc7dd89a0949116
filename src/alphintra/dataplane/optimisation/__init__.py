"""What the tables and indexes of trading, user and risk gain against plain ones, measured (claims 17 to 19)."""
