"""The story of the end-to-end tests, chapter by chapter: each plays something once and tells what it saw.

The chapters about the institution ``demo`` are played in one order, whichever test asks first, because each begins
where the one before it ended. Those about other institutions run beside them.
"""

from __future__ import annotations

import contextlib
import time
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

import psutil

from demo.airflow_api import Json
from tests.e2e.ground import Ground, Seen

SYNC = "fs_canvas_sync__demo"
APPROVAL = "canvas_approval__demo"
POST = "POST /canvas/api/v1/accounts/self/sis_imports"
OLDER = '/fs/2023/graphql\n{"query": "query '
HOOK_ATTEMPTS = 4
SLOW_SECONDS = 20
POST_SECONDS = 12
COMMENT = "Read through."


@dataclass(frozen=True)
class FirstContact:
    """The first scheduled run, and what Canvas had after it."""

    run: Seen
    imports: int
    canvas_before: dict[str, int]
    canvas_after: dict[str, int]


def first_contact(ground: Ground) -> FirstContact:
    before = ground.canvas()
    ground.client.unpause(SYNC)
    run_id = ground.wait(lambda: next(iter(ground.client.runs(SYNC)), None), "the scheduled run")["dag_run_id"]
    seen = ground.ended(SYNC, run_id)
    return FirstContact(seen, ground.imports(), before, ground.canvas())


@dataclass(frozen=True)
class Approved:
    """The approval of the first plan: who was turned away, an answer that did not count, and one that did.

    :param refused: Airflow's words by person.
    """

    question: Json
    refused: dict[str, str]
    without_comment: Seen
    run: Seen
    imports: int
    audit: list[tuple[Any, ...]]


def approved(ground: Ground) -> Approved:
    question = ground.question("demo")
    refused = {person: ground.refusal(person, question) for person in ("viewer", "admin")}
    ground.answer("registrar", question, "Approve", "")
    run_id = question["task_instance"]["dag_run_id"]
    without_comment = ground.ended(APPROVAL, run_id)
    ground.client.clear(APPROVAL, run_id, ["ask_person"])
    ground.answer("registrar", ground.question("demo"), "Approve", COMMENT)
    run = ground.ended(APPROVAL, run_id)
    audit = ground.record("select actor, act, reason from audit where institution = 'demo' order by id")
    return Approved(question, refused, without_comment, run, ground.imports(), audit)


@dataclass(frozen=True)
class Posted:
    """A sync with the number of SIS imports before and after it."""

    run: Seen
    before: int
    after: int

    @property
    def imports(self) -> int:
        """How many imports it posted."""
        return self.after - self.before


def posted(ground: Ground, key: str = "demo", **conf: Any) -> Posted:
    before = ground.imports()
    return Posted(ground.sync(key, **conf), before, ground.imports())


def unchanged(ground: Ground) -> Posted:
    return posted(ground, mode="apply")


@dataclass(frozen=True)
class Changed:
    """A day of change: planned by hand, then applied while Canvas took its time, then the held part approved.

    :param waiting: the state of the task that waited for Canvas.
    :param held_slots: worker slots that were taken meanwhile.
    """

    planned: Posted
    applied: Posted
    waiting: str
    held_slots: int
    question: Json
    approval: Seen


def changed(ground: Ground) -> Changed:
    ground.control("day-of-change")
    planned = posted(ground)
    ground.fault(target="canvas", kind="slow_import", seconds=SLOW_SECONDS)
    before = ground.imports()
    run_id = ground.start("demo", mode="apply")
    waiting = ground.wait_for_state(SYNC, run_id, "apply", "deferred", "success", "failed")
    running = ground.metadata(f"select count(*) from task_instance where state = 'running' and run_id = '{run_id}'")
    applied = Posted(ground.ended(SYNC, run_id), before, ground.imports())
    question = ground.question("demo")
    ground.answer("dean", question, "Approve", COMMENT)
    approval = ground.ended(APPROVAL, question["task_instance"]["dag_run_id"])
    return Changed(planned, applied, waiting, running[0][0], question, approval)


@dataclass(frozen=True)
class Troubled:
    """Two syncs in trouble, and the one after them.

    :param cut: the answer to the POST was lost.
    :param killed: the worker died while it posted.
    :param names: what the EVU courses are called in Canvas in the end.
    """

    cut: Posted
    killed: Posted
    next: Posted
    names: set[str]


def troubled(ground: Ground) -> Troubled:
    names = dict(ground.settings["demo"].get("names", {}))
    ground.change("demo", names={**names, "evu_course": "{navn} [{tidsangivelse}]"})
    ground.fault(target="canvas", kind="drop_after", match=POST)
    cut = posted(ground, mode="apply")
    ground.change("demo", names={**names, "evu_course": "{navn} / {tidsangivelse}"})
    killed = _killed(ground, "demo")
    return Troubled(cut, killed, posted(ground, mode="apply"), evu_names(ground))


