"""Who teaches and who administers: the roles of the staff on everything a role can be held on.

Which codes there are and where they are held is each institution's own; these are among those seen in Norway (FS
reference, section 8.9).
"""

from __future__ import annotations

from datetime import date
from typing import TYPE_CHECKING

from sandbox.university.model import Niva, Periode, Semester, Terminkode
from sandbox.university.people import give_role
from sandbox.university.vocabulary import (
    ADMIN,
    ASSISTENT,
    DESIGN,
    EMNEANSVAR,
    HOVEDLARER,
    KURSANSV,
    LARER,
    STUDIEKONS,
    TILSYN,
    VEILEDER,
)

if TYPE_CHECKING:
    import random

    from sandbox.university.model import Undervisningsenhet, University
    from sandbox.university.people import Fagperson

MONTHS = {Terminkode.VAR: (1, 7), Terminkode.SOM: (6, 8), Terminkode.HOST: (8, 12)}


def build(university: University, rng: random.Random) -> None:
    """Let the staff of a university, if there are any, hold its roles."""
    staff = [person.fagperson for person in university.personer if person.fagperson]
    if not staff:
        return
    _units(university, staff, rng)
    for emne in university.emner:
        if emne.undervisningsenheter:
            give_role(emne, EMNEANSVAR, _since(university), rng.choice(staff))
        for ue in emne.undervisningsenheter:
            if university.semester.step(-1) <= ue.semester:
                _teachers(ue, university, staff, rng)
    _programmes(university, staff, rng)
    for kurs in university.evukurs:
        give_role(kurs, KURSANSV, Periode(kurs.periode.fra, kurs.periode.til), rng.choice(staff))


def _since(university: University) -> Periode:
    """A role that has been held for a year and has no end."""
    return Periode(date(university.semester.arstall - 1, 8, 1), None)


def _units(university: University, staff: list[Fagperson], rng: random.Random) -> None:
    for unit in university.enheter:
        if unit.niva is Niva.GRUPPE:
            continue
        give_role(unit, ADMIN, _since(university), rng.choice(staff))
        if unit.niva is Niva.FAKULTET:
            give_role(unit, STUDIEKONS, _since(university), rng.choice(staff))


def _teachers(ue: Undervisningsenhet, university: University, staff: list[Fagperson], rng: random.Random) -> None:
    """A main teacher for as long as need be, others for the term, and some who have one activity alone."""
    term = days_of(ue.semester)
    give_role(ue, HOVEDLARER, _since(university), rng.choice(staff))
    for role, share in ((LARER, 0.5), (ASSISTENT, 0.4), (VEILEDER, 0.1), (TILSYN, 0.1), (DESIGN, 0.05)):
        if rng.random() < share:
            give_role(ue, role, term, rng.choice(staff))
    for activity in ue.aktiviteter:
        if rng.random() < (0.5 if activity.partinummer else 0.2):
            give_role(activity, rng.choice((LARER, ASSISTENT)), term, rng.choice(staff))


def days_of(semester: Semester) -> Periode:
    """Return the days that a role for one term is held: its months, with those before and after teaching."""
    first, last = MONTHS[semester.kode]
    return Periode(date(semester.arstall, first, 1), date(semester.arstall, last, 31))


def _programmes(university: University, staff: list[Fagperson], rng: random.Random) -> None:
    for program in university.studieprogram:
        for role, periode in program.stillinger:
            give_role(program, role, periode, rng.choice(staff))
        for kull in program.kull:
            if rng.random() < 0.5 or kull is program.kull[0]:
                give_role(kull, STUDIEKONS, _since(university), rng.choice(staff))
            for klasse in kull.klasser:
                if rng.random() < 0.5 or klasse is kull.klasser[0]:
                    give_role(klasse, VEILEDER, _since(university), rng.choice(staff))
