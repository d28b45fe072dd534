"""A college that sends to CourseKey: its settings, taken over from Campus Cafe and looked at."""

from __future__ import annotations

import codecs
import json
import os
from datetime import UTC, datetime
from pathlib import Path
from typing import Annotated, Any

import typer
import yaml
from rich.console import Console

from rosterflow.cli.coursekey_explaining import explain_section
from rosterflow.cli.opening import (
    CannotAnswer,
    InstitutionOption,
    JsonOption,
    chosen_college,
    show_findings,
    show_json,
    show_rows,
    the_store,
)
from rosterflow.cli.queue import queue_app
from rosterflow.domain.coursekey import fitting
from rosterflow.domain.coursekey.college import College
from rosterflow.domain.coursekey.formats import awarded_seconds_of
from rosterflow.domain.coursekey.parameters import parameter_name
from rosterflow.domain.coursekey.sites import canonical_zone
from rosterflow.domain.coursekey.windows import windows_on
from rosterflow.domain.errors import Code, FatalError
from rosterflow.settings import college_problems, institutions_folder
from rosterflow.wire.campus_cafe_paste import AuthPair, Pasted, auth_pairs, read_paste

coursekey_app = typer.Typer(help="Colleges that send from Campus Cafe to CourseKey.", no_args_is_help=True)
coursekey_app.add_typer(queue_app, name="queue")
coursekey_app.command("explain")(explain_section)


@coursekey_app.command("import-settings")
def import_settings(
    file: Annotated[
        Path, typer.Argument(help="What was copied from Campus Cafe's screens.", exists=True, dir_okay=False)
    ],
    institution: Annotated[str, typer.Option("--institution", "-i", help="Key of the college.")] = "college",
    name: Annotated[str, typer.Option("--name", help="What people call it; by default its key.")] = "",
    connections: Annotated[
        Path | None, typer.Option("--connections", help="Where the auth keys go, as Airflow connections.")
    ] = None,
) -> None:
    """Write a college's settings file, and its auth keys as a file for `airflow connections import`."""
    pasted = read_paste(_text(file))
    pairs, broken = auth_pairs(pasted.controls)
    ids = _connection_ids(institution, pairs)
    settings = _settings(institution, name or institution, pasted, pairs, ids)
    problems = [*pasted.problems, *broken, *college_problems(settings)]
    if problems:
        lines = "\n".join(f"- {file.name}: {problem}" for problem in problems)
        raise FatalError(Code.SETTINGS_INVALID, f"{len(problems)} problem(s) in the settings:\n{lines}\n")
    target = institutions_folder() / f"{institution}.yaml"
    secrets = connections or Path(f"{institution}-connections.json")
    for path in (target, secrets):
        if path.exists():
            raise CannotAnswer(f"{path} is there already; move it away first.")
    target.parent.mkdir(parents=True, exist_ok=True)
    _write(secrets, json.dumps(_connections(ids, pairs, College.model_validate(settings)), indent=2), mode=0o600)
    _write(target, yaml.safe_dump(settings, sort_keys=False, allow_unicode=True, width=120), mode=0o644)
    typer.echo(f"Settings: {target} ({len(pasted.parameters)} parameters).")
    typer.echo(f"Auth keys: {secrets} ({len(ids)} connections). Now, and then delete that file and what was copied:")
    typer.echo(f"  airflow connections import {secrets}")
    typer.echo(f"Campus Cafe: make the connection campus_cafe_{institution}, or set campus_cafe.folder in the file.")


def _text(file: Path) -> str:
    """What a file says: UTF-8, or as Windows saves what it calls Unicode.

    :raises CannotAnswer: when it is neither.
    """
    data = file.read_bytes()
    try:
        return data.decode("utf-16" if data.startswith((codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)) else "utf-8-sig")
    except UnicodeDecodeError:
        raise CannotAnswer(f"{file.name} is neither UTF-8 nor UTF-16 with its mark; save it as UTF-8.") from None


def _connection_ids(institution: str, pairs: list[AuthPair]) -> dict[str, str]:
    """The id of a connection for each different auth key."""
    keys = dict.fromkeys(pair.key for pair in pairs)
    return {key: f"coursekey_{institution}_{number}" for number, key in enumerate(keys, start=1)}


def _settings(
    institution: str, name: str, pasted: Pasted, pairs: list[AuthPair], ids: dict[str, str]
) -> dict[str, Any]:
    """The content of the settings file."""
    return {
        "key": institution,
        "name": name,
        "campus_cafe": {"connection": f"campus_cafe_{institution}"},
        "coursekey": pasted.parameters,
        "crskeyauth": [
            {
                "alias": pair.alias,
                "connection": ids[pair.key],
                **({"timezone": pair.timezone} if pair.timezone else {}),
                "school": pair.school,
                "site": pair.site,
            }
            for pair in pairs
        ],
        "rccono": pasted.rccono,
        "rgencd": pasted.rgencd,
    }


