"""Alembic's migrations of the store; run by :func:`rosterflow.store.migrate.upgrade`."""
