"""The risk database, by subject: books and decisions; measures; rows to values and back."""

from alphintra.risk.repository.books import Decided, RiskRecords, RiskTransaction, StoredDecision
from alphintra.risk.repository.metrics import MetricRecords, Snapshot

__all__ = ["Decided", "MetricRecords", "RiskRecords", "RiskTransaction", "Snapshot", "StoredDecision"]
