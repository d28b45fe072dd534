"""Who `brukere` answers: everybody who is in one of the groups asked for, that is, passes all the group's filters.

Source: FS reference, section 4.9. FS asks for students on emner by their applications; here everybody who has a right
to follow teaching applied for it, was offered it and took it, and everybody on an EVU course likewise.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from operator import attrgetter
from typing import TYPE_CHECKING, Any

from sandbox.fs import people_filters_2026 as filters
from sandbox.fs.filters_2026 import Filters, among, overlaps, term_ids, tests
from sandbox.fs.people_filters_2026 import Kind, of

if TYPE_CHECKING:
    from sandbox.fs.index import Index
    from sandbox.university.people import Person

Find = Callable[[Mapping[str, Any], "Index"], Iterable["Person"]]

TAKEN_UP = frozenset({"INNVILGET", "TAKKET_JA", "MOTT"})


def _behind(kind: Kind, path: str, more: Filters | None = None) -> Find:
    """The persons behind the rows of a kind, where `path` leads from a row to its person."""
    person = attrgetter(path)
    about = {**kind.about, **(more or {})}

    def find(given: Mapping[str, Any], index: Index) -> Iterable[Person]:
        below = {name: value for name, value in given.items() if name in about and value is not None}
        rows = index.people.chosen(kind.rows, below, tests(about, below, index))
        rest = {name: value for name, value in given.items() if name not in about}
        found = filter(tests(kind.own, rest, index), rows.after(None))
        return (person(row) for row in found)

    return find


def _registered(given: Mapping[str, Any], index: Index) -> Iterable[Person]:
    test = tests(_REGISTRATION, given, index)
    for person in index.people.personer.rows:
        registrations = person.student.semesterregistreringer if person.student else ()
        if any(map(test, registrations) if test else registrations):
            yield person


def _staff(given: Mapping[str, Any], index: Index) -> Iterable[Person]:
    test = tests({"erAktiv": among("er_aktiv")}, given, index)
    staff = (person.fagperson for person in index.people.personer.rows if person.fagperson)
    return (each.person for each in filter(test, staff))


def _nobody(_given: Mapping[str, Any], _index: Index) -> Iterable[Person]:
    """The university has no roles on timetables or EVU activities."""
    return ()


_REGISTRATION: Filters = {
    "terminer": term_ids,
    "erRegistrert": among("er_registrert"),
    "harBetalt": among("har_betalt"),
    "ugyldiggjort": among("er_ugyldiggjort"),
}
_OFFERED: Filters = {
    "fattTilbud": lambda value, _index: lambda _ue: value is True,
    "takketNei": lambda value, _index: lambda _ue: value is False,
    "ikkeMott": lambda value, _index: lambda _ue: value is False,
}
_ADMITTED: Filters = {"soknadsstatuser": lambda values, _index: lambda _kurs: not TAKEN_UP.isdisjoint(values)}
_KULL_NUMBER: Filters = {"tjenestenummerForLms": of("kull", among("tjenestenummer"))}
_HOLDER = "fagperson.person"

GROUPS: Mapping[str, Find] = {
    "emneSoknadFilter": _behind(filters.EMNE_STUDIERETTER, "student.person", _OFFERED),
    "emnerolleFilter": _behind(filters.EMNEROLLER, _HOLDER),
    "evuKursaktivitetsrolleFilter": _nobody,
    "evuKursrolleFilter": _behind(filters.EVU_KURSROLLER, _HOLDER),
    "fagpersonfilter": _staff,
    "klasserolleFilter": _behind(filters.KLASSEROLLER, _HOLDER),
    "kullrolleFilter": _behind(filters.KULLROLLER, _HOLDER),
    "kursSoknadfilter": _behind(filters.EVU_KURSDELTAKELSER, "deltaker.person", _ADMITTED),
    "programStudierettfilter": _behind(
        Kind("programretter", filters.PROGRAM_STUDIERETTER.about, {"erAktivInnenforPeriode": overlaps, **_KULL_NUMBER}),
        "student.person",
    ),
    "semesterregistreringFilter": _registered,
    "studieprogramrolleFilter": _behind(filters.STUDIEPROGRAMROLLER, _HOLDER),
    "timeplanrolleFilter": _nobody,
    "undervisningsaktivitetsrolleFilter": _behind(
        filters.UNDERVISNINGSAKTIVITETSROLLER, _HOLDER, {"terminer": of("enhet", filters.term_codes())}
    ),
    "undervisningsenhetsrolleFilter": _behind(
        filters.UNDERVISNINGSENHETSROLLER, _HOLDER, {"terminer": filters.term_codes()}
    ),
}


def in_any(groups: Iterable[Mapping[str, Any] | None], index: Index) -> set[Person]:
    """Return everybody who is in one of the groups. Raises IllegalArgumentError for a filter without data."""
    found: set[Person] = set()
    for group in groups:
        asked = [GROUPS[name](given, index) for name, given in (group or {}).items() if given is not None]
        if asked:
            found.update(set.intersection(*map(set, asked)))
    return found
