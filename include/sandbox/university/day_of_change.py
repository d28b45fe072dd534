"""A day of change: what may happen to a university between two nightly runs, to its structure first, then to people.

The same university and day give the same changes. A step that finds no row to change is left out.
Sources: issue 2, section 2.2; issue 3, section 3.5.1.
"""

from __future__ import annotations

import random
from collections.abc import Callable
from datetime import date, timedelta
from typing import TYPE_CHECKING, TypeVar

from sandbox.university import day_of_people
from sandbox.university.model import Navn, Niva, Periode, Undervisningsenhet
from sandbox.university.units import siblings

if TYPE_CHECKING:
    from collections.abc import Iterable

    from sandbox.university.model import Emne, Organisasjonsenhet, Semester, University

Row = TypeVar("Row")

EVU_DELAY = timedelta(days=14)


def play(university: University) -> list[str]:
    """Change a university as a day would, in place, and return what changed, one sentence a change."""
    with university.lock:
        day = _Day(university)
        steps = (*day.steps(), *day_of_people.steps(university))
        changes = [sentence for step in steps if (sentence := step()) is not None]
        university.days += 1
        university.revision += 1
    return changes


def _is_open(unit: Organisasjonsenhet | None) -> bool:
    return unit is not None and unit.er_aktiv and unit.skal_eksporteres