def _connections(ids: dict[str, str], pairs: list[AuthPair], college: College) -> dict[str, Any]:
    """What `airflow connections import` reads."""
    school = {pair.key: pair.school for pair in reversed(pairs)}
    return {
        connection: {
            "conn_type": "coursekey",
            "host": college.coursekey.base_url,
            "password": key,
            "extra": json.dumps({"school_id": school[key]}),
        }
        for key, connection in ids.items()
    }


def _write(path: Path, text: str, *, mode: int) -> None:
    """Write a new file that was never readable by more than ``mode`` says."""
    with os.fdopen(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, mode), "w", encoding="utf-8") as file:
        file.write(text)


@coursekey_app.command("check")
def check(
    institution: InstitutionOption = "",
    live: Annotated[bool, typer.Option("--live", help="Instead ask Campus Cafe, CourseKey and the store.")] = False,
    as_json: JsonOption = False,
) -> None:
    """Show the settings that are in effect with what they mean, and what they come to today."""
    college = chosen_college(institution)
    if live:
        _check_live(college, as_json=as_json)
        return
    now = datetime.now(UTC)
    parts = {
        "settings": setting_rows(college),
        "schools": _school_rows(college, now),
        "attendance_names": _attendance_rows(college),
        "today": _window_rows(college, now),
    }
    warnings = fitting.warnings(college)
    if as_json:
        show_json({"institution": college.key, "name": college.name, **parts, "warnings": warnings})
        return
    for title, rows in parts.items():
        show_rows(title.replace("_", " ").capitalize(), rows, list(rows[0]) if rows else (), as_json=False)
    for warning in warnings:
        Console().print(f"[yellow]likely not meant[/] {warning}", highlight=False, soft_wrap=True)


def _check_live(college: College, *, as_json: bool) -> None:
    """Show what Campus Cafe, CourseKey and the mirror say of the settings.

    :raises typer.Exit: with 1 when something is not as it should be.
    """
    from rosterflow.sync.checking_coursekey import check_college  # it brings Airflow, which takes seconds

    # Outside a task Airflow looks in its database for connections only when told that it may, as its own command does.
    os.environ["_AIRFLOW_PROCESS_CONTEXT"] = "server"
    with the_store() as store:
        findings = list(check_college(store, college))
    show_findings(findings, as_json=as_json)


def setting_rows(college: College) -> list[dict[str, Any]]:
    """The parameters under their own names, then the other settings that are single values, each with its meaning."""
    parameters, other = type(college.coursekey).model_fields, type(college).model_fields
    rows = [
        *((parameter_name(name), getattr(college.coursekey, name), field) for name, field in parameters.items()),
        *((name, getattr(college, name), other[name]) for name in _SINGLE),
    ]
    return [
        {
            "setting": name,
            "value": _shown(value, ", " if name == "COURSEKEY_EMAIL" else "|"),
            "meaning": field.description or "",
        }
        for name, value, field in rows
    ]


_SINGLE = (
    "awarded_time_unit",
    "not_integrated_sites",
    "batch",
    "max_batches",
    "max_attempts",
    "schedule",
    "silence_hours",
)


def _shown(value: Any, separator: str) -> str:
    """A value as Campus Cafe writes it."""
    if isinstance(value, bool):
        return "Y" if value else "N"
    if isinstance(value, tuple):
        return separator.join(value)
    return "" if value is None else str(value)


def _school_rows(college: College, now: datetime) -> list[dict[str, Any]]:
    """Where the sections of each course site go, and what time it is there."""
    rows = []
    for site, description in college.rccono.items():
        school = college.school_of(site)
        zone = college.zone_of(site)
        rows.append(
            {
                "site": site,
                "description": description,
                "school": school.school_id if school else "",
                "auth_key": school.alias if school else "",
                "connection": school.connection if school else "",
                "zone": f"{zone.key} ({canonical_zone(zone.key)}, UTC{now.astimezone(zone):%z})",
            }
        )
    return rows


def _attendance_rows(college: College) -> list[dict[str, Any]]:
    """What each Enrollment Code 4 stands for."""
    ours = college.coursekey
    named = {code: name for code in college.rgencd if (name := college.attendance_name_of(code))}
    return [
        {
            "code": code,
            "attendance_name": name,
            "awarded_seconds": awarded_seconds_of(college, name),
            "sessions": "N" if name in ours.no_attendance_session_sync else "Y",
        }
        for code, name in named.items()
    ]


def _window_rows(college: College, now: datetime) -> list[dict[str, Any]]:
    """Which sections are sent today, in each zone."""
    zones = {college.zone_of(site).key: college.zone_of(site) for site in college.rccono}
    return [
        {"zone": key, "today": today, "what": one.what, "begins_by": one.begins_by, "ends_from": one.ends_from}
        for key, zone in zones.items()
        for today in (now.astimezone(zone).date(),)
        for one in windows_on(college.coursekey, today)
    ]
