"""The settings of one institution: every setting, its type, its default and what it means.

Written as YAML in ``include/institutions/<key>.yaml`` and loaded by :mod:`rosterflow.settings`. The models are here, in
the pure core, because the mapping, the diff and the guards are steered by them. Secrets are not: they live in Airflow
connections.
"""

from __future__ import annotations

import re
from datetime import date
from typing import Annotated, Literal, Protocol
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from pydantic import AfterValidator, ConfigDict, Field, model_validator

from rosterflow.domain.model import Kind
from rosterflow.domain.people_settings import ACCOUNT_ADMIN, CANVAS_ROLES, Model, People, enrollment_role_problems

Percent = Annotated[float, Field(ge=0, le=100)]
Hours = Annotated[float, Field(gt=0)]


def _email(text: str) -> str:
    if not re.fullmatch(r"[^@\s]+@[^@\s]+\.[^@\s]+", text):
        raise ValueError("is no e-mail address")
    return text


def _connection_id(text: str) -> str:
    if not re.fullmatch(r"[\w.-]+", text):
        raise ValueError("is no id of an Airflow connection (letters, digits, '_', '.' and '-')")
    return text


def _zone(name: str) -> str:
    try:
        ZoneInfo(name)
    except (ZoneInfoNotFoundError, ValueError, OSError):
        raise ValueError(f"no time zone is called {name!r}; write one like Europe/Oslo") from None
    return name


def _month_day(text: str) -> str:
    date.fromisoformat(f"2000-{text}")
    return text


def _key(text: str) -> str:
    if not re.fullmatch(r"[a-z][a-z0-9_]{1,30}", text):
        raise ValueError("must be 2 to 31 lower-case letters, digits and '_', a letter first")
    return text


def _unpadded(number: str) -> str:
    if not re.fullmatch(r"0*[1-9]\d*", number):
        raise ValueError("is no institution number; write digits, like 0184")
    return number.lstrip("0")


def _cron(text: str) -> str:
    fields = text.split()
    named = [_numbers(field, *limits) for field, limits in zip(fields, _CRON, strict=False)]
    if len(fields) != len(_CRON) or not all(named):
        raise ValueError(f"{text!r} is no cron expression of five fields in numbers; write one like 30 3 * * *")
    days, months = named[2], named[3]
    if fields[4] == "*" and not any(min(days) <= _LONGEST[month] for month in months):
        raise ValueError(f"{text!r} never comes: no month that it names has such a day")
    return text


_CRON = ((0, 59), (0, 23), (1, 31), (1, 12), (0, 7))
"""Least and greatest number of a cron expression's minute, hour, day, month and weekday."""
_LONGEST = {month: 29 if month == 2 else 30 if month in {4, 6, 9, 11} else 31 for month in range(1, 13)}
"""How many days each month has at most."""


def _numbers(field: str, least: int, greatest: int) -> set[int]:
    """What a field of a cron expression names; nothing when it is no such field. ``22-2`` goes round."""
    found: set[int] = set()
    for part in field.split(","):
        match = re.fullmatch(r"(?:\*|(\d+)(?:-(\d+))?)(?:/([1-9]\d*))?", part)
        first, last, step = match.groups() if match else ("", "", "")
        start = int(first or least)
        end = int(last or (start if first and not step else greatest))
        if match is None or not least <= min(start, end) <= max(start, end) <= greatest:
            return set()
        size = greatest - least + 1
        found.update(least + (start - least + at) % size for at in range(0, (end - start) % size + 1, int(step or 1)))
    return found


Zone = Annotated[str, AfterValidator(_zone)]
MonthDay = Annotated[str, AfterValidator(_month_day)]
InstitutionKey = Annotated[str, AfterValidator(_key)]
InstitutionNumber = Annotated[str, AfterValidator(_unpadded)]
Cron = Annotated[str, AfterValidator(_cron)]
Email = Annotated[str, AfterValidator(_email)]
ConnectionId = Annotated[str, AfterValidator(_connection_id)]


class FsSettings(Model):
    """How FS is read."""

    connection: ConnectionId = Field(description="Airflow connection of type fs_graphql.")
    dialect: Literal["2026", "2023"] = Field("2026", description="Which schema the server speaks.")
    page_size: int = Field(200, ge=1, le=1000, description="Rows asked for in a root page; FS clamps at 1000.")
    nested_page_size: int = Field(100, ge=1, le=1000, description="Rows asked for in a nested page; the rest is paged.")
    people_page_size: int = Field(
        1000, ge=1, le=1000, description="Rows of people asked for in a page; they are small."
    )
    rows_per_task: int = Field(
        20_000,
        ge=1,
        description="Rows of people that one task should read; larger reads are split, small ones share it.",
    )
    feature_flags: tuple[str, ...] = Field(("beta", "experimental"), description="Sent as the Feature-Flags header.")
    service_numbers: tuple[str, ...] = Field((), description="tjenestenummerForLms that are ours; empty: all are.")
    null_service_number_is_ours: bool = Field(False, description="Whether a row without tjenestenummerForLms is ours.")


