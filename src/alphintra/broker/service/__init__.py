"""Use cases of broker, by subject: connections, sending, cancelling, the kill switch, the paper market, reading."""
