"""No people at all is never "nobody is there any more": such a read fails, unless a person says that it is true."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date

import pytest

from rosterflow.domain.errors import Code, FatalError
from rosterflow.domain.model import Kind, SourceKind
from rosterflow.store.plans import ChangeState
from sandbox.university.model import Periode
from tests.harness import Done
from tests.scenarios.college import College, college
from tests.scenarios.test_rosters import SETTINGS, enrolled

READS = {
    SourceKind.BRUKER: "brukere brukere",
    SourceKind.EMNESTUDIERETT: "emne_studieretter",
    SourceKind.PROGRAMSTUDIERETT: "program_studieretter",
    SourceKind.KLASSEMEDLEMSKAP: "klassemedlemskap",
    SourceKind.EVU_DELTAKELSE: "evu_kursdeltakelser",
    SourceKind.PERSONROLLE: "roller ",
}
"""What is in the name of each read of a kind, as the sandbox's faults are told it."""


@pytest.fixture(scope="module")
def faculty(tmp_path_factory: pytest.TempPathFactory) -> Iterator[College]:
    """A college whose Canvas has the people whom FS has."""
    with college(tmp_path_factory.mktemp("faculty"), **SETTINGS) as one:
        for course in one.university.evukurs:
            course.periode = Periode(date(2026, 8, 20), date(2026, 12, 10))
        one.harness.first_contact()
        yield one


def read_without(one: College, kind: SourceKind, *accepted: SourceKind) -> Done:
    """A run, that only plans, in which FS has no row of a kind and counts none."""
    for fault in ("total_count_null", "drop_page"):
        one.fault("fs", fault, count=None, match=READS[kind])
    try:
        return one.harness.run("plan", accept_empty=accepted)
    finally:
        one.sandbox.world.faults.clear()


@pytest.mark.parametrize("kind", READS)
def test_a_read_without_a_single_row_of_a_kind_is_a_failure_and_no_plan(faculty: College, kind: SourceKind) -> None:
    with pytest.raises(FatalError) as caught:
        read_without(faculty, kind)

    told = f"demo: the source has no {kind} at all, but Canvas has some."
    assert (caught.value.code, caught.value.message) == (Code.EMPTY_READ, told)


@pytest.mark.parametrize("kind", READS)
def test_a_person_may_say_that_there_is_really_nobody(faculty: College, kind: SourceKind) -> None:
    done = read_without(faculty, kind, kind)

    removed = [one for one in faculty.harness.changes(done.plan_id) if one.change.is_removal]
    assert removed or kind is SourceKind.BRUKER, "users are never removed for not being named"
    large = [one for one in removed if one.change.weight > faculty.harness.institution.guards.removals.floor]
    assert {one.state for one in large} <= {ChangeState.HELD}


def test_the_last_participants_may_go_with_their_course(faculty: College) -> None:
    courses = faculty.university.evukurs
    before = [(one, one.skal_eksporteres) for one in courses]
    with faculty.changing_fs():
        for one in courses:
            one.skal_eksporteres = False

    done = read_without(faculty, SourceKind.EVU_DELTAKELSE)

    with faculty.changing_fs():
        for one, exported in before:
            one.skal_eksporteres = exported
    assert {one.change.kind for one in faculty.harness.changes(done.plan_id)} == {Kind.COURSE}


def test_nobody_was_taken_out_of_anything(faculty: College) -> None:
    assert set(enrolled(faculty).values()) == {"active"}
    assert faculty.harness.run("plan").changes == 0
