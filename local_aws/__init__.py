"""AWS stand-in for a laptop: S3 on disk, a SageMaker that really runs its jobs, and moto for the rest."""

ACCOUNT_ID = "123456789012"
DEFAULT_REGION = "eu-west-1"
