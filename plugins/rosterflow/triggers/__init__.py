"""Waiting for Canvas without holding a worker slot."""
