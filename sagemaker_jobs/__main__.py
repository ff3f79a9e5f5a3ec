"""Dispatch `python -m sagemaker_jobs NAME ARGS…` (and the zipapp of the job bundle) to one job."""

import importlib
import sys

from sagemaker_jobs.job_entry import InvalidInputError, run_entry

JOBS = {
    "preprocess": "validate, clean, split and encode a churn data set",
    "train": "train one churn model from preprocessed data",
    "evaluate": "judge a model on held-out data",
    "detect_drift": "compare a batch with what the approved model was trained on",
    "generate_synthetic_data": "write synthetic telecom data with a known Bayes accuracy",
}


def dispatch(argv: list[str]) -> None:
    """Run the job named by the first argument; raises InvalidInputError for an unknown name."""
    if not argv or argv[0] in {"-h", "--help"}:
        print("usage: sagemaker_jobs NAME ARGUMENTS…  (NAME --help tells a job's arguments)")
        for name, purpose in JOBS.items():
            print(f"  {name:26} {purpose}")
        return
    if argv[0] not in JOBS:
        raise InvalidInputError(f"unknown job {argv[0]!r}; choose one of: {', '.join(JOBS)}")
    module = importlib.import_module(f"sagemaker_jobs.{argv[0]}")
    module.main(argv[1:])


if __name__ == "__main__":
    run_entry(lambda: dispatch(sys.argv[1:]))
