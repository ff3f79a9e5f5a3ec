"""`churn_retraining` through the real scheduler: conf over REST, jobs that really run, a registry."""

import json

import pytest

from local_airflow.stack_settings import RETRAINING_DAG_ID, StackError
from tests.end_to_end.quick_run import QUICK

pytestmark = pytest.mark.end_to_end


def test_run_when_given_the_ibm_data_then_reaches_the_honest_metrics_and_registers(laptop, real_data):
    summary = laptop.run({"accuracy_threshold": 0.75}, real_data / "ibm_telco_churn.csv")
    assert summary["dag_run_state"] == "success"
    assert summary["data"] == {"rows_in": 7043, "rows_out": 7043, "origin": "real"}
    assert summary["metrics"]["accuracy"] == pytest.approx(0.80, abs=0.02)
    assert summary["metrics"]["roc_auc"] == pytest.approx(0.845, abs=0.02)
    assert summary["gate"]["passed"]
    assert summary["approval_status"] == "PendingManualApproval"
    package = laptop.aws("sagemaker").describe_model_package(ModelPackageName=summary["model_package_arn"])
    facts = package["CustomerMetadataProperties"]
    assert facts["data_origin"] == "real"
    assert package["ModelMetrics"]["ModelQuality"]["Statistics"]["S3Uri"].endswith("evaluation.json")


def test_run_when_the_threshold_is_out_of_reach_then_skips_registration_and_says_why(laptop):
    before = laptop.packages()
    run_id = laptop.trigger({**QUICK, "accuracy_threshold": 0.99})
    summary = laptop.finish(run_id)
    assert summary["dag_run_state"] == "success"
    assert laptop.task_states(run_id)["register_model_package"] == "skipped"
    assert not summary["gate"]["passed"]
    assert "0.99" in summary["gate"]["sentence"]
    assert "0.99" in laptop.api.get_run(RETRAINING_DAG_ID, run_id)["note"]
    assert "0.99" in laptop.task_log(run_id, "accuracy_gate")
    assert laptop.packages() == before


def test_run_when_conf_has_an_unknown_key_then_is_refused_by_name(laptop):
    run_id = laptop.trigger({**QUICK, "acuracy_threshold": 0.5})
    summary = laptop.finish(run_id)
    assert summary["dag_run_state"] == "failed"
    assert "acuracy_threshold" in laptop.task_log(run_id, "prepare_run")
    assert laptop.task_states(run_id)["preprocess"] == "upstream_failed"


@pytest.mark.parametrize(
    "conf",
    [
        {"accuracy_threshold": 1.5},
        {"accuracy_threshold": "high"},
        {"algorithm": "xgboost"},
        {"test_fraction": 0},
    ],
    ids=json.dumps,
)
def test_trigger_when_a_value_is_out_of_bounds_then_airflow_refuses_it(laptop, conf):
    with pytest.raises(StackError, match=next(iter(conf))):
        laptop.trigger(conf)


def test_run_when_there_is_no_data_then_fails_with_the_uri_and_starts_no_job(laptop):
    before = laptop.jobs()
    run_id = laptop.trigger({"input_data_uri": "s3://churn-data/nothing-here/"})
    assert laptop.finish(run_id)["dag_run_state"] == "failed"
    assert "s3://churn-data/nothing-here/" in laptop.task_log(run_id, "prepare_run")
    assert laptop.jobs() == before


def test_run_when_the_data_are_broken_then_preprocess_fails_with_one_line_about_the_file(laptop, tmp_path):
    broken = tmp_path / "broken.csv"
    broken.write_text("customerID,tenure\n1,2\n")
    run_id = laptop.trigger({}, broken)
    summary = laptop.finish(run_id)
    assert summary["dag_run_state"] == "failed"
    assert summary["metrics"] == {}
    assert "broken.csv" in laptop.task_log(run_id, "preprocess")
    preprocess = [
        t for t in laptop.api.get_task_instances(RETRAINING_DAG_ID, run_id) if t["task_id"] == "preprocess"
    ]
    assert preprocess[0]["try_number"] == 1, "the same data fail the same way"


@pytest.mark.parametrize(
    ("hyperparameters", "named"),
    [({"max_leaf_nodes": -3}, "max_leaf_nodes"), ({"max_leafs": 9}, "max_leafs")],
    ids=["out of range", "unknown"],
)
def test_run_when_a_hyperparameter_is_wrong_then_is_refused_by_name_before_any_job(
    laptop, hyperparameters, named
):
    before = laptop.jobs()
    run_id = laptop.trigger(
        {**QUICK, "algorithm": "hist_gradient_boosting", "hyperparameters": hyperparameters}
    )
    assert laptop.finish(run_id)["dag_run_state"] == "failed"
    assert named in laptop.task_log(run_id, "prepare_run")
    assert laptop.jobs() == before


@pytest.mark.slow
def test_run_when_keras_is_asked_for_then_runs_through_in_its_own_image(laptop):
    summary = laptop.run({**QUICK, "algorithm": "keras_mlp", "hyperparameters": {"max_epochs": 8}})
    assert summary["dag_run_state"] == "success"
    assert summary["metrics"]["roc_auc"] > 0.85
