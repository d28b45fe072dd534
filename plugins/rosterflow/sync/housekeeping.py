"""What has to be seen to each hour: forgetting what has been kept for long enough, and telling people what is wrong.

Each duty is a function of its own and each institution is seen to for itself: one that fails hides no other, and what
failed is raised at the end.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import TypeVar

from rosterflow.domain.coursekey.college import College
from rosterflow.domain.errors import REMEDIES, Code, FatalError, RetryableError, RosterflowError
from rosterflow.domain.institution import Institution, Retention
from rosterflow.settings import Broken, environment, load_colleges, load_institutions
from rosterflow.store import (
    attendance_raw,
    campus,
    history,
    imports,
    institutions,
    migrate,
    notices,
    queue_looking,
    retention,
    row_errors,
    runs,
)
from rosterflow.store.engine import Store
from rosterflow.store.runs import Run
from rosterflow.sync.digest import send_digest
from rosterflow.sync.letters import Letter, Post, moment_text, send_once, write
from rosterflow.sync.pages import PageStore

DAILY = timedelta(days=1)
UNPLANNED_AFTER = timedelta(hours=1)
ORPHANED_AFTER = timedelta(days=30)
"""A zip this much older than the retention belongs to no import: a crash came between it and its row."""
DAGS = ("fs_canvas_sync", "canvas_approval", "canvas_reconcile")
"""DAGs made for each institution: ``<dag>__<institution>``."""
LATEST_RUNS = 5

Thing = TypeVar("Thing")


@dataclass(frozen=True, slots=True)
class Household:
    """What the duties need.

    :param institutions: those whose settings can be used.
    :param broken: the others, colleges too.
    :param operators: addresses of those who run the installation.
    :param post: sends a letter.
    :param airflow: where Airflow's UI is.
    :param now: aware instant.
    :param colleges: those that send to CourseKey and whose settings can be used.
    """

    store: Store
    blobs: PageStore
    institutions: tuple[Institution, ...]
    broken: tuple[Broken, ...]
    operators: tuple[str, ...]
    post: Post
    airflow: str
    now: datetime
    colleges: tuple[College, ...] = ()

    def receivers(self, institution: Institution | College) -> tuple[str, ...]:
        """Who is told about trouble with an institution or a college."""
        return institution.mail.failures or self.operators

    def sync_page(self, institution: Institution | College) -> str:
        """The page in Airflow of an institution's sync, or of a college's queue."""
        dag = "coursekey_outbound" if isinstance(institution, College) else DAGS[0]
        return f"{self.airflow}/dags/{dag}__{institution.key}"


@contextmanager
def open_household(post: Post, airflow: str, now: datetime) -> Iterator[Household]:
    """The household that the environment and the settings files describe.

    :raises FatalError: ``settings-invalid``, ``page-key-invalid`` or ``store-outdated``.
    """
    here = environment()
    good, broken = load_institutions(here.institutions)
    colleges, broken_too = load_colleges(here.institutions)
    blobs = PageStore(here.storage_url, here.page_keys)
    store = Store(here.database_url)
    try:
        migrate.check(store)
        unusable = (*broken, *broken_too)
        yield Household(store, blobs, tuple(good), unusable, here.operators, post, airflow, now, tuple(colleges))
    finally:
        store.dispose()


def forget_what_is_old(house: Household) -> int:
    """Remove what has been kept for its retention: pages, checkpoints, zips, plans, history, settled row errors.

    :returns: how many things were removed.
    """
    removed = _forget_pages(house)
    kept: dict[str, Institution | College] = {one.key: one for one in house.institutions}
    kept |= {one.key: one for one in house.colleges}
    broken = {one.key for one in house.broken}
    with house.store.begin() as connection:
        known = retention.known_institutions(connection)
    # What an institution without a file left behind goes by the defaults; a broken file may have asked for longer.
    for key in sorted({*known, *kept} - broken):
        settings = kept.get(key)
        ask_again = settings.approval.ask_again_days if settings else 0
        removed += _forget(house, key, settings.retention if settings else Retention(), timedelta(days=ask_again))
    removed += sum(_forget_queue(house, college) + _forget_evidence(house, college) for college in house.colleges)
    with house.store.begin() as connection:
        removed += retention.purge_failures(connection, house.now - timedelta(days=Retention().plans_days))
    return removed


def _forget_queue(house: Household, college: College) -> int:
    """A college's entries that are done or skipped, and their history; and what has long been gone from Campus Cafe."""
    with house.store.begin() as connection:
        queue_before = house.now - timedelta(days=college.coursekey.remove_from_queue_days)
        gone_before = house.now - timedelta(days=college.retention.history_days)
        removed = queue_looking.purge(connection, college.key, queue_before)
        return removed + campus.purge(connection, college.key, gone_before)


