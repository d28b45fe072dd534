from __future__ import annotations

import os
from collections.abc import Callable, Iterator
from dataclasses import replace
from datetime import datetime, timedelta
from pathlib import Path

import pytest
from cryptography.fernet import Fernet
from sqlalchemy import select

from rosterflow.domain.attendance.reading import KeptRead
from rosterflow.domain.errors import Code, FatalError, RetryableError
from rosterflow.domain.institution import Institution
from rosterflow.domain.model import Course, Key, Kind
from rosterflow.domain.plan import Action, Change
from rosterflow.settings import Broken
from rosterflow.store import (
    approvals,
    attendance_raw,
    failures,
    history,
    imports,
    institutions,
    migrate,
    notices,
    plans,
    row_errors,
    runs,
)
from rosterflow.store.approvals import ApprovalState
from rosterflow.store.engine import Store
from rosterflow.store.history import Event
from rosterflow.store.imports import ImportState
from rosterflow.store.plans import ChangeState
from rosterflow.store.runs import RunState
from rosterflow.store.tables import approval, plan, plan_change, run, sis_import, task_failure
from rosterflow.sync.housekeeping import (
    Household,
    forget_what_is_old,
    open_household,
    send_digests,
    tell_broken_settings,
    tell_silence,
    tell_unplanned,
)
from rosterflow.sync.letters import PartlyRefused
from rosterflow.sync.pages import PageStore
from tests.household import NOW, Letterbox, as_golden, assert_golden, college, opened, planned, trouble, yaml_of
from tests.scenarios.drain_ground import college as coursekey_college

GOLDEN = Path(__file__).parent / "golden"
DAY = timedelta(days=1)
HOUR = timedelta(hours=1)
MINUTE = timedelta(minutes=1)
KEY = Fernet.generate_key().decode()
AIRFLOW = "https://airflow.fjordvik.example"


@pytest.fixture
def store(tmp_path: Path) -> Iterator[Store]:
    store = Store(f"sqlite:///{tmp_path}/store.db")
    migrate.upgrade(store)
    yield store
    store.dispose()


@pytest.fixture
def blobs(tmp_path: Path) -> PageStore:
    return PageStore(f"file://{tmp_path}/blobs", [KEY])


@pytest.fixture
def box() -> Letterbox:
    return Letterbox()


House = Callable[..., Household]


@pytest.fixture
def house(store: Store, blobs: PageStore, box: Letterbox) -> House:
    def make(*of: Institution, now: datetime = NOW, broken: tuple[Broken, ...] = (), told: str = "") -> Household:
        return Household(
            store, blobs, of or (college(),), broken, (told or "operators@drift.example",), box, AIRFLOW, now
        )

    return make


def blob(blobs: PageStore, root: Path, name: str, age: timedelta) -> None:
    blobs.put(name, [])
    at = (NOW - age).timestamp()
    os.utime(root / "blobs" / name, (at, at))


def change(number: int = 1) -> Change:
    return Change(Action.CREATE, None, Course(f"UE_{number}", "N", "Norsk", "EMNE_N"), "new", "It is new.")


def old_plan(store: Store, name: str, age: timedelta = 40 * DAY) -> int:
    return planned(store, opened(store, name=name, at=NOW - age), [change()], at=NOW - age)


def plan_ids(store: Store) -> list[int]:
    with store.begin() as connection:
        return list(connection.execute(select(plan.c.id).order_by(plan.c.id)).scalars())


def asked(store: Store, plan_id: int, state: ApprovalState, at: datetime) -> int:
    with store.begin() as connection:
        request = approvals.ask(
            connection, "fjordvik", plan_id, [0], "h", two_person=False, first_contact=False, now=at
        )
        approvals.set_approval_state(connection, request, state, at)
    return request


def imported(store: Store, plan_id: int, state: ImportState, blob: str | None, at: datetime) -> int:
    with store.begin() as connection:
        run_id = plans.get_plan(connection, plan_id).run_id
        number = imports.prepare(
            connection,
            institution="fjordvik",
            root="canvas_test",
            run_id=run_id,
            plan_id=plan_id,
            approval_id=None,
            part=1,
            now=at,
        )
        imports.note(connection, number, state=state, blob=blob)
    return number


