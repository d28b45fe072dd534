"""Terms: their dates, and the ones Canvas needs.

Source: issue 2 §2.4 (Terms); FS reference §4.10 (terminer).
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable
from datetime import date, datetime

from rosterflow.domain.decisions import RowProblem
from rosterflow.domain.errors import Code
from rosterflow.domain.fs.rows import Termin
from rosterflow.domain.mapping.draft import Draft, Facts
from rosterflow.domain.model import Key, Kind, Origin, SourceKind, Term
from rosterflow.domain.naming import term_name
from rosterflow.domain.windows import Semester, calendar_days, day_end, day_start, grace


class Terms:
    """The terms of one read; remembers which of them courses lie in."""

    def __init__(self, draft: Draft, rows: Iterable[Termin]) -> None:
        self._draft = draft
        self._rows: dict[Semester, list[Termin]] = defaultdict(list)
        self._used: set[Semester] = set()
        for row in rows:
            self._rows[row.semester].append(row)

    def use(self, semester: Semester) -> str:
        """The SIS id of a term in which a course lies."""
        self._used.add(semester)
        return semester.sis_id

    def start(self, semester: Semester) -> datetime:
        """The instant a term begins: local midnight of its first day."""
        return day_start(self._days(semester)[0], self._draft.institution.zone)

    def end(self, semester: Semester) -> datetime:
        """The instant a term ends: the last second of its last day and the days of grace."""
        last = grace(self._days(semester)[1], self._draft.institution.terms)
        return day_end(last, self._draft.institution.zone)

    def are_dates_known(self, semester: Semester) -> bool:
        """Whether the dates of a term are those that FS has, if it has any: its row was not lost."""
        has_terms = self._draft.institution.fs.dialect != "2023"
        return self._draft.is_whole or semester in self._rows or not has_terms

    def _days(self, semester: Semester) -> tuple[date, date]:
        first, last = calendar_days(semester, self._draft.institution.terms)
        match self._rows.get(semester):
            case [row]:
                return row.fra_dato or first, row.til_dato or last
            case _:
                return first, last

    def map(self) -> None:
        """Ask for the terms of the scope and those that courses lie in; call it when all courses have asked."""
        scope = self._draft.terms
        for semester in scope | self._used:
            rule = "term-in-scope" if semester in scope else "term-needed"
            match self._rows.get(semester, []):
                case [row]:
                    self._want(semester, row.subject, rule)
                case rows:
                    self._contradicted(rows)
                    self._want(
                        semester, f"{semester.arstall} {semester.betegnelse.kode} (calendar)", "term-by-calendar"
                    )
        for semester in self._rows.keys() - scope - self._used:
            for row in self._rows[semester]:
                self._draft.refuse(row.source, row.subject, "term-not-needed", (), Key(Kind.TERM, semester.sis_id))

    def _want(self, semester: Semester, subject: str, rule: str) -> None:
        key = Key(Kind.TERM, semester.sis_id)
        known = self._draft.confirmed.get(key)
        facts: Facts = ()
        term = Term(
            sis_id=semester.sis_id,
            name=term_name(semester, self._draft.names),
            start=self.start(semester),
            end=self.end(semester),
            origin=Origin(SourceKind.TERMIN, semester.sis_id),
        )
        if isinstance(known, Term) and (key in self._draft.protected or not self._gets_dates(semester)):
            term, facts = known, (("confirmed", "true"),)
        self._draft.want(SourceKind.TERMIN, (subject,), (term,), rule, facts)

    def _gets_dates(self, semester: Semester) -> bool:
        """Whether a term that Canvas has is to have our dates."""
        return self._draft.institution.canvas.owns_term_dates and self.are_dates_known(semester)

    def _contradicted(self, rows: list[Termin]) -> None:
        for row in rows:
            key = Key(Kind.TERM, row.semester.sis_id)
            self._draft.refuse(row.source, row.subject, "id-collision", (), key)
            self._draft.protect(key)
        if rows:
            message = f"The term {rows[0].subject} has {len(rows)} rows with different dates: none of them is used."
            self._draft.problem(RowProblem(Code.ID_COLLISION, SourceKind.TERMIN, rows[0].subject, "", message))
