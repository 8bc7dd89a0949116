"""Decisions of broker, by subject: connections, orders, approvals and the kill switch, the paper market."""
