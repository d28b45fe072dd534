"""Those who teach and administer: FS's roles as Canvas roles, by the institution's tables.

Source: issue 3 §3.2 (Enrollments, Admins); FS reference §4.7, §8.9; policies, appendix A (teacher loses affiliation).
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping
from datetime import date, timedelta

from rosterflow.domain.decisions import Decision
from rosterflow.domain.fs import people as fs
from rosterflow.domain.fs.people import Rolle, UaKey, UnknownPerson, subject_of
from rosterflow.domain.fs.rows import UeKey
from rosterflow.domain.institution import Institution
from rosterflow.domain.mapping.people_admission import Admission, Gate
from rosterflow.domain.mapping.people_rosters import Gathering, Target
from rosterflow.domain.model import SourceKind
from rosterflow.domain.rosters import Place, Reason
from rosterflow.domain.windows import Semester

KIND = SourceKind.PERSONROLLE


class Staff:
    """Puts those who have roles into rosters.

    :param terms: the terms of the scope; roles in the teaching of others are left alone.
    :param today: the local day on which periods are looked at.
    :param not_staff_since: the day on which somebody was first seen not to be fagperson any more, by personlopenummer;
        who is not in it was first seen so today.
    """

    def __init__(
        self,
        institution: Institution,
        gathering: Gathering,
        admission: Admission,
        terms: Collection[Semester],
        today: date,
        not_staff_since: Mapping[str, date],
    ) -> None:
        self._roles = institution.roles
        self._ims_roles: Mapping[str, str] = {str(ims): role for ims, role in institution.people.ims_roles.items()}
        self._people = institution.people
        self._gathering = gathering
        self._admission = admission
        self._terms = terms
        self._today = today
        self._not_staff_since = not_staff_since
        self._ways: dict[tuple[SourceKind, fs.Place, str, str | None], tuple[Target]] = {}

    def role(self, row: Rolle) -> None:
        """Somebody with a role."""
        key = row.on, row.place, row.fs_rolle, row.ims_rolle
        way = self._ways.get(key)
        if way is None:
            way = self._ways[key] = (self._target(*key),)
        user = self._admission.of(row, way, self._closed(row) or self._no_longer_staff(row))
        if user is not None:
            self._gathering.admit(KIND, "role", way, row.person, user)

    def unknown(self, row: UnknownPerson) -> None:
        """Somebody whom FS does not name has a role at a place."""
        role = self._roles.get(row.fs_rolle or "")
        for room, account in self._reach(row.on, subject_of(row.place)):
            if room:
                self._gathering.somebody_at(room, role)
            if account:
                self._gathering.somebody_at(account, self._people.account_roles.get(row.fs_rolle or ""))

    # ----------------------------------------------------------------- where a role leads
    def _target(self, on: SourceKind, place: fs.Place, code: str, ims: str | None) -> Target:
        at = subject_of(place)
        if self._is_outside(place):
            return Target(at)
        role = self._roles[code] if code in self._roles else self._ims_roles.get(ims or "")
        account_role = self._people.account_roles.get(code)
        reach = list(self._reach(on, at))
        if not reach:
            because = self._gathering.places.of(on, at).rule
            return self._gathering.lose(KIND, at, "place-not-sent", ("because", because))
        groups = [self._gathering.group(room, role) for room, _ in reach if room and role]
        groups += [self._gathering.group(home, account_role) for _, home in reach if home and account_role]
        if groups:
            return Target(at, tuple(groups))
        teaches = any(room for room, _ in reach)
        rule = "role-without-mapping" if teaches else "role-without-account-role"
        if (role if teaches else account_role) == "":
            rule = "role-left-out"
        return self._gathering.lose(KIND, code, rule, ("imsRolle", ims or "null"))

    def _is_outside(self, place: fs.Place) -> bool:
        ue = place.ue if isinstance(place, UaKey) else place
        return isinstance(ue, UeKey) and ue.semester not in self._terms

    def _reach(self, on: SourceKind, at: str) -> Iterable[tuple[Place | None, Place | None]]:
        """The sections and courses, and the accounts, that a role on a row reaches."""
        places = self._gathering.places
        stand = places.of(on, at)
        if on is SourceKind.EMNE and self._people.emne_roles == "sections":
            return [(room, None) for room in places.teaching(at)]
        account = [(None, stand.account)] if stand.account else []
        return [*((room, None) for room in stand.rooms), *account]

    # ----------------------------------------------------------------- for how long
    def _closed(self, row: Rolle) -> Gate | None:
        """Why a role is not open today; both days of its period belong to it."""
        if row.fra and row.fra > self._today:
            rule = "role-not-begun"
        elif row.til and row.til < self._today:
            rule = "role-ended"
        elif row.fra is None and row.til is None and row.er_aktiv is False:
            rule = "role-inactive"
        else:
            return None
        period = f"{row.fra or 'ever'} to {row.til or 'ever'}"
        return Gate(rule, Reason.ROLE_ENDED, (("role", f"{row.fs_rolle} at {subject_of(row.place)}, {period}"),))

    def _no_longer_staff(self, row: Rolle) -> Gate | None:
        """Somebody who is not fagperson any more keeps their roles for the days of grace."""
        if row.er_fagperson is not False:
            return None
        since = self._not_staff_since.get(row.person, self._today)
        end = since + timedelta(days=self._people.staff_grace_days)
        facts = (("since", since.isoformat()), ("until", end.isoformat()))
        if self._today >= end:
            return Gate("no-longer-staff", Reason.NO_LONGER_STAFF, facts)
        self._gathering.ledger.decide(KIND, row.person, "staff-grace", *facts, allowed=True)
        return None


def not_staff_since(decisions: Iterable[Decision]) -> dict[str, date]:
    """Since when people are not fagperson any more, out of the decisions of earlier runs, by personlopenummer."""
    return {
        decision.subject: date.fromisoformat(value)
        for decision in decisions
        if decision.rule in {"staff-grace", "no-longer-staff"}
        for name, value in decision.facts
        if name == "since"
    }
