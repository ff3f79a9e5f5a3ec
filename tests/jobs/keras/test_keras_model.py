import json
import os
import re
import shutil
import signal
import subprocess
import sys

import keras
import numpy as np
import pytest
import tensorflow

from include.data_contracts.evaluation_report import EvaluationReport
from sagemaker_jobs import evaluate
from sagemaker_jobs.churn_predictor import ChurnPredictor
from sagemaker_jobs.job_entry import InvalidInputError
from sagemaker_jobs.keras_training import _choose_validation_rows, train_keras_model
from sagemaker_jobs.row_encoder import encode_rows, read_encoder_mapping
from sagemaker_jobs.split_reading import read_encoder, read_split
from sagemaker_jobs.train import read_settings, train
from sagemaker_jobs.training_log import TrainingLog


@pytest.fixture(scope="module")
def model(train_model):
    return train_model("keras_mlp", "--max_epochs", "12", "--learning_rate", "0.003")


@pytest.fixture(scope="module")
def report(model, tmp_path_factory):
    output_dir = tmp_path_factory.mktemp("evaluation")
    evaluate.main(
        [
            *("--model", str(model.archive), "--model-digest", str(model.output_data_dir)),
            *("--test-dir", str(model.split.test_dir), "--output-dir", str(output_dir)),
        ]
    )
    return EvaluationReport.from_mapping(json.loads((output_dir / "evaluation.json").read_text()))


def test_accuracy_when_the_best_possible_is_known_then_comes_near_it(report, split):
    accuracy = report.metric("accuracy").value

    assert report.model.algorithm == "keras_mlp"
    assert split.bayes_accuracy - 0.03 < accuracy < split.bayes_accuracy + 0.02
    assert accuracy > split.majority_accuracy + 0.10


def test_model_directory_when_trained_then_holds_kerass_own_file_and_a_saved_model(model):
    description = json.loads((model.model_dir / "model.json").read_text())

    assert {"model.keras", "1/saved_model.pb", "code/inference.py"} <= set(description["file_digests"])
    assert description["versions"]["keras"] == keras.__version__
    assert not list(model.model_dir.rglob("*.joblib"))


def test_saved_model_when_called_as_tf_serving_does_then_agrees_with_the_keras_file(model):
    predictor = ChurnPredictor.from_directory(model.model_dir)
    features, _ = read_split(model.split.test_dir, predictor.encoder)
    saved = tensorflow.saved_model.load(str(model.model_dir / "1"))
    signature = saved.signatures["serving_default"]

    (answer,) = signature(tensorflow.constant(predictor.encoder.transform_dense(features))).values()

    assert answer.shape == (1600, 1)
    assert np.allclose(answer.numpy()[:, 0], predictor.predict_probabilities(features), atol=1e-6)


@pytest.fixture(scope="module")
def small_split(make_split):
    return make_split(rows=800, seed=3)


def fit(split, tmp_path, *arguments, checkpoint_dir=None):
    options = ["--checkpoint-dir", str(checkpoint_dir)] if checkpoint_dir else []
    settings = read_settings(
        [
            *("--train-dir", str(split.train_dir), "--encoder-dir", str(split.encoder_dir)),
            *("--model-dir", str(tmp_path / "model"), "--output-data-dir", str(tmp_path / "output")),
            *("--algorithm", "keras_mlp", "--batch_size", "256", *arguments, *options),
        ]
    )
    encoder = read_encoder(split.encoder_dir)
    features, labels = read_split(split.train_dir, encoder)
    log = TrainingLog()
    model = train_keras_model(settings, encoder.transform_dense(features), labels, log)
    return [weights.tolist() for weights in model.get_weights()], log


def test_training_when_repeated_with_the_same_seed_then_gives_the_same_weights(small_split, tmp_path):
    first, _ = fit(small_split, tmp_path, "--max_epochs", "2")

    assert fit(small_split, tmp_path, "--max_epochs", "2")[0] == first
    assert fit(small_split, tmp_path, "--max_epochs", "2", "--seed", "1")[0] != first


def test_training_when_stopped_and_started_again_then_continues_to_the_same_weights(
    small_split, tmp_path, monkeypatch, capsys
):
    arguments = ("--max_epochs", "4", "--patience_epochs", "10")
    uninterrupted, _ = fit(small_split, tmp_path, *arguments)
    checkpoints = tmp_path / "checkpoints"
    checkpoints.mkdir()

    real_stage = TrainingLog.stage

    def stop_in_epoch_two(log, name, text, **facts):
        real_stage(log, name, text, **facts)
        if facts.get("epoch") == 2:
            os.kill(os.getpid(), signal.SIGTERM)

    monkeypatch.setattr(TrainingLog, "stage", stop_in_epoch_two)
    with pytest.raises(SystemExit) as caught:
        fit(small_split, tmp_path, *arguments, checkpoint_dir=checkpoints)
    monkeypatch.undo()
    assert caught.value.code == 143
    assert "SIGTERM received; ended after epoch 2" in capsys.readouterr().out

    resumed, log = fit(small_split, tmp_path, *arguments, checkpoint_dir=checkpoints)

    assert "continuing after epoch 2" in capsys.readouterr().out
    assert [entry["epoch"] for entry in log.entries if entry["stage"] == "epoch"] == [3, 4]
    for found, expected in zip(resumed, uninterrupted, strict=True):
        assert np.allclose(found, expected, atol=1e-6)
    assert list(checkpoints.iterdir()) == []