def _forget_evidence(house: Household, college: College) -> int:
    """The reads of CourseKey's export, and their pages: they are evidence, and kept for longer than other pages."""
    before = house.now - timedelta(days=college.attendance.raw_days)
    with house.store.begin() as connection:
        removed = attendance_raw.purge(connection, college.key, before)
    return removed + house.blobs.sweep(f"{attendance_raw.BELOW}/{college.key}", before)


def _forget_pages(house: Household) -> int:
    """Pages by institution, and what is left of others by the longest retention; checkpoints by the shortest.

    A checkpoint serves the retries of one task, hours at most, and does not say whose it is.
    """
    kept = [one.retention for one in house.institutions] + [one.retention for one in house.colleges]
    days = [one.pages_days for one in kept or [Retention()]]
    removed = house.blobs.sweep("checkpoints", house.now - timedelta(days=min(days)))
    removed += house.blobs.sweep("xcom", house.now - timedelta(days=max(days)))
    for one in house.institutions:
        for dag in DAGS:
            before = house.now - timedelta(days=one.retention.pages_days)
            removed += house.blobs.sweep(f"xcom/{dag}__{one.key}", before)
    return removed


def _forget(house: Household, key: str, kept: Retention, ask_again: timedelta) -> int:
    zips_before = house.now - timedelta(days=kept.zips_days)
    plans_before = house.now - timedelta(days=kept.plans_days)
    history_before = house.now - timedelta(days=kept.history_days)
    removed = house.blobs.sweep(f"zips/{key}", zips_before - ORPHANED_AFTER)
    with house.store.begin() as connection:
        old_zips = imports.blobs_before(connection, key, zips_before)
    for number, blob in old_zips:
        house.blobs.delete(blob)
        with house.store.begin() as connection:
            imports.note(connection, number, blob=None)
    with house.store.begin() as connection:
        removed += len(old_zips)
        removed += retention.purge_plans(connection, key, plans_before, house.now - ask_again)
        removed += row_errors.purge(connection, key, plans_before)
        removed += history.purge(connection, key, history_before)
        removed += retention.purge_digests(connection, key, history_before)
        removed += retention.purge_runs(connection, key, history_before)
    return removed


def tell_silence(house: Household) -> int:
    """Mail each institution and college that had no complete run for ``silence_hours``: once, and daily while it lasts.

    :returns: how many were mailed.
    """
    everybody: tuple[Institution | College, ...] = (*house.institutions, *house.colleges)
    return _for_each(everybody, lambda one: _tell_silence(house, one))


def _tell_silence(house: Household, institution: Institution | College) -> bool:
    with house.store.begin() as connection:
        standing = institutions.standing(connection, institution.key, house.now)
        latest = runs.latest_runs(connection, institution.key, LATEST_RUNS)
    quiet = house.now - (standing.complete_at or standing.first_seen_at)
    told = standing.silence_mailed_at
    if quiet <= timedelta(hours=institution.silence_hours) or (told and house.now - told < DAILY):
        return False
    hours = int(quiet / timedelta(hours=1))
    last = "There has never been one."
    if standing.complete_at:
        last = f"The last one ended {moment_text(standing.complete_at, institution.zone)}."
    letter = write(
        "silence",
        _somebody(house.receivers(institution), f"{institution.key} is silent"),
        f"{institution.name}: no complete run for {hours} hours",
        name=institution.name,
        hours=hours,
        last=last,
        target="CourseKey" if isinstance(institution, College) else "Canvas",
        runs=[_run_text(run, institution) for run in latest],
        remedy=REMEDIES[Code.SILENCE],
        code=Code.SILENCE,
        dag_page=house.sync_page(institution),
    )

    def mark() -> None:
        with house.store.begin() as connection:
            institutions.mark(connection, institution.key, silence_mailed_at=house.now)

    send_once(house.post, letter, mark)
    return True


