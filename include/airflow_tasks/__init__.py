"""The only part of `include` that imports Airflow: operators, triggers and the bodies of tasks."""
