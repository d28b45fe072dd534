"""Our own database: what Canvas confirmed, what was planned, decided, sent and refused. Never Airflow's (design §5)."""
