"""detect_drift in the TensorFlow image: no pyarrow there, and the Keras model scores the batch."""

import csv
import json
from importlib.util import find_spec

import pytest

from sagemaker_jobs import detect_drift, evaluate
from sagemaker_jobs.job_entry import InvalidInputError
from sagemaker_jobs.split_reading import read_encoder, read_split


@pytest.fixture(scope="module")
def model(train_model):
    return train_model("keras_mlp", "--max_epochs", "12", "--learning_rate", "0.003")


def run(model, current, output_dir):
    (output_dir / "reference").mkdir(parents=True)
    # Another reader wrote these rows: here they only have to be profiled.
    (output_dir / "reference" / "reference.csv").write_bytes(
        (model.split.train_dir / "part-00000.csv").read_bytes()
    )
    evaluate.main(
        [
            *("--model", str(model.archive), "--test-dir", str(model.split.test_dir)),
            *("--output-dir", str(output_dir / "evaluation")),
        ]
    )
    detect_drift.main(
        [
            *("--reference", str(output_dir / "reference"), "--current", str(current)),
            *("--output-dir", str(output_dir / "drift"), "--batch-date", "2026-11-24"),
            *("--model", str(model.archive), "--reference-scores", str(output_dir / "evaluation")),
        ]
    )
    return output_dir / "drift"


def test_batch_when_a_keras_model_scores_it_then_is_judged_without_pyarrow(model, tmp_path):
    assert find_spec("pyarrow") is None
    drift = run(model, model.split.test_dir, tmp_path)
    report = json.loads((drift / "drift_report.json").read_text())
    with (drift / "predictions.csv").open(newline="") as stream:
        scores = [float(row["score"]) for row in csv.DictReader(stream)]

    assert report["verdict"] == "no_drift", report["sentence"]
    assert report["predictions"]["score"]["ks_statistic"] == pytest.approx(0, abs=0.002)
    _, labels = read_split(model.split.test_dir, read_encoder(model.split.encoder_dir))
    assert len(scores) == len(labels) == report["rows"]["current"]


def test_batch_when_it_is_parquet_then_is_refused_in_one_line(model, tmp_path):
    (tmp_path / "batch.parquet").write_bytes(b"PAR1")

    with pytest.raises(InvalidInputError, match=r"batch\.parquet: this image has no pyarrow"):
        run(model, tmp_path / "batch.parquet", tmp_path / "out")
    assert not list((tmp_path / "out" / "drift").iterdir())
