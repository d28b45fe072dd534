"""Emner and what is taught of them: undervisningsenheter around the current term, with their activities."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass
from typing import TYPE_CHECKING

from sandbox.university.model import Emne, Niva, Undervisningsaktivitet, Undervisningsenhet
from sandbox.university.vocabulary import ACTIVITIES, EMNE_PATTERNS, SUBJECTS, Subject, fill

if TYPE_CHECKING:
    import random

    from sandbox.university.model import Organisasjonsenhet, University

LANGUAGES = (("nob",), ("nob",), ("nno",), ("eng",), ("nob", "eng"))

ROUNDS = (
    (20, ((0, 1),)),
    (20, ((-1, 1), (1, 1))),
    (46, ((-1, 1), (0, 1), (1, 1))),
    (8, ((0, 1), (1, 2))),
    (6, ((-1, 1), (0, 2), (1, 3))),
)
"""When an emne is taught: a weight, and (terms from the current one, terminnummer) of each undervisningsenhet.

A chain of terminnummer is one course that lasts several terms.
"""


@dataclass(frozen=True, slots=True)
class Amounts:
    """How much to make: emner, how many of them are taught, activities per undervisningsenhet (mean), and the
    share of the activities that ask for a room of their own.
    """

    emner: int
    taught: int
    activities: float
    own_rooms: float


def build(university: University, amounts: Amounts, rng: random.Random) -> None:
    """Add the emner and their teaching to a university that has its units."""
    places = _places(university)
    serial: Counter[str] = Counter()
    taught = set(rng.sample(range(amounts.emner), amounts.taught))
    for number in range(amounts.emner):
        unit, subject = places[number % len(places)] if number < len(places) else rng.choice(places)
        emne = _emne(unit, subject, serial, rng)
        university.emner.append(emne)
        if number in taught:
            _teach(emne, university, amounts, rng)
        elif rng.random() < 0.3:
            emne.siste_termin = university.semester.step(-rng.randint(1, 3))
    for emne in university.emner:
        _follow(emne, university, rng)


def _places(university: University) -> list[tuple[Organisasjonsenhet, Subject]]:
    """Institutes and groups, those that own emner, each with its subject."""
    institutes = [unit for unit in university.enheter if unit.niva is Niva.INSTITUTT]
    subjects = {unit: SUBJECTS[n % len(SUBJECTS)] for n, unit in enumerate(institutes)}
    groups = [unit for unit in university.enheter if unit.niva is Niva.GRUPPE]
    return [
        *((unit, subjects[unit]) for unit in institutes),
        *((unit, subjects[unit.parent]) for unit in groups if unit.parent is not None),
    ]


def _emne(unit: Organisasjonsenhet, subject: Subject, serial: Counter[str], rng: random.Random) -> Emne:
    count = serial[subject.prefix]
    serial[subject.prefix] += 1
    return Emne(
        kode=f"{subject.prefix}{1000 * (1 + count % 3) + count // 3 + 1}",
        versjonskode="1" if rng.random() < 0.85 else str(rng.randint(2, 12)),
        navn=fill(EMNE_PATTERNS[count % len(EMNE_PATTERNS)], subject),
        studieansvarlig=unit if rng.random() < 0.97 else None,
        administrativt_ansvarlig=unit if rng.random() < 0.8 else unit.parent,
        tjenestenummer=rng.choices(("1", "2", None), (94, 5, 1))[0],
        undervisningssprak=rng.choice(LANGUAGES),
    )


def _teach(emne: Emne, university: University, amounts: Amounts, rng: random.Random) -> None:
    weights = [weight for weight, _ in ROUNDS]
    rounds = ROUNDS[rng.choices(range(len(ROUNDS)), weights)[0]][1]
    last_offset, last_number = rounds[-1]
    for offset, number in rounds:
        ue = Undervisningsenhet(
            emne=emne,
            semester=university.semester.step(offset),
            terminnummer=number,
            siste_termin=university.semester.step(last_offset) if last_number > 1 else None,
            lms_romkode="fellesrom" if rng.random() < 0.3 else None,
            skal_eksporteres=rng.random() < 0.93,
        )
        emne.undervisningsenheter.append(ue)
        mean = amounts.activities if offset >= 0 else amounts.activities / 2
        add_activities(ue, round(rng.uniform(0, 2 * mean)), amounts.own_rooms, rng)


def add_activities(ue: Undervisningsenhet, count: int, own_rooms: float, rng: random.Random) -> None:
    """Give an undervisningsenhet its first `count` activities; `own_rooms` of them (0–1) ask for own rooms.

    There are at most as many as the vocabulary has patterns.
    """
    made: dict[str, Undervisningsaktivitet] = {}
    for pattern in ACTIVITIES[:count]:
        romkode = rng.choices(("eget-rom", "ikke-rom", None), (own_rooms, 0.15, max(0.0, 0.85 - own_rooms)))[0]
        made[pattern.kode] = Undervisningsaktivitet(
            enhet=ue,
            kode=pattern.kode,
            navn=pattern.navn,
            form=pattern.form,
            parent=made[pattern.parent] if pattern.parent else None,
            partinummer=pattern.partinummer,
            lms_romkode=romkode,
            skal_eksporteres=rng.random() < 0.85,
        )
    ue.aktiviteter.extend(made.values())


def _follow(emne: Emne, university: University, rng: random.Random) -> None:
    """Let the teaching of a few emner follow that of an emne before them in the list, which makes no cycle."""
    if not emne.undervisningsenheter or rng.random() >= 0.03:
        return
    leader = university.emner[rng.randrange(university.emner.index(emne) + 1)]
    if leader.kode == emne.kode:
        return
    for ue in emne.undervisningsenheter:
        ue.folger = leader
