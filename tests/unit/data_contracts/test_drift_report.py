import json

import pytest

from include.data_contracts.drift_alert import DriftAlert
from include.data_contracts.drift_report import DriftReportSummary
from include.data_contracts.mapping_reader import ContractError
from tests.unit.drift_alerts.drift_reports import (
    alert,
    broken,
    category,
    drifted,
    performance,
    quantity,
    report,
)


def read(mapping):
    return DriftReportSummary.from_mapping(json.loads(json.dumps(mapping, allow_nan=False)))


def test_report_when_read_then_holds_what_the_job_wrote():
    summary = read(drifted(performance=performance()))
    assert (summary.verdict, summary.drifted_features) == ("drift", ("tenure",))
    assert (summary.reference_rows, summary.current_rows, summary.needed_rows) == (5634, 1000, 168)
    assert summary.feature("tenure").summary["current_mean"] == 97.1
    assert summary.feature("tenure").leading_test.floor == 0.05
    assert summary.feature("contract").leading_test is None
    assert summary.feature("nobody") is None
    assert summary.predictions.current_rate == 0.264
    assert summary.performance.value("accuracy") == 0.71
    assert summary.performance.value("brier") is None
    assert (summary.alert.transition, summary.alert.changes[0].effect) == ("new", 1.21)
    assert summary.history[0].effects == {"tenure": 0.012, "contract": None}


def test_report_when_no_batch_could_be_read_then_it_has_no_features():
    unread = report(
        verdict="data_break",
        features=[],
        joint=None,
        predictions=None,
        rows={"reference": 5634, "current": 0, "needed": None},
    )
    summary = read(unread)
    assert summary.features == ()
    assert summary.needed_rows is None
    assert summary.joint_sentence is None


def test_report_when_columns_go_together_differently_then_says_how():
    joint = {"verdict": "drift", "sentence": "tenure and contract go together differently"}
    assert read(report(joint=joint)).joint_sentence == "tenure and contract go together differently"


def test_report_when_the_job_adds_something_then_it_is_let_through():
    assert read(report(page={"charts": 12})) == read(report())


def test_alert_when_turned_into_json_and_back_then_is_the_same():
    read_alert = DriftAlert.from_mapping(alert("worse", "drift"))
    assert DriftAlert.from_mapping(json.loads(json.dumps(read_alert.to_mapping()))) == read_alert


@pytest.mark.parametrize(
    ("mapping", "words"),
    [
        (None, "drift_report: expected a mapping"),
        (report(contract="evaluation_report"), "expected drift_report version 1"),
        (report(version=2), "expected drift_report version 1"),
        (report(verdict="fine"), "key 'verdict': expected one of no_drift"),
        (report(rows=None), "key 'rows': is missing"),
        (report(rows={"reference": 1, "current": 2.5}), "drift_report, rows, key 'current'"),
        (report(alert=None), "drift_report, alert: expected a mapping"),
        (report(alert=alert(transition="worst")), "drift_report, alert, key 'transition': expected one of"),
        (report(alert=alert(date="2026-11-23"), batch=report()["batch"]), "is of 2026-11-23, the batch is"),
        (report(features=[quantity(), quantity()]), "column 'tenure' is there twice"),
        (report(drifted_features=["gone"]), "'gone' is not among the features"),
        (report(features=[category(verdict="odd")]), "features entry 1, key 'verdict'"),
        (report(features=[category(effect_size="big")]), "key 'effect_size': expected a number"),
        (report(rule={"alpha": [1]}), "rule, key 'alpha': expected a number, a word or a flag"),
        (report(model={"version": None, "data_origin": "made up"}), "model, key 'data_origin'"),
        (drifted(performance={**performance(), "measures": [{"name": "auc"}]}), "key 'value': is missing"),
        (broken(history=[{"date": 3}]), "history entry 1, key 'date'"),
    ],
)
def test_report_when_it_breaks_its_contract_then_one_line_names_document_and_key(mapping, words):
    with pytest.raises(ContractError) as refused:
        DriftReportSummary.from_mapping(mapping)
    assert words in str(refused.value)
    assert "\n" not in str(refused.value)
