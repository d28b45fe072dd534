"""One module for each type of file the sandbox imports, and the table of them."""

from __future__ import annotations

from typing import TYPE_CHECKING

from sandbox.canvas.sis.importers.accounts import import_account
from sandbox.canvas.sis.importers.admins import import_admin
from sandbox.canvas.sis.importers.change_sis_id import import_change_sis_id
from sandbox.canvas.sis.importers.courses import import_course
from sandbox.canvas.sis.importers.enrollments import check_enrollment, import_enrollment
from sandbox.canvas.sis.importers.logins import import_login
from sandbox.canvas.sis.importers.sections import import_section
from sandbox.canvas.sis.importers.terms import import_term
from sandbox.canvas.sis.importers.users import import_user
from sandbox.canvas.sis.importers.xlists import import_xlist

if TYPE_CHECKING:
    from collections.abc import Callable

    from sandbox.canvas.sis.importers.run import ImportRun
    from sandbox.canvas.sis.upload import Row

IMPORTERS: dict[str, Callable[[Row, ImportRun], bool]] = {
    "change_sis_id": import_change_sis_id,
    "account": import_account,
    "term": import_term,
    "course": import_course,
    "section": import_section,
    "xlist": import_xlist,
    "user": import_user,
    "login": import_login,
    "enrollment": import_enrollment,
    "admin": import_admin,
}
"""Each takes a row and says whether it counts as a success; raises RowRejected or CanvasRefusal with the warning."""

READ_CHECKS: dict[str, Callable[[Row], None]] = {"enrollment": check_enrollment}
"""What is checked of every row of a chunk before the first of them is imported; raises RowRejected."""
