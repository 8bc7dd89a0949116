"""The risk database, by subject: books and decisions, measures, alerts; rows to values and back."""

from alphintra.risk.repository.alerts import AlertRecords, AlertTransaction
from alphintra.risk.repository.books import Decided, RiskRecords, RiskTransaction, StoredDecision
from alphintra.risk.repository.governance import Governance
from alphintra.risk.repository.metrics import MetricRecords, Snapshot

__all__ = [
    "AlertRecords",
    "AlertTransaction",
    "Decided",
    "Governance",
    "MetricRecords",
    "RiskRecords",
    "RiskTransaction",
    "Snapshot",
    "StoredDecision",
]
