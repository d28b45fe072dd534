"""The forms with which a person starts a sync, a comparison with Canvas, or adds to a college's queue."""

from __future__ import annotations

from airflow.sdk import Param

from rosterflow.domain.model import SourceKind
from rosterflow.sync.queueing import What

KINDS = sorted(SourceKind)

SYNC_PARAMS: dict[str, Param] = {
    "mode": Param(
        "auto",
        type="string",
        enum=["auto", "plan", "apply"],
        title="Mode",
        description="auto: a scheduled or backfill run applies, one started by hand only plans. apply: write. "
        "Where to see the plan: the log of the task report, or python -m rosterflow plan show.",
    ),
    "terms": Param(
        None,
        type=["null", "array"],
        items={"type": "string", "pattern": "^[0-9]{4}_(HØST|VÅR|SOM)$"},
        title="Terms",
        description="For example 2026_HØST, one a line; empty: those of the run's date. Other terms are never touched.",
        section="Scope",
    ),
    "kinds": Param(
        None,
        type=["null", "array"],
        items={"type": "string", "enum": KINDS},
        examples=KINDS,
        title="Kinds",
        description="Only these kinds of row; such a run adds and updates only.",
        section="Scope",
    ),
    "emnekoder": Param(
        None,
        type=["null", "array"],
        items={"type": "string", "pattern": r"\S"},
        title="Emner",
        description="Only these emner, by code, one a line; such a run adds and updates only.",
        section="Scope",
    ),
    "accept_empty": Param(
        None,
        type=["null", "array"],
        items={"type": "string", "enum": KINDS},
        examples=KINDS,
        title="Really empty",
        description="Kinds that FS had before and now really has none of. Without this such a read is a failure.",
        section="Safety",
    ),
}

RECONCILE_PARAMS: dict[str, Param] = {
    "repair": Param(
        False,
        type="boolean",
        title="Repair",
        description="Believe Canvas about what is found, and start a sync that only plans how to put it right.",
    ),
    "undo": Param(
        None,
        type=["null", "integer"],
        minimum=1,
        title="Undo",
        description="Number of a plan that was applied: plan its inverse, and ask a person to approve all of it.",
    ),
    "reason": Param(
        "", type="string", title="Why", description="Needed for a repair or an undo; kept in the audit.", maxLength=1000
    ),
}

REQUEUE = "requeue failed"
"""What a person can do to the queue beside adding to it."""

QUEUE_PARAMS: dict[str, Param] = {
    "act": Param(
        What.ENROLLMENTS.value,
        type="string",
        enum=[*(what.value for what in What), REQUEUE],
        title="What",
        description="Add enrollments, or courses with their staff and sessions, to the queue whether or not their "
        "window is open; or have failed entries tried again.",
    ),
    "semester": Param(
        "", type="string", pattern="^([0-9]{6})?$", title="Semester", description="Six digits, like 202110."
    ),
    "course": Param("", type="string", title="Course", description="The full course code, like MTH100; empty: all."),
    "section": Param("", type="string", title="Section", description="Its number, like 14; empty: all of the course."),
    "cause": Param(
        "",
        type="string",
        title="Cause",
        description="Of failed entries: only those with this error code, like email-missing.",
        section="Failed entries",
    ),
    "ids": Param(
        None,
        type=["null", "array"],
        items={"type": "integer"},
        title="Entries",
        description="Of failed entries: only those with these numbers, one a line.",
        section="Failed entries",
    ),
    "reason": Param(type="string", pattern=r"\S", title="Why", description="Kept in the audit.", maxLength=1000),
}

OUTBOUND_PARAMS: dict[str, Param] = {
    "batch": Param(
        None,
        type=["null", "integer"],
        minimum=1,
        title="Batch",
        description="So many of the oldest entries are sent at a time; empty: the college's setting.",
    ),
    "max_batches": Param(
        None,
        type=["null", "integer"],
        minimum=1,
        title="Batches",
        description="So many batches are sent at most; empty: the college's setting.",
    ),
}

ATTENDANCE_PARAMS: dict[str, Param] = {
    "from_date": Param(
        None,
        type=["null", "string"],
        format="date",
        title="From",
        description="First school day to import; empty, and in a backfill: those of the run's own interval.",
    ),
    "to_date": Param(
        None,
        type=["null", "string"],
        format="date",
        title="To",
        description="Last school day, inclusive; empty: the first one alone.",
    ),
}
