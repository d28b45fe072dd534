"""Alembic's environment: it runs on the connection that :mod:`rosterflow.store.migrate` hands it."""

from __future__ import annotations

from alembic import context

from rosterflow.store.attendance_tables import attendance_session
from rosterflow.store.coursekey_tables import queue_entry

# Each module of tables adds its own to the one metadata when it is loaded.
(metadata,) = {queue_entry.metadata, attendance_session.metadata}

connection = context.config.attributes["connection"]
context.configure(connection=connection, target_metadata=metadata, compare_type=True, render_as_batch=True)
with context.begin_transaction():
    context.run_migrations()
