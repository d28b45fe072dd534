"""The units: the institution, its faculties, their institutes and the groups below those, four levels."""

from __future__ import annotations

from typing import TYPE_CHECKING

from sandbox.university.model import Niva, Organisasjonsenhet
from sandbox.university.vocabulary import FACULTIES, GROUP, INSTITUTE, INSTITUTION, SUBJECTS, fill

if TYPE_CHECKING:
    import random

FIRST_FACULTY = 11


def build(faculties: int, institutes: int, groups: int, rng: random.Random) -> list[Organisasjonsenhet]:
    """Return the units, the institution's own first, every unit after its parent."""
    root = Organisasjonsenhet(0, 0, 0, INSTITUTION, Niva.INSTITUSJON, None)
    tops = [
        Organisasjonsenhet(FIRST_FACULTY + n, 0, 0, FACULTIES[n % len(FACULTIES)], Niva.FAKULTET, root)
        for n in range(faculties)
    ]
    middles = [
        Organisasjonsenhet(
            tops[n % faculties].fakultetsnummer,
            n // faculties + 1,
            0,
            fill(INSTITUTE, SUBJECTS[n % len(SUBJECTS)]),
            Niva.INSTITUTT,
            tops[n % faculties],
        )
        for n in range(institutes)
    ]
    return [root, *tops, *middles, *_groups(middles, groups, rng)]


def _groups(institutes: list[Organisasjonsenhet], count: int, rng: random.Random) -> list[Organisasjonsenhet]:
    """Groups below institutes: the last institute gets two, so that one can close and its sibling take over."""
    number = dict.fromkeys((unit.stedkode for unit in institutes), 0)
    made = []
    for n in range(count):
        place = len(institutes) - 1 if n < 2 else rng.randrange(len(institutes))
        parent = institutes[place]
        number[parent.stedkode] += 1
        made.append(
            Organisasjonsenhet(
                parent.fakultetsnummer,
                parent.instituttnummer,
                number[parent.stedkode],
                fill(GROUP, SUBJECTS[place % len(SUBJECTS)], n=number[parent.stedkode]),
                Niva.GRUPPE,
                parent,
            )
        )
    return made


def siblings(unit: Organisasjonsenhet, units: list[Organisasjonsenhet]) -> list[Organisasjonsenhet]:
    """Return the other active, exported units below the same parent."""
    return [
        other
        for other in units
        if other is not unit and other.parent is unit.parent and other.er_aktiv and other.skal_eksporteres
    ]
