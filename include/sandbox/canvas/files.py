"""Files that Canvas hands out: reports and the rows an import refused."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any
from urllib.parse import quote

from starlette.responses import Response

from sandbox.canvas.http import not_found, path_value, require, timestamp

if TYPE_CHECKING:
    from starlette.requests import Request

    from sandbox.canvas.objects import File
    from sandbox.world import World


def file_json(request: Request, file: File) -> dict[str, Any]:
    """A file as the API shows it; whoever has its `url` can download it, without a token."""
    canvas_url = f"{request.url.scheme}://{request.url.netloc}{request.scope.get('root_path', '')}"
    created = timestamp(file.created_at)
    return {
        "id": file.id,
        "uuid": f"sandbox-file-{file.id}",
        "display_name": file.filename,
        "filename": file.filename,
        "content-type": file.content_type,
        "url": f"{canvas_url}/files/{file.id}/download?download_frd=1&verifier={file.verifier}",
        "size": len(file.body),
        "created_at": created,
        "updated_at": created,
        "modified_at": created,
        "locked": False,
        "hidden": False,
        "locked_for_user": False,
        "hidden_for_user": False,
        "upload_status": "success",
    }


def download(request: Request, world: World) -> Response:
    """GET /files/:id/download: with the file's verifier anybody gets it, otherwise a token is needed."""
    number = path_value(request, "file")
    file = world.canvas.files.get(int(number)) if number.isdecimal() else None
    if file is None:
        raise not_found()
    if request.query_params.get("verifier") != file.verifier:
        require(request, "read")
    headers = {"Content-Disposition": f"attachment; filename*=UTF-8''{quote(file.filename)}"}
    return Response(file.body, headers=headers, media_type=file.content_type)
