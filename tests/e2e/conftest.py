"""The whole stack for the end-to-end tests, started once."""

from __future__ import annotations

from collections.abc import Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from pathlib import Path

import pytest

from demo.errors import DemoError, log_tail
from demo.processes import Children
from demo.stack import Stack
from tests.e2e import attendance_chapter, chapters, college_chapter
from tests.e2e.ground import Ground

HERE = Path(__file__).parent


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Mark every test in this directory `e2e`."""
    for item in items:
        if item.path.is_relative_to(HERE):
            item.add_marker(pytest.mark.e2e)


@pytest.fixture(scope="package")
def ground(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Ground]:
    """The sandbox, PostgreSQL and Airflow with this repository's DAGs and institutions of the tests; about 30 s."""
    home = tmp_path_factory.mktemp("stack")
    institutions = home / "institutions"
    institutions.mkdir()
    with Children() as children:
        ground = Ground(Stack(children, home, say=print), institutions)
        ground.write_institutions()
        ground.stack.airflow.environment |= {
            "ROSTERFLOW_INSTITUTIONS": str(institutions),
            "ROSTERFLOW_OPERATORS": "operators@drift.example",
            # A killed worker is noticed by its silence; five minutes of it, the default, are too long for a test.
            "AIRFLOW__SCHEDULER__TASK_INSTANCE_HEARTBEAT_TIMEOUT": "30",
            "AIRFLOW__SCHEDULER__TASK_INSTANCE_HEARTBEAT_TIMEOUT_DETECTION_INTERVAL": "5",
        }
        try:
            ground.stack.start()
            ground.set_up()
        except DemoError as error:
            pytest.fail(f"{error}\n{log_tail(error.log) if error.log else ''}")
        yield ground
        ground.stack.stop()


@pytest.fixture(scope="package")
def stack(ground: Ground) -> Stack:
    """The stack itself."""
    return ground.stack


@pytest.fixture(scope="package")
def beside(ground: Ground) -> Iterator[dict[str, Future[object]]]:
    """The chapters that are played beside the story of ``demo``, begun."""
    with ThreadPoolExecutor() as pool:
        begun = {
            chapter.__name__: pool.submit(chapters.timed, chapter, ground)
            for chapter in (chapters.reading, chapters.neglected, college_chapter.college)
        }

        def attendance(ground: Ground) -> object:
            begun["college"].result()  # which brings courses and students into CourseKey
            return chapters.timed(attendance_chapter.attendance, ground)

        yield {**begun, "attendance": pool.submit(attendance, ground)}


@pytest.fixture(scope="package")
def reading(beside: dict[str, Future[object]]) -> object:
    """Reads that fail; see `chapters.Reading`."""
    return beside["reading"].result()


@pytest.fixture(scope="package")
def neglected(beside: dict[str, Future[object]]) -> object:
    """Institutions whose surroundings are not in order; see `chapters.Neglected`."""
    return beside["neglected"].result()


@pytest.fixture(scope="package")
def college(beside: dict[str, Future[object]]) -> object:
    """A college and its queue; see `college_chapter.CollegeYear`."""
    return beside["college"].result()


@pytest.fixture(scope="package")
def attendance(beside: dict[str, Future[object]]) -> object:
    """The college's time attended; see `attendance_chapter.Attendance`."""
    return beside["attendance"].result()


@pytest.fixture(scope="package")
def first_contact(ground: Ground, beside: object) -> object:
    """The story begins; see `chapters.FirstContact`."""
    return chapters.timed(chapters.first_contact, ground)


@pytest.fixture(scope="package")
def approved(ground: Ground, first_contact: object) -> object:
    """The first plan is approved; see `chapters.Approved`."""
    return chapters.timed(chapters.approved, ground)


@pytest.fixture(scope="package")
def unchanged(ground: Ground, approved: object) -> object:
    """A day on which nothing changes; see `chapters.Posted`."""
    return chapters.timed(chapters.unchanged, ground)


@pytest.fixture(scope="package")
def changed(ground: Ground, unchanged: object) -> object:
    """A day of change; see `chapters.Changed`."""
    return chapters.timed(chapters.changed, ground)


@pytest.fixture(scope="package")
def troubled(ground: Ground, changed: object) -> object:
    """Two syncs in trouble; see `chapters.Troubled`."""
    return chapters.timed(chapters.troubled, ground)


@pytest.fixture(scope="package")
def together(ground: Ground, troubled: object) -> object:
    """Two institutions at once; see `chapters.Together`."""
    return chapters.timed(chapters.together, ground)


@pytest.fixture(scope="package")
def two_people(ground: Ground, together: object) -> object:
    """A plan that two people must approve; see `chapters.TwoPeople`."""
    return chapters.timed(chapters.two_people, ground)


@pytest.fixture(scope="package")
def backfilled(ground: Ground, two_people: object) -> object:
    """Three past days; see `chapters.Backfilled`."""
    return chapters.timed(chapters.backfilled, ground)


@pytest.fixture(scope="package")
def people(ground: Ground, backfilled: object) -> object:
    """Users, enrollments and administrators; see `chapters.People`."""
    return chapters.timed(chapters.people, ground)
