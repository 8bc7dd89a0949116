"""risk: pre-trade controls, reservations, signed approvals, limits, kill states and exposure."""
