"""The pure core: no Airflow, no HTTP, no SQL, no environment and no clock. Read it alone, in an hour."""
