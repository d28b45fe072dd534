"""An entity before the rules of the queue: what they look up about it, and how they answer."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date
from functools import cached_property

from rosterflow.domain.coursekey.campus import Person, Registration, Section, Teaching
from rosterflow.domain.coursekey.college import College
from rosterflow.domain.coursekey.queue import Entity, EntryKind, EntryState, Verdict
from rosterflow.domain.coursekey.view import Campus
from rosterflow.domain.coursekey.windows import Window, course_window, enrollment_window


@dataclass(frozen=True)
class Case:
    """An entity, and what the rules look up about it."""

    entity: Entity
    college: College
    campus: Campus
    today: date
    forced: bool
    is_there: bool

    @cached_property
    def section(self) -> Section | None:
        """The section it is about."""
        key = self.entity.section_key
        return self.campus.section(key) if key else None

    @cached_property
    def registration(self) -> Registration | None:
        """The person's registration in the section."""
        key = self.entity.section_key
        return self.campus.registration(key, self.entity.person) if key and self.entity.person else None

    @cached_property
    def teaching(self) -> Teaching | None:
        """The person's place among the section's staff."""
        key = self.entity.section_key
        return self.campus.teaching(key, self.entity.person) if key and self.entity.person else None

    @cached_property
    def person(self) -> Person | None:
        """The person it is about."""
        return self.campus.person(self.entity.person) if self.entity.person else None

    @cached_property
    def window(self) -> Window | None:
        """The days on which it is sent, when the section has its dates."""
        if self.section is None:
            return None
        settings = self.college.coursekey
        if self.entity.kind is EntryKind.ENROLLMENT:
            return enrollment_window(settings, self.section, self.registration)
        return course_window(settings, self.section)

    @property
    def site(self) -> str:
        """The course site that decides about the school."""
        return self.section.site if self.section else self.entity.site


def say(state: EntryState, rule: str, reason: str, *facts: tuple[str, str], opens_on: date | None = None) -> Verdict:
    """What a rule answers, with the facts it decided on."""
    return Verdict(state, rule, reason, opens_on, facts)


def skip(rule: str, reason: str, *facts: tuple[str, str]) -> Verdict:
    """It is not to be sent."""
    return say(EntryState.SKIPPED, rule, reason, *facts)


def fail(rule: str, reason: str, *facts: tuple[str, str]) -> Verdict:
    """It cannot be sent before somebody mends what the reason names."""
    return say(EntryState.FAILED, rule, reason, *facts)