def _run_text(run: Run, institution: Institution | College) -> str:
    gaps = run.counts.get("gaps")
    return f"{moment_text(run.started_at, institution.zone)}: {run.state}" + (f", {gaps} gaps" if gaps else "")


def tell_broken_settings(house: Household) -> int:
    """Mail the operators about each settings file that cannot be used: once, when its problems change, and daily.

    :returns: how many files they were mailed about.
    """
    with house.store.begin() as connection:
        notices.forget_others(connection, "settings:", [_settings_topic(one) for one in house.broken])
    return _for_each(house.broken, lambda one: _tell_broken(house, one))


def _tell_broken(house: Household, broken: Broken) -> bool:
    topic = _settings_topic(broken)
    return _notify(
        house,
        topic,
        broken.message,
        DAILY,
        lambda: write(
            "settings",
            _somebody(house.operators, f"the settings of {broken.key} cannot be used"),
            f"the settings of {broken.key} cannot be used",
            key=broken.key,
            message=broken.message,
            code=Code.SETTINGS_INVALID,
        ),
    )


def _settings_topic(broken: Broken) -> str:
    return f"settings:{broken.key}"[:200]


def tell_unplanned(house: Household) -> int:
    """Mail about runs that were opened an hour ago and have no plan: mostly, their pool does not exist.

    :returns: how many runs were mailed about, each once.
    """
    by_key = {one.key: one for one in house.institutions}
    with house.store.begin() as connection:
        waiting = runs.unplanned_runs(connection, house.now - UNPLANNED_AFTER)
    mine = [run for run in waiting if run.institution in by_key and run.dag_id.startswith(DAGS[0])]
    return _for_each(mine, lambda run: _tell_unplanned(house, by_key[run.institution], run))


def _tell_unplanned(house: Household, institution: Institution, run: Run) -> bool:
    since = moment_text(run.started_at, institution.zone)
    pool = institution.canvas.pool
    message = (
        f"{run.dag_run_id} began {since} and has no plan yet. It may be reading still, or it waits for the "
        f"pool {pool}: does the pool exist, with one slot and deferred included?"
    )
    return _notify(
        house,
        f"unplanned:{run.id}",
        since,
        None,
        lambda: write(
            "unplanned",
            _somebody(house.receivers(institution), f"{institution.key} has a run that waits"),
            f"{institution.name}: a run has no plan after an hour",
            name=institution.name,
            message=message,
            remedy=REMEDIES[Code.POOL_MISSING],
            code=Code.POOL_MISSING,
            dag_page=house.sync_page(institution),
        ),
    )


def send_digests(house: Household) -> int:
    """Send the digests that are due.

    :returns: how many were sent.
    """
    return _for_each(house.institutions, lambda one: send_digest(house.store, one, house.post, house.now))


def _notify(
    house: Household, topic: str, content: str, again_after: timedelta | None, letter: Callable[[], Letter]
) -> bool:
    with house.store.begin() as connection:
        if not notices.is_due(connection, topic, content, house.now, again_after):
            return False

    def told() -> None:
        with house.store.begin() as connection:
            notices.record_notice(connection, topic, content, house.now)

    send_once(house.post, letter(), told)
    return True


def _somebody(receivers: tuple[str, ...], what: str) -> tuple[str, ...]:
    if not receivers:
        message = f"Nobody is to be told that {what}: set mail.failures or ROSTERFLOW_OPERATORS."
        raise FatalError(Code.SETTINGS_INVALID, message)
    return receivers


def _for_each(things: Iterable[Thing], duty: Callable[[Thing], bool]) -> int:
    """Do a duty for each thing, whatever becomes of the others.

    :returns: for how many there was something to do.
    :raises RosterflowError: the one that was raised, or one that names all when there were several.
    """
    done, failed = 0, []
    for thing in things:
        try:
            done += duty(thing)
        except RosterflowError as error:
            failed.append(error)
    if len(failed) == 1:
        raise failed[0]
    if failed:
        kind = RetryableError if any(isinstance(one, RetryableError) for one in failed) else FatalError
        raise kind(failed[0].code, " ".join(one.message for one in failed))
    return done
