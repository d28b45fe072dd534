"""Sending again, because a person asks for it, what Campus Cafe refused of time attended."""

from __future__ import annotations

from datetime import datetime

from rosterflow.domain.coursekey.campus import SectionKey
from rosterflow.domain.coursekey.college import College
from rosterflow.domain.errors import Code, FatalError
from rosterflow.store import attendance_rows, history
from rosterflow.store.engine import Store

ACT = "attendance-retry"


def retry_refused(
    store: Store, college: College, student: str, section: SectionKey | None, *, by: str, reason: str, now: datetime
) -> int:
    """Have the next import send refused rows and last dates without waiting; who asked, and why, is in the audit.

    :param student: Campus Cafe ID; ``""``: everybody's.
    :param section: only those in it.
    :returns: how many.
    :raises FatalError: ``settings-invalid`` without a reason.
    """
    if not reason.strip():
        raise FatalError(Code.SETTINGS_INVALID, "A reason is needed: it is kept in the audit.")
    today = now.astimezone(college.zone).date()
    with store.begin() as connection:
        again = attendance_rows.retry(connection, college.key, today, student, section)
        detail = f"{again} refused rows of {student or 'all students'} in {section or 'all sections'}"
        history.record_act(connection, college.key, actor=by, act=ACT, reason=reason.strip(), now=now, detail=detail)
    return again