# -- retention -------------------------------------------------------------------------------------------------------


def test_pages_and_checkpoints_go_after_their_retention(house: House, blobs: PageStore, tmp_path: Path) -> None:
    kept = ["xcom/fs_canvas_sync__fjordvik/new/page_0001", "checkpoints/new/index"]
    gone = ["xcom/fs_canvas_sync__fjordvik/old/page_0001", "xcom/canvas_approval__fjordvik/old/x", "checkpoints/old/i"]
    for name in kept:
        blob(blobs, tmp_path, name, 2 * DAY)
    for name in gone:
        blob(blobs, tmp_path, name, 4 * DAY)

    removed = forget_what_is_old(house())

    assert removed == len(gone)
    assert [blobs.exists(name) for name in (*kept, *gone)] == [True, True, False, False, False]


def test_each_institution_s_pages_are_kept_for_as_long_as_it_says_and_strays_for_the_longest(
    house: House, blobs: PageStore, tmp_path: Path
) -> None:
    for name in ("fs_canvas_sync__fjordvik", "fs_canvas_sync__sundnes", "fs_canvas_sync__closed_down"):
        blob(blobs, tmp_path, f"xcom/{name}/four_days_old", 4 * DAY)
    blob(blobs, tmp_path, "xcom/fs_canvas_sync__closed_down/eleven_days_old", 11 * DAY)

    forget_what_is_old(house(college(), college("sundnes", retention={"pages_days": 10})))

    assert not blobs.exists("xcom/fs_canvas_sync__fjordvik/four_days_old")
    assert blobs.exists("xcom/fs_canvas_sync__sundnes/four_days_old")
    assert blobs.exists("xcom/fs_canvas_sync__closed_down/four_days_old")
    assert not blobs.exists("xcom/fs_canvas_sync__closed_down/eleven_days_old")


def test_the_evidence_of_time_attended_is_kept_for_as_long_as_the_college_says(
    house: House, store: Store, blobs: PageStore, tmp_path: Path
) -> None:
    ages = {"old": 41 * DAY, "new": 39 * DAY}
    kept_40_days = coursekey_college("http://127.0.0.1:8900", attendance={"raw_days": 40})
    for school, age in ages.items():
        blob(blobs, tmp_path, f"attendance/college/{school}/page_0001", age)
        day = (NOW - age).date()
        with store.begin() as connection:
            read = attendance_raw.keep(
                connection, "college", 1, KeptRead("1-1", school, "US/Eastern", NOW - age, day, day)
            )
            attendance_raw.joined(connection, read.number, is_whole=True, now=NOW - age)

    removed = forget_what_is_old(replace(house(), colleges=(kept_40_days,)))

    assert removed == 2
    assert [blobs.exists(f"attendance/college/{school}/page_0001") for school in ages] == [False, True]
    with store.begin() as connection:
        assert [one.read.school for one in attendance_raw.joined_reads(connection, "college")] == ["new"]


def test_a_zip_goes_after_its_retention_and_its_import_forgets_it(
    house: House, store: Store, blobs: PageStore, tmp_path: Path
) -> None:
    plan_id = old_plan(store, "scheduled__1")
    old = imported(store, plan_id, ImportState.CONFIRMED, "zips/fjordvik/1", NOW - 31 * DAY)
    new = imported(store, plan_id, ImportState.CONFIRMED, "zips/fjordvik/2", NOW - 29 * DAY)
    open_one = imported(store, plan_id, ImportState.POSTED, "zips/fjordvik/3", NOW - 31 * DAY)
    for number in (1, 2, 3):
        blob(blobs, tmp_path, f"zips/fjordvik/{number}", 31 * DAY)

    forget_what_is_old(house())

    assert [blobs.exists(f"zips/fjordvik/{number}") for number in (1, 2, 3)] == [False, True, True]
    with store.begin() as connection:
        assert [imports.get_import(connection, one).blob for one in (old, new, open_one)] == [
            "",
            "zips/fjordvik/2",
            "zips/fjordvik/3",
        ]


