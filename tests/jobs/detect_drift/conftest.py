"""Runs detect_drift in this process: on halves of the real customers, and on synthetic ones with a model."""

import csv
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from include.data_contracts.feature_schema import load_schema
from sagemaker_jobs import detect_drift, evaluate, preprocess
from tests.jobs.detect_drift.batches import DATE, Approved, Done, Halves, Row, to_csv


@pytest.fixture(scope="session")
def schema_path(tmp_path_factory) -> Path:
    """The default schema as the job bundle ships it: JSON, which is read in no time."""
    path = tmp_path_factory.mktemp("schema") / "ibm_telco.json"
    path.write_text(load_schema("ibm_telco").to_json())
    return path


@pytest.fixture
def run(tmp_path, schema_path) -> Callable[..., Done]:
    """Write a batch (rows, text, bytes, or files by name) and judge it; a new folder for every run."""
    count = 0

    def run_job(batch, reference: Path, *arguments: object, date: str = DATE) -> Done:
        nonlocal count
        count += 1
        folder = tmp_path / f"batch-{count}"
        folder.mkdir()
        files = batch if isinstance(batch, dict) else {"batch.csv": batch}
        for name, content in files.items():
            text = to_csv(content) if isinstance(content, list) else content
            (folder / name).write_bytes(text.encode() if isinstance(text, str) else text)
        output = tmp_path / f"drift-{count}"
        detect_drift.main(
            [
                *("--reference", str(reference), "--current", str(folder), "--output-dir", str(output)),
                *("--schema", str(schema_path), "--batch-date", date, *map(str, arguments)),
            ]
        )
        return Done(output)

    return run_job


def preprocess_rows(rows: list[Row], directory: Path) -> Path:
    (directory / "raw").mkdir(parents=True)
    (directory / "raw" / "data.csv").write_text(to_csv(rows))
    preprocess.main(["--input-dir", str(directory / "raw"), "--output-dir", str(directory / "out")])
    return directory / "out" / "reference"


@pytest.fixture(scope="session")
def ibm_rows(real_data) -> list[Row]:
    with (real_data / "ibm_telco_churn.csv").open(newline="", encoding="utf-8") as stream:
        return list(csv.DictReader(stream))


@pytest.fixture(scope="session")
def halves(ibm_rows, tmp_path_factory) -> Halves:
    order = np.random.default_rng(4).permutation(len(ibm_rows))
    first, second = ([ibm_rows[row] for row in half] for half in (order[:3521], order[3521:]))
    return Halves(preprocess_rows(first, tmp_path_factory.mktemp("halves")), first, second)


@pytest.fixture(scope="session")
def approved(train_model, tmp_path_factory) -> Approved:
    model = train_model("logistic_regression")
    directory = tmp_path_factory.mktemp("approved")
    evaluate.main(
        [
            *("--test-dir", str(model.split.test_dir), "--output-dir", str(directory / "evaluation")),
            *("--model", str(model.archive)),
        ]
    )
    return Approved(model.split.train_dir, model.archive, directory / "evaluation")
