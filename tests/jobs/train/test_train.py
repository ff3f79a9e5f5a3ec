import json
import os
import re
import signal
import subprocess
import sys
import time
from pathlib import Path

import numpy as np
import pytest

from sagemaker_jobs.churn_predictor import ChurnPredictor
from sagemaker_jobs.job_entry import InvalidInputError
from sagemaker_jobs.model_archive import digest_directory, hash_file
from sagemaker_jobs.split_reading import read_split
from sagemaker_jobs.train import read_settings, train

CHECKOUT = Path(__file__).resolve().parents[3]
SKLEARN_ALGORITHMS = ("hist_gradient_boosting", "logistic_regression", "random_forest")


@pytest.fixture(autouse=True)
def no_sagemaker_variables(monkeypatch):
    for name in list(os.environ):
        if name.startswith("SM_"):
            monkeypatch.delenv(name)


def test_settings_when_nothing_is_given_then_are_sagemakers_directories_and_the_default_algorithm():
    settings = read_settings([])

    assert str(settings.train_dir) == "/opt/ml/input/data/train"
    assert str(settings.model_dir) == "/opt/ml/model"
    assert settings.algorithm == "hist_gradient_boosting"
    assert settings.model_archive is None


def test_settings_when_the_toolkit_sets_its_variables_then_are_taken_from_them(monkeypatch):
    monkeypatch.setenv("SM_CHANNEL_TRAIN", "/data/train")
    monkeypatch.setenv("SM_CHANNEL_ENCODER", "/data/encoder")
    monkeypatch.setenv("SM_MODEL_DIR", "/data/model")
    monkeypatch.setenv("SM_OUTPUT_DATA_DIR", "/data/output")

    settings = read_settings([])

    directories = [settings.train_dir, settings.encoder_dir, settings.model_dir, settings.output_data_dir]
    assert [path.name for path in directories] == ["train", "encoder", "model", "output"]


def test_hyperparameters_when_passed_as_the_toolkit_does_then_are_read(monkeypatch):
    monkeypatch.setenv("SM_HPS", json.dumps({"algorithm": "random_forest", "n_estimators": 20, "seed": 5}))

    settings = read_settings(["--algorithm", "random_forest", "--n_estimators", "20", "--seed", "5"])

    assert settings.hyperparameters["n_estimators"] == 20
    assert settings.seed == 5


def test_hyperparameters_when_only_in_sm_hps_then_are_read(monkeypatch):
    monkeypatch.setenv("SM_HPS", json.dumps({"algorithm": "random_forest", "max_features": 0.5}))

    assert read_settings([]).hyperparameters["max_features"] == 0.5


@pytest.mark.parametrize(
    ("arguments", "expected"),
    [
        (["--algorithm", "svm"], "unknown algorithm 'svm'"),
        (["-C", "1"], "unknown hyperparameter 'C' for hist_gradient_boosting"),
        (["--max_itre", "10"], "unknown hyperparameter 'max_itre'"),
        (["--seed", "-1"], "seed: expected a whole number from 0"),
        (["--seed", "1.5"], "seed: expected a whole number"),
    ],
)
def test_settings_when_an_argument_is_wrong_then_are_refused_in_one_line(arguments, expected):
    with pytest.raises(InvalidInputError, match=expected):
        read_settings(arguments)


@pytest.mark.parametrize("algorithm", SKLEARN_ALGORITHMS)
def test_model_directory_when_trained_then_holds_model_encoder_schema_and_serving_code(
    train_model, algorithm
):
    files = digest_directory(train_model(algorithm).model_dir)

    assert {"model.joblib", "encoder.json", "schema.json", "model.json", "code/inference.py"} <= set(files)
    assert all(name.startswith("code/") for name in files if name.endswith(".py"))


def test_description_when_trained_then_tells_what_the_model_was_made_from(train_model):
    model = train_model("hist_gradient_boosting", "--seed", "3", "--max_iter", "20")
    description = json.loads((model.model_dir / "model.json").read_text())

    assert description["algorithm"] == "hist_gradient_boosting"
    assert description["seed"] == 3
    assert description["hyperparameters"]["max_iter"] == 20
    assert description["training_rows"] == 2400
    assert description["decision_threshold"] == 0.5
    assert description["data_origin"] == "synthetic"
    assert description["schema_name"] == "ibm_telco"
    assert description["versions"]["scikit-learn"]
    others = digest_directory(model.model_dir)
    others.pop("model.json")
    assert description["file_digests"] == others


def test_digests_when_trained_then_cover_every_file(train_model):
    model = train_model("logistic_regression")
    digests = json.loads((model.output_data_dir / "model_digest.json").read_text())

    assert digests == digest_directory(model.model_dir)
    assert model.archive.with_name("model.tar.gz.sha256").read_text().split()[0] == hash_file(model.archive)


