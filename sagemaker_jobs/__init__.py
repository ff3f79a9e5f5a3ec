"""Entry points that run inside the SageMaker job images; no Airflow here."""
