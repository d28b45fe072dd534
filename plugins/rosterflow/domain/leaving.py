"""What becomes of people who are no longer in a roster: the institution's ladder, by the reason and the role."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, timedelta
from typing import Literal

from rosterflow.domain.institution import Institution, TermWindow
from rosterflow.domain.model import Kind
from rosterflow.domain.people_settings import Ladder
from rosterflow.domain.plan import Action
from rosterflow.domain.rosters import Reason, Roster, Standing
from rosterflow.domain.windows import Semester, calendar_days

ACTIONS = {
    Standing.INACTIVE: Action.HIDE,
    Standing.SUSPENDED: Action.HIDE,
    Standing.COMPLETED: Action.CLOSE,
    Standing.DELETED: Action.DELETE,
}
"""What is done to give somebody another standing than an active one."""

BEFORE_CENSUS = "gone-before-census"


@dataclass(frozen=True, slots=True)
class Leaving:
    """How people leave.

    :param students: the ladder of roles in ``student_roles``; ``staff`` that of all others.
    :param reserved_users: what becomes of users who may no longer be in the LMS.
    :param census_days: days from a term's first day, by the calendar of ``window``, to its census date.
    :param today: the local day, ``None`` when it does not matter.
    """

    students: Ladder = Ladder()
    staff: Ladder = Ladder()
    student_roles: frozenset[str] = frozenset({"StudentEnrollment"})
    reserved_users: Literal["suspend", "leave"] = "suspend"
    census_days: int | None = None
    window: TermWindow = TermWindow()
    today: date | None = None

    @classmethod
    def of(cls, institution: Institution, today: date) -> Leaving:
        """As an institution's settings have it, on a local day."""
        people = institution.people
        return cls(
            people.students_leave,
            people.staff_leave,
            frozenset({"StudentEnrollment", people.student_role}),
            people.users.reserved,
            people.census_days,
            institution.terms,
            today,
        )

    def fate(self, roster: Roster, reason: Reason) -> tuple[str, Standing | None]:
        """The rule by which somebody leaves a roster, and the standing they get; ``None`` when they keep theirs."""
        if roster.kind is Kind.USER:
            return reason, self._of_user(reason)
        rule = str(reason)
        if reason is Reason.GONE and self._is_before_census(roster.origin.term):
            rule = BEFORE_CENSUS
        ladder = self.students if roster.role in self.student_roles else self.staff
        step: str = getattr(ladder, rule.replace("-", "_"))
        if step == "leave":
            return rule, None
        return rule, Standing.DELETED if roster.kind is Kind.ADMIN else Standing(step)

    def _of_user(self, reason: Reason) -> Standing | None:
        """Users are never removed, only suspended, which takes nothing from them that cannot be given back."""
        suspends = reason is Reason.DEAD or (reason is Reason.RESERVED and self.reserved_users == "suspend")
        return Standing.SUSPENDED if suspends else None

    def _is_before_census(self, term: str | None) -> bool:
        if self.census_days is None or self.today is None or term is None:
            return False
        first, _ = calendar_days(Semester.of(term), self.window)
        return self.today <= first + timedelta(days=self.census_days)
