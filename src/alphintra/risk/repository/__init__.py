"""The risk database, by subject: books and decisions, measures, alerts, surveillance; rows to values and back."""

from alphintra.risk.repository.alerts import AlertRecords, AlertTransaction
from alphintra.risk.repository.books import Decided, RiskRecords, RiskTransaction, StoredDecision
from alphintra.risk.repository.governance import Governance
from alphintra.risk.repository.metrics import MetricRecords, Snapshot
from alphintra.risk.repository.surveillance import (
    CaseStep,
    MessageCount,
    SurveillanceRecords,
    SurveillanceTransaction,
    Taken,
)
from alphintra.risk.repository.warnings import Warnings
from alphintra.risk.repository.watchdogs import Watches

__all__ = [
    "AlertRecords",
    "AlertTransaction",
    "CaseStep",
    "Decided",
    "Governance",
    "MessageCount",
    "MetricRecords",
    "RiskRecords",
    "RiskTransaction",
    "Snapshot",
    "StoredDecision",
    "SurveillanceRecords",
    "SurveillanceTransaction",
    "Taken",
    "Warnings",
    "Watches",
]
