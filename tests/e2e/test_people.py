"""People in a real Airflow: their first plan approved, a quiet day, a day of change in which a worker is killed."""

from __future__ import annotations

from rosterflow.domain.model import Kind
from rosterflow.sync.reporting import Row
from tests.e2e.chapters import People
from tests.e2e.ground import Ground, Seen

OF_PEOPLE = (Kind.USER, Kind.ENROLLMENT, Kind.ADMIN)


def rows(seen: Seen) -> dict[Kind, Row]:
    """What a run did about people."""
    assert seen.report is not None
    return {row.kind: row for row in seen.report.rows if row.kind in OF_PEOPLE}


def test_the_first_run_holds_everybody_and_sends_nobody(people: People) -> None:
    held = rows(people.first.run)

    assert (people.first.run.state, set(people.first.run.counts), people.first.imports) == ("success", {"held"}, 0)
    assert {kind: held[kind].held for kind in OF_PEOPLE} == {
        kind: row.created for kind, row in rows(people.approval).items()
    }


def test_an_approved_first_plan_puts_everybody_into_canvas(people: People) -> None:
    done = rows(people.approval)

    assert people.approval.state == "success"
    assert [done[kind].refused + done[kind].open for kind in OF_PEOPLE] == [0, 0, 0]
    assert done[Kind.USER].created > 1400
    assert done[Kind.ENROLLMENT].created > 5000
    assert done[Kind.ADMIN].created > 5
    assert people.users > done[Kind.USER].created
    assert people.enrollments == {"active": people.by_hand + done[Kind.ENROLLMENT].created}


def test_the_people_of_a_small_university_are_read_by_few_tasks(ground: Ground, people: People) -> None:
    run = people.unchanged.run
    labels = ground.metadata(
        "select rendered_map_index from task_instance "
        f"where task_id = 'read_people' and dag_id = '{run.dag_id}' and run_id = '{run.run_id}' order by map_index"
    )

    assert 1 <= len(labels) <= 3
    assert labels[0][0].startswith("brukere 1 of 2 … ")


def test_a_quiet_day_changes_nobody_and_posts_nothing(people: People) -> None:
    quiet = rows(people.unchanged.run)

    assert (people.unchanged.run.state, people.unchanged.run.counts, people.unchanged.imports) == ("success", {}, 0)
    assert quiet[Kind.ENROLLMENT].unchanged == rows(people.approval)[Kind.ENROLLMENT].created


def test_a_day_of_change_arrives_with_one_import(people: People) -> None:
    done, run = rows(people.changed.run), people.changed.run

    assert (run.state, people.changed.imports) == ("success", 1)
    assert sum(told.startswith("Person") for told in people.told) == 6
    assert (done[Kind.USER].created, done[Kind.USER].updated, done[Kind.USER].removed) == (1, 1, 1)
    assert done[Kind.USER].held == 2, "who swap logins are a person's to look at"
    assert done[Kind.ENROLLMENT].created > 3
    assert done[Kind.ENROLLMENT].removed > 3
    assert [done[kind].refused + done[kind].open for kind in OF_PEOPLE] == [0, 0, 0]


def test_a_day_whose_worker_was_killed_ends_as_any_other(people: People) -> None:
    killed, after = people.changed.run, rows(people.next.run)

    assert (killed.state, killed.tries("apply") > 1, people.changed.imports) == ("success", True, 1)
    assert (people.next.run.state, set(people.next.run.counts), people.next.imports) == ("success", {"held"}, 0)
    assert [after[kind].held for kind in OF_PEOPLE] == [2, 0, 0], "nothing but the swap that waits for a person"


def test_who_left_is_inactive_in_canvas_and_who_moved_is_deleted_where_they_were(people: People) -> None:
    after = people.enrollments_after

    assert after["inactive"] > 1
    assert after["deleted"] >= 1
    assert sum(after.values()) == sum(people.enrollments.values()) + rows(people.changed.run)[Kind.ENROLLMENT].created
