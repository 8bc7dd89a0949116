"""Market surveillance, pure: the stream of orders and trades, detectors over it, their parameters, and cases."""
