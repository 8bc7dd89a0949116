"""Ways out of broker: to risk, which approves orders, and to venues, which work them."""
