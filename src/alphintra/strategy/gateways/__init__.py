"""Ways out of strategy: the Parquet catalogue, uploads, and the services it asks."""