def test_training_log_when_trained_then_has_an_entry_per_stage(train_model):
    log = (train_model("logistic_regression").output_data_dir / "training_log.jsonl").read_text()

    stages = [json.loads(line)["stage"] for line in log.splitlines()]
    assert stages == ["load", "encode", "fit", "calibrate", "metrics", "save"]


def test_output_when_trained_then_matches_the_metric_definitions_and_shows_each_stage(
    split, tmp_path, capsys, train_arguments
):
    train(read_settings([*train_arguments(split, tmp_path), "--algorithm", "logistic_regression"]))

    output = capsys.readouterr().out
    for name in ("accuracy", "roc_auc", "log_loss"):
        assert 0 < float(re.search(rf"^train:{name}=([0-9.]+);$", output, re.MULTILINE).group(1)) < 1
    for stage in ("load", "encode", "fit", "calibrate", "save"):
        assert f"] {stage}: " in output


# A random forest's pickle holds unset padding bytes, so only its predictions are the same.
@pytest.mark.parametrize("algorithm", ["hist_gradient_boosting", "logistic_regression"])
def test_archive_when_trained_again_with_the_same_seed_then_has_the_same_bytes(
    train_model, split, tmp_path, train_arguments, algorithm
):
    train(read_settings([*train_arguments(split, tmp_path), "--algorithm", algorithm]))

    assert hash_file(tmp_path / "model.tar.gz") == hash_file(train_model(algorithm).archive)


def test_random_forest_when_trained_again_with_the_same_seed_then_predicts_the_same(
    train_model, split, tmp_path, train_arguments
):
    train(read_settings([*train_arguments(split, tmp_path), "--algorithm", "random_forest"]))

    models = [
        ChurnPredictor.from_directory(path)
        for path in (train_model("random_forest").model_dir, tmp_path / "model")
    ]
    features, _ = read_split(split.test_dir, models[0].encoder)
    assert np.array_equal(*(model.predict_probabilities(features) for model in models))


def test_seed_when_changed_then_changes_the_model(train_model):
    first = train_model("random_forest")
    second = train_model("random_forest", "--seed", "3")

    assert hash_file(first.model_dir / "model.joblib") != hash_file(second.model_dir / "model.joblib")


def test_pickle_when_loaded_then_needs_no_code_of_this_project(train_model):
    path = train_model("hist_gradient_boosting").model_dir / "model.joblib"
    script = "import sys, joblib; joblib.load(sys.argv[1]); sys.exit('sagemaker_jobs' in sys.modules)"

    loaded = subprocess.run([sys.executable, "-I", "-c", script, str(path)], check=False, cwd="/")

    assert loaded.returncode == 0


def replace_line(path, line_number, text):
    lines = path.read_text().splitlines()
    lines[line_number - 1] = text
    path.write_text("\n".join(lines) + "\n")


def set_cell(path, line_number, column, value):
    lines = path.read_text().splitlines()
    cells = lines[line_number - 1].split(",")
    cells[lines[0].split(",").index(column)] = value
    replace_line(path, line_number, ",".join(cells))


def keep_lines(path, keep):
    lines = path.read_text().splitlines()
    path.write_text("\n".join([lines[0], *filter(keep, lines[1:])]) + "\n")


@pytest.mark.parametrize(
    ("damage", "expected"),
    [
        (lambda p: p.unlink(), "holds no CSV file"),
        (lambda p: p.write_text(""), "part-00000.csv: cannot be read as CSV"),
        (lambda p: keep_lines(p, lambda _: False), "holds no row"),
        (lambda p: keep_lines(p, lambda line: line.startswith("1")), "rows have churn = 1; both classes"),
        (lambda p: replace_line(p, 1, "a,b"), "line 1: expected the header churn,tenure_months,"),
        (lambda p: set_cell(p, 9, "monthly_charges", "cheap"), "line 9, column monthly_charges: .*'cheap'"),
        (lambda p: set_cell(p, 9, "monthly_charges", "inf"), "line 9, column monthly_charges: an infinite"),
        (lambda p: set_cell(p, 7, "churn", "2"), "line 7, column churn: expected 0 or 1, found 2.0"),
        (lambda p: set_cell(p, 7, "churn", ""), "line 7, column churn: expected 0 or 1, found nan"),
        (lambda p: set_cell(p, 7, "churn", "Yes"), "line 7, column churn: not a number: 'Yes'"),
    ],
)
def test_train_split_when_damaged_then_is_refused_by_file_and_line_and_nothing_is_written(
    make_split, tmp_path, train_arguments, damage, expected
):
    split = make_split()
    damage(split.train_dir / "part-00000.csv")

    with pytest.raises(InvalidInputError, match=expected):
        train(read_settings(train_arguments(split, tmp_path)))
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize(
    ("damage", "expected"),
    [
        (lambda d: (d / "encoder.json").unlink(), "encoder.json: not a feature encoder"),
        (lambda d: (d / "encoder.json").write_text("{}"), "encoder.json: not a feature encoder"),
        (lambda d: (d / "schema.json").unlink(), "schema.json: cannot be read"),
        (
            lambda d: (d / "schema.json").write_text(
                (d / "schema.json").read_text().replace('"maximum":72', '"maximum":73')
            ),
            "with another fingerprint than schema.json",
        ),
    ],
)
def test_encoder_when_damaged_then_is_refused(make_split, tmp_path, train_arguments, damage, expected):
    split = make_split()
    damage(split.encoder_dir)

    with pytest.raises(InvalidInputError, match=expected):
        train(read_settings(train_arguments(split, tmp_path)))


