"""A university's rows, sorted for paging, as they were at one of its revisions."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Hashable
from functools import cached_property
from typing import TYPE_CHECKING, Any, TypeVar

from sandbox.fs import keys
from sandbox.fs.ordering import Ordered, Sorted
from sandbox.fs.people_index import People

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    from sandbox.fs.keys import Key
    from sandbox.university.model import Emne, Organisasjonsenhet, Semester, Undervisningsenhet, University

Row = TypeVar("Row")


class Index:
    """The rows of one university at one revision. Nested lists are sorted when first asked for."""

    def __init__(self, university: University) -> None:
        with university.lock:
            self.university = university
            self.institution = university.institusjonsnummer
            self.revision = university.revision
            self.today = university.today
            self.enheter = self._sorted(university.enheter, keys.ORGANISASJONSENHET)
            self.emner = self._sorted(university.emner, keys.EMNE)
            self.studieprogram = self._sorted(university.studieprogram, keys.STUDIEPROGRAM)
            self.evukurs = self._sorted(university.evukurs, keys.EVU_KURS)
            self.terminer = self._sorted((row.semester for row in university.terminer), keys.TERMIN)
            self.studiesemester = {row.semester: row.studiesemester for row in university.terminer}
        self._nested: dict[Hashable, Sorted[Any]] = {}
        self._orders: dict[Hashable, Sorted[Any]] = {}

    def _sorted(self, rows: Iterable[Row], key: Key[Row]) -> Sorted[Row]:
        return Sorted(rows, key, self.institution)

    def is_current(self, university: University) -> bool:
        """Tell whether these are still that university's rows."""
        return self.university is university and self.revision == university.revision

    def is_owner(self, number: str) -> bool:
        """Tell whether a number, padded with zeros or not, is this institution's."""
        return number.strip().lstrip("0") == str(self.institution)

    def nested(self, name: str, parent: Hashable, rows: Callable[[], Iterable[Row]], key: Key[Row]) -> Sorted[Row]:
        """Return the rows below a parent, sorted; `name` tells a parent's lists apart."""
        found = self._nested.get((name, parent))
        if found is None:
            found = self._nested[name, parent] = self._sorted(rows(), key)
        return found

    def ordered(self, name: Hashable, rows: Ordered[Row], key: Key[Row], *, descending: bool) -> Sorted[Row]:
        """Return rows in another order; `name` tells orders apart."""
        found = self._orders.get((name, descending))
        if found is None:
            found = Sorted(rows.rows, key, self.institution, descending=descending)
            self._orders[name, descending] = found
        return found

    @cached_property
    def people(self) -> People:
        """The people and what they do, sorted when first asked for."""
        return People(self)

    @cached_property
    def places(self) -> dict[tuple[int, int, int], Organisasjonsenhet]:
        """The units by their faculty, institute and group number."""
        return {(unit.fakultetsnummer, unit.instituttnummer, unit.gruppenummer): unit for unit in self.enheter.rows}

    @cached_property
    def _followers(self) -> dict[tuple[Emne, Semester, int], list[Emne]]:
        followers = defaultdict(list)
        for emne in self.emner.rows:
            for ue in emne.undervisningsenheter:
                if ue.folger is not None:
                    followers[ue.folger, ue.semester, ue.terminnummer].append(emne)
        return followers

    def followers(self, ue: Undervisningsenhet) -> list[Emne]:
        """Return the emner whose teaching in the same term and terminnummer follows this one's."""
        return self._followers.get((ue.emne, ue.semester, ue.terminnummer), [])

    @cached_property
    def responsible(self) -> dict[str, set[Organisasjonsenhet]]:
        """The units with administrative or study responsibility for emner, or responsibility for programmes."""
        rows = {
            "harAdministrativtansvarForEmner": (emne.administrativt_ansvarlig for emne in self.emner.rows),
            "harStudieansvarForEmner": (emne.studieansvarlig for emne in self.emner.rows),
            "harStudieansvarForStudieprogrammer": (each.studieansvarlig for each in self.studieprogram.rows),
        }
        return {name: {unit for unit in units if unit is not None} for name, units in rows.items()}
