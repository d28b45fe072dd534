"""Reading the time attended as Airflow tasks: one for each auth key, with each page as an XCom of its own."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from datetime import date
from itertools import count
from pathlib import Path
from typing import Any

from airflow.sdk import Context, XComArg
from airflow.sdk.definitions.mappedoperator import MappedOperator
from airflow.sdk.execution_time.xcom import XCom

from rosterflow.domain.attendance.module import AttendanceModule
from rosterflow.domain.attendance.reading import KeptPage
from rosterflow.domain.coursekey.college import College
from rosterflow.domain.errors import Code, FatalError, RetryableError
from rosterflow.hooks.campus_cafe_attendance import CampusCafeAttendanceHook
from rosterflow.hooks.campus_cafe_attendance_folder import CampusCafeAttendanceFolder
from rosterflow.hooks.coursekey_export import CourseKeyExportHook
from rosterflow.operators.college import CollegeOperator
from rosterflow.operators.fs import page_key
from rosterflow.operators.institution import defaults, now
from rosterflow.sync.attendance_reading import (
    AuthKey,
    Evidence,
    Opened,
    SchoolRead,
    auth_keys,
    plain,
    read_from,
    read_key,
)
from rosterflow.xcom import EncryptedPages, StoredPage, blob_name, page_store

READS = "reads"
"""The XCom of the reads of a key's schools, as :func:`rosterflow.sync.attendance_reading.plain` writes them."""


class ReadAttendanceOperator(CollegeOperator):
    """Reads the time attended at every school of one auth key and pushes each page as an XCom (``page_0001`` …).

    The pages are numbered through over the schools. A school that cannot be read does not stop the others: what came
    is handed on, as a read that is not whole, and the task is tried again while it has tries left. It fails in the end
    only when nothing at all could be had of a school. Returns counts by school.

    :param connection: Airflow connection that holds the auth key.
    :param window: ``first`` and ``last`` day to read, ISO dates, both inclusive.
    """

    template_fields: Sequence[str] = ("institution", "connection", "window")
    ui_color = "#e3eefb"

    def __init__(self, *, connection: str, window: Mapping[str, Any] | XComArg, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.connection = connection
        self.window: Any = window  # Airflow puts the value in the place of a reference before it is used

    @property
    def about(self) -> str:
        """Which key it reads with, for the UI: the pairs of CRSKEYAUTH that name it."""
        return self._key().aliases

    def execute(self, context: Context) -> dict[str, Any]:
        """Read, push the pages, return the counts.

        :raises RosterflowError: what a school could not be read for, in the end.
        """
        if not issubclass(XCom, EncryptedPages):
            message = "Airflow must keep XComs with rosterflow.xcom.EncryptedPages: set [core] xcom_backend."
            raise FatalError(Code.SETTINGS_INVALID, message)
        address = self.settings.coursekey.export_base_url
        if address is None:
            raise FatalError(Code.SETTINGS_INVALID, f"{self.institution}: COURSEKEY_EXPORT_BASE_URL is not set.")
        first, last = (date.fromisoformat(str(self.window[name])) for name in ("first", "last"))
        evidence = Evidence(self.store, page_store(), self.institution, self.run_of(context).id)
        hook = CourseKeyExportHook(self.connection, base_url=address)
        reads = read_key(hook, self._key().schools, first, last, evidence, now)
        ti: Any = context["ti"]
        numbers = count(1)
        for read in reads:
            for page in read.kept.pages:
                ti.xcom_push(key=page_key(next(numbers)), value=StoredPage(page.name))
        ti.xcom_push(key=READS, value=[plain(read.kept) for read in reads])
        self._complain(reads, has_tries_left=ti.try_number <= ti.max_tries)
        return {read.kept.school: {"pages": len(read.kept.pages), "records": read.kept.rows} for read in reads}

    def _key(self) -> AuthKey:
        for key in auth_keys(self.settings):
            if key.connection == self.connection:
                return key
        raise FatalError(Code.SETTINGS_INVALID, f"{self.institution}: no pair of CRSKEYAUTH has {self.connection}.")

    def _complain(self, reads: Sequence[SchoolRead], *, has_tries_left: bool) -> None:
        for read in reads:
            for gap in read.kept.gaps:
                self.log.warning("School %s: %s", read.kept.school, gap)
        for read in reads:
            error = read.error
            if error is not None and (not read.kept.pages or (has_tries_left and isinstance(error, RetryableError))):
                kind = RetryableError if isinstance(error, RetryableError) else FatalError
                raise kind(error.code, f"Auth key {read.kept.alias}, school {read.kept.school}: {error.message}")


def mapped_attendance_reads(
    task_id: str, college: College, window: XComArg | Mapping[str, Any], **kwargs: Any
) -> MappedOperator:
    """The tasks that read: one for each auth key of a college.

    :param window: the days, as :class:`ReadAttendanceOperator` takes them.
    """
    # A mapped task has only what it is told here: the operator's own defaults come too late for it.
    told = defaults(ReadAttendanceOperator, {"map_index_template": "{{ task.about }}", **kwargs})
    partial = ReadAttendanceOperator.partial(task_id=task_id, institution=college.key, window=window, **told)
    return partial.expand(connection=[key.connection for key in auth_keys(college)])


def attendance_reads(ti: Any, task_id: str, college: College) -> tuple[list[Opened], list[str]]:
    """What the reading tasks of this run handed on, school by school, and the aliases of keys that handed on nothing.

    :param task_id: of the mapped tasks.
    """
    reads: list[Opened] = []
    silent: list[str] = []
    for place, key in enumerate(auth_keys(college)):
        handed = ti.xcom_pull(task_ids=task_id, key=READS, map_indexes=place)
        if handed is None:
            silent.append(key.aliases)
            continue
        numbers = count(1)
        for read in map(read_from, handed):
            keys = {page.number: page_key(next(numbers)) for page in read.pages}
            reads.append(Opened(read, _fetched(ti, task_id, place, keys)))
    return reads, silent


def _fetched(ti: Any, task_id: str, place: int, keys: Mapping[int, str]) -> Callable[[KeptPage], bytes]:
    """Gives the bytes of a page of one read: those that its XCom stands for."""

    def fetch(page: KeptPage) -> bytes:
        return page_store().get_bytes(blob_name(ti.dag_id, ti.run_id, task_id, place, keys[page.number]))

    return fetch


@contextmanager
def attendance_module(college: College) -> Iterator[AttendanceModule]:
    """A college's attendance module: over HTTP, or the folder its files are written to."""
    said = college.campus_cafe
    if said.folder is not None:
        yield CampusCafeAttendanceFolder(Path(said.folder))
    else:
        with CampusCafeAttendanceHook(said.connection or "", page_size=said.page_size) as hook:
            yield hook
