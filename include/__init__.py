"""Shared package of the DAGs, the job bundle and the UI plugin; ships inside plugins.zip on MWAA."""
