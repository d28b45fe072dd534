"""Trouble in a real Airflow: reads that fail, a Canvas that is slow or silent, killed workers, missing pools."""

from __future__ import annotations

from tests.e2e.chapters import HOOK_ATTEMPTS, Changed, Neglected, Reading, Together, Troubled
from tests.e2e.ground import Ground

READS_2023 = {
    "read.organisasjonsenheter",
    "read.emner",
    "read.studieprogram",
    "read.evu_kurs",
    "read.undervisning",
}


def test_a_read_that_fails_is_tried_again_alone(reading: Reading) -> None:
    assert reading.retried.state == "success"
    assert {task for task in READS_2023 if reading.retried.tries(task) > 1} == {"read.undervisning"}


def test_a_read_that_is_tried_again_does_not_fetch_again_what_it_has(reading: Reading) -> None:
    assert reading.pages >= 3
    assert reading.asked == reading.pages + HOOK_ATTEMPTS


def test_a_wrong_password_fails_the_run_at_once(reading: Reading) -> None:
    assert reading.failed.state == "failed"
    assert reading.failed.states("failed") == {"read.evu_kurs"}
    assert reading.failed.tries("read.evu_kurs") == 1
    assert reading.failed.states("success") >= (READS_2023 - {"read.evu_kurs"}) | {"close_run"}


def test_a_failed_run_is_told_by_mail_with_code_remedy_and_links(ground: Ground, reading: Reading) -> None:
    plain = reading.mail["plain"]

    assert reading.mail["subject"].endswith("Sandbox University: fs_canvas_sync__eldre failed (unauthorized)")
    assert "Renew the user name, password or token in the connection and press Test." in plain
    assert "docs/runbook.md#unauthorized" in plain
    assert f"{ground.stack.airflow.url}/dags/fs_canvas_sync__eldre/runs/" in plain
    assert "sandbox:sandbox" not in plain


def test_a_run_whose_failed_read_is_cleared_goes_on_without_reading_the_rest_again(reading: Reading) -> None:
    assert reading.resumed.state == "success"
    assert reading.asked_again == 0
    assert {task for task in READS_2023 if reading.resumed.tries(task) > 1} == {"read.evu_kurs"}


def test_a_task_that_waits_for_canvas_holds_no_worker_and_comes_back(changed: Changed) -> None:
    assert (changed.waiting, changed.held_slots) == ("deferred", 0)
    assert changed.applied.run.tasks["apply"] == ("success", 1)


def test_an_import_whose_answer_was_lost_is_found_again_and_not_posted_twice(troubled: Troubled) -> None:
    assert (troubled.cut.run.state, troubled.cut.imports) == ("success", 1)
    assert troubled.cut.run.tries("apply") > 1
    assert set(troubled.cut.run.counts) == {"updated"}


def test_an_import_whose_worker_was_killed_is_carried_out_once(troubled: Troubled) -> None:
    assert (troubled.killed.run.state, troubled.killed.imports) == ("success", 1)
    assert troubled.killed.run.tries("apply") > 1
    assert set(troubled.killed.run.counts) == {"updated"}


def test_after_all_trouble_canvas_is_as_it_would_be_without_it(troubled: Troubled) -> None:
    assert (troubled.next.run.counts, troubled.next.imports) == ({}, 0)
    assert troubled.names
    assert all(" / " in name for name in troubled.names)


def test_two_institutions_of_one_canvas_root_never_write_at_the_same_time(together: Together) -> None:
    first, second = sorted(together.writing)

    assert [run.state for run in together.runs] == ["success", "success"]
    assert first[1] <= second[0]


def test_a_run_without_its_pool_waits_and_people_are_told_which_pool(neglected: Neglected) -> None:
    assert neglected.stuck["settle"][0] == "success"
    assert neglected.stuck["plan"][0] == "scheduled"
    assert "waits for the pool canvas_glemt" in " ".join(neglected.pool_mail["plain"].split())
    assert "Create the named pool with one slot" in neglected.pool_mail["plain"]


def test_a_run_goes_on_when_its_pool_has_been_made(neglected: Neglected) -> None:
    assert neglected.released.state == "success"


def test_a_broken_settings_file_says_all_that_is_wrong_in_log_and_mail(neglected: Neglected) -> None:
    assert neglected.broken.state == "failed"
    for told in (neglected.broken_log, neglected.broken_mail["plain"]):
        assert "skakk.yaml: farge: no such setting" in told
        assert "skakk.yaml: fs: is missing" in told
    assert "settings-invalid" in neglected.broken_mail["subject"]
