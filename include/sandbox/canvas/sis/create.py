"""POST sis_imports: the forms an upload comes in and what Canvas refuses (reference/canvas.md §2.2 to §2.4)."""

from __future__ import annotations

import secrets
from typing import TYPE_CHECKING, Any

from starlette.datastructures import UploadFile

from sandbox.canvas.http import ApiError, refused
from sandbox.canvas.rest.fields import truth
from sandbox.canvas.sis.batch import BatchState, SisBatch
from sandbox.canvas.state import ROOT_ACCOUNT_ID

if TYPE_CHECKING:
    from starlette.requests import Request

    from sandbox.canvas.http import Token
    from sandbox.canvas.state import Canvas

NOT_OFFERED = (
    "batch_mode",
    "multi_term_batch_mode",
    "batch_mode_term_id",
    "batch_mode_enrollment_drop_status",
    "change_threshold",
    "diff_row_count_threshold",
    "diffing_data_set_identifier",
    "diffing_remaster_data_set",
    "diffing_drop_status",
    "diffing_user_remove_status",
)
"""Batch mode and diffing remove by omission; the sandbox refuses them rather than half doing them."""

_EXTENSIONS = {"application/zip": "zip", "text/csv": "csv", "text/plain": "csv", "text/xml": "xml"}


def queue_import(request: Request, canvas: Canvas, token: Token) -> SisBatch:
    """Read the upload and its flags, and queue it; raises ApiError as Canvas does. Hold `canvas.lock`."""
    params: dict[str, Any] = request.state.params
    _check(params)
    announced = params.get("pre_attachment")
    if isinstance(announced, dict):
        if "attachment" in request.state.form:
            raise refused("pre_attachment cannot be combined with attachment")
        filename, body = str(announced.get("name") or ""), b""
    else:
        filename, body = _upload(request, params)
    override = _asked(params, "override_sis_stickiness")
    now = canvas.now()
    batch = SisBatch(
        id=len(canvas.sis_batches) + 1,
        account_id=ROOT_ACCOUNT_ID,
        user_id=token.user_id,
        created_at=now,
        updated_at=now,
        filename=filename,
        body=body,
        workflow_state=BatchState.INITIALIZING if announced else BatchState.CREATED,
        upload_key=secrets.token_urlsafe(24) if announced else None,
        data={"import_type": "instructure_csv"},
        override_sis_stickiness=override,
        add_sis_stickiness=_asked(params, "add_sis_stickiness") if override else None,
        clear_sis_stickiness=_asked(params, "clear_sis_stickiness") if override else None,
        update_sis_id_if_login_claimed=truth(params.get("update_sis_id_if_login_claimed")),
        skip_deletes=truth(params.get("skip_deletes")),
    )
    canvas.sis_batches[batch.id] = batch
    return batch


def receive_upload(request: Request, canvas: Canvas, batch: SisBatch) -> None:
    """The file that was announced with pre_attachment has come; raises ApiError 400 without one."""
    filename, body = _attached(request.state.form.get("file"))
    batch.filename, batch.body = batch.filename or filename, body
    batch.upload_key = None
    batch.workflow_state, batch.updated_at = BatchState.CREATED, canvas.now()


def _check(params: dict[str, Any]) -> None:
    if params.get("import_type", "instructure_csv") != "instructure_csv":
        error = {"message": "An error occurred.", "error_code": "internal_server_error"}
        raise ApiError(500, {"errors": [error], "error_report_id": 1})
    for name in NOT_OFFERED:
        if str(params.get(name) or "").lower() not in ("", "false", "0"):
            raise refused(f"The sandbox does not offer {name}: it does neither batch mode nor diffing.")


def _upload(request: Request, params: dict[str, Any]) -> tuple[str, bytes]:
    content_type = request.headers.get("content-type", "")
    mime, _, more = content_type.partition(";")
    if mime.strip().lower() == "multipart/form-data":
        return _attached(request.state.form.get("attachment"))
    charset = more.strip().lower().partition("charset=")[2].strip('"')
    if charset and charset != "utf-8":
        raise ApiError(400, {"error": "Invalid content type, UTF-8 required"})
    extension = params.get("extension") or _EXTENSIONS.get(mime.strip().lower(), "zip")
    return f"sis_import.{extension}", request.state.body


def _attached(upload: object) -> tuple[str, bytes]:
    if not isinstance(upload, UploadFile):
        raise ApiError(400, {"error": True, "error_message": "Missing attachment"})
    return upload.filename or "", upload.file.read()


def _asked(params: dict[str, Any], name: str) -> bool | None:
    """True when it is asked for, null when not: Canvas has no false here."""
    return True if truth(params.get(name)) else None
