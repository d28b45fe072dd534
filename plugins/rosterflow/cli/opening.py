"""What the commands open, and how they show what they found."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from datetime import date, datetime
from pathlib import Path
from typing import Annotated, Any

import typer
from rich.console import Console
from rich.markup import escape
from rich.table import Table

from rosterflow.domain.coursekey.college import College
from rosterflow.domain.institution import Institution
from rosterflow.settings import (
    environment,
    institutions_folder,
    is_college,
    load_college,
    load_colleges,
    load_institution,
    load_institutions,
)
from rosterflow.store import migrate
from rosterflow.store.engine import Store
from rosterflow.sync.checking import Finding

InstitutionOption = Annotated[
    str, typer.Option("--institution", "-i", help="Key of the institution; may be left out when there is only one.")
]
JsonOption = Annotated[bool, typer.Option("--json", help="Print JSON, for programs.")]


class CannotAnswer(Exception):
    """What was asked for is not there; the message is a sentence."""


@contextmanager
def the_store(*, checked: bool = True) -> Iterator[Store]:
    """The installation's store.

    :param checked: whether it must be at this version.
    :raises FatalError: ``settings-invalid``, ``store-outdated``.
    """
    here = environment()
    store = Store(here.database_url, here.page_keys)
    try:
        if checked:
            migrate.check(store)
        yield store
    finally:
        store.dispose()


def chosen(key: str) -> Institution:
    """The institution a command is about.

    :param key: empty for the only one there is.
    :raises CannotAnswer: when it cannot be told.
    :raises FatalError: ``settings-invalid`` when its file cannot be used.
    """
    folder = institutions_folder()
    good, broken = load_institutions(folder) if not key else ([], [])
    path = _path_of(key, [*(one.key for one in good), *(one.key for one in broken)], folder)
    if is_college(path):
        raise CannotAnswer(f"{path.stem!r} sends to CourseKey, not to Canvas; see 'python -m rosterflow coursekey'.")
    return load_institution(path)


def chosen_college(key: str) -> College:
    """The college a command is about.

    :param key: empty for the only one there is.
    :raises CannotAnswer: when it cannot be told.
    :raises FatalError: ``settings-invalid`` when its file cannot be used.
    """
    folder = institutions_folder()
    good, broken = load_colleges(folder) if not key else ([], [])
    path = _path_of(key, [*(one.key for one in good), *(one.key for one in broken)], folder)
    if not is_college(path):
        raise CannotAnswer(f"{path.stem!r} sends to Canvas, not to CourseKey.")
    return load_college(path)


def _path_of(key: str, keys: Sequence[str], folder: Path) -> Path:
    """The settings file with a key, or without one the only file of ``keys``."""
    if not key and len(keys) != 1:
        named = ", ".join(sorted(keys)) or "none"
        raise CannotAnswer(f"Say which institution with --institution; there are: {named}.")
    path = folder / f"{key or keys[0]}.yaml"
    if not path.is_file():
        raise CannotAnswer(f"There is no institution {key!r} in {folder}.")
    return path


def show_rows(title: str, rows: Sequence[Mapping[str, Any]], columns: Sequence[str], *, as_json: bool) -> None:
    """Print rows as a table, or as JSON with all their columns.

    :param columns: those the table shows.
    """
    if as_json:
        show_json(rows)
        return
    console = Console()
    if not rows:
        console.print(f"{title}: none.", highlight=False)
        return
    table = Table(title=title, title_justify="left")
    for name in columns:
        table.add_column(name.replace("_", " "), overflow="fold")
    for row in rows:
        table.add_row(*(_cell(row[name]) for name in columns))
    console.print(table)


def show_findings(findings: Sequence[Finding], *, as_json: bool) -> None:
    """Print what was checked, good or bad.

    :raises typer.Exit: with 1 when something is bad.
    """
    if as_json:
        show_json([{"subject": f.subject, "is_good": f.is_good, "message": f.message} for f in findings])
    else:
        console = Console()
        for finding in findings:
            mark = "[green]good[/]" if finding.is_good else "[red]bad [/]"
            told = f"{finding.subject}: {escape(finding.message.strip())}"
            console.print(mark, told, highlight=False, soft_wrap=True)
    if not all(finding.is_good for finding in findings):
        raise typer.Exit(1)


def show_json(value: Any) -> None:
    """Print a value as JSON."""
    typer.echo(json.dumps(value, ensure_ascii=False, indent=2, default=_plain))


def _cell(value: Any) -> str:
    if isinstance(value, datetime):
        return f"{value:%Y-%m-%d %H:%M}"
    return "" if value is None else str(value)


def _plain(value: Any) -> Any:
    if isinstance(value, date | datetime):
        return value.isoformat()
    if isinstance(value, frozenset):
        return sorted(value)
    raise TypeError(f"{type(value).__name__} is no JSON")