def test_a_zip_that_a_crash_left_without_its_import_goes_too(house: House, blobs: PageStore, tmp_path: Path) -> None:
    blob(blobs, tmp_path, "zips/fjordvik/lost", 61 * DAY)

    forget_what_is_old(house())

    assert not blobs.exists("zips/fjordvik/lost")


def test_an_old_plan_goes_with_its_changes_requests_and_imports(house: House, store: Store) -> None:
    old = old_plan(store, "scheduled__1")
    request = asked(store, old, ApprovalState.APPLIED, NOW - 39 * DAY)
    imported(store, old, ImportState.CONFIRMED, None, NOW - 39 * DAY)
    newest = old_plan(store, "scheduled__2")

    forget_what_is_old(house())

    assert plan_ids(store) == [newest]
    with store.begin() as connection:
        assert connection.execute(select(plan_change.c.plan_id)).scalars().all() == [newest]
        assert connection.execute(select(approval).where(approval.c.id == request)).first() is None
        assert connection.execute(select(sis_import)).first() is None


def test_a_plan_within_its_retention_stays(house: House, store: Store) -> None:
    young = old_plan(store, "scheduled__1", 29 * DAY)
    newest = old_plan(store, "scheduled__2", 28 * DAY)

    forget_what_is_old(house())

    assert plan_ids(store) == [young, newest]


@pytest.mark.parametrize("state", [ApprovalState.WAITING, ApprovalState.INVALID, ApprovalState.APPROVED])
def test_a_plan_stays_while_a_person_is_asked_about_it(house: House, store: Store, state: ApprovalState) -> None:
    waiting = old_plan(store, "scheduled__1")
    asked(store, waiting, state, NOW - 40 * DAY)
    newest = old_plan(store, "scheduled__2")

    forget_what_is_old(house())

    assert plan_ids(store) == [waiting, newest]


def test_a_plan_stays_while_a_person_s_no_still_counts(house: House, store: Store) -> None:
    old = old_plan(store, "scheduled__1")
    asked(store, old, ApprovalState.REJECTED, NOW - 6 * DAY)
    newest = old_plan(store, "scheduled__2")

    forget_what_is_old(house())
    while_it_counts = plan_ids(store)
    forget_what_is_old(house(now=NOW + 2 * DAY))

    assert (while_it_counts, plan_ids(store)) == ([old, newest], [newest])


def test_a_plan_stays_while_its_import_or_a_sent_change_is_not_over(house: House, store: Store) -> None:
    importing = old_plan(store, "scheduled__1")
    imported(store, importing, ImportState.POSTED, None, NOW - 40 * DAY)
    sent = old_plan(store, "scheduled__2")
    with store.begin() as connection:
        plans.set_state(connection, sent, [0], ChangeState.SENT)
    newest = old_plan(store, "scheduled__3")

    forget_what_is_old(house())

    assert plan_ids(store) == [importing, sent, newest]


def test_a_plan_whose_request_a_younger_plan_s_change_is_tied_to_stays_without_its_changes(
    house: House, store: Store
) -> None:
    old = old_plan(store, "scheduled__1")
    request = asked(store, old, ApprovalState.TIMED_OUT, NOW - 39 * DAY)
    young = old_plan(store, "scheduled__2", DAY)
    with store.begin() as connection:
        approvals.tie(connection, young, [0], request)

    forget_what_is_old(house())

    assert plan_ids(store) == [old, young]
    with store.begin() as connection:
        assert plans.changes(connection, old) == []


def test_history_goes_after_its_retention_and_audit_never(house: House, store: Store) -> None:
    with store.begin() as connection:
        for age in (401 * DAY, 399 * DAY):
            history.record(connection, "fjordvik", [Event(Key(Kind.COURSE, "UE_1"), "created", "new")], NOW - age)
        history.record_act(connection, "fjordvik", actor="kari", act="approved", reason="ok", now=NOW - 4000 * DAY)

    forget_what_is_old(house())

    with store.begin() as connection:
        assert [row.at for row in history.of_object(connection, "fjordvik", "UE_1")] == [NOW - 399 * DAY]
        assert len(history.acts(connection, "fjordvik")) == 1


