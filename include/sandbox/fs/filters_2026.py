"""The filters of the 2026 dialect: each member of a filter input makes a test of a row; a row must pass all.

A member with the value null does not filter. A member the sandbox has no data for is answered with an error rather than
ignored. Source: FS reference, section 4; fs-2026-shapes, filter inputs.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import date
from operator import attrgetter
from typing import TYPE_CHECKING, Any

from sandbox.fs import keys
from sandbox.fs.errors import IllegalArgumentError
from sandbox.university.model import Semester, Terminkode

if TYPE_CHECKING:
    from sandbox.fs.index import Index
    from sandbox.university.model import Emne, Navn, Organisasjonsenhet, Periode

Test = Callable[[Any], bool]
Filter = Callable[[Any, "Index"], Test]
Filters = Mapping[str, Filter]


def tests(filters: Filters, given: Mapping[str, Any] | None, index: Index) -> Test | None:
    """Return the one test that a filter input asks for, None when every row passes.

    Raises IllegalArgumentError for a member without data, an id of another type and a text that is no date.
    """
    made: list[Test] = []
    for name, value in (given or {}).items():
        if value is None:
            continue
        if name not in filters:
            raise IllegalArgumentError(f"The sandbox has no data to filter by {name}")
        made.append(filters[name](value, index))
    if not made:
        return None
    if len(made) == 1:
        return made[0]
    return lambda row: all(test(row) for test in made)


def anything(_value: object, _index: Index) -> Test:
    """Every row passes: the owner is looked at before any row is."""
    return lambda _row: True


def among(path: str) -> Filter:
    """A row's attribute, or one of an attribute's, is the value, or one of the values of a list."""
    get = attrgetter(path)

    def make(value: Any, _index: Index) -> Test:
        allowed = set(value) if isinstance(value, list) else {value}
        return lambda row: get(row) in allowed

    return make


def _name_holds(value: str, _index: Index) -> Test:
    wanted = value.casefold()

    def holds(row: Any) -> bool:
        navn: Navn = row.navn
        return any(wanted in name.casefold() for name in (navn.nb, navn.nn, navn.en) if name)

    return holds


def _code_starts(value: str, _index: Index) -> Test:
    return lambda row: bool(row.kode.startswith(value))


def semester_of(value: Mapping[str, Any], betegnelse: str = "betegnelse") -> Semester:
    """Return the term of a year and a code as inputs give them."""
    return Semester(value["arstall"], Terminkode[value[betegnelse]])


def term_ids(values: list[str], _index: Index) -> Test:
    """A row's term is one of those named by id."""
    wanted = {keys.decode_id(value, keys.TERMIN)[1:] for value in values}
    return lambda row: (row.semester.arstall, row.semester.kode.value) in wanted


# Terms: the rows are Semester values.


def _term_codes(values: list[str], _index: Index) -> Test:
    wanted = {keys.decode_id(value, keys.TERMINBETEGNELSE)[1] for value in values}
    return lambda semester: semester.kode.value in wanted


TERMINER: Filters = {
    "eierOrganisasjonskode": anything,
    "arstall": among("arstall"),
    "terminbetegnelser": _term_codes,
}


# Units


def _organisation(value: str, index: Index) -> Test:
    own = index.is_owner(value)
    return lambda _unit: own


def _organisation_ids(values: list[str], index: Index) -> Test:
    own = (index.institution,) in {keys.decode_id(value, keys.ORGANISASJON) for value in values}
    return lambda _unit: own


def _faculties(values: list[str], _index: Index) -> Test:
    numbers = {keys.decode_id(value, keys.FAKULTET)[1] for value in values}
    return lambda unit: unit.fakultetsnummer in numbers


def _institute_codes(values: list[str], _index: Index) -> Test:
    return lambda unit: str(unit.instituttnummer) in values


def _levels(values: list[str], _index: Index) -> Test:
    return lambda unit: unit.niva.value in values


def _free_text(value: Mapping[str, str], _index: Index) -> Test:
    wanted, language = value["freetext"].casefold(), value["sprak"].lower()

    def holds(unit: Organisasjonsenhet) -> bool:
        name = getattr(unit.navn, language, None)
        return name is not None and wanted in name.casefold()

    return holds


def _responsible(name: str) -> Callable[[bool, Index], Test]:
    def make(value: bool, index: Index) -> Test:
        units = index.responsible[name]
        return lambda unit: (unit in units) is value

    return make


