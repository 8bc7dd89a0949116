"""broker: connections to venues, what was sent there, what was answered; the paper venue."""
