"""Findings follow the log: the first fail opens one, the fix closes it."""

from dataclasses import dataclass
from datetime import datetime

from django.db import IntegrityError, transaction
from django.db.models import Q

from troth.console.records.models import Finding
from troth.kernel.model import Severity, Verdict

UNIQUE_VIOLATION = "23505"  # Source: PostgreSQL manual, appendix A


@dataclass(frozen=True, slots=True, kw_only=True)
class Change:
    """A verdict as a leaf of the log tells it.

    Args:
        promise: its slug.
        check: its id.
        vantage: who looked.
        index: the leaf's number in the log.
        at: when it was collected, aware UTC.
    """

    promise: str
    severity: Severity
    check: str
    vantage: str
    verdict: Verdict
    index: int
    at: datetime


def record(change: Change) -> None:
    """Open or close a finding as the change demands.

    Idempotent: the log may be read again, by several at once. Each vantage heals only what it saw
    itself, and an error neither opens nor closes.
    """
    mine = Finding.objects.filter(check_id=change.check, vantage=change.vantage)
    if change.verdict is Verdict.PASS:
        mine.filter(closed=None, opened_index__lt=change.index).update(
            closed=change.at, closed_index=change.index
        )
    elif change.verdict is Verdict.FAIL:
        covered = Q(closed=None) | Q(opened_index__lte=change.index, closed_index__gt=change.index)
        if mine.filter(covered).exists():
            return
        try:
            with transaction.atomic():
                Finding.objects.create(
                    promise=change.promise,
                    check_id=change.check,
                    vantage=change.vantage,
                    severity=change.severity.value,
                    opened=change.at,
                    opened_index=change.index,
                )
        except IntegrityError as error:
            # Another reader of the log was first, and its finding says the same. A check
            # constraint, on the other hand, would be a bug that must be heard.
            if getattr(error.__cause__, "sqlstate", "") != UNIQUE_VIOLATION:
                raise
