"""What Canvas tells of SIS imports, account reports and administrators, as far as a sync looks at it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from rosterflow.hooks.canvas_answers import instant

RUNNING = frozenset({"initializing", "created", "importing", "cleanup_batch", "restoring"})
"""States of a SIS import that is not over (Canvas contract §2.6)."""

REPORT_RUNNING = frozenset({"created", "running", "compiling"})
"""States of an account report that is not over (Canvas contract §10.10)."""


@dataclass(frozen=True, slots=True)
class SisImport:
    """A SIS import as Canvas tells it.

    :param counts: rows that succeeded, per type (``data.counts``); refused and skipped rows are not in it.
    :param files: names of the CSV files in it, as far as Canvas lists them.
    """

    id: str
    state: str
    created_at: datetime
    counts: Mapping[str, int]
    files: tuple[str, ...]

    @property
    def is_over(self) -> bool:
        """Whether Canvas will not touch it any more."""
        return self.state not in RUNNING

    @property
    def is_trustworthy(self) -> bool:
        """Whether every row without a message was carried out; not so after a failure or an abort (§2.6)."""
        return self.state in ("imported", "imported_with_messages")


@dataclass(frozen=True, slots=True)
class ImportMessage:
    """What Canvas says about one row of an import; ``row`` counts the header as 1 and may be unknown."""

    file: str
    row: int | None
    message: str


@dataclass(frozen=True, slots=True)
class Report:
    """An account report; ``url`` is where its file is once it is complete."""

    id: str
    state: str
    url: str | None

    @property
    def is_over(self) -> bool:
        """Whether Canvas is done with it, well or not."""
        return self.state not in REPORT_RUNNING


@dataclass(frozen=True, slots=True)
class Administrator:
    """Somebody who administers an account in one role, whoever made them that (Canvas contract §10.9).

    :param user: the user's SIS id, ``""`` when there is none.
    :param login: the user's login, ``""`` when there is none.
    """

    role: str
    user: str
    login: str = field(repr=False)


def sis_import_of(item: Mapping[str, Any]) -> SisImport:
    """A SIS import from its JSON."""
    files = item.get("csv_attachments") or ()
    return SisImport(
        id=str(item["id"]),
        state=item["workflow_state"],
        created_at=instant(item["created_at"]),
        counts={name: int(n) for name, n in ((item.get("data") or {}).get("counts") or {}).items()},
        files=tuple(str(file.get("filename") or file.get("display_name")) for file in files),
    )


def report_of(item: Mapping[str, Any]) -> Report:
    """A report from its JSON."""
    return Report(str(item["id"]), item["status"], (item.get("attachment") or {}).get("url"))


def administrator_of(item: Mapping[str, Any]) -> Administrator:
    """An administrator from its JSON."""
    user = item["user"]
    return Administrator(str(item["role"]), user.get("sis_user_id") or "", user.get("login_id") or "")
