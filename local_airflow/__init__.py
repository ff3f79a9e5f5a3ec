"""Airflow and the AWS stand-in on a laptop: start, run the retraining, show what happens, stop."""
