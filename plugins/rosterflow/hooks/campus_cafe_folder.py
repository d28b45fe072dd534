"""Campus Cafe as a folder of CSV files: what a college can use today (docs/coursekey-contract.md)."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime
from pathlib import Path

from rosterflow.domain.coursekey.campus import Reading, Record, Resource
from rosterflow.domain.errors import Code, FatalError, RetryableError
from rosterflow.wire import campus_cafe_csv
from rosterflow.wire.campus_cafe_csv import MANIFEST, MEETINGS, Manifest, Sheet
from rosterflow.wire.campus_cafe_profile import PROFILE, CampusCafeProfile

LONG_AGO = datetime.min.replace(tzinfo=UTC)
"""A row that does not say when it changed is older than one that does."""


class CampusCafeFolder:
    """Reads the files that a job of the college writes. Of two rows about the same the newer one counts.

    :param folder: where ``semesters.csv`` … and ``manifest.json`` are.
    """

    def __init__(self, folder: Path, profile: CampusCafeProfile = PROFILE) -> None:
        self.folder = folder
        self._profile = profile

    def read(self, resource: Resource, *, modified_since: datetime | None, semesters: Sequence[str]) -> Reading:
        """The records of a resource; see :class:`rosterflow.domain.coursekey.port.CampusCafe`.

        :raises FatalError: ``connection-invalid`` when there is no such folder.
        :raises RetryableError: ``rows-missing`` when the file is not there or cannot be opened.
        """
        said = self.manifest()
        sheet = self.sheet(f"{resource}.csv", said)
        if resource is Resource.SECTIONS:
            sheet = campus_cafe_csv.with_meetings(sheet, self.sheet(MEETINGS, said))
        read = campus_cafe_csv.reading(self._profile, resource, sheet)
        wanted = (one for one in read.records if _is_wanted(one, modified_since, semesters))
        return Reading(resource, tuple(sorted(wanted, key=_changed_at)), read.problems, read.gaps)

    def initial_password(self, person_id: str) -> str | None:
        """None: passwords are in no file."""
        return None

    def manifest(self) -> tuple[Manifest | None, float]:
        """What the manifest says, and when it was written by the folder's own clock."""
        if not self.folder.is_dir():
            raise FatalError(
                Code.CONNECTION_INVALID, f"There is no folder {self.folder.name!r} of Campus Cafe's files."
            )
        try:
            path = self.folder / MANIFEST
            return campus_cafe_csv.manifest(path.read_bytes()), path.stat().st_mtime
        except OSError:
            return None, 0.0

    def sheet(self, name: str, said: tuple[Manifest | None, float]) -> Sheet:
        """One file, and why it is not whole; raises as :meth:`read` does."""
        told, written_at = said
        path = self.folder / name
        try:
            data, changed_at = path.read_bytes(), path.stat().st_mtime
        except OSError as error:
            why = error.__class__.__name__
            raise RetryableError(Code.ROWS_MISSING, f"Campus Cafe's file {name} cannot be read ({why}).") from None
        sheet = campus_cafe_csv.sheet(name, data, told)
        if changed_at <= written_at:
            return sheet
        return Sheet(name, sheet.rows, (*sheet.gaps, f"{name} is newer than {MANIFEST}"))


def _changed_at(record: Record) -> datetime:
    return getattr(record, "modified_at", None) or LONG_AGO


def _is_wanted(record: Record, modified_since: datetime | None, semesters: Sequence[str]) -> bool:
    modified_at = getattr(record, "modified_at", None)
    if modified_since is not None and modified_at is not None and modified_at < modified_since:
        return False
    semester = getattr(record, "semester", "")
    return not semesters or not semester or semester in semesters
