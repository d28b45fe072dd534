"""The day of change: each of the nine things happens, the same every time."""

from __future__ import annotations

from datetime import timedelta

import pytest

from sandbox.university.day_of_change import play
from sandbox.university.generate import generate
from sandbox.university.model import Emne, Organisasjonsenhet, Undervisningsenhet, University


class Before:
    """A university with what its rows said before the day."""

    def __init__(self, seed: int = 1) -> None:
        self.university = generate(seed, "demo", 2026, "HOST")
        self.emner = list(self.university.emner)
        self.emne_names = {emne: emne.navn for emne in self.emner}
        self.owners = {emne: emne.studieansvarlig for emne in self.emner}
        self.teaching = {ue: ue.skal_eksporteres for emne in self.emner for ue in emne.undervisningsenheter}
        self.programmes = {program: program.studieansvarlig for program in self.university.studieprogram}
        self.kull = {kull: kull.navn_no for program in self.programmes for kull in program.kull}
        self.evu = {kurs: kurs.periode for kurs in self.university.evukurs}
        self.units = {unit: (unit.er_aktiv, unit.skal_eksporteres) for unit in self.university.enheter}
        self.sentences = play(self.university)

    def new_teaching(self) -> list[Undervisningsenhet]:
        return [ue for emne in self.university.emner for ue in emne.undervisningsenheter if ue not in self.teaching]

    def gone(self) -> list[Emne]:
        return [emne for emne in self.emner if emne not in self.university.emner]


@pytest.fixture(scope="module", params=[1, 2, 3])
def before(request: pytest.FixtureRequest) -> Before:
    return Before(request.param)


def test_every_change_is_told_in_a_sentence(before: Before) -> None:
    assert len(before.sentences) == 17
    assert all(sentence.endswith(".") for sentence in before.sentences)


def test_one_emne_is_renamed(before: Before) -> None:
    renamed = [emne for emne, name in before.emne_names.items() if emne.navn != name]

    assert [emne.navn.nb for emne in renamed] == [f"{before.emne_names[renamed[0]].nb} – ny plan"]


def test_one_programme_moves_to_another_open_unit(before: Before) -> None:
    closed = closed_unit(before)
    moved = [
        program
        for program, owner in before.programmes.items()
        if program.studieansvarlig is not owner and owner is not closed
    ]

    assert len(moved) == 1
    owner = moved[0].studieansvarlig
    assert owner is not None
    assert owner.er_aktiv
    assert owner.skal_eksporteres


def closed_unit(before: Before) -> Organisasjonsenhet:
    (closed,) = [unit for unit, (active, _) in before.units.items() if active and not unit.er_aktiv]
    return closed


def test_one_unit_closes_and_its_emner_move_to_a_sibling(before: Before) -> None:
    closed = closed_unit(before)
    moved = [emne for emne, owner in before.owners.items() if owner is closed]
    heirs = {emne.studieansvarlig for emne in moved}

    assert moved
    assert closed not in heirs
    assert [unit.parent for unit in heirs if unit] == [closed.parent]


def test_one_unit_is_left_an_orphan(before: Before) -> None:
    (parent,) = [unit for unit, (_, exported) in before.units.items() if exported and not unit.skal_eksporteres]

    assert any(unit.parent is parent and unit.skal_eksporteres and unit.er_aktiv for unit in before.university.enheter)


def test_one_export_stops_and_one_starts(before: Before) -> None:
    stopped = [ue for ue, was in before.teaching.items() if was and not ue.skal_eksporteres]
    started = [ue for ue, was in before.teaching.items() if not was and ue.skal_eksporteres]

    assert (len(stopped), len(started)) == (1, 1)
    assert stopped[0].emne is not started[0].emne


def test_one_emne_gets_new_teaching_in_the_next_term(before: Before) -> None:
    assert [ue.semester for ue in before.new_teaching()] == [before.university.semester.step(1)]


def test_one_kull_gets_another_name(before: Before) -> None:
    renamed = [(kull, name) for kull, name in before.kull.items() if kull.navn_no != name]

    assert [kull.navn_no for kull, _ in renamed] == [f"{name} (dag 1)" for _, name in renamed]
    assert len(renamed) == 1


def test_one_evu_course_is_held_later(before: Before) -> None:
    (kurs,) = [kurs for kurs, period in before.evu.items() if kurs.periode != period]
    first = before.evu[kurs].fra

    assert first is not None
    assert kurs.periode.fra == first + timedelta(days=14)


def test_one_emne_is_gone_with_exported_teaching(before: Before) -> None:
    (emne,) = before.gone()

    assert any(ue.skal_eksporteres for ue in emne.undervisningsenheter)


def test_nobody_follows_the_emne_that_is_gone(before: Before) -> None:
    (emne,) = before.gone()

    assert not any(ue.folger is emne for ue in before.teaching)


def test_the_same_university_has_the_same_day() -> None:
    assert play(generate(5, "demo", 2026, "HOST")) == play(generate(5, "demo", 2026, "HOST"))


def test_a_second_day_brings_other_changes() -> None:
    university = generate(1, "demo", 2026, "HOST")
    first, second = play(university), play(university)

    assert len(second) >= 8
    assert len(set(second) - set(first)) >= 7


def test_each_day_is_a_new_revision(before: Before) -> None:
    university: University = before.university

    assert (university.days, university.revision) == (1, 1)


def test_many_days_leave_a_university_standing() -> None:
    university = generate(1, "small", 2026, "HOST")
    for _ in range(30):
        play(university)

    assert university.days == 30
    assert all(unit.er_aktiv for unit in university.enheter if unit.parent is None)
