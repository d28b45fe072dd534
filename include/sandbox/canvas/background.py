"""Work that Canvas does after it has answered: reports and bulk updates, each in a thread of its own."""

from __future__ import annotations

import threading
from typing import TYPE_CHECKING

from sandbox.canvas.objects import Progress

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from sandbox.canvas.state import Canvas


def start(work: Callable[[], None]) -> None:
    """Begin the work at once; it does not keep the process alive."""
    threading.Thread(target=work, name="canvas-background", daemon=True).start()


def start_with_progress(
    canvas: Canvas,
    tag: str,
    context_id: int,
    user_id: int,
    steps: Sequence[Callable[[], None]],
    context_type: str = "Account",
) -> Progress:
    """Take the steps in the background, each under Canvas's lock; the Progress says how many are done."""
    now = canvas.now()
    progress = Progress(
        id=len(canvas.progress) + 1,
        context_type=context_type,
        context_id=context_id,
        tag=tag,
        user_id=user_id,
        created_at=now,
        updated_at=now,
    )
    canvas.progress[progress.id] = progress

    def work() -> None:
        progress.workflow_state = "running"
        for done, step in enumerate(steps, start=1):
            with canvas.lock:
                step()
                progress.completion = 100 * done / len(steps)
                progress.updated_at = canvas.now()
        progress.completion, progress.workflow_state = 100, "completed"

    start(work)
    return progress