@pytest.mark.parametrize(
    ("content", "expected"),
    [
        ('{"fingerprint": "other", "directory": "epoch-00001"}', "is of another training; starting anew"),
        ("{", "cannot be read"),
    ],
)
def test_checkpoint_when_it_does_not_fit_then_training_starts_anew(
    small_split, tmp_path, capsys, content, expected
):
    (tmp_path / "progress.json").write_text(content)

    fit(small_split, tmp_path, "--max_epochs", "1", checkpoint_dir=tmp_path)

    assert expected in capsys.readouterr().out


def test_training_when_patience_is_used_up_then_ends_early_with_the_best_epoch(small_split, tmp_path):
    log = fit(small_split, tmp_path, "--learning_rate", "0.05", "--patience_epochs", "2")[1]

    losses = [entry["held_out_log_loss"] for entry in log.entries if entry["stage"] == "epoch"]
    (summary,) = (entry for entry in log.entries if entry["stage"] == "fit")
    assert len(losses) < 60
    assert summary["best_epoch"] == int(np.argmin(losses)) + 1 == len(losses) - 2


# The TF Serving image has no numpy for certain: -S keeps the site-packages away.
HANDLER_CALLER = """
import io, json, sys, types
sys.path.insert(0, sys.argv[1] + "/code")
import importlib.util
spec = importlib.util.spec_from_file_location("inference", sys.argv[1] + "/code/inference.py")
inference = importlib.util.module_from_spec(spec)
spec.loader.exec_module(inference)
context = types.SimpleNamespace(request_content_type="text/csv", accept_header="application/json")
if sys.argv[2] == "input":
    print(inference.input_handler(io.BytesIO(sys.stdin.buffer.read()), context))
else:
    response = types.SimpleNamespace(status_code=200, content=sys.stdin.buffer.read())
    print(json.dumps(inference.output_handler(response, context)))
assert "numpy" not in sys.modules and "pandas" not in sys.modules
"""


def call_handler(model_dir, which, body):
    command = [sys.executable, "-I", "-S", "-B", "-c", HANDLER_CALLER, str(model_dir), which]
    return subprocess.run(command, input=body, capture_output=True, check=True, cwd="/", text=True).stdout


def test_handlers_when_called_as_tf_serving_does_then_need_no_package_and_give_the_models_answer(model):
    lines = (model.split.test_dir / "part-00000.csv").read_text().splitlines()[1:4]
    body = "\n".join(line.partition(",")[2] for line in lines)

    instances = json.loads(call_handler(model.model_dir, "input", body))["instances"]
    signature = tensorflow.saved_model.load(str(model.model_dir / "1")).signatures["serving_default"]
    (scores,) = signature(tensorflow.constant(instances, dtype=tensorflow.float32)).values()
    served = json.dumps({"predictions": scores.numpy().tolist()})
    text, content_type = json.loads(call_handler(model.model_dir, "output", served))

    predictor = ChurnPredictor.from_directory(model.model_dir)
    features, _ = read_split(model.split.test_dir, predictor.encoder)
    expected = predictor.predict_probabilities(features.head(3))
    found = [entry["churn_probability"] for entry in json.loads(text)["predictions"]]
    assert content_type == "application/json"
    assert np.allclose(found, expected, atol=1e-6)


def test_rows_when_encoded_by_the_handler_then_equal_the_encoders(split):
    encoder = read_encoder(split.encoder_dir)
    features, _ = read_split(split.test_dir, encoder)
    mapping = read_encoder_mapping(split.encoder_dir / "encoder.json")
    rows = features.astype(object).to_dict("records")

    assert np.array_equal(
        np.array(encode_rows(mapping, rows), dtype=np.float32), encoder.transform_dense(features)
    )


def test_output_when_trained_then_matches_the_metric_definitions(
    small_split, tmp_path, capsys, train_arguments
):
    arguments = [*train_arguments(small_split, tmp_path), "--algorithm", "keras_mlp", "--max_epochs", "1"]
    train(read_settings(arguments))

    output = capsys.readouterr().out
    for name in ("accuracy", "roc_auc", "log_loss"):
        assert re.search(rf"^train:{name}=[0-9.]+;$", output, re.MULTILINE)


def test_keras_file_when_it_was_changed_then_is_not_loaded(model, tmp_path):
    forged = tmp_path / "model"
    shutil.copytree(model.model_dir, forged)
    with (forged / "model.keras").open("ab") as stream:
        stream.write(b"more")

    with pytest.raises(InvalidInputError, match=r"model\.keras was changed after training"):
        evaluate.main(
            [
                *("--model", str(forged), "--model-digest", str(model.output_data_dir)),
                *("--test-dir", str(model.split.test_dir), "--output-dir", str(tmp_path / "evaluation")),
            ]
        )


def test_row_counts_when_a_class_is_small_then_both_sides_keep_a_row_of_it():
    labels = np.array([0] * 50 + [1] * 2)

    is_chosen = _choose_validation_rows(labels, 0.1, 1)

    assert labels[is_chosen].sum() == labels[~is_chosen].sum() == 1