def test_settled_row_errors_go_and_open_ones_stay(house: House, store: Store) -> None:
    for subject in ("open", "settled"):
        trouble(store, subject, NOW - 90 * DAY)
    with store.begin() as connection:
        row_errors.settle(connection, "fjordvik", "source", ["settled"], NOW - 31 * DAY)

    forget_what_is_old(house())

    with store.begin() as connection:
        assert [row.subject for row in row_errors.open_errors(connection, "fjordvik")] == ["open"]
        assert row_errors.gone_since(connection, "fjordvik", NOW - 90 * DAY) == []


def test_runs_without_a_plan_go_with_the_history_and_failed_tasks_after_a_month(house: House, store: Store) -> None:
    opened(store, name="old", at=NOW - 401 * DAY)
    opened(store, name="new", at=NOW - 399 * DAY)
    error = FatalError(Code.UNAUTHORIZED, "No.")
    with store.begin() as connection:
        for name, age in (("a", 31 * DAY), ("b", 29 * DAY)):
            failures.record_failure(connection, "dag", "run", name, error, try_number=1, now=NOW - age)

    forget_what_is_old(house())

    with store.begin() as connection:
        assert list(connection.execute(select(run.c.dag_run_id)).scalars()) == ["new"]
        assert list(connection.execute(select(task_failure.c.task_id)).scalars()) == ["b"]


def test_what_an_institution_without_a_file_left_goes_by_the_defaults_and_a_broken_one_s_stays(
    house: House, store: Store
) -> None:
    for key in ("closed_down", "broken"):
        trouble(store, "settled", NOW - 90 * DAY, institution=key)
        with store.begin() as connection:
            institutions.standing(connection, key, NOW)
            row_errors.settle(connection, key, "source", ["settled"], NOW - 60 * DAY)

    forget_what_is_old(house(broken=(Broken("broken", "- broken.yaml: no such setting"),)))

    with store.begin() as connection:
        left = {key: len(row_errors.gone_since(connection, key, NOW - 90 * DAY)) for key in ("closed_down", "broken")}
    assert left == {"closed_down": 0, "broken": 1}


def test_doing_it_twice_removes_nothing_more(house: House, store: Store) -> None:
    for name in ("scheduled__1", "scheduled__2"):
        old_plan(store, name)

    assert [forget_what_is_old(house()), forget_what_is_old(house())] == [1, 0]


# -- silence ---------------------------------------------------------------------------------------------------------


def completed(store: Store, at: datetime, key: str = "fjordvik") -> None:
    with store.begin() as connection:
        institutions.standing(connection, key, at)
        institutions.mark(connection, key, complete_at=at, silence_mailed_at=None)


def test_silence_is_mailed_with_the_last_runs(house: House, store: Store, box: Letterbox) -> None:
    completed(store, NOW - 31 * HOUR)
    failed = opened(store, at=NOW - 3 * HOUR, gaps=2)
    with store.begin() as connection:
        runs.note(connection, failed.id, state=RunState.FAILED)

    assert tell_silence(house()) == 1

    assert_golden(as_golden(box.letters[0]), GOLDEN / "silence.txt")


def test_silence_is_mailed_once_and_again_each_day_it_lasts(house: House, store: Store, box: Letterbox) -> None:
    completed(store, NOW - 31 * HOUR)

    told = [tell_silence(house(now=NOW + hours * HOUR)) for hours in (0, 1, 23, 24, 25, 48)]

    assert told == [1, 0, 0, 1, 0, 1]


