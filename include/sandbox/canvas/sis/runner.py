"""The queue of SIS imports: worked off oldest first and one at a time (reference/canvas.md §2.6 and §2.7).

Left out on purpose: the ten minutes that Canvas waits after an abort before it goes on.
"""

from __future__ import annotations

import logging
import threading
from typing import TYPE_CHECKING

from sandbox.canvas.sis.batch import BatchState
from sandbox.canvas.sis.importing import Import

if TYPE_CHECKING:
    from sandbox.canvas.sis.batch import SisBatch
    from sandbox.canvas.state import Canvas

log = logging.getLogger(__name__)


def work_off(canvas: Canvas) -> None:
    """Begin working off what is queued, unless that is going on already; the thread lives while there is work."""
    with canvas.lock:
        if canvas.importing:
            return
        canvas.importing = True
    threading.Thread(target=_work, args=(canvas,), name="sis-imports", daemon=True).start()


def _work(canvas: Canvas) -> None:
    while (batch := _next(canvas)) is not None:
        try:
            Import(canvas, batch).run()
        except Exception as error:  # whatever it is, the import shows it and the queue goes on
            log.exception("SIS import %s crashed", batch.id)
            with canvas.lock:
                batch.data["error_message"] = str(error)
                batch.end(BatchState.FAILED, canvas.now())


def _next(canvas: Canvas) -> SisBatch | None:
    with canvas.lock:
        created = (row for row in canvas.sis_batches.values() if row.workflow_state == BatchState.CREATED)
        batch = None if canvas.closed.is_set() else next(created, None)
        if batch is None:
            canvas.importing = False
            return None
        batch.workflow_state = BatchState.IMPORTING
        batch.started_at = batch.updated_at = canvas.now()
        return batch
