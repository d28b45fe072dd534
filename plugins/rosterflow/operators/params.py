"""The forms with which a person starts a sync, or a comparison with Canvas."""

from __future__ import annotations

from airflow.sdk import Param

from rosterflow.domain.model import SourceKind

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