def _killed(ground: Ground, key: str) -> Posted:
    """A sync whose worker is killed while it posts the import."""
    number = ground.fault(target="canvas", kind="latency", match=POST, seconds=POST_SECONDS)
    before = ground.imports()
    dag_id, run_id = f"fs_canvas_sync__{key}", ground.start(key, mode="apply")
    ground.wait(lambda: ground.struck(number)["fired"] or None, "the POST")
    kill_worker(ground, run_id, "apply", dag_id=dag_id)
    return Posted(ground.ended(dag_id, run_id), before, ground.imports())


def kill_worker(ground: Ground, run_id: str, task_id: str, *, dag_id: str = SYNC) -> None:
    """Kill a running task together with the worker that looks after it."""
    where = f"dag_id = '{dag_id}' and run_id = '{run_id}' and task_id = '{task_id}'"
    ((pid,),) = ground.metadata(f"select pid from task_instance where {where}")
    with contextlib.suppress(psutil.NoSuchProcess):
        task = psutil.Process(pid)
        worker = task.parent()
        if worker is not None:
            worker.kill()
        task.kill()


def evu_names(ground: Ground) -> set[str]:
    """What the EVU courses are called in Canvas."""
    found: set[str] = set()
    for page in range(1, 20):
        courses = ground.canvas_rest(f"/accounts/self/courses?per_page=100&page={page}")
        found |= {one["name"] for one in courses if str(one["sis_course_id"]).startswith("EVU_")}
        if not courses:
            break
    return found


@dataclass(frozen=True)
class Together:
    """Two institutions of one Canvas root account, started at the same moment.

    :param writing: when each wrote: from its plan to its last confirmation.
    """

    runs: tuple[Seen, Seen]
    writing: list[tuple[datetime, datetime]]


def together(ground: Ground) -> Together:
    ids = {
        "demo": ground.start("demo", mode="apply"),
        "tvilling": ground.start("tvilling", mode="apply", accept_empty=["termin"]),  # FS has nothing of it
    }
    seen = [ground.ended(f"fs_canvas_sync__{key}", run_id) for key, run_id in ids.items()]
    writing = [
        ground.metadata(
            "select min(start_date), max(end_date) from task_instance where task_id in "
            "('plan', 'guard', 'apply', 'confirm', 'close_accounts', 'confirm_closed') "
            f"and dag_id = '{one.dag_id}' and run_id = '{one.run_id}'"
        )[0]
        for one in seen
    ]
    return Together((seen[0], seen[1]), [(begin, end) for begin, end in writing])


@dataclass(frozen=True)
class TwoPeople:
    """A plan that would remove so much that two people must approve: one did, the other did not."""

    run: Posted
    question: Json
    approval: Seen
    imports: int
    audit: list[tuple[Any, ...]]


def two_people(ground: Ground) -> TwoPeople:
    fs = ground.settings["demo"]["fs"]
    ground.change("demo", fs={**fs, "service_numbers": ["77"], "null_service_number_is_ours": False})
    run = posted(ground, mode="apply")
    ground.change("demo", fs=fs)
    question = ground.question("demo")
    ground.answer("registrar", question, "Approve", COMMENT)
    ground.answer("dean", ground.question("demo", "ask_second_person"), "Reject", "The setting is wrong.")
    approval = ground.ended(APPROVAL, question["task_instance"]["dag_run_id"])
    audit = ground.record("select actor, act, reason from audit where institution = 'demo' order by id")
    return TwoPeople(run, question, approval, ground.imports(), audit)


@dataclass(frozen=True)
class Backfilled:
    """Three past days, and what asking for them again did."""

    runs: list[Seen]
    before: int
    after: int
    canvas_before: dict[str, int]
    canvas_after: dict[str, int]
    runs_after_asking_again: int


def backfilled(ground: Ground) -> Backfilled:
    before, canvas = ground.imports(), ground.canvas()
    midnight = datetime.now(UTC).replace(hour=0, minute=0, second=0, microsecond=0)
    first, last = midnight - timedelta(days=5), midnight - timedelta(days=2)
    _backfill(ground, first, last)
    runs = [run["dag_run_id"] for run in _backfill_runs(ground)]
    seen = [ground.ended(SYNC, run_id) for run_id in runs]
    _backfill(ground, first, last)
    return Backfilled(seen, before, ground.imports(), canvas, ground.canvas(), len(_backfill_runs(ground)))


def _backfill(ground: Ground, first: datetime, last: datetime) -> None:
    number = ground.client.create_backfill(SYNC, first, last, max_active_runs=1, reprocess_behavior="none")

    def completed() -> Json | None:
        found = ground.client.request("GET", f"/backfills/{number}")
        return found if found["completed_at"] else None

    ground.wait(completed, "the backfill")


def _backfill_runs(ground: Ground) -> list[Json]:
    return [run for run in ground.client.runs(SYNC) if run["run_type"] == "backfill"]


