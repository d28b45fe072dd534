"""Where only those are enrolled who are registered for the term: nobody registered at all is an empty read."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest

from rosterflow.domain.errors import Code, FatalError
from rosterflow.domain.model import Kind, SourceKind
from rosterflow.store.plans import ChangeState
from tests.scenarios.college import College
from tests.scenarios.people_day import people_in_canvas
from tests.scenarios.persons import faculty_of


@pytest.fixture(scope="module")
def faculty(tmp_path_factory: pytest.TempPathFactory) -> Iterator[College]:
    """A college that asks for registration, with the usual guards, after a read without a single registration."""
    with faculty_of(tmp_path_factory.mktemp("faculty"), requires_semester_registration=True) as one:
        assert one.harness.run(days_later=1).changes == 0, "though nobody is registered for the term to come"
        with one.changing_fs():
            for person in one.university.personer:
                if person.student:
                    person.student.semesterregistreringer = ()
        yield one


def plan(one: College, *accepted: SourceKind) -> Any:
    return one.harness.run("plan", accept_empty=accepted)


def test_a_term_for_which_nobody_at_all_is_registered_is_a_failure_and_no_plan(faculty: College) -> None:
    before = people_in_canvas(faculty)

    with pytest.raises(FatalError) as caught:
        faculty.harness.run(days_later=1)

    told = (
        "demo: the source has no bruker registered for 2026_HØST, 2027_VÅR at all, but Canvas has students who must be."
    )
    assert (caught.value.code, caught.value.message) == (Code.EMPTY_READ, told)
    assert people_in_canvas(faculty) == before


def test_a_person_may_say_that_really_nobody_is_registered(faculty: College) -> None:
    done = plan(faculty, SourceKind.BRUKER)

    changes = faculty.harness.changes(done.plan_id)
    assert {(one.change.kind, one.change.rule) for one in changes} == {(Kind.ENROLLMENT, "not-registered")}
    assert {one.state for one in changes} <= {ChangeState.HELD, ChangeState.ALLOWED}