ORGANISASJONSENHETER: Filters = {
    "eierOrganisasjonskode": anything,
    "organisasjonskode": _organisation,
    "erAktiv": among("er_aktiv"),
    "skalEksporteresTilLms": among("skal_eksporteres"),
    "fakulteter": _faculties,
    "instituttkode": _institute_codes,
    "organisasjoner": _organisation_ids,
    "organisasjonsnivaer": _levels,
    "freeText": _free_text,
    **{
        name: _responsible(name)
        for name in (
            "harAdministrativtansvarForEmner",
            "harStudieansvarForEmner",
            "harStudieansvarForStudieprogrammer",
        )
    },
}


# Emner and their teaching


def not_expired(semester: Semester) -> Test:
    """Return the test of an emne that has not expired in a term."""
    return lambda emne: emne.siste_termin is None or semester <= emne.siste_termin


def _not_expired_in(value: Mapping[str, Any], _index: Index) -> Test:
    return not_expired(semester_of(value, "terminbetegnelse"))


def _active(value: str, index: Index) -> Test:
    active = not_expired(index.university.semester)
    return active if value == "AKTIV" else lambda emne: not active(emne)


def _owned_by(attribute: str) -> Callable[[list[str], Index], Test]:
    """An emne's unit is one of those named, or lies below one."""

    def make(values: list[str], index: Index) -> Test:
        wanted = {keys.decode_id(value, keys.ORGANISASJONSENHET) for value in values}

        def owned(emne: Emne) -> bool:
            unit: Organisasjonsenhet | None = getattr(emne, attribute)
            while unit is not None:
                if keys.ORGANISASJONSENHET.columns(index.institution, unit) in wanted:
                    return True
                unit = unit.parent
            return False

        return owned

    return make


EMNER: Filters = {
    "eierOrganisasjonskode": anything,
    "emnekoder": among("kode"),
    "emnekodeStartsWith": _code_starts,
    "emnenavnContains": _name_holds,
    "ikkeUtloptITermin": _not_expired_in,
    "tjenestenummerForLms": among("tjenestenummer"),
    "aktivstatus": _active,
    "organisasjonenheterMedAdministrativtansvar": _owned_by("administrativt_ansvarlig"),
    "organisasjonenheterMedStudieansvar": _owned_by("studieansvarlig"),
}


def _from_term(value: Mapping[str, Any], _index: Index) -> Test:
    first = semester_of(value)
    return lambda ue: first <= ue.semester


def _in_terms(values: list[Mapping[str, Any] | None], _index: Index) -> Test:
    wanted = {semester_of(value) for value in values if value is not None}
    return lambda ue: ue.semester in wanted


UNDERVISNINGSENHETER: Filters = {
    "skalEksporteresTilLms": among("skal_eksporteres"),
    "termin": _from_term,
    "terminkoder": _in_terms,
    "terminer": term_ids,
    "terminnumre": among("terminnummer"),
}

UNDERVISNINGSAKTIVITETER: Filters = {"skalEksporteresTilLms": among("skal_eksporteres")}


# Study programmes

STUDIEPROGRAM: Filters = {
    "eierOrganisasjonskode": anything,
    "erAktiv": among("er_aktiv"),
    "skalEksporteresTilLms": among("skal_eksporteres"),
    "studieprogramkodeStartsWith": _code_starts,
    "studieprogramnavnContains": _name_holds,
}

KULL: Filters = {"erAktiv": among("er_aktiv"), "terminer": term_ids}

KLASSER: Filters = {"erAktiv": among("er_aktiv"), "skalEksporteresTilLms": among("skal_eksporteres")}


# Further education


def day_of(text: str | None) -> date | None:
    """Return the day a text names. Raises IllegalArgumentError for any other text."""
    try:
        return None if text is None else date.fromisoformat(text)
    except ValueError as error:
        raise IllegalArgumentError(f"{text} is not a valid date") from error


def overlaps(value: Mapping[str, str | None], _index: Index) -> Test:
    """A row's period and the given one share a day; an open end is endless."""
    first, last = day_of(value.get("fraDato")), day_of(value.get("tilDato"))

    def overlap(row: Any) -> bool:
        periode: Periode = row.periode
        begins_late = last is not None and periode.fra is not None and periode.fra > last
        ends_early = first is not None and periode.til is not None and periode.til < first
        return not begins_late and not ends_early

    return overlap


def _reporting_year(value: int, _index: Index) -> Test:
    return lambda kurs: kurs.periode.fra is not None and kurs.periode.fra.year == value


EVU_KURS: Filters = {
    "eierOrganisasjonskode": anything,
    "erAktiv": among("er_aktiv"),
    "skalEksporteresTilLms": among("skal_eksporteres"),
    "rapporteringsar": _reporting_year,
    "tidsangivelse": among("tidsangivelse"),
    "tilbysInnenforPeriode": overlaps,
    "tjenestenummerForLms": among("tjenestenummer"),
}
