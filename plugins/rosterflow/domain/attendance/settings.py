"""What a college sets about the time attended that is imported from CourseKey."""

from __future__ import annotations

from pydantic import Field

from rosterflow.domain.attendance.booking import AsyncRule, Rounding
from rosterflow.domain.attendance.records import Counts
from rosterflow.domain.institution import Cron
from rosterflow.domain.people_settings import Model


class AttendanceSettings(Model):
    """How time attended is read, booked and kept (issue 5; reference coursekey §3.5)."""

    schedule: Cron = Field(
        "30 5 * * *", description="Cron expression in the college's zone; after midnight in the westernmost zone."
    )
    deep_schedule_weekday: int = Field(7, ge=1, le=7, description="Weekday of the deep pass, 1 for Monday.")
    deep_days: int = Field(35, ge=1, le=366, description="So many days the weekly deep pass looks back.")
    cap_days: int = Field(60, ge=1, le=366, description="So many days at most are made good after missed runs.")
    counts: Counts = Field(Counts.AWARDED, description="Which time of a record is booked.")
    rounding: Rounding = Field(Rounding.FLOOR, description="What becomes of the seconds of a day's last minute.")
    async_rule: AsyncRule = Field(
        AsyncRule.TIME, description="Whether asynchronous work without time makes a day one that was attended."
    )
    losses_percent: int = Field(
        20, ge=0, le=100, description="When more of a window's records are gone at once, a person is asked first."
    )
    raw_days: int = Field(1100, ge=30, description="For how long the pages of the export are kept as evidence.")
