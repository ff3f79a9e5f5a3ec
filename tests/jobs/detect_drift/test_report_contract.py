"""What the job writes is what the Airflow side reads, and makes its messages and metrics of."""

import pytest

from include.data_contracts.drift_report import DriftReportSummary
from include.drift_alerts.change_words import change_lines
from include.drift_alerts.metric_data import day_metrics
from tests.jobs.detect_drift.batches import DATE, change, draw_rows, to_csv
from tests.unit.drift_alerts.days import judged_day


def read(done):
    return DriftReportSummary.from_mapping(done.report)


def test_report_when_customers_drift_then_is_read_with_the_change_in_the_columns_own_words(halves, run):
    longer = change(halves.second, "tenure", lambda row: str(int(row["tenure"]) + 24))
    summary = read(run(longer, halves.reference))
    assert summary.batch.date == summary.alert.date == DATE
    assert summary.feature("tenure_months").has_changed
    (line,) = [line for line in change_lines(summary, summary.alert) if line.startswith("tenure_months: ")]
    assert line.startswith("tenure_months: mean 3")


@pytest.mark.parametrize(
    "batch", [{}, "<!DOCTYPE html><p>Sign in", "a,b\n1,2\n", b""], ids=["nothing", "html", "other", "empty"]
)
def test_report_when_the_batch_cannot_be_read_then_is_read_as_a_data_break(halves, run, batch):
    summary = read(run(batch, halves.reference))
    assert (summary.verdict, summary.alert.status, summary.alert.transition) == (
        "data_break",
        "data_break",
        "new",
    )


@pytest.mark.parametrize("batch", ["<!DOCTYPE html><p>Sign in", "without contract"])
def test_report_when_a_column_was_not_compared_then_no_metric_says_that_it_is_as_before(halves, run, batch):
    gone = None
    if batch == "without contract":
        batch = [{name: cell for name, cell in row.items() if name != "Contract"} for row in halves.second]
        gone = "contract_type"
    done = run(batch, halves.reference)
    found = [metric for metric in day_metrics(judged_day(done.report), read(done)) if metric.feature]

    assert [metric for metric in found if metric.feature == gone] == []
    assert bool(found) == (gone is not None)
    for feature in done.report["features"]:
        assert (feature["effect_name"] == "none") == (feature["effect_size"] is None)


def test_report_when_a_model_scores_and_labels_have_come_then_all_of_it_becomes_metrics(
    approved, run, tmp_path
):
    rows = draw_rows(1500, seed=5)
    labels = tmp_path / "labels.csv"
    labels.write_text(to_csv(rows, ["customer_id", "churn"]))
    done = run(rows, approved.reference, *approved.arguments, "--labels", labels)
    summary = read(done)
    metrics = {
        (metric.name, metric.feature): metric.value
        for metric in day_metrics(judged_day(done.report), summary)
    }
    assert metrics["Rows", None] == 1500
    assert metrics["PredictedChurnRate", None] == done.report["predictions"]["current_rate"]
    assert {"Accuracy", "RocAuc"} <= {name for name, feature in metrics if feature is None}
    per_feature = {feature for _, feature in metrics if feature is not None}
    assert per_feature == {feature["name"] for feature in done.report["features"]}
    assert len(metrics) >= 3 * len(per_feature) + 8


def test_report_when_the_batch_is_tiny_then_is_read_as_insufficient(halves, run):
    summary = read(run(halves.second[:20], halves.reference))
    assert summary.verdict == "insufficient_data"
    assert summary.needed_rows > 20