class CanvasSettings(Model):
    """Where in Canvas the institution lives and how it is written."""

    connection: ConnectionId = Field(description="Airflow connection of type canvas.")
    account: str = Field(
        min_length=1, description="SIS id of the institution's own account; its own unit is this account."
    )
    root: str = Field(
        "", description="Name shared by all institutions in one Canvas root account; default: the connection."
    )
    publish_new_courses: bool = Field(False, description="Whether a new course is published at once.")
    owns_term_dates: bool = Field(
        False, description="Whether the dates of terms that Canvas already has are rewritten."
    )
    poll_seconds: float = Field(10, ge=1, description="How often a running SIS import is looked at.")
    import_hours: Hours = Field(6, description="After this long an unfinished SIS import is left to the next run.")

    @property
    def pool(self) -> str:
        """The Airflow pool that lets one task at a time write to the root account."""
        return f"canvas_{self.root or self.connection}"


class TermWindow(Model):
    """Which terms a daily run covers, and the dates of terms for which the source has none."""

    back: int = Field(0, ge=0, le=8, description="Terms before the one in force (HØST and VÅR are counted).")
    ahead: int = Field(1, ge=0, le=8, description="Terms after the one in force.")
    grace_days: int = Field(30, ge=0, le=366, description="Days added to a term's end: nobody is locked out that day.")
    calendar: dict[Literal["VÅR", "SOM", "HØST"], tuple[MonthDay, MonthDay]] = Field(
        {"VÅR": ("01-01", "06-30"), "SOM": ("07-01", "07-31"), "HØST": ("08-01", "12-31")},
        description="First and last day (MM-DD) of each term, where the source gives no dates.",
    )

    @model_validator(mode="after")
    def _whole(self) -> TermWindow:
        missing = {"VÅR", "SOM", "HØST"} - set(self.calendar)
        if missing:
            raise ValueError(f"calendar lacks {', '.join(sorted(missing))}")
        return self


class RoomCodes(Model):
    """What an lmsRomkode on an undervisningsaktivitet means here; the codes are local to each institution."""

    default: Literal["section", "own_room", "none"] = Field("section", description="An activity without a code.")
    codes: dict[str, Literal["section", "own_room", "none"]] = Field({}, description="One entry per code in use.")


class Names(Model):
    """In which language, and by which pattern, things are called."""

    languages: tuple[Literal["nb", "nn", "en"], ...] = Field(
        ("nb", "nn", "en"), min_length=1, description="Preferred first."
    )
    emne_account: str = "{kode} {navn}"
    course_short: str = "{kode} {termin_kort}"
    course_long: str = "{kode} {navn} ({termin})"
    section_ue: str = "{kode} {navn}"
    section_ua: str = "{navn}"
    programme_account: str = "{navn}"
    programme_course: str = "{navn}"
    kull_course: str = "{program} – {navn}"
    klasse_section: str = "{navn}"
    klasse_course: str = "{program} – {navn}"
    evu_course: str = "{navn} ({tidsangivelse})"

    @model_validator(mode="after")
    def _known_variables(self) -> Names:
        known = {"kode", "navn", "termin", "termin_kort", "program", "tidsangivelse", "versjon"}
        problems = []
        for name, template in self.model_dump(exclude={"languages"}).items():
            unknown = set(re.findall(r"{([^{}]*)}", template)) - known
            if unknown or template.count("{") != template.count("}"):
                problems.append(f"{name}: unknown variable or brace {sorted(unknown)}; known: {sorted(known)}")
        if problems:
            raise ValueError("; ".join(problems))
        return self


class Removal(Model):
    """What happens in Canvas when the source no longer wants an object, or its export was turned off."""

    course: Literal["close", "unpublish", "leave"] = Field("close", description="close: concluded, still readable.")
    section: Literal["delete", "leave"] = Field("delete", description="A section cannot be hidden, only deleted.")
    account: Literal["delete", "leave"] = Field("delete", description="Only ever an account with nothing left in it.")


class Limit(Model):
    """More than ``percent`` of the objects in a scope, and more than ``floor`` of them, is too much at once."""

    percent: Percent
    floor: int = Field(ge=0)


