"""Synthetic data obey the schema, have the churn rate asked for, and a known best accuracy."""

import csv
import json
from pathlib import Path

import numpy as np
import pytest

from sagemaker_jobs import generate_synthetic_data, preprocess
from sagemaker_jobs.job_entry import InvalidInputError
from sagemaker_jobs.synthetic_customers import bayes_auc, churn_probability, draw_customers, solve_intercept


def _generate(directory: Path, *arguments: str) -> dict:
    generate_synthetic_data.main(["--output-dir", str(directory), *arguments])
    return json.loads((directory / "_synthetic_data.json").read_text())


def _rows(directory: Path) -> list[dict[str, str]]:
    rows = []
    for path in sorted(directory.glob("*.csv")):
        with path.open(newline="") as stream:
            rows += csv.DictReader(stream)
    return rows


def test_synthetic_data_when_generated_then_has_shape_churn_rate_and_no_nulls(tmp_path: Path):
    marker = _generate(tmp_path, "--rows", "20000")

    rows = _rows(tmp_path)
    assert len(rows) == marker["rows"] == 20000
    assert list(rows[0]) == ["customer_id", *generate_synthetic_data.FEATURE_NAMES, "churn"]
    assert len(rows[0]) == 14
    assert all(value for row in rows for value in row.values())
    assert len({row["customer_id"] for row in rows}) == 20000
    churn_rate = sum(row["churn"] == "Yes" for row in rows) / 20000
    assert churn_rate == marker["churn_rate"] == pytest.approx(0.37, abs=0.012)


@pytest.mark.parametrize(
    ("scale", "accuracy", "auc"), [(1.4, 0.846, 0.920), (0.8, 0.765, 0.833)], ids=["strong", "weak"]
)
def test_synthetic_data_when_scale_is_given_then_best_reachable_accuracy_is_as_documented(
    scale, accuracy, auc
):
    log_odds = draw_customers(200_000, np.random.default_rng(3)).log_odds
    p = churn_probability(log_odds, scale, solve_intercept(0.37, scale))

    assert p.mean() == pytest.approx(0.37, abs=0.005)
    assert np.maximum(p, 1 - p).mean() == pytest.approx(accuracy, abs=0.005)
    assert bayes_auc(p) == pytest.approx(auc, abs=0.005)


def test_synthetic_data_when_labels_are_judged_by_their_probability_then_marker_tells_the_truth(
    tmp_path: Path,
):
    marker = _generate(tmp_path, "--rows", "50000")
    chunk_log_odds = draw_customers(50000, np.random.default_rng([42, 0])).log_odds
    p = churn_probability(chunk_log_odds, 1.4, marker["intercept"])
    labels = np.array([row["churn"] == "Yes" for row in _rows(tmp_path)])

    accuracy_of_the_best_rule = ((p > 0.5) == labels).mean()
    assert accuracy_of_the_best_rule == pytest.approx(marker["bayes_accuracy"], abs=0.007)


def test_synthetic_data_when_spread_over_files_then_rows_are_the_same(tmp_path: Path):
    _generate(tmp_path / "one", "--rows", "3001", "--seed", "5")
    _generate(tmp_path / "four", "--rows", "3001", "--seed", "5", "--files", "4")

    assert len(list((tmp_path / "four").glob("*.csv"))) == 4
    assert _rows(tmp_path / "one") == _rows(tmp_path / "four")


def test_synthetic_data_when_preprocessed_then_nothing_is_found_and_all_is_marked(synthetic):
    report = synthetic.report

    assert report.findings == ()
    assert report.data_origin == "synthetic"
    for name in ("encoder/encoder.json", "reference/reference.json"):
        assert json.loads((synthetic.output_dir / name).read_text())["data_origin"] == "synthetic"


def test_preprocess_when_directory_holds_generated_files_then_knows_them_as_synthetic(tmp_path: Path):
    _generate(tmp_path / "input" / "deep", "--rows", "2000", "--files", "2")

    arguments = ["--input-dir", str(tmp_path / "input"), "--output-dir", str(tmp_path / "output")]
    preprocess.main(arguments)

    report = json.loads((tmp_path / "output" / "data_quality" / "data_quality.json").read_text())
    assert report["data_origin"] == "synthetic"


def test_preprocess_when_told_that_rows_are_invented_then_all_is_marked_without_a_marker(tmp_path: Path):
    _generate(tmp_path / "made", "--rows", "2000")
    (tmp_path / "input").mkdir()
    (tmp_path / "made/customers-00000.csv").rename(tmp_path / "input/customers.csv")

    arguments = ["--input-dir", str(tmp_path / "input"), "--output-dir", str(tmp_path / "output")]
    preprocess.main([*arguments, "--mark-synthetic"])

    for name in ("data_quality/data_quality.json", "encoder/encoder.json", "reference/reference.json"):
        assert json.loads((tmp_path / "output" / name).read_text())["data_origin"] == "synthetic"


def test_preprocess_when_data_are_real_then_says_so(ibm, run):
    assert run(ibm.to_csv()).report.data_origin == "real"


@pytest.mark.parametrize(
    ("arguments", "expected"),
    [
        (["--rows", "0"], "--rows must lie between 1"),
        (["--rows", "10", "--churn-rate", "1.5"], "--churn-rate must lie between"),
        (["--rows", "10", "--files", "11"], "--files must lie between 1 and 10"),
    ],
)
def test_generator_when_value_is_out_of_bounds_then_refuses_by_name(arguments, expected, tmp_path: Path):
    with pytest.raises(InvalidInputError, match=expected):
        _generate(tmp_path, *arguments)