def test_a_college_that_is_silent_is_mailed_about_its_queue(store: Store, blobs: PageStore, box: Letterbox) -> None:
    one = coursekey_college("http://127.0.0.1:1", key="hillside", mail={"failures": ["it@hillside.example"]})
    completed(store, NOW - 31 * HOUR, "hillside")
    here = Household(store, blobs, (), (), (), box, AIRFLOW, NOW, (one,))

    assert [tell_silence(here), tell_silence(here)] == [1, 0]

    [letter] = box.letters
    assert letter.to == ("it@hillside.example",)
    assert "no complete run for 31 hours" in letter.subject
    assert "CourseKey stays as it is meanwhile" in letter.plain
    assert f"{AIRFLOW}/dags/coursekey_outbound__hillside" in letter.plain


def test_a_complete_run_ends_the_silence(house: House, store: Store, box: Letterbox) -> None:
    completed(store, NOW - 31 * HOUR)
    tell_silence(house())
    completed(store, NOW)

    told = [tell_silence(house(now=NOW + hours * HOUR)) for hours in (1, 30, 31)]

    assert told == [0, 0, 1]


def test_an_institution_that_never_had_a_run_is_silent_from_when_it_was_first_seen(
    house: House, box: Letterbox
) -> None:
    told = [tell_silence(house(now=NOW + hours * HOUR)) for hours in (0, 30, 31)]

    assert told == [0, 0, 1]
    assert "There has never been one." in box.letters[0].plain


def test_without_receivers_of_its_own_the_operators_are_told(house: House, store: Store, box: Letterbox) -> None:
    completed(store, NOW - 31 * HOUR)

    tell_silence(house(college(mail={})))

    assert box.letters[0].to == ("operators@drift.example",)


def test_an_institution_that_cannot_be_told_hides_no_other_and_stays_due(
    store: Store, blobs: PageStore, box: Letterbox
) -> None:
    completed(store, NOW - 31 * HOUR, "unheard")
    completed(store, NOW - 31 * HOUR, "fjordvik")
    here = Household(store, blobs, (college("unheard", mail={}), college()), (), (), box, AIRFLOW, NOW)

    with pytest.raises(FatalError, match="Nobody is to be told that unheard is silent"):
        tell_silence(here)

    assert box.subjects == ["[Rosterflow] Høgskolen i Fjordvik: no complete run for 31 hours"]
    with pytest.raises(FatalError):
        tell_silence(here)
    assert len(box.letters) == 1


def test_a_dead_mail_server_is_raised_with_all_it_concerned(house: House, store: Store, box: Letterbox) -> None:
    for key in ("fjordvik", "sundnes"):
        completed(store, NOW - 31 * HOUR, key)
    box.error = RetryableError(Code.MAIL_FAILED, "The mail server could not be reached.")

    with pytest.raises(RetryableError) as raised:
        tell_silence(house(college(), college("sundnes")))
    box.error = None

    assert raised.value.code is Code.MAIL_FAILED
    assert tell_silence(house(college(), college("sundnes"))) == 2


# -- settings and runs that wait ---------------------------------------------------------------------------------------


def test_a_broken_settings_file_is_mailed_to_the_operators(house: House, box: Letterbox) -> None:
    broken = Broken("sundnes", "1 problem(s) in the settings:\n- sundnes.yaml: fs.dialekt: no such setting\n")

    assert tell_broken_settings(house(broken=(broken,))) == 1

    assert_golden(as_golden(box.letters[0]), GOLDEN / "settings.txt")


def test_a_broken_file_is_mailed_again_when_its_problems_change_and_each_day(house: House, box: Letterbox) -> None:
    one, two = Broken("sundnes", "one problem"), Broken("sundnes", "two problems")

    told = [
        tell_broken_settings(house(broken=(broken,), now=NOW + hours * HOUR))
        for broken, hours in ((one, 0), (one, 1), (two, 2), (two, 3), (two, 26))
    ]

    assert told == [1, 0, 1, 0, 1]


def test_a_file_that_was_mended_and_breaks_again_is_news(house: House, box: Letterbox) -> None:
    broken = Broken("sundnes", "one problem")

    told = [tell_broken_settings(house(broken=now_broken)) for now_broken in ((broken,), (), (broken,))]

    assert told == [1, 0, 1]


