"""The people of a university and what they do, sorted for paging, as they were at one of its revisions."""

from __future__ import annotations

import json
from collections import defaultdict
from functools import cached_property
from itertools import chain
from typing import TYPE_CHECKING, Any

from sandbox.fs import keys, people_keys
from sandbox.fs.ordering import Grouped, Sorted

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping, Sequence

    from sandbox.fs.index import Index
    from sandbox.fs.keys import ChildKey, Key
    from sandbox.university.people import EmneStudierett, Person, Personrolle, ProgramStudierett, Student

KEPT_CHOICES = 512


class People:
    """The people's rows of an index; each kind is sorted when it is first asked for."""

    def __init__(self, index: Index) -> None:
        self._index = index
        self._choices: dict[tuple[str, str], Grouped[Any]] = {}
        self._users: dict[str, set[Person]] = {}

    def _sorted(self, rows: Iterable[Any], key: Key[Any]) -> Sorted[Any]:
        return Sorted(rows, key, self._index.institution)

    def chosen(self, name: str, given: Mapping[str, Any], holds: Callable[[Any], bool] | None) -> Grouped[Any]:
        """Return the rows of one kind below the owners that pass a test; `given` is the filter the test was made of."""
        rows: Grouped[Any] = getattr(self, name)
        if holds is None:
            return rows
        choice = name, json.dumps(given, sort_keys=True)
        found = self._choices.get(choice)
        if found is None:
            if len(self._choices) >= KEPT_CHOICES:
                self._choices.clear()
            found = self._choices[choice] = rows.within(holds)
        return found

    def users(self, groups: Sequence[Any], find: Callable[[Sequence[Any], Index], set[Person]]) -> set[Person]:
        """Return who is in the groups of a filter, found once."""
        asked = json.dumps(groups, sort_keys=True)
        found = self._users.get(asked)
        if found is None:
            if len(self._users) >= KEPT_CHOICES:
                self._users.clear()
            found = self._users[asked] = find(groups, self._index)
        return found

    @cached_property
    def personer(self) -> Sorted[Person]:
        """Everybody whom FS shows, the dead too."""
        shown = (person for person in self._index.university.personer if not person.er_skjult)
        return self._sorted(shown, people_keys.PERSON)

    @cached_property
    def teaching(self) -> Sorted[Any]:
        """All undervisningsenheter."""
        rows = (ue for emne in self._index.emner.rows for ue in emne.undervisningsenheter)
        return self._sorted(rows, keys.UNDERVISNINGSENHET)

    @cached_property
    def activities(self) -> Sorted[Any]:
        """All undervisningsaktiviteter."""
        return self._sorted((ua for ue in self.teaching.rows for ua in ue.aktiviteter), keys.UNDERVISNINGSAKTIVITET)

    @cached_property
    def kull(self) -> Sorted[Any]:
        """All kull."""
        return self._sorted((kull for row in self._index.studieprogram.rows for kull in row.kull), keys.KULL)

    @cached_property
    def klasser(self) -> Sorted[Any]:
        """All klasser."""
        return self._sorted((klasse for kull in self.kull.rows for klasse in kull.klasser), keys.KLASSE)

    @cached_property
    def emneretter(self) -> Grouped[EmneStudierett]:
        """The rights to follow teaching."""
        return Grouped(self.teaching, lambda ue: ue.studieretter, people_keys.EMNE_STUDIERETT)

    @cached_property
    def plasseringer(self) -> Grouped[Any]:
        """The places in groups."""
        return Grouped(self.activities, lambda ua: ua.plasseringer, people_keys.PLASSERING)

    @cached_property
    def programretter(self) -> Grouped[ProgramStudierett]:
        """The rights to programmes."""
        return Grouped(self._index.studieprogram, lambda row: row.studieretter, people_keys.PROGRAM_STUDIERETT)

    @cached_property
    def medlemskap(self) -> Grouped[Any]:
        """The places in klasser."""
        return Grouped(self.klasser, lambda klasse: klasse.medlemmer, people_keys.KLASSEMEDLEMSKAP)

    @cached_property
    def deltakelser(self) -> Grouped[Any]:
        """The places on EVU courses."""
        return Grouped(self._index.evukurs, lambda kurs: kurs.deltakelser, people_keys.EVU_KURSDELTAKELSE)

    @staticmethod
    def _roles(places: Sorted[Any], key: ChildKey[Personrolle]) -> Grouped[Personrolle]:
        return Grouped(places, lambda place: place.personroller, key)

    @cached_property
    def enhetsroller(self) -> Grouped[Personrolle]:
        """The roles on units."""
        return self._roles(self._index.enheter, people_keys.ENHETSROLLE)

    @cached_property
    def emneroller(self) -> Grouped[Personrolle]:
        """The roles on emner."""
        return self._roles(self._index.emner, people_keys.EMNEROLLE)

    @cached_property
    def undervisningsenhetsroller(self) -> Grouped[Personrolle]:
        """The roles on undervisningsenheter."""
        return self._roles(self.teaching, people_keys.UNDERVISNINGSENHETSROLLE)

    @cached_property
    def undervisningsaktivitetsroller(self) -> Grouped[Personrolle]:
        """The roles on undervisningsaktiviteter."""
        return self._roles(self.activities, people_keys.UNDERVISNINGSAKTIVITETSROLLE)

    @cached_property
    def studieprogramroller(self) -> Grouped[Personrolle]:
        """The roles on programmes."""
        return self._roles(self._index.studieprogram, people_keys.STUDIEPROGRAMROLLE)

    @cached_property
    def kullroller(self) -> Grouped[Personrolle]:
        """The roles on kull."""
        return self._roles(self.kull, people_keys.KULLROLLE)

    @cached_property
    def klasseroller(self) -> Grouped[Personrolle]:
        """The roles on klasser."""
        return self._roles(self.klasser, people_keys.KLASSEROLLE)

    @cached_property
    def evukursroller(self) -> Grouped[Personrolle]:
        """The roles on EVU courses."""
        return self._roles(self._index.evukurs, people_keys.EVU_KURSROLLE)

    @cached_property
    def rights_of(self) -> Mapping[Student, list[EmneStudierett]]:
        """Each student's rights to follow teaching."""
        return _by_student(chain.from_iterable(ue.studieretter for ue in self.teaching.rows))

    @cached_property
    def programmes_of(self) -> Mapping[Student, list[ProgramStudierett]]:
        """Each student's rights to programmes."""
        return _by_student(chain.from_iterable(row.studieretter for row in self._index.studieprogram.rows))


def _by_student(rows: Iterable[Any]) -> Mapping[Student, list[Any]]:
    found: dict[Student, list[Any]] = defaultdict(list)
    for row in rows:
        found[row.student].append(row)
    return found
