"""SIS import files for Canvas (Canvas contract §3 and §5).

Canvas tells a file's type from its header, not from its name, and a stray column makes it another type: every file here
has one fixed column list. File names carry a mark of ours, so that an import whose answer was lost can be recognised
among the imports that Canvas lists.
"""

from __future__ import annotations

import csv
import io
import zipfile
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from itertools import islice

from rosterflow.domain.model import Account, Course, Kind, Section, State, Term
from rosterflow.domain.plan import Action, Change
from rosterflow.domain.rosters import Part, Roster, Thing
from rosterflow.wire.people_csv import PEOPLE_FORMATS, people_lines

CLEAR = "<delete>"
"""What courses.csv takes for "no date": a blank would keep the old one (Canvas contract §5.4)."""

FAST = 1
"""The zip's level: a higher one takes several times as long, for a file that is smaller by a fifth."""

ROWS_AT_ONCE = 100
"""So many rows are looked at together for what must be quoted."""

FIXED_TIME = (1980, 1, 1, 0, 0, 0)
"""Every zip of the same rows has the same bytes, so that its checksum means something."""


@dataclass(frozen=True, slots=True)
class SisFile:
    """One CSV file of an import.

    :param name: file name inside the zip.
    :param counted_as: key of ``data.counts`` under which Canvas counts its accepted rows.
    :param rows: for each data row, the position of its change in the list the files were made from.
    :param users: for each data row about people, the SIS id of the user; else nothing.
    """

    name: str
    counted_as: str
    content: str
    rows: tuple[int, ...]
    users: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class _Format:
    counted_as: str
    columns: tuple[str, ...]
    row: Callable[[Change, bool], tuple[str, ...]]


def first_import(change: Change) -> bool:
    """Whether a change goes into a plan's first import: all that CSV can do, but what :func:`second_import` is for."""
    return not _is_unpublishing(change) and not second_import(change)


def second_import(change: Change) -> bool:
    """Whether a change goes into a plan's second import: deleted accounts and terms, and who moved to another section.

    Canvas processes accounts and terms before courses and refuses to delete one that still holds courses (Canvas
    contract §3.4). And nobody leaves a section before it is known that they arrived in the other one.
    """
    if isinstance(change.after, Roster):
        return change.after.reason == Part.MOVED
    return change.action is Action.DELETE and change.kind in (Kind.ACCOUNT, Kind.TERM)


def sis_files(changes: Sequence[Change], *, mark: str, publish_new: bool) -> list[SisFile]:
    """The CSV files that carry out these changes, rows in the order of the changes, but for users.

    :param mark: put into every file name (letters, digits and hyphens).
    :param publish_new: whether a new course is published at once.
    :returns: one file per kind that occurs; changes that CSV cannot do (unpublishing) are left out.
    """
    positions: dict[str, list[int]] = {}
    for position, change in enumerate(changes):
        if not _is_unpublishing(change):
            positions.setdefault(_format_name(change), []).append(position)
    files = []
    for name, made in FORMATS.items():
        if rows := positions.get(name):
            content = _text_of(made.columns, (made.row(changes[position], publish_new) for position in rows))
            files.append(SisFile(f"{mark}-{name}.csv", made.counted_as, content, tuple(rows)))
    for name, people in PEOPLE_FORMATS.items():
        if rows := positions.get(name):
            lines = people_lines(people, changes, rows)
            content = _text_of(people.columns, lines.values)
            files.append(SisFile(f"{mark}-{name}.csv", people.counted_as, content, tuple(lines.at), tuple(lines.users)))
    return files


def _text_of(columns: Sequence[str], rows: Iterable[Sequence[str]]) -> str:
    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\n")
    writer.writerow(columns)
    commas, remaining = len(columns) - 1, iter(rows)
    while some := list(islice(remaining, ROWS_AT_ONCE)):
        lines = "\n".join(map(",".join, some))
        signs = lines.count(","), lines.count("\n")
        if signs == (commas * len(some), len(some) - 1) and '"' not in lines and "\r" not in lines:
            text.write(f"{lines}\n")  # nothing to quote, as in nearly all: a fraction of the time
        else:
            writer.writerows(some)
    return text.getvalue()