class _Day:
    """One day's changes. No row is picked by two of them."""

    def __init__(self, university: University) -> None:
        self._university = university
        self._rng = random.Random(f"{university.seed}/{university.semester}/day {university.days}")
        self._number = university.days + 1
        self._picked: set[object] = set()

    def steps(self) -> tuple[Callable[[], str | None], ...]:
        """The changes in the order they happen; units go first, so that what moves with them is known."""
        return (
            self._close_a_unit,
            self._orphan_a_unit,
            self._rename_an_emne,
            self._move_a_programme,
            self._stop_an_export,
            self._start_an_export,
            self._plan_teaching,
            self._rename_a_kull,
            self._move_an_evu_period,
            self._drop_an_emne,
        )

    def _pick(self, rows: Iterable[Row]) -> Row | None:
        free = [row for row in rows if row not in self._picked]
        if not free:
            return None
        row = self._rng.choice(free)
        self._picked.add(row)
        return row

    def _terms(self) -> tuple[Semester, Semester]:
        return self._university.semester, self._university.semester.step(1)

    def _ordinary_emner(self) -> list[Emne]:
        """Emner of the first LMS under an open unit, whose teaching neither follows, leads nor spans terms."""
        teaching = [ue for emne in self._university.emner for ue in emne.undervisningsenheter]
        leaders = {ue.folger for ue in teaching}
        return [
            emne
            for emne in self._university.emner
            if emne.tjenestenummer == "1"
            and emne.navn.nb
            and _is_open(emne.studieansvarlig)
            and emne not in leaders
            and all(ue.folger is None and ue.terminnummer == 1 for ue in emne.undervisningsenheter)
        ]

    def _taught_emner(self) -> list[Emne]:
        """Those of the ordinary emner that have exported teaching in the current or the next term."""
        return [
            emne
            for emne in self._ordinary_emner()
            if any(ue.skal_eksporteres and ue.semester in self._terms() for ue in emne.undervisningsenheter)
        ]

    def _close_a_unit(self) -> str | None:
        units = self._university.enheter
        parents = {unit.parent for unit in units}
        owners = {emne.studieansvarlig for emne in self._taught_emner()}
        closed = self._pick(
            unit
            for unit in units
            if unit in owners and unit.niva is Niva.GRUPPE and unit not in parents and siblings(unit, units)
        )
        if closed is None:
            return None
        heir = self._rng.choice(siblings(closed, units))
        closed.er_aktiv = False
        moved = self._hand_over(closed, heir)
        return (
            f"Unit {closed.stedkode} closed; {moved} of its emner, programmes and EVU courses moved to {heir.stedkode}."
        )

    def _hand_over(self, closed: Organisasjonsenhet, heir: Organisasjonsenhet) -> int:
        moved = 0
        for emne in self._university.emner:
            if emne.studieansvarlig is closed:
                emne.studieansvarlig = heir
                self._picked.add(emne)
                moved += 1
            if emne.administrativt_ansvarlig is closed:
                emne.administrativt_ansvarlig = heir
        for program in self._university.studieprogram:
            if program.studieansvarlig is closed:
                program.studieansvarlig = heir
                moved += 1
        for kurs in self._university.evukurs:
            if kurs.enhet is closed:
                kurs.enhet = heir
                moved += 1
        return moved

    def _orphan_a_unit(self) -> str | None:
        units = self._university.enheter
        parents = {unit.parent for unit in units if _is_open(unit)}
        parent = self._pick(
            unit for unit in units if unit in parents and unit.niva is Niva.INSTITUTT and _is_open(unit)
        )
        if parent is None:
            return None
        parent.skal_eksporteres = False
        orphans = ", ".join(unit.stedkode for unit in units if unit.parent is parent and _is_open(unit))
        return f"Unit {parent.stedkode} is no longer exported; {orphans} below it still is."

    def _rename_an_emne(self) -> str | None:
        emne = self._pick(self._taught_emner())
        if emne is None:
            return None
        old = emne.navn
        emne.navn = Navn(f"{old.nb} – ny plan", old.nn and f"{old.nn} – ny plan", old.en and f"{old.en} – revised")
        return f"Emne {emne.kode} is now called {emne.navn.nb}."

    def _move_a_programme(self) -> str | None:
        program = self._pick(
            program
            for program in self._university.studieprogram
            if program.er_aktiv and program.skal_eksporteres and _is_open(program.studieansvarlig)
        )
        units = [
            unit
            for unit in self._university.enheter
            if unit.niva in (Niva.FAKULTET, Niva.INSTITUTT)
            and _is_open(unit)
            and unit.navn.nb
            and (program is None or unit is not program.studieansvarlig)
        ]
        if program is None or not units:
            return None
        former, program.studieansvarlig = program.studieansvarlig, self._rng.choice(units)
        assert former is not None
        return f"Programme {program.kode} moved from {former.stedkode} to {program.studieansvarlig.stedkode}."

    def _stop_an_export(self) -> str | None:
        ue = self._pick(
            ue
            for emne in self._taught_emner()
            if emne not in self._picked
            for ue in emne.undervisningsenheter
            if ue.skal_eksporteres and ue.semester == self._university.semester
        )
        if ue is None:
            return None
        ue.skal_eksporteres = False
        self._picked.add(ue.emne)
        return f"{_teaching(ue)} is no longer exported."

    def _start_an_export(self) -> str | None:
        coming = [
            ue
            for emne in self._ordinary_emner()
            if emne not in self._picked
            for ue in emne.undervisningsenheter
            if ue.semester in self._terms()
        ]
        ue = self._pick(ue for ue in coming if not ue.skal_eksporteres)
        if ue is not None:
            ue.skal_eksporteres = True
            self._picked.add(ue.emne)
            return f"{_teaching(ue)} is now exported."
        activity = self._pick(
            activity
            for ue in coming
            if ue.skal_eksporteres
            for activity in ue.aktiviteter
            if not activity.skal_eksporteres
        )
        if activity is None:
            return None
        activity.skal_eksporteres = True
        self._picked.add(activity.enhet.emne)
        return f"Activity {activity.kode} of {_teaching(activity.enhet)} is now exported."

    def _plan_teaching(self) -> str | None:
        _, coming = self._terms()
        emne = self._pick(
            emne
            for emne in self._ordinary_emner()
            if all(ue.semester != coming for ue in emne.undervisningsenheter)
            and (emne.siste_termin is None or coming <= emne.siste_termin)
        )
        if emne is None:
            return None
        ue = Undervisningsenhet(emne, coming)
        emne.undervisningsenheter.append(ue)
        return f"{_teaching(ue)} is new."

    def _rename_a_kull(self) -> str | None:
        kull = self._pick(
            kull
            for program in self._university.studieprogram
            if program.er_aktiv and program.skal_eksporteres
            for kull in program.kull
            if kull.er_aktiv and kull.skal_eksporteres and kull.tjenestenummer == "1"
        )
        if kull is None:
            return None
        kull.navn_no = f"{kull.navn_no} (dag {self._number})"
        return f"The {kull.semester.arstall} kull of {kull.studieprogram.kode} is now called {kull.navn_no}."

    def _move_an_evu_period(self) -> str | None:
        kurs = self._pick(
            kurs
            for kurs in self._university.evukurs
            if kurs.er_aktiv and kurs.skal_eksporteres and kurs.tjenestenummer == "1" and _is_open(kurs.enhet)
        )
        if kurs is None:
            return None
        kurs.periode = Periode(_later(kurs.periode.fra), _later(kurs.periode.til))
        return f"EVU course {kurs.kode} {kurs.tidsangivelse} is held {EVU_DELAY.days} days later."

    def _drop_an_emne(self) -> str | None:
        emne = self._pick(self._taught_emner())
        if emne is None:
            return None
        self._university.emner.remove(emne)
        return f"Emne {emne.kode} version {emne.versjonskode} is gone, with its teaching."


def _teaching(ue: Undervisningsenhet) -> str:
    term = f"{ue.semester.arstall} {ue.semester.kode.value}"
    return f"The teaching of {ue.emne.kode} version {ue.emne.versjonskode} in {term}"


def _later(day: date | None) -> date | None:
    return day + EVU_DELAY if day is not None else None
