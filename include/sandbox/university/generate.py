"""Makes the university of a seed and a size: the same seed, size, year and term give the same university."""

from __future__ import annotations

import random
from dataclasses import dataclass
from datetime import date

from sandbox.sizes import size_named
from sandbox.university import awkward, awkward_people, population, programmes, staffing, studies, teaching, units
from sandbox.university.model import Periode, Semester, Termin, Terminkode, University
from sandbox.university.vocabulary import INSTITUTION

INSTITUTION_NUMBER = 184


@dataclass(frozen=True, slots=True)
class Size:
    """How much of each kind is generated, before the few awkward rows.

    `undervises` of the emner are taught. `aktiviteter` is the mean per undervisningsenhet in tenths, `egne_rom` the
    percentage of them that ask for a room of their own, `kull` are per programme, `klasser` the mean per kull.
    `studenter`, `ansatte` and `kursdeltakere` are persons; a student follows `emnevalg` emner a term (mean, in tenths),
    and `deltakelser` of the participants take each EVU course.
    `vanskelig` (0 or 1) says whether the awkward rows are added.
    """

    fakulteter: int
    institutter: int
    grupper: int
    emner: int
    undervises: int
    aktiviteter: int
    egne_rom: int
    program: int
    kull: int
    klasser: int
    evu: int
    studenter: int
    ansatte: int
    kursdeltakere: int
    emnevalg: int
    deltakelser: int
    vanskelig: int = 1


SIZES = {
    "small": Size(2, 2, 2, 12, 9, 12, 20, 2, 2, 1, 2, 30, 6, 4, 20, 3, vanskelig=0),
    "demo": Size(3, 4, 2, 27, 15, 33, 20, 5, 3, 2, 5, 1380, 90, 40, 13, 12),
    "full": Size(7, 56, 86, 3500, 1800, 77, 42, 210, 4, 3, 220, 55_000, 3_500, 1_500, 10, 20),
}


def size_of(text: str) -> Size:
    """Return the size a text names: `small`, `demo`, `full`, or one of them with other numbers, `full,emner=200`.

    Numbers alone (`emner=200,evu=20`) are over the demo's. Raises ValueError, naming what is allowed, for any other.
    """
    size = size_named(text, SIZES, what="size", example="emner=200,evu=20")
    if min(size.fakulteter, size.institutter) < 1 or size.undervises > size.emner:
        raise ValueError("size needs at least one of fakulteter and institutter, and undervises at most emner.")
    return size


def generate(seed: int, size: str, year: int, term: str, institution: int = INSTITUTION_NUMBER) -> University:
    """Return the university of a seed around its current term.

    :param size: `small`, `demo`, `full` or numbers (see `size_of`)
    :param term: VAR, SOM or HOST
    :raises ValueError: for a size or term that does not exist
    """
    amounts = size_of(size)
    if term not in Terminkode.__members__:
        raise ValueError(f"term must be one of {', '.join(Terminkode.__members__)}, not {term!r}.")
    rng = random.Random(f"{seed}/{size}/{year}/{term}/{institution}")
    university = University(institution, INSTITUTION, Semester(year, Terminkode[term]), seed)
    university.terminer = _terms(year)
    university.enheter = units.build(amounts.fakulteter, amounts.institutter, amounts.grupper, rng)
    teaching.build(
        university,
        teaching.Amounts(amounts.emner, amounts.undervises, amounts.aktiviteter / 10, amounts.egne_rom / 100),
        rng,
    )
    programmes.build(university, programmes.Amounts(amounts.program, amounts.kull, amounts.klasser, amounts.evu), rng)
    if amounts.vanskelig:
        awkward.add(university)
    _add_people(university, amounts, random.Random(f"people/{seed}/{size}/{year}/{term}/{institution}"))
    return university


def _add_people(university: University, size: Size, rng: random.Random) -> None:
    """People come last and have luck of their own, so that who studies does not change what is taught."""
    population.build(university, size.studenter, size.ansatte, size.kursdeltakere, rng)
    studies.build(university, size.emnevalg / 10, size.deltakelser, rng)
    staffing.build(university, rng)
    if size.vanskelig:
        awkward_people.add(university)


def _terms(year: int) -> list[Termin]:
    """The terms of the years around, each with its days; FS has none for summers and the last year yet."""
    last = year + 3
    return [
        Termin(Semester(each, kode), None if each == last or kode is Terminkode.SOM else _days(each, kode))
        for each in range(year - 6, last + 1)
        for kode in Terminkode
    ]


def _days(year: int, kode: Terminkode) -> Periode:
    if kode is Terminkode.VAR:
        return Periode(date(year, 1, 2), date(year, 6, 30))
    return Periode(date(year, 8, 10), date(year, 12, 20))
