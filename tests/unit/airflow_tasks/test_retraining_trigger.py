import pytest
from airflow.sdk.exceptions import AirflowSkipException, DagRunTriggerException

from include.airflow_tasks.retraining_trigger import RetrainingTrigger

REQUEST = {
    "requested": True,
    "reason": "drift in tenure",
    "run_id": "drift__telecom-churn-3__2026-11-24",
    "conf": {"reason": "drift in tenure since 2026-11-22"},
}


def trigger(request):
    operator = RetrainingTrigger(task_id="trigger_retraining", request=request)
    return operator.execute({})


def test_trigger_when_a_retraining_is_requested_then_starts_the_run_of_that_id_with_its_conf():
    with pytest.raises(DagRunTriggerException) as triggered:
        trigger(REQUEST)
    asked = triggered.value
    assert asked.trigger_dag_id == "churn_retraining"
    assert asked.dag_run_id == REQUEST["run_id"]
    assert asked.conf["reason"] == REQUEST["conf"]["reason"]


def test_trigger_when_that_run_exists_then_it_is_left_alone():
    with pytest.raises(DagRunTriggerException) as triggered:
        trigger(REQUEST)
    assert triggered.value.skip_when_already_exists
    assert not triggered.value.reset_dag_run
    assert triggered.value.logical_date is None  # two logical dates could not clash with a person's run


def test_trigger_when_nothing_is_requested_then_skips_and_says_why():
    with pytest.raises(AirflowSkipException, match="No retraining: nothing has drifted"):
        trigger({"requested": False, "reason": "nothing has drifted", "run_id": None})
