"""The daily sync in a real Airflow: first contact, approval, an unchanged day, a day of change, past days."""

from __future__ import annotations

from tests.e2e.chapters import APPROVAL, COMMENT, Approved, Backfilled, Changed, FirstContact, Posted, TwoPeople
from tests.e2e.ground import Ground

WRITING = {"apply", "confirm", "close_accounts", "confirm_closed"}


def test_the_first_scheduled_run_holds_everything_and_writes_nothing(first_contact: FirstContact) -> None:
    assert (first_contact.run.state, set(first_contact.run.counts)) == ("success", {"held"})
    assert first_contact.run.counts["held"] > 200
    assert first_contact.imports == 0
    assert first_contact.canvas_after == first_contact.canvas_before


def test_the_first_run_reads_takes_its_base_plans_and_asks(first_contact: FirstContact) -> None:
    assert first_contact.run.states("skipped") == WRITING
    assert first_contact.run.states("success") == set(first_contact.run.tasks) - WRITING


def test_a_person_is_asked_about_the_first_plan_as_a_whole(first_contact: FirstContact, approved: Approved) -> None:
    question = approved.question

    assert f"{first_contact.run.counts['held']} change(s) held" in question["subject"]
    assert "The first plan of an institution is approved as a whole." in question["body"]
    assert question["options"] == ["Approve", "Reject"]
    assert question["defaults"] == ["Reject"]
    assert [user["id"] for user in question["assigned_users"]] == ["registrar", "dean"]


def test_neither_a_viewer_nor_somebody_who_is_no_approver_may_answer(approved: Approved) -> None:
    assert {person: " 403 " in words for person, words in approved.refused.items()} == {"viewer": True, "admin": True}


def test_an_answer_without_a_comment_does_not_count_and_is_written_down(ground: Ground, approved: Approved) -> None:
    assert approved.without_comment.state == "failed"
    assert approved.without_comment.states("failed") == {"decide"}
    assert approved.audit[0] == ("registrar", "refused", "The comment is missing.")
    mail = ground.wait_for_mail("drift@demo.example", f"{APPROVAL} failed (approval-invalid)")
    assert "The comment is missing." in mail["plain"]


def test_an_approved_first_plan_is_carried_out_with_one_import(first_contact: FirstContact, approved: Approved) -> None:
    assert approved.run.state == "success"
    assert approved.run.counts == {"created": first_contact.run.counts["held"]}
    assert approved.imports == 1
    assert approved.audit[-1] == ("registrar", "approve", COMMENT)


def test_the_approvers_are_told_by_mail_with_a_link_to_the_question(ground: Ground, approved: Approved) -> None:
    mail = ground.mails("studieadm@demo.example")[-1]

    assert approved.question["subject"] in mail["subject"]
    assert f"{ground.stack.airflow.url}/dags/{APPROVAL}/runs/" in mail["plain"]


def test_a_second_run_changes_nothing_and_posts_no_import(unchanged: Posted) -> None:
    assert unchanged.run.state == "success"
    assert (unchanged.run.counts, unchanged.imports) == ({}, 0)
    assert unchanged.run.report is not None
    assert sum(row.unchanged for row in unchanged.run.report.rows) > 200


def test_a_run_that_a_person_starts_plans_only_and_says_where_to_see_the_plan(ground: Ground, changed: Changed) -> None:
    run = changed.planned.run

    assert (run.state, changed.planned.imports, run.states("skipped")) == ("success", 0, WRITING | {"ask_approval"})
    assert set(run.counts) == {"open", "held"}
    assert "python -m rosterflow plan show --plan" in ground.log(run, "report")


def test_a_day_of_change_creates_updates_and_closes_and_holds_the_closing_of_a_unit(changed: Changed) -> None:
    run = changed.applied.run

    assert (run.state, changed.applied.imports) == ("success", 1)
    assert set(run.counts) == {"created", "updated", "removed", "held"}
    assert f"{run.counts['held']} change(s) wait for a decision." in changed.question["body"]
    assert "Closing an account that has or had courses is always approved by a person." in changed.question["body"]


def test_what_a_run_planned_is_what_the_next_one_does(changed: Changed) -> None:
    planned, applied = changed.planned.run.counts, changed.applied.run.counts

    assert planned["open"] + planned["held"] == sum(applied.values())


def test_an_approved_closing_is_carried_out_by_itself(changed: Changed) -> None:
    held = changed.applied.run.counts["held"]

    assert (changed.approval.state, changed.approval.counts) == ("success", {"removed": held})
    assert "close_accounts" in changed.approval.states("success")


def test_a_plan_that_removes_a_quarter_needs_two_people_and_one_no_is_enough(two_people: TwoPeople) -> None:
    assert "Two people must approve." in two_people.question["body"]
    assert two_people.run.run.counts["held"] > 30
    assert two_people.audit[-1] == ("dean", "reject", "The setting is wrong.")
    assert "removed" not in two_people.run.run.counts
    assert (two_people.approval.state, two_people.imports) == ("success", two_people.run.after)
    assert "decide" in two_people.approval.states("skipped")


def test_three_past_days_are_run_and_change_nothing_that_is_as_it_should_be(backfilled: Backfilled) -> None:
    assert [run.state for run in backfilled.runs] == ["success"] * 3
    assert [run.report.mode for run in backfilled.runs if run.report] == ["apply"] * 3
    assert backfilled.canvas_after == backfilled.canvas_before


def test_asking_again_for_the_same_past_days_runs_nothing(backfilled: Backfilled) -> None:
    assert backfilled.runs_after_asking_again == 3
