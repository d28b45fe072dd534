"""The JSON of SIS imports and of their messages: exact key sets (reference/canvas.md §2.5)."""

from __future__ import annotations

from copy import deepcopy
from typing import TYPE_CHECKING, Any

from sandbox.canvas.files import file_json
from sandbox.canvas.http import timestamp

if TYPE_CHECKING:
    from starlette.requests import Request

    from sandbox.canvas.objects import File
    from sandbox.canvas.sis.batch import SisBatch, SisError
    from sandbox.canvas.state import Canvas

LISTED_MESSAGES = 24


def sis_import_json(request: Request, canvas: Canvas, batch: SisBatch) -> dict[str, Any]:
    """A SisImport; what batch mode and diffing would say is null, because the sandbox refuses both.

    Hold `canvas.lock`: what is returned is a copy that the import no longer changes.
    """
    shown: dict[str, Any] = {
        "id": batch.id,
        "created_at": timestamp(batch.created_at),
        "started_at": timestamp(batch.started_at),
        "ended_at": timestamp(batch.ended_at),
        "updated_at": timestamp(batch.updated_at),
        "progress": batch.progress,
        "workflow_state": batch.workflow_state,
        "data": deepcopy(batch.data),
        "batch_mode": None,
        "batch_mode_term_id": None,
        "multi_term_batch_mode": None,
        "override_sis_stickiness": batch.override_sis_stickiness,
        "add_sis_stickiness": batch.add_sis_stickiness,
        "clear_sis_stickiness": batch.clear_sis_stickiness,
        "update_sis_id_if_login_claimed": batch.update_sis_id_if_login_claimed,
        "diffing_data_set_identifier": None,
        "diffing_remaster": None,
        "diffed_against_import_id": None,
        "diffing_drop_status": None,
        "diffing_user_remove_status": None,
        "skip_deletes": batch.skip_deletes,
        "change_threshold": None,
        "diff_row_count_threshold": None,
    }
    return shown | _user(canvas, batch) | _messages(batch) | _attachments(request, canvas, batch)


def sis_error_json(error: SisError) -> dict[str, Any]:
    """A SisImportError."""
    return {
        "sis_import_id": error.sis_import_id,
        "file": error.file,
        "message": error.message,
        "row_info": error.row_info,
        "row": error.row,
    }


def _user(canvas: Canvas, batch: SisBatch) -> dict[str, Any]:
    user = canvas.users.get(batch.user_id)
    if user is None:
        return {}
    names = {"name": user.name, "sortable_name": user.sortable_name, "short_name": user.short_name}
    return {"user": {"id": user.id, "created_at": timestamp(user.created_at), **names}}


def _messages(batch: SisBatch) -> dict[str, Any]:
    """The first 24 of each sort as pairs of file and message, and one pair that counts the rest."""
    if not batch.is_finished:
        return {}
    shown: dict[str, Any] = {}
    for key, word, failure in (("processing_errors", "errors", True), ("processing_warnings", "warnings", False)):
        pairs = [[error.file, error.message] for error in batch.errors if error.failure is failure]
        more = len(pairs) - LISTED_MESSAGES
        if more > 0:
            pairs[LISTED_MESSAGES:] = [
                [
                    f"and {more} more {word} that were not included",
                    f"Download the error file to see all {word}.",
                ]
            ]
        if pairs:
            shown[key] = pairs
    return shown


def _attachments(request: Request, canvas: Canvas, batch: SisBatch) -> dict[str, Any]:
    shown: dict[str, Any] = {}
    if batch.errors_attachment_id:
        shown["errors_attachment"] = file_json(request, canvas.files[batch.errors_attachment_id])
    uploaded: list[File] = [canvas.files[number] for number in batch.data.get("downloadable_attachment_ids", ())]
    if uploaded:
        shown["csv_attachments"] = [file_json(request, file) for file in uploaded]
    return shown
