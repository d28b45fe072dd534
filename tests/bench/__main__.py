"""``make bench``, or ``python -m tests.bench``: what the engine costs, as ratios to what nobody can avoid.

``--people`` measures it with people, ``--airflow`` what Airflow itself adds to a run, ``--queue`` picking from a queue,
``--drain`` draining one, ``--attendance`` importing time attended.
docs/benchmarks.md tells how to read the tables.
Nothing here fails because something is slow.
"""

from __future__ import annotations

import argparse
import multiprocessing
import os
import sys
import tempfile
import time
from multiprocessing.context import ForkServerContext
from pathlib import Path

import yaml

REPOSITORY = Path(__file__).parents[2]


def main(arguments: list[str] | None = None) -> int:
    """Measure, print the tables, and end with 0 when everything could be measured."""
    parser = argparse.ArgumentParser("python -m tests.bench", description=__doc__.splitlines()[0] if __doc__ else "")
    parser.add_argument("--airflow", action="store_true", help="measure what Airflow adds, with the demo's university")
    parser.add_argument("--queue", action="store_true", help="measure picking from a long queue of CourseKey")
    parser.add_argument(
        "--drain", type=int, nargs="?", const=20_000, help="measure draining a queue of so many entries into CourseKey"
    )
    parser.add_argument("--rate", type=float, default=100.0, help="so many calls a second CourseKey takes (--drain)")
    parser.add_argument(
        "--attendance", type=int, nargs="?", const=1_000_000, help="measure importing so many records of time attended"
    )
    parser.add_argument(
        "--people", type=int, nargs="?", const=300_000, choices=(300_000, 1_000_000), help="so many enrollments, too"
    )
    parser.add_argument(
        "--profiles", type=Path, help="write each task's cProfile to this folder (times mean little then)"
    )
    options = parser.parse_args(arguments)
    with tempfile.TemporaryDirectory(prefix="rosterflow-bench-") as home:
        _isolate(Path(home))
        if not (options.airflow or options.queue or options.drain or options.attendance):
            _prepare_institution(Path(home), with_people=options.people is not None)
        if options.profiles:
            options.profiles.mkdir(parents=True, exist_ok=True)
            os.environ["BENCH_PROFILES"] = str(options.profiles.resolve())
        if options.airflow:
            from tests.bench.airflow_adds import measure_airflow

            measure_airflow(Path(home), _say)
        elif options.attendance:
            from tests.bench.attendance import measure_attendance

            measure_attendance(Path(home), _say, options.attendance)
        elif options.drain:
            from tests.bench.drain import measure_drain

            measure_drain(Path(home), _say, options.drain, options.rate)
        elif options.queue:
            from tests.bench.queue import measure_queue

            measure_queue(Path(home), _say)
        else:
            from tests.bench.engine import measure_engine

            measure_engine(Path(home), _task_processes(), options.people, _say)
    return 0


def _isolate(home: Path) -> None:
    """An Airflow of our own; it reads its settings once, when it is first imported."""
    for name in [name for name in os.environ if name.startswith(("AIRFLOW", "ROSTERFLOW_"))]:
        del os.environ[name]
    os.environ |= {
        "NO_PROXY": "127.0.0.1,localhost",
        "no_proxy": "127.0.0.1,localhost",
        "AIRFLOW_HOME": str(home / "airflow"),
        "AIRFLOW__CORE__XCOM_BACKEND": "rosterflow.xcom.EncryptedPages",
        "AIRFLOW__CORE__LOAD_EXAMPLES": "False",
        "AIRFLOW__DATABASE__SQL_ALCHEMY_CONN": f"sqlite:///{home}/airflow.db",
    }


def _prepare_institution(home: Path, *, with_people: bool) -> None:
    """The demo's institution, with or without people; the DAGs are made for it when they are first imported."""
    folder = home / "institutions"
    folder.mkdir()
    settings = yaml.safe_load((REPOSITORY / "include/institutions/demo.yaml").read_text(encoding="utf-8"))
    settings["people"]["sync"] = with_people
    (folder / "demo.yaml").write_text(yaml.safe_dump(settings, allow_unicode=True), encoding="utf-8")
    os.environ["ROSTERFLOW_INSTITUTIONS"] = str(folder)


def _task_processes() -> ForkServerContext:
    """Processes forked from one that has a task's modules imported, as Airflow's LocalExecutor has it."""
    context = multiprocessing.get_context("forkserver")
    context.set_forkserver_preload(
        [
            "tests.bench.tasks",
            "tests.bench.recording",
            "rosterflow.hooks.canvas",
            "airflow.sdk.execution_time.supervisor",
        ]
    )
    return context


def _say(text: str) -> None:
    print(f"[{time.monotonic() - BEGAN:6.1f} s] {text}", file=sys.stderr, flush=True)


BEGAN = time.monotonic()

if __name__ == "__main__":
    sys.exit(main())
