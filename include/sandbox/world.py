"""The one world behind all the sandbox's services: a university, Canvas, a college, CourseKey, faults, mail."""

from __future__ import annotations

import threading
from dataclasses import dataclass, replace
from datetime import UTC, date, datetime
from typing import TYPE_CHECKING, Any

from sandbox.canvas.state import Canvas
from sandbox.college import day_of_change as college_day
from sandbox.college.generate import generate as generate_college
from sandbox.college.generate import size_of as college_size_of
from sandbox.coursekey.attendance import attend
from sandbox.coursekey.state import CourseKey
from sandbox.faults import Faults
from sandbox.mail import Mailbox
from sandbox.university import day_of_change
from sandbox.university.generate import generate

if TYPE_CHECKING:
    from collections.abc import Callable

    from sandbox.college.records import College
    from sandbox.university.model import University

DIALECTS = ("2026", "2023")
TERMS = ("VAR", "SOM", "HOST")


class InvalidSetting(ValueError):
    """A setting no world can be made from; the message is a sentence that names it and what is allowed."""


@dataclass(frozen=True, slots=True)
class Settings:
    """What a world is made from: the same settings give the same university and the same college.

    ``term`` and ``year`` are the term in force, ``term`` spelt as FS takes it (VAR, SOM, HOST). ``dialect``
    is the one served at ``/fs/graphql``. ``college`` is the size of the college, which is always in the fall of
    ``year``; that begins on the day ``college_begins``, or in August when it is empty.
    """

    seed: int = 1
    size: str = "demo"
    dialect: str = "2026"
    year: int = 2026
    term: str = "HOST"
    college: str = "demo"
    college_begins: str = ""

    def __post_init__(self) -> None:
        """Refuse what cannot be served. Raises InvalidSetting."""
        if not _is_whole(self.seed):
            raise InvalidSetting(f"seed must be a whole number, not {self.seed!r}.")
        if not isinstance(self.size, str):
            raise InvalidSetting(f"size must be a text such as demo, not {self.size!r}.")
        if self.dialect not in DIALECTS:
            raise InvalidSetting(f"dialect must be one of {', '.join(DIALECTS)}, as a text, not {self.dialect!r}.")
        if not _is_whole(self.year) or not 2000 <= self.year <= 2100:
            raise InvalidSetting(f"year must be a whole number from 2000 to 2100, not {self.year!r}.")
        if self.term not in TERMS:
            raise InvalidSetting(f"term must be one of {', '.join(TERMS)}, not {self.term!r}.")
        if not isinstance(self.college, str):
            raise InvalidSetting(f"college must be a text such as demo, not {self.college!r}.")
        try:
            college_size_of(self.college)
        except ValueError as error:
            raise InvalidSetting(str(error)) from error
        if self.college_begins:
            _day("college_begins", self.college_begins)


def _day(name: str, value: object) -> date:
    try:
        return date.fromisoformat(str(value))
    except ValueError as error:
        raise InvalidSetting(f"{name} must be a date, YYYY-MM-DD, or empty, not {value!r}.") from error


def _is_whole(value: object) -> bool:
    return isinstance(value, int) and not isinstance(value, bool)


def utc_now() -> datetime:
    """The real time, aware, in UTC."""
    return datetime.now(UTC)


class World:
    """All state of one sandbox.

    ``university``, ``canvas``, ``college`` and ``coursekey`` are replaced as a whole by a reset: a service reads
    them from here at each request and keeps to what it read until that request is answered. The college is made
    when it is first asked for. ``lock`` holds resets and days of change apart.
    """

    university: University
    canvas: Canvas
    coursekey: CourseKey
    _college: College | None

    def __init__(self, settings: Settings | None = None, *, now: Callable[[], datetime] = utc_now) -> None:
        settings = settings or Settings()
        self.lock = threading.RLock()
        self.now = now
        self.faults = Faults(settings.seed)
        self.mailbox = Mailbox(now)
        self._build(settings)

    @property
    def dialect(self) -> str:
        """The dialect that ``/fs/graphql`` serves: 2026 or 2023."""
        return self.settings.dialect

    def reset(
        self,
        seed: int | None = None,
        size: str | None = None,
        dialect: str | None = None,
        year: int | None = None,
        term: str | None = None,
        college: str | None = None,
        college_begins: str | None = None,
    ) -> None:
        """Make the world anew: a fresh university and college, an untouched Canvas and CourseKey, no faults, no mail.

        What is not given stays as it was. Raises InvalidSetting, and then the old world goes on unharmed.
        """
        given: dict[str, Any] = {"seed": seed, "size": size, "dialect": dialect, "year": year, "term": term}
        given |= {"college": college, "college_begins": college_begins}
        changes = {name: value for name, value in given.items() if value is not None}
        with self.lock:
            settings = replace(self.settings, **changes)
            former = self.canvas
            self._build(settings)
            former.close()
            self.faults.restart(settings.seed)
            self.mailbox.clear()

    def play_day_of_change(self) -> list[str]:
        """Let a day pass at the university; returns what changed, in words."""
        with self.lock:
            return day_of_change.play(self.university)

    @property
    def college(self) -> College:
        """What Campus Cafe knows."""
        with self.lock:
            if self._college is None:
                made_from = self.settings
                begins = _day("college_begins", made_from.college_begins) if made_from.college_begins else None
                self._college = generate_college(made_from.seed, made_from.college, made_from.year, self.now, begins)
            return self._college

    def attend(self, first: date, last: date) -> int:
        """Let students attend the sessions of some days in CourseKey, both included; return how many are new."""
        return attend(self.coursekey, first, last, self.now(), self.settings.seed)

    def play_college_day(self) -> list[str]:
        """Let a day pass at the college; returns what changed, in words."""
        with self.lock:
            return college_day.play(self.college)

    def close(self) -> None:
        """Stop what runs in the background."""
        self.canvas.close()

    def _build(self, settings: Settings) -> None:
        try:
            university = generate(settings.seed, settings.size, settings.year, settings.term)
        except ValueError as error:
            raise InvalidSetting(str(error)) from error
        self.settings, self.university = settings, university
        self.canvas = Canvas(faults=self.faults, now=self.now)
        self._college = None
        self.coursekey = CourseKey()
