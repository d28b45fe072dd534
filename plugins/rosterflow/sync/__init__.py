"""Use cases: they join domain, hooks and store, and know nothing of Airflow."""