@dataclass(frozen=True)
class Reading:
    """Reads that fail.

    :param retried: one operation failed on its third page until its retry.
    :param asked: how often a page of that operation was asked for.
    :param failed: a run that failed because FS refused the password once.
    :param resumed: the same run after its failed task was cleared.
    :param asked_again: how often the other operation was asked again meanwhile.
    """

    retried: Seen
    pages: int
    asked: int
    failed: Seen
    mail: Json
    resumed: Seen
    asked_again: int


def reading(ground: Ground) -> Reading:
    count = ground.fault(target="fs", kind="skew", match=f"{OLDER}undervisning(", count=None)
    ground.fault(target="fs", kind="500", match=f"{OLDER}undervisning(", after=2, count=HOOK_ATTEMPTS)
    retried = ground.sync("eldre", mode="plan")
    asked = ground.struck(count)["seen"]
    summary = ground.client.request(
        "GET",
        f"/dags/{retried.dag_id}/dagRuns/{retried.run_id}/taskInstances/read.undervisning/xcomEntries/return_value",
        params={"deserialize": True},
    )
    ground.fault(target="fs", kind="unauthorized", match=f"{OLDER}evu_kurs(")
    failed = ground.sync("eldre", mode="plan")
    mail = ground.wait_for_mail("drift@eldre.example", "unauthorized")
    before = ground.struck(count)["seen"]
    ground.client.clear(failed.dag_id, failed.run_id, ["read.evu_kurs"])
    resumed = ground.ended(failed.dag_id, failed.run_id)
    pages = summary["value"]["pages"]
    return Reading(retried, pages, asked, failed, mail, resumed, ground.struck(count)["seen"] - before)


@dataclass(frozen=True)
class Neglected:
    """Institutions whose surroundings are not in order: one without its pool, one whose settings are wrong.

    :param stuck: the tasks of the run that waits for its pool.
    """

    stuck: dict[str, tuple[str, int]]
    pool_mail: Json
    released: Seen
    broken: Seen
    broken_log: str
    broken_mail: Json


def neglected(ground: Ground) -> Neglected:
    run_id = ground.start("uten_pool", mode="plan")
    dag_id = "fs_canvas_sync__uten_pool"
    ground.client.unpause("fs_canvas_sync__skakk")
    broken_id = ground.client.trigger("fs_canvas_sync__skakk")
    ground.wait_for_state(dag_id, run_id, "plan", "scheduled")
    stuck = ground.tasks(dag_id, run_id)
    ground.record(f"update run set started_at = started_at - interval '2 hours' where dag_id = '{dag_id}'")
    ground.client.unpause("rosterflow_housekeeping")
    ground.client.trigger("rosterflow_housekeeping")
    mail = ground.wait_for_mail("operators@drift.example", "no plan after an hour")
    broken = ground.ended("fs_canvas_sync__skakk", broken_id)
    broken_mail = ground.wait_for_mail("operators@drift.example", "fs_canvas_sync__skakk failed")
    ground.client.create_pool("canvas_glemt", 1)
    released = ground.ended(dag_id, run_id)
    log = ground.log(broken, "check_settings")
    return Neglected(stuck, mail, released, broken, log, broken_mail)


@dataclass(frozen=True)
class People:
    """First contact with people, its approval, a quiet day, and a day of change on which a worker is killed.

    :param by_hand: enrollments that Canvas had before.
    :param users: how many Canvas had after the approval.
    :param enrollments: and how many enrollments in each state.
    :param told: what happened in FS on the day of change, in words.
    :param changed: the sync of that day, whose worker was killed while it posted.
    :param next: the sync after it, which reads from Canvas anew what is there.
    """

    by_hand: int
    first: Posted
    approval: Seen
    users: int
    enrollments: dict[str, int]
    unchanged: Posted
    told: list[str]
    changed: Posted
    enrollments_after: dict[str, int]
    next: Posted


def people(ground: Ground) -> People:
    by_hand = sum(ground.enrollments().values())
    first = posted(ground, "folk", mode="apply")
    question = ground.question("folk")
    ground.answer("registrar", question, "Approve", COMMENT)
    approval = ground.ended("canvas_approval__folk", question["task_instance"]["dag_run_id"])
    users, enrollments = ground.canvas()["users"], ground.enrollments()
    quiet = posted(ground, "folk", mode="apply")
    told = ground.control("day-of-change")["changes"]
    changed, after = _killed(ground, "folk"), ground.enrollments()
    ground.record("update institution set based_at = null where key = 'folk'")
    again = posted(ground, "folk", mode="apply")
    return People(by_hand, first, approval, users, enrollments, quiet, told, changed, after, again)


def timed(chapter: Any, ground: Ground) -> Any:
    """Play a chapter and say how long it took."""
    begin = time.monotonic()
    told = chapter(ground)
    ground.stack.say(f"{chapter.__name__}: {time.monotonic() - begin:.0f} s")
    return told
