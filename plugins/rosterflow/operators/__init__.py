"""Thin Airflow faces of the use cases."""
