import copy
import json

import pytest

from include.data_contracts.evaluation_report import (
    CURVE_COLUMNS,
    REQUIRED_METRICS,
    Bootstrap,
    ConfusionMatrix,
    EvaluatedDataset,
    EvaluatedModel,
    EvaluationReport,
    MetricEstimate,
)
from include.data_contracts.mapping_reader import ContractError


@pytest.fixture
def report():
    return EvaluationReport(
        data_origin="real",
        dataset=EvaluatedDataset(100, 25, "ibm_telco", "f" * 64),
        model=EvaluatedModel(
            "random_forest", "a" * 64, "b" * 64, 0.5, 400, 42, {"max_depth": 8}, {"numpy": "2"}
        ),
        metrics={name: MetricEstimate(0.8, 0.01, 0.78, 0.82) for name in REQUIRED_METRICS},
        confusion_matrix=ConfusionMatrix(70, 5, 10, 15),
        bootstrap=Bootstrap(2000, 1, "percentile", 0),
        curves={name: dict.fromkeys(columns, (0.0, 1.0)) for name, columns in CURVE_COLUMNS.items()},
    )


def test_report_when_written_and_read_then_is_the_same(report):
    assert EvaluationReport.from_mapping(json.loads(report.to_json())) == report


def test_mapping_when_written_then_has_sagemakers_model_quality_shape(report):
    metrics = report.to_mapping()["binary_classification_metrics"]

    assert metrics["auc"] == metrics["roc_auc"]
    assert metrics["accuracy"]["value"] == 0.8
    assert metrics["accuracy"]["standard_deviation"] == 0.01
    assert metrics["confusion_matrix"] == {"0": {"0": 70, "1": 5}, "1": {"0": 10, "1": 15}}
    assert set(metrics["receiver_operating_characteristic_curve"]) == {
        "false_positive_rates",
        "true_positive_rates",
    }
    assert report.to_mapping()["dataset"]["item_count"] == 100


def test_metric_when_asked_by_sagemakers_name_then_is_found(report):
    assert report.metric("auc") is report.metric("roc_auc")
    assert report.dataset.churn_rate == 0.25


def test_metric_when_unknown_then_names_the_known_ones(report):
    with pytest.raises(ContractError, match="no metric 'acuracy'; known: accuracy,"):
        report.metric("acuracy")


def test_report_when_a_newer_writer_adds_a_metric_then_keeps_it(report):
    mapping = report.to_mapping()
    mapping["binary_classification_metrics"]["ks"] = mapping["binary_classification_metrics"]["accuracy"]

    assert EvaluationReport.from_mapping(mapping).metric("ks").upper == 0.82


def change(*path, value):
    def apply(mapping):
        for key in path[:-1]:
            mapping = mapping[key]
        mapping[path[-1]] = value

    return apply


METRICS = "binary_classification_metrics"


@pytest.mark.parametrize(
    ("damage", "expected"),
    [
        (change("contract", value="other"), "expected evaluation_report version 1"),
        (change("version", value=2), "expected evaluation_report version 1"),
        (change("data_origin", value="guessed"), "'data_origin': expected real or synthetic"),
        (change("dataset", value=None), "dataset: expected a mapping"),
        (change("dataset", "positive_count", value=100), "'positive_count': expected between 1 and 99"),
        (change("dataset", "positive_count", value=0), "'positive_count': expected between 1 and 99"),
        (
            change(METRICS, "accuracy", "value", value=float("nan")),
            "accuracy, key 'value': expected a number",
        ),
        (change(METRICS, "accuracy", "value", value="0.8"), "accuracy, key 'value': expected a number"),
        (change(METRICS, "accuracy", "confidence_interval_95", value=[0.7]), "expected 2 numbers"),
        (change(METRICS, "accuracy", "confidence_interval_95", value=[0.9, 0.7]), "is above upper bound"),
        (change(METRICS, "confusion_matrix", "1", "1", value=1.5), "expected a whole number"),
        (change(METRICS, "precision_recall_curve", "recalls", value=[0.1]), "must be equally long"),
        (lambda mapping: mapping[METRICS].pop("roc_auc"), "roc_auc missing"),
        (lambda mapping: mapping.pop("model"), "model: expected a mapping"),
    ],
)
def test_report_when_damaged_then_is_refused_by_key(report, damage, expected):
    mapping = copy.deepcopy(report.to_mapping())
    damage(mapping)

    with pytest.raises(ContractError, match=expected) as caught:
        EvaluationReport.from_mapping(mapping, "evaluation.json")
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize("content", [None, [], "text", 3])
def test_report_when_no_mapping_then_is_refused(content):
    with pytest.raises(ContractError, match="expected a mapping"):
        EvaluationReport.from_mapping(content)
