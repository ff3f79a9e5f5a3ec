import json
import os
import pickle
import shutil
import subprocess
import sys
import tarfile
from pathlib import Path

import numpy as np
import pytest

from include.data_contracts.evaluation_report import EvaluationReport
from include.drift_statistics.prediction_drift import compare_predictions
from include.drift_statistics.profile_files import load_profile
from sagemaker_jobs import evaluate
from sagemaker_jobs.churn_predictor import ChurnPredictor
from sagemaker_jobs.job_entry import InvalidInputError
from sagemaker_jobs.model_archive import digest_text, hash_file, write_model_archive
from sagemaker_jobs.model_evaluation import evaluate_model
from sagemaker_jobs.split_reading import read_split

CHECKOUT = Path(__file__).resolve().parents[3]


@pytest.fixture(scope="module")
def model(train_model):
    return train_model("logistic_regression")


def run(model, output_dir, *arguments, test_dir=None):
    test_dir = test_dir or model.split.test_dir
    evaluate.main(["--test-dir", str(test_dir), "--output-dir", str(output_dir), *map(str, arguments)])
    return EvaluationReport.from_mapping(json.loads((output_dir / "evaluation.json").read_text()))


@pytest.mark.parametrize("algorithm", ["hist_gradient_boosting", "logistic_regression", "random_forest"])
def test_report_when_a_model_is_evaluated_then_tells_it_all(train_model, tmp_path, algorithm):
    model = train_model(algorithm)

    report = run(model, tmp_path, "--model", model.archive)

    assert report.model.algorithm == algorithm
    assert report.model.archive_sha256 == hash_file(model.archive)
    assert report.data_origin == "synthetic"
    assert report.dataset.item_count == 1600
    matrix = report.confusion_matrix
    assert matrix.true_positives + matrix.false_negatives == report.dataset.positive_count
    accuracy = (matrix.true_positives + matrix.true_negatives) / report.dataset.item_count
    assert report.metric("accuracy").value == pytest.approx(accuracy)
    assert report.metric("accuracy").lower < accuracy < report.metric("accuracy").upper


def test_json_when_written_then_is_strict_and_small(model, tmp_path):
    run(model, tmp_path, "--model", model.archive)
    text = (tmp_path / "evaluation.json").read_text()

    json.loads(text, parse_constant=lambda name: pytest.fail(f"{name} is not JSON"))
    assert len(text) < 60_000
    assert sorted(path.name for path in tmp_path.iterdir()) == [
        "evaluation.html",
        "evaluation.json",
        "reference_scores.profile",
    ]


def test_scores_when_a_model_is_evaluated_then_are_profiled_for_later_batches(model, tmp_path):
    report = run(model, tmp_path, "--model", model.archive)
    profile = load_profile(tmp_path / "reference_scores.profile")

    matrix = report.confusion_matrix
    assert profile.rows == report.dataset.item_count
    assert profile.counts["prediction"].levels == {
        "0": matrix.true_negatives + matrix.false_negatives,
        "1": matrix.true_positives + matrix.false_positives,
    }
    assert compare_predictions(profile, profile).verdict == "no_drift"


def test_curves_when_thinned_then_have_at_most_200_points_and_both_ends(train_model, tmp_path):
    model = train_model("hist_gradient_boosting", "--max_iter", "20")
    curves = run(model, tmp_path, "--model", model.archive).curves

    assert all(len(values) <= 200 for curve in curves.values() for values in curve.values())
    roc = curves["receiver_operating_characteristic_curve"]
    for values in roc.values():
        assert (values[0], values[-1]) == (0.0, 1.0)
        assert list(values) == sorted(values)


def test_roc_curve_when_thinned_then_keeps_its_area(train_model, tmp_path):
    model = train_model("hist_gradient_boosting", "--max_iter", "20")
    report = run(model, tmp_path, "--model", model.archive)

    roc = report.curves["receiver_operating_characteristic_curve"]
    area = np.trapezoid(roc["true_positive_rates"], roc["false_positive_rates"])
    assert area == pytest.approx(report.metric("roc_auc").value, abs=2e-3)


