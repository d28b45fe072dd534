"""The local stack of ``make demo`` and of the end-to-end tests: PostgreSQL, Airflow and the sandbox."""
