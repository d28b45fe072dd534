"""What the rules may look up in the mirror of Campus Cafe."""

from __future__ import annotations

from typing import Protocol

from rosterflow.domain.coursekey.campus import Person, Registration, Section, SectionKey, Semester, Teaching


class Campus(Protocol):
    """The college as Campus Cafe told it last; a look-up gives nothing for what it does not have, or not any more."""

    def semester(self, code: str) -> Semester | None:
        """The semester with a code."""

    def section(self, key: SectionKey) -> Section | None:
        """The section with a name."""

    def person(self, person_id: str) -> Person | None:
        """The person with a Campus Cafe ID."""

    def registration(self, key: SectionKey, person_id: str) -> Registration | None:
        """A student's registration in a section, whatever its standing."""

    def teaching(self, key: SectionKey, person_id: str) -> Teaching | None:
        """A member of staff in a section, removed or not."""