def test_calibration_curve_when_computed_then_accounts_for_every_customer(train_model, tmp_path):
    model = train_model("hist_gradient_boosting", "--max_iter", "20")
    report = run(model, tmp_path, "--model", model.archive)

    curve = report.curves["calibration_curve"]
    assert sum(curve["item_counts"]) == report.dataset.item_count
    churners = np.dot(curve["item_counts"], curve["observed_churn_rates"])
    assert churners == pytest.approx(report.dataset.positive_count, abs=0.01)
    for low, rate, high in zip(
        curve["lower_bounds"], curve["observed_churn_rates"], curve["upper_bounds"], strict=True
    ):
        assert 0 <= low <= rate + 1e-6
        assert rate - 1e-6 <= high <= 1


def test_evaluation_when_repeated_then_writes_the_same(model, tmp_path):
    first = run(model, tmp_path / "a", "--model", model.archive)

    assert run(model, tmp_path / "b", "--model", model.archive) == first


@pytest.mark.parametrize("seed", ["1", "2"])
def test_evaluation_when_given_a_directory_and_its_digest_then_gives_the_same_metrics(model, tmp_path, seed):
    digest_path = model.output_data_dir / "model_digest.json"

    report = run(model, tmp_path, "--model", model.model_dir, "--model-digest", digest_path, "--seed", seed)

    assert report.model.archive_sha256 is None
    assert report.metric("roc_auc").value == pytest.approx(
        run(model, tmp_path, "--model", model.archive).metric("roc_auc").value, abs=1e-15
    )


def test_evaluation_when_sagemaker_packed_model_and_output_then_reads_both(model, tmp_path):
    for name, source in (("model", model.model_dir), ("output", model.output_data_dir)):
        with tarfile.open(tmp_path / f"{name}.tar.gz", "w:gz") as archive:
            archive.add(source, arcname=".")

    report = run(
        *(model, tmp_path / "evaluation", "--model", tmp_path / "model.tar.gz"),
        *("--model-digest", tmp_path / "output.tar.gz"),
    )

    assert report.model.archive_sha256 == hash_file(tmp_path / "model.tar.gz")


class LeavesTrace:
    """Unpickling this writes a file: what a hostile model would do."""

    def __init__(self, path):
        self.path = str(path)

    def __reduce__(self):
        return Path.write_text, (Path(self.path), "code was run")


@pytest.mark.parametrize("as_archive", [False, True])
def test_pickle_when_it_was_exchanged_then_is_not_loaded(model, tmp_path, as_archive):
    forged, trace = tmp_path / "forged", tmp_path / "trace"
    shutil.copytree(model.model_dir, forged)
    (forged / "model.joblib").write_bytes(pickle.dumps(LeavesTrace(trace)))
    path = forged
    if as_archive:
        path = tmp_path / "model.tar.gz"
        write_model_archive(forged, path)

    with pytest.raises(InvalidInputError, match=r"model\.joblib was changed after training"):
        run(
            *(model, tmp_path / "evaluation", "--model", path),
            *("--model-digest", model.output_data_dir / "model_digest.json"),
        )
    assert not trace.exists()
    assert not (tmp_path / "evaluation").exists()


def test_pickle_when_only_model_json_vouches_for_it_then_is_not_loaded(model, tmp_path):
    """A forger who also mends the digests inside the model is stopped by the ones outside."""
    forged, trace = tmp_path / "forged", tmp_path / "trace"
    shutil.copytree(model.model_dir, forged)
    (forged / "model.joblib").write_bytes(pickle.dumps(LeavesTrace(trace)))
    description = json.loads((forged / "model.json").read_text())
    description["file_digests"]["model.joblib"] = hash_file(forged / "model.joblib")
    (forged / "model.json").write_text(json.dumps(description))

    with pytest.raises(InvalidInputError, match="was changed after training"):
        run(
            *(model, tmp_path / "evaluation", "--model", forged),
            *("--model-digest", model.output_data_dir / "model_digest.json"),
        )
    assert not trace.exists()


def keep_lines(path, keep):
    lines = path.read_text().splitlines()
    path.write_text("\n".join([lines[0], *filter(keep, lines[1:])]) + "\n")


