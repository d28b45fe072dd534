"""The settings of one college that sends from Campus Cafe to CourseKey: every setting, its default and what it means.

Written as YAML in ``include/institutions/<key>.yaml`` and loaded by :mod:`rosterflow.settings`; a file with
``coursekey`` is a college's. Auth keys are not in it: they live in Airflow connections.
"""

from __future__ import annotations

from collections.abc import Mapping
from functools import cached_property
from typing import Annotated, Any, Literal
from zoneinfo import ZoneInfo

from pydantic import AfterValidator, Field, ModelWrapValidatorHandler, ValidationError, model_validator
from pydantic_core import InitErrorDetails, PydanticCustomError

from rosterflow.domain.attendance.settings import AttendanceSettings
from rosterflow.domain.coursekey.fitting import together_problems
from rosterflow.domain.coursekey.parameters import CourseKey, Filled, not_empty
from rosterflow.domain.coursekey.sites import Pair, School, Text, attendance_name
from rosterflow.domain.institution import Approval, ConnectionId, Cron, Guards, Hours, InstitutionKey, Mail, Retention
from rosterflow.domain.people_settings import Model

NotEmpty = Annotated[Filled, AfterValidator(not_empty)]


def _problem(
    type: str, msg: str, loc: tuple[int | str, ...] = (), ctx: Mapping[str, Any] | None = None
) -> InitErrorDetails:
    """A problem as pydantic wants it raised again."""
    told = msg.replace("{", "(").replace("}", ")")  # a custom error takes its message for a template
    return InitErrorDetails(type=PydanticCustomError(type, told, dict(ctx or {})), loc=loc, input=None)


class CampusCafeSettings(Model):
    """How Campus Cafe is read: over HTTP, or from a folder of CSV files."""

    connection: ConnectionId | None = Field(None, description="Airflow connection of type campus_cafe.")
    folder: Text | None = Field(None, description="Folder into which a job there writes the CSV files.")
    page_size: int = Field(500, ge=1, le=5000, description="Rows asked for in a page.")
    full_compare_hour: int = Field(
        3, ge=0, le=23, description="Local hour from which the day's first run reads everything."
    )

    @model_validator(mode="after")
    def _one_of_both(self) -> CampusCafeSettings:
        if (self.connection is None) == (self.folder is None):
            raise ValueError("needs either connection or folder")
        return self


class College(Model):
    """One college with its connections and settings (source document; reference coursekey §4)."""

    key: InstitutionKey = Field(description="Short name used in DAG ids; equals the file's name.")
    name: str = Field(min_length=1, description="What people call it; shown in mails and lists.")
    campus_cafe: CampusCafeSettings
    coursekey: CourseKey
    crskeyauth: NotEmpty[tuple[Pair, ...]] = Field(description="Auth keys and schools, by course site.")
    rccono: NotEmpty[dict[str, str]] = Field(description="Course sites (STParm RCCONO): code -> description.")
    rgencd: NotEmpty[dict[str, str]] = Field(
        description="Attendance names (STParm RGENCD): code -> description, like 4:Internship."
    )
    awarded_time_unit: Literal["seconds", "minutes"] | None = Field(
        None, description="Unit of COURSEKEY_AWARDED_TIME_MINUTES; none: seconds, and only what is likely is taken."
    )
    maintenance_password_connection: ConnectionId | None = Field(
        None,
        description="Airflow connection whose password is the maintenance password: with COURSEKEY_SET_USER_PASSWORD "
        "that of new users who have none in Campus Cafe. None: these get none.",
    )
    not_integrated_sites: tuple[str, ...] = Field((), description="Course sites whose sections are not sent at all.")
    batch: int = Field(100, ge=1, description="So many of the oldest entries are sent at a time.")
    max_batches: int = Field(100, ge=1, description="So many batches one run sends at most.")
    max_attempts: int = Field(8, ge=1, description="After so many attempts an entry is parked as failed.")
    schedule: Cron = Field("*/15 * * * *", description="Cron expression in the college's zone.")
    attendance: AttendanceSettings = AttendanceSettings()
    guards: Guards = Guards()
    approval: Approval = Approval()
    mail: Mail = Mail()
    silence_hours: Hours = Field(30, description="A mail when there was no complete run for this long.")
    retention: Retention = Retention()

    @model_validator(mode="wrap")
    @classmethod
    def _fits_together(cls, raw: Any, handler: ModelWrapValidatorHandler[College]) -> College:
        """Every problem at once: those of single settings and those of settings that do not fit together."""
        problems = [_problem("together", text) for text in (together_problems(raw) if isinstance(raw, dict) else ())]
        try:
            college = handler(raw)
        except ValidationError as error:
            single = [
                _problem(item["type"], item["msg"], item["loc"], item.get("ctx"))
                for item in error.errors(include_url=False, include_input=False)
            ]
            problems = [*single, *problems]
        if problems:
            raise ValidationError.from_exception_data(cls.__name__, problems, hide_input=True)
        return college

    @property
    def timezone(self) -> str:
        """Name of the college's time zone."""
        return self.coursekey.timezone

    @property
    def zone(self) -> ZoneInfo:
        """The college's time zone."""
        return ZoneInfo(self.timezone)

    @cached_property
    def _schools(self) -> Mapping[str, School]:
        return {
            pair.site: School(pair.alias, pair.connection, pair.school, ZoneInfo(pair.timezone or self.timezone))
            for pair in self.crskeyauth
        }

    @cached_property
    def _attendance_names(self) -> Mapping[str, str]:
        named = ((code, attendance_name(description)) for code, description in self.rgencd.items())
        return {code: name for code, name in named if name}

    def school_of(self, site: str) -> School | None:
        """The school in CourseKey of a course site; nothing when CRSKEYAUTH has no pair for it."""
        return self._schools.get(site)

    def zone_of(self, site: str) -> ZoneInfo:
        """The zone in which a section's days are meant: that of its auth key, or the college's."""
        school = self.school_of(site)
        return school.zone if school else self.zone

    def attendance_name_of(self, code: str) -> str | None:
        """The attendance name that an Enrollment Code 4 stands for; nothing when RGENCD has none for it."""
        return self._attendance_names.get(code)
