"""How good the models are: on synthetic customers with a known best, and on the real IBM set."""

import json
import shutil

import pytest

from sagemaker_jobs import evaluate, preprocess
from sagemaker_jobs.train import read_settings, train

SKLEARN_ALGORITHMS = ("hist_gradient_boosting", "logistic_regression", "random_forest")
# A test set of 1,600 rows: two standard deviations of the accuracy.
SAMPLING_ERROR = 0.02


def read_metrics(output_dir):
    content = json.loads((output_dir / "evaluation.json").read_text())
    return {
        name: metric["value"]
        for name, metric in content["binary_classification_metrics"].items()
        if "value" in metric
    }


@pytest.fixture(scope="module")
def evaluated(train_model, tmp_path_factory):
    def run(algorithm):
        model = train_model(algorithm)
        output_dir = tmp_path_factory.mktemp("evaluation")
        evaluate.main(
            [
                "--model",
                str(model.archive),
                "--test-dir",
                str(model.split.test_dir),
                "--output-dir",
                str(output_dir),
            ]
        )
        return read_metrics(output_dir)

    return run


@pytest.mark.parametrize("algorithm", SKLEARN_ALGORITHMS)
def test_accuracy_when_the_best_possible_is_known_then_comes_near_it_and_not_above(
    evaluated, split, algorithm
):
    accuracy = evaluated(algorithm)["accuracy"]

    assert accuracy > split.majority_accuracy + 0.10
    assert split.bayes_accuracy - 1.5 * SAMPLING_ERROR < accuracy < split.bayes_accuracy + SAMPLING_ERROR


def test_auc_when_labels_are_pure_chance_then_is_one_half(make_split, tmp_path, train_arguments):
    split = make_split(rows=3000, seed=5, signal_scale=0.0)
    train(read_settings(train_arguments(split, tmp_path)))

    evaluate.main(
        [
            *("--model", str(tmp_path / "model.tar.gz"), "--test-dir", str(split.test_dir)),
            *("--output-dir", str(tmp_path / "evaluation")),
        ]
    )

    assert abs(read_metrics(tmp_path / "evaluation")["roc_auc"] - 0.5) < 0.05


@pytest.fixture(scope="module")
def ibm_split(real_data, tmp_path_factory):
    directory = tmp_path_factory.mktemp("ibm")
    (directory / "input").mkdir()
    shutil.copy(real_data / "ibm_telco_churn.csv", directory / "input")
    preprocess.main(["--input-dir", str(directory / "input"), "--output-dir", str(directory / "split")])
    return directory / "split"


@pytest.mark.parametrize("algorithm", SKLEARN_ALGORITHMS)
def test_metrics_when_the_data_are_the_real_ibm_set_then_are_the_honest_ones(ibm_split, tmp_path, algorithm):
    train(
        read_settings(
            [
                *("--train-dir", str(ibm_split / "train"), "--encoder-dir", str(ibm_split / "encoder")),
                *("--model-dir", str(tmp_path / "model"), "--output-data-dir", str(tmp_path / "output")),
                *("--algorithm", algorithm),
            ]
        )
    )
    evaluate.main(
        [
            *("--model", str(tmp_path / "model"), "--model-digest", str(tmp_path / "output")),
            *("--test-dir", str(ibm_split / "test"), "--output-dir", str(tmp_path / "evaluation")),
        ]
    )
    metrics = read_metrics(tmp_path / "evaluation")

    assert abs(metrics["accuracy"] - 0.80) <= 0.02
    assert abs(metrics["roc_auc"] - 0.845) <= 0.02
    assert abs(metrics["brier_score"] - 0.135) <= 0.012
    assert metrics["accuracy_best_constant_classifier"] == pytest.approx(0.7346, abs=0.001)