@pytest.mark.parametrize(
    ("damage", "expected"),
    [
        (lambda p: p.unlink(), "holds no CSV file"),
        (
            lambda p: keep_lines(p, lambda line: line.startswith("0")),
            "have churn = 0; both classes are needed",
        ),
        (lambda p: keep_lines(p, lambda _: False), "holds no row"),
        (lambda p: p.write_text(p.read_text().replace("tenure_months", "tenure", 1)), "expected the header"),
    ],
)
def test_test_split_when_it_cannot_be_judged_then_is_refused(model, tmp_path, damage, expected):
    test_dir = tmp_path / "test"
    shutil.copytree(model.split.test_dir, test_dir)
    damage(test_dir / "part-00000.csv")

    with pytest.raises(InvalidInputError, match=expected):
        run(model, tmp_path / "evaluation", "--model", model.archive, test_dir=test_dir)
    assert not (tmp_path / "evaluation").exists()


def change_description(model, tmp_path, **changes):
    changed = tmp_path / "model"
    shutil.copytree(model.model_dir, changed)
    description = json.loads((changed / "model.json").read_text()) | changes
    (changed / "model.json").write_text(json.dumps(description))
    (tmp_path / "model_digest.json").write_text(digest_text(changed))
    return ["--model", changed, "--model-digest", tmp_path / "model_digest.json"]


@pytest.mark.parametrize(
    ("changes", "expected"),
    [
        (
            {"versions": {"scikit-learn": "0.24.2"}},
            "was trained with scikit-learn 0.24.2, this environment has",
        ),
        ({"contract": "other"}, "expected churn_model version 1"),
        ({"schema_fingerprint": "0" * 64}, "was fitted for another schema"),
        ({"file_digests": {}}, "model.joblib is missing from the model"),
    ],
)
def test_model_when_it_does_not_fit_here_then_is_refused_in_one_line(model, tmp_path, changes, expected):
    with pytest.raises(InvalidInputError, match=expected):
        run(model, tmp_path / "evaluation", *change_description(model, tmp_path, **changes))


def test_keras_model_when_there_is_no_keras_then_is_refused_by_name(model, tmp_path):
    pytest.importorskip("sklearn")
    changes = {"algorithm": "keras_mlp", "versions": {"keras": "99.1"}}

    with pytest.raises(
        InvalidInputError, match=r"keras_mlp was trained with keras 99\.1, this environment has"
    ):
        run(model, tmp_path / "evaluation", *change_description(model, tmp_path, **changes))


def test_probabilities_when_a_model_answers_nan_then_are_refused(model):
    description = ChurnPredictor.from_directory(model.model_dir).description

    with pytest.raises(ValueError, match="logistic_regression answers nan for test row 2"):
        evaluate_model(description, None, np.array([0, 1]), np.array([0.5, np.nan]), seed=1)


def test_predictions_when_values_are_missing_or_unknown_then_are_probabilities(train_model):
    for algorithm in ("hist_gradient_boosting", "logistic_regression", "random_forest"):
        model = train_model(algorithm)
        predictor = ChurnPredictor.from_directory(model.model_dir)
        features, _ = read_split(model.split.test_dir, predictor.encoder)
        features = features.head(3).astype(object)
        features.loc[:, "monthly_charges"] = None
        features.loc[:, "contract_type"] = "Five years"

        probabilities = predictor.predict_probabilities(features)

        assert ((probabilities > 0) & (probabilities < 1)).all()


def test_process_when_the_model_is_not_verified_then_leaves_one_line_and_sagemakers_message(model, tmp_path):
    shutil.copy(model.archive, tmp_path / "model.tar.gz")
    environment = {"PYTHONPATH": str(CHECKOUT), "PATH": os.environ["PATH"], "SM_OUTPUT_DIR": str(tmp_path)}
    command = [sys.executable, "-m", "sagemaker_jobs", "evaluate", "--model", str(tmp_path / "model.tar.gz")]

    process = subprocess.run(command, env=environment, capture_output=True, text=True, check=False)

    assert process.returncode == 2
    assert process.stderr.count("\n") == 1
    assert "nothing tells this model's sha256" in process.stderr
    assert "nothing tells this model's sha256" in (tmp_path / "message").read_text()