def zip_of(files: Sequence[SisFile]) -> bytes:
    """One zip of the files, the same bytes for the same files."""
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", zipfile.ZIP_DEFLATED) as archive:
        for file in files:
            archive.writestr(zipfile.ZipInfo(file.name, FIXED_TIME), file.content, zipfile.ZIP_DEFLATED, FAST)
    return buffer.getvalue()


def _format_name(change: Change) -> str:
    if change.action is Action.CHANGE_ID:
        return "user_ids" if isinstance(change.after, Roster) else "change_sis_id"
    return f"{change.kind}s"


def _is_unpublishing(change: Change) -> bool:
    """Whether a change hides a course, which CSV cannot do; people are hidden by it."""
    return change.action is Action.HIDE and change.kind is Kind.COURSE


def _change_id(change: Change, _: bool) -> tuple[str, ...]:
    return (_known(change).sis_id, change.after.sis_id, change.kind)


def _account(change: Change, _: bool) -> tuple[str, ...]:
    match change.after:
        case Account(sis_id=sis_id, parent=parent, name=name, state=state):
            return (sis_id, parent, name, _active_or_deleted(state))
    raise _misplaced(change)


def _term(change: Change, _: bool) -> tuple[str, ...]:
    match change.after:
        case Term(sis_id=sis_id, name=name, state=state, start=start, end=end):
            return (sis_id, name, _active_or_deleted(state), _instant(start), _instant(end))
    raise _misplaced(change)


def _course(change: Change, publish_new: bool) -> tuple[str, ...]:
    match change.after:
        case Course() as course:
            before = change.before if isinstance(change.before, Course) else None
            return (
                course.sis_id,
                course.short_name,
                course.long_name,
                course.account,
                course.term or "",
                _course_status(change, course.state, publish_new),
                _course_date(course.start, before.start if before else None),
                _course_date(course.end, before.end if before else None),
            )
    raise _misplaced(change)


def _section(change: Change, _: bool) -> tuple[str, ...]:
    match change.after:
        case Section(sis_id=sis_id, course=course, name=name, state=state):
            return (sis_id, course, name, _active_or_deleted(state))
    raise _misplaced(change)


def _course_status(change: Change, state: State, publish_new: bool) -> str:
    """The status column.

    ``active`` leaves a published or unpublished course as it is but would re-open a concluded one, so a row about a
    concluded course says ``completed`` unless re-opening is what was decided (Canvas contract §5.4).
    """
    if change.action is Action.CREATE:
        return "published" if publish_new else "active"
    return {State.COMPLETED: "completed", State.DELETED: "deleted"}.get(state, "active")


def _active_or_deleted(state: State) -> str:
    return "deleted" if state is State.DELETED else "active"


def _instant(moment: datetime | None) -> str:
    return moment.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ") if moment else ""


def _course_date(wanted: datetime | None, known: datetime | None) -> str:
    return CLEAR if wanted is None and known is not None else _instant(wanted)


def _known(change: Change) -> Thing:
    if change.before is None:
        raise _misplaced(change)
    return change.before


def _misplaced(change: Change) -> TypeError:
    return TypeError(f"{change.action} of {change.key} does not fit the file it was put into")


FORMATS: Mapping[str, _Format] = {
    "change_sis_id": _Format("change_sis_ids", ("old_id", "new_id", "type"), _change_id),
    "accounts": _Format("accounts", ("account_id", "parent_account_id", "name", "status"), _account),
    "terms": _Format("terms", ("term_id", "name", "status", "start_date", "end_date"), _term),
    "courses": _Format(
        "courses",
        ("course_id", "short_name", "long_name", "account_id", "term_id", "status", "start_date", "end_date"),
        _course,
    ),
    "sections": _Format("sections", ("section_id", "course_id", "name", "status"), _section),
}
"""The files of an import with their exact columns, in Canvas's processing order (Canvas contract §3.4)."""