def test_parts_when_there_are_several_then_all_are_read(make_split, tmp_path, train_arguments):
    split = make_split()
    part = split.train_dir / "part-00000.csv"
    lines = part.read_text().splitlines()
    part.write_text("\n".join(lines[:100]) + "\n")
    (split.train_dir / "part-00001.csv").write_text("\n".join([lines[0], *lines[100:]]) + "\n")

    description = train(read_settings([*train_arguments(split, tmp_path), "--max_iter", "5"]))

    assert description.training_rows == 240


def test_model_directory_when_not_empty_then_is_refused(split, tmp_path, train_arguments):
    (tmp_path / "model").mkdir()
    (tmp_path / "model" / "old.txt").write_text("")

    with pytest.raises(InvalidInputError, match="is not empty"):
        train(read_settings([*train_arguments(split, tmp_path), "--algorithm", "logistic_regression"]))


def test_training_when_a_class_has_one_row_then_is_fitted_without_calibration(
    make_split, tmp_path, train_arguments
):
    split = make_split()
    part = split.train_dir / "part-00000.csv"
    keep_lines(part, lambda line: line.startswith("0"))
    set_cell(part, 2, "churn", "1")

    train(read_settings([*train_arguments(split, tmp_path), "--max_iter", "5"]))

    assert "too few rows of one class" in (tmp_path / "output" / "training_log.jsonl").read_text()


@pytest.mark.parametrize("calibration", ["isotonic", "none"])
def test_calibration_when_another_method_is_asked_for_then_is_used(train_model, calibration):
    model = train_model("hist_gradient_boosting", "--calibration", calibration, "--max_iter", "10")

    assert json.loads((model.model_dir / "model.json").read_text())["hyperparameters"]["calibration"] == (
        calibration
    )


def test_calibration_when_rows_are_many_then_uses_rows_kept_aside(
    split, tmp_path, train_arguments, monkeypatch
):
    monkeypatch.setattr("sagemaker_jobs.sklearn_churn_models.MAXIMUM_ROWS_FOR_FOLDS", 1000)

    train(read_settings([*train_arguments(split, tmp_path), "--max_iter", "10"]))

    assert "rows kept aside" in (tmp_path / "output" / "training_log.jsonl").read_text()


def run_train(arguments, **options):
    environment = {"PYTHONPATH": str(CHECKOUT), "PATH": os.environ["PATH"], **options}
    return subprocess.Popen(
        [sys.executable, "-m", "sagemaker_jobs", "train", *arguments],
        env=environment,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )


def test_process_when_input_is_wrong_then_leaves_one_line_and_sagemakers_failure_text(tmp_path):
    output_dir = tmp_path / "output"
    output_dir.mkdir()

    process = run_train(["--bogus", "1"], TRAINING_JOB_NAME="job", SM_OUTPUT_DIR=str(output_dir))
    stderr = process.communicate()[1]

    assert process.returncode == 2
    assert stderr.startswith("error: unknown hyperparameter 'bogus'")
    assert stderr.count("\n") == 1
    assert (output_dir / "failure").read_text().startswith("invalid input: unknown hyperparameter 'bogus'")


def test_process_when_sigterm_comes_while_fitting_then_ends_with_one_line_and_no_model(
    split, tmp_path, train_arguments
):
    slow = ["--max_iter", "5000", "--max_leaf_nodes", "200", "--min_samples_leaf", "1"]
    process = run_train([*train_arguments(split, tmp_path), *slow])
    while "encode" not in process.stdout.readline():
        assert process.poll() is None
    time.sleep(1)  # into the fit, which takes minutes

    process.send_signal(signal.SIGTERM)
    _, stderr = process.communicate(timeout=30)

    assert process.returncode == 143
    assert stderr == "stopped: SIGTERM received before the model was written\n"
    assert not (tmp_path / "model").exists()