def test_a_run_without_a_plan_after_an_hour_is_mailed_once_with_the_pool_s_name(
    house: House, store: Store, box: Letterbox
) -> None:
    opened(store, at=NOW - 61 * MINUTE)

    told = [tell_unplanned(house(now=NOW + hours * HOUR)) for hours in (0, 1, 30)]

    assert told == [1, 0, 0]
    assert_golden(as_golden(box.letters[0]), GOLDEN / "unplanned.txt")


def test_a_run_that_is_planned_ended_young_or_an_approval_is_no_news(house: House, store: Store) -> None:
    opened(store, name="young", at=NOW - 59 * MINUTE)
    with_plan = opened(store, name="planned", at=NOW - 2 * HOUR)
    ended = opened(store, name="ended", at=NOW - 2 * HOUR)
    with store.begin() as connection:
        runs.note(connection, with_plan.id, state=RunState.PLANNED)
        runs.note(connection, ended.id, state=RunState.FAILED, ended_at=NOW)
        runs.open_run(
            connection, "fjordvik", "canvas_approval__fjordvik", "approval__1", "apply", with_plan.scope, NOW - DAY
        )

    assert tell_unplanned(house()) == 0


def test_a_notice_that_some_receivers_got_is_not_sent_again(house: House, store: Store, box: Letterbox) -> None:
    opened(store, at=NOW - 61 * MINUTE)
    box.error = PartlyRefused(1, 3)

    with pytest.raises(PartlyRefused):
        tell_unplanned(house())
    box.error = None

    assert tell_unplanned(house()) == 0


def test_a_notice_without_a_reminder_is_told_once(store: Store) -> None:
    with store.begin() as connection:
        notices.record_notice(connection, "unplanned:1", "a", NOW)
        assert not notices.is_due(connection, "unplanned:1", "a", NOW + 1000 * DAY, None)
        assert notices.is_due(connection, "unplanned:1", "b", NOW, None)


# -- digests, and the household itself ---------------------------------------------------------------------------------


def test_a_digest_that_fails_hides_no_other(house: House, store: Store, box: Letterbox) -> None:
    for key in ("fjordvik", "sundnes"):
        trouble(store, "NOR1001", institution=key)
    box.error = RetryableError(Code.MAIL_FAILED, "The mail server could not be reached.")
    with pytest.raises(RetryableError):
        send_digests(house(college(), college("sundnes")))
    box.error = None

    assert send_digests(house(college(), college("sundnes"))) == 2


@pytest.fixture
def installed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    folder = tmp_path / "institutions"
    folder.mkdir()
    (folder / "fjordvik.yaml").write_text(yaml_of("fjordvik"), encoding="utf-8")
    (folder / "sundnes.yaml").write_text(yaml_of("sundnes", fs="{connection: fs, dialekt: x}"), encoding="utf-8")
    monkeypatch.setenv("ROSTERFLOW_DATABASE_URL", f"sqlite:///{tmp_path}/store.db")
    monkeypatch.setenv("ROSTERFLOW_STORAGE", f"file://{tmp_path}/blobs")
    monkeypatch.setenv("ROSTERFLOW_PAGE_KEYS", KEY)
    monkeypatch.setenv("ROSTERFLOW_INSTITUTIONS", str(folder))
    monkeypatch.setenv("ROSTERFLOW_OPERATORS", "a@drift.example, b@drift.example")
    return folder


def test_the_household_is_what_environment_and_files_describe(installed: Path, store: Store, box: Letterbox) -> None:
    with open_household(box, AIRFLOW, NOW) as here:
        assert [one.key for one in here.institutions] == ["fjordvik"]
        assert [one.key for one in here.broken] == ["sundnes"]
        assert here.operators == ("a@drift.example", "b@drift.example")


def test_nothing_is_done_in_a_store_of_another_version(installed: Path, box: Letterbox) -> None:
    with pytest.raises(FatalError, match="store upgrade"), open_household(box, AIRFLOW, NOW):
        pytest.fail("it was opened")