class Freeze(Model):
    """Days on which changes wait, nobody being asked about them: exams, a migration, the first days of a term."""

    model_config = ConfigDict(validate_by_name=True, validate_by_alias=True)

    first: date = Field(alias="from", description="First local day.")
    to: date = Field(description="Last local day.")
    kinds: tuple[Kind, ...] = Field((), description="Kinds of object whose changes wait; empty: all.")
    terms: tuple[str, ...] = Field((), description="SIS ids of terms, of whose objects alone it is; empty: all.")
    adds_only: bool = Field(True, description="Whether what is added goes on; off: everything waits.")

    @model_validator(mode="after")
    def _in_order(self) -> Freeze:
        if self.to < self.first:
            raise ValueError(f"ends on {self.to}, before it begins on {self.first}")
        return self


class Guards(Model):
    """When a change waits for a person (reference policies, appendix A)."""

    removals: Limit = Limit(percent=10, floor=5)
    updates: Limit = Limit(percent=50, floor=20)
    two_person: Limit = Field(
        Limit(percent=25, floor=500), description="Above either number, a second person must approve."
    )
    freeze: tuple[Freeze, ...] = Field((), description="Days on which changes wait, or all but additions.")


class Approval(Model):
    """Who decides about held changes, and for how long they may wait."""

    approvers: tuple[str, ...] = Field((), description="Airflow user ids; empty: everyone who may answer in the UI.")
    timeout_hours: Hours = Field(
        72, description="After this long without an answer the changes are rejected by 'time-out'."
    )
    ask_again_days: int = Field(7, ge=0, description="A rejected change is asked about again after this many days.")


class Mail(Model):
    """Who gets which mail."""

    failures: tuple[Email, ...] = Field((), description="A failed run, at once.")
    held: tuple[Email, ...] = Field((), description="Changes that wait for a person, at once.")
    digest: tuple[Email, ...] = Field((), description="Row errors, once a day, by subscription.")
    reconcile: tuple[Email, ...] = Field((), description="What the comparison with Canvas found, each time.")
    digest_hour: int = Field(7, ge=0, le=23, description="Local hour from which the day's digest may be sent.")


class Retention(Model):
    """For how long things are kept, in days."""

    pages_days: int = Field(3, ge=1, description="Pages read from the source, and checkpoints.")
    zips_days: int = Field(30, ge=1, description="The SIS import zips that were sent.")
    plans_days: int = Field(
        30, ge=7, description="Plans that are done, with their changes and the decisions of their runs."
    )
    history_days: int = Field(
        400, ge=30, description="What happened to each object; audit of people's acts is kept for ever."
    )


class Tenant(Protocol):
    """What guards and approvals need of whoever's changes they hold: an institution, or a college."""

    @property
    def key(self) -> str:
        """Short name."""

    @property
    def name(self) -> str:
        """Name for people."""

    @property
    def guards(self) -> Guards:
        """When a change waits for a person."""

    @property
    def approval(self) -> Approval:
        """Who decides."""

    @property
    def zone(self) -> ZoneInfo:
        """Time zone."""


class Institution(Model):
    """One university or college with its connections and settings (design §5)."""

    key: InstitutionKey = Field(description="Short name used in DAG ids; equals the file's name.")
    name: str = Field(min_length=1)
    number: InstitutionNumber = Field(
        description="Institution number (organisasjonskode); written without leading zeros in ids."
    )
    timezone: Zone = "Europe/Oslo"
    schedule: Cron = Field("30 3 * * *", description="Cron expression in the institution's zone.")
    reconcile: Cron | None = Field(
        None, description="Cron expression of the comparison with Canvas; none: when a person starts it."
    )
    fs: FsSettings
    canvas: CanvasSettings
    terms: TermWindow = TermWindow()
    emne_accounts: Literal["exported", "all"] = Field(
        "exported", description="Emner with an exported UE in scope, or all."
    )
    room_codes: RoomCodes = RoomCodes()
    roles: dict[str, str] = Field(
        {},
        description="FS role code -> Canvas enrollment type, or name of a custom Canvas role (`check` looks it up).",
    )
    people: People = People()
    names: Names = Names()
    removal: Removal = Removal()
    guards: Guards = Guards()
    approval: Approval = Approval()
    mail: Mail = Mail()
    silence_hours: Hours = Field(30, description="A mail when there was no complete run for this long.")
    retention: Retention = Retention()

    @model_validator(mode="after")
    def _roles_are_roles(self) -> Institution:
        problems = [*(f"roles: {problem}" for problem in enrollment_role_problems(self.roles))]
        problems += self.people.role_problems()
        if problems:
            raise ValueError("; ".join(problems))
        return self

    @property
    def custom_roles(self) -> frozenset[str]:
        """Every Canvas role that the settings name and that not every Canvas has."""
        people = self.people
        named = {people.student_role, *self.roles.values(), *people.ims_roles.values(), *people.account_roles.values()}
        return frozenset(named - CANVAS_ROLES - {ACCOUNT_ADMIN, ""})

    @property
    def zone(self) -> ZoneInfo:
        """The institution's time zone."""
        return ZoneInfo(self.timezone)
