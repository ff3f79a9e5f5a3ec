"""`churn_drift_monitoring` through the real scheduler: four days, an outage, a killed worker, a backfill."""

import json
import subprocess
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from types import MappingProxyType
from typing import Any

import pytest

from local_airflow.data_upload import replace_batch
from local_airflow.demo_days import (
    break_feed,
    multiply_tenure,
    read_customers,
    split_customers,
    write_customers,
)
from local_airflow.drift_backfill import BackfillRequest, backfill_days
from local_airflow.registered_models import (
    RegisteredModel,
    approve_model,
    choose_for_approval,
    list_models,
)
from local_airflow.stack import open_aws_client
from local_airflow.stack_settings import (
    APPROVER_CALLER,
    ARTIFACT_BUCKET,
    DRIFT_DAG_ID,
    METRIC_NAMESPACE,
    RETRAINING_DAG_ID,
)

pytestmark = [pytest.mark.end_to_end, pytest.mark.slow]

ROOT = Path(__file__).resolve().parents[2]
GROUP = "drift-end-to-end"
# CloudWatch takes no figures older than two weeks.
QUIET, SHIFTED, BROKEN, ABSENT = (
    datetime.now(UTC).date() - timedelta(days=days_ago) for days_ago in (5, 4, 3, 2)
)
CUSTOMERS = 8000


def make_customers(folder: Path) -> Path:
    """Customers drawn by the generator; without its marker they pass for real ones, which can be approved."""
    command = [
        ROOT / ".venvs/sklearn_job/bin/python", "-m", "sagemaker_jobs", "generate_synthetic_data",
        "--output-dir", folder, "--rows", str(CUSTOMERS),
    ]  # fmt: skip
    subprocess.run(command, cwd=ROOT, env={"PYTHONPATH": str(ROOT)}, check=True, capture_output=True)
    (folder / "_synthetic_data.json").unlink()
    return folder


def conf_of(day: date) -> dict[str, Any]:
    return {"model_package_group": GROUP, "batch_date": str(day), "batch_grace_hours": 0}


@dataclass
class Days:
    """Summary, messages and report of each day, as its run left them."""

    summaries: dict[date, dict[str, Any]] = field(default_factory=dict)
    messages: dict[date, list[dict[str, Any]]] = field(default_factory=dict)
    reports: dict[date, dict[str, Any]] = field(default_factory=dict)
    outage_tries: int = 0
    jobs_of_broken_day: dict[str, str] = field(default_factory=dict)

    def keep(self, day: date, summary: dict[str, Any], messages: list[dict[str, Any]]) -> None:
        self.summaries[day], self.messages[day] = summary, messages
        if summary["report_json"]:
            self.reports[day] = json.loads((ROOT / summary["report_json"]).read_text())


@dataclass(frozen=True)
class Trained:
    """The approved model and the data that it was trained on."""

    model: RegisteredModel
    data_uri: str


@pytest.fixture
def model(trained):
    return trained.model


@pytest.fixture(scope="module")
def trained(started_laptop, tmp_path_factory):
    """A model trained on half of the customers and approved; the others lie in the data bucket by day."""
    laptop = started_laptop
    laptop.start()
    folder = tmp_path_factory.mktemp("customers")
    customers = read_customers(make_customers(folder / "all"))
    training, (quiet, shifted, broken) = split_customers(customers, 3)
    conf = {"model_package_group": GROUP, "accuracy_threshold": 0.7}
    run_id = laptop.trigger(conf, write_customers(training, folder / "training"))
    summary = laptop.finish(run_id)
    assert summary["approval_status"] == "PendingManualApproval", summary["note"]
    s3 = open_aws_client(laptop.settings, "s3")
    batches = {QUIET: quiet, SHIFTED: multiply_tenure(shifted), BROKEN: break_feed(broken)}
    for day, batch in batches.items():
        replace_batch(s3, write_customers(batch, folder / str(day)), f"current/ibm_telco/{day}/")
    sagemaker = open_aws_client(laptop.settings, "sagemaker", APPROVER_CALLER)
    chosen = choose_for_approval(list_models(sagemaker, GROUP), None)
    approve_model(sagemaker, chosen)
    (approved,) = list_models(sagemaker, GROUP)
    return Trained(approved, laptop.api.get_run(RETRAINING_DAG_ID, run_id)["conf"]["input_data_uri"])


@pytest.fixture(scope="module")
def days(started_laptop, trained):
    """Four days, one run each: SNS is out and its worker killed on the second, the job's on the third."""
    laptop, found = started_laptop, Days()

    def judge(day: date, meanwhile=lambda _: None, conf: Mapping[str, Any] = MappingProxyType({})) -> None:
        known = len(laptop.messages())
        run_id = laptop.trigger_drift(conf_of(day) | dict(conf))
        meanwhile(run_id)
        found.keep(day, laptop.finish_drift(run_id), laptop.messages()[known:])

    def lose_sns_and_a_worker(run_id: str) -> None:
        laptop.set_outage("sns", begins=True)
        laptop.wait_for("a try to publish", lambda: state_of(run_id, "publish_alert") == "running")
        laptop.kill_worker(DRIFT_DAG_ID, run_id, "publish_alert")
        laptop.wait_for("the lost worker to be noticed", lambda: tries_of(run_id, "publish_alert") > 1)
        laptop.wait_for("a try that SNS refused", lambda: state_of(run_id, "publish_alert") == "up_for_retry")
        found.outage_tries = laptop.set_outage("sns", begins=False)["refused"]

    def kill_worker(run_id: str) -> None:
        jobs_before = set(laptop.jobs())
        laptop.wait_for("a drift job", lambda: set(laptop.jobs()) - jobs_before)
        laptop.kill_worker(DRIFT_DAG_ID, run_id, "detect_drift")
        laptop.wait_for("the lost worker to be noticed", lambda: tries_of(run_id, "detect_drift") > 1)
        found.jobs_of_broken_day = {k: v for k, v in laptop.jobs().items() if k not in jobs_before}

    def state_of(run_id: str, task_id: str) -> str | None:
        return laptop.task_states(run_id, DRIFT_DAG_ID).get(task_id)

    def tries_of(run_id: str, task_id: str) -> int:
        tasks = laptop.api.get_task_instances(DRIFT_DAG_ID, run_id)
        return max(task["try_number"] for task in tasks if task["task_id"] == task_id)

    judge(QUIET)
    retraining = {"retrain_on_drift": True, "retraining_input_data_uri": trained.data_uri}
    judge(SHIFTED, lose_sns_and_a_worker, retraining)
    judge(BROKEN, kill_worker)
    judge(ABSENT)
    return found


def test_day_when_its_customers_are_like_the_training_data_then_is_quiet_and_nobody_is_told(days):
    summary = days.summaries[QUIET]
    assert (summary["dag_run_state"], summary["verdict"]) == ("success", "no_drift")
    assert summary["drifted_features"] == []
    assert not summary["alert_published"]
    assert days.messages[QUIET] == []
    assert summary["approval_status"] == "Approved"


def test_day_when_tenure_is_three_times_as_long_then_is_flagged_by_name_with_a_page(days):
    summary = days.summaries[SHIFTED]
    assert summary["verdict"] in {"drift", "data_break"}
    assert "tenure_months" in summary["drifted_features"]
    page = (ROOT / summary["report_html"]).read_text()
    assert "tenure_months" in page
    assert summary["sentence"] == days.reports[SHIFTED]["sentence"]


def test_alert_when_sns_was_out_and_its_worker_was_killed_then_is_sent_exactly_once(days):
    assert days.outage_tries >= 1
    assert days.summaries[SHIFTED]["alert_published"]
    assert days.summaries[SHIFTED]["alert_transition"] == "new"
    (message,) = days.messages[SHIFTED]
    assert "tenure" in message["message"]
    assert len(message["message"].encode()) < 262_144


def test_drift_when_a_retraining_is_asked_for_then_it_runs_and_knows_why(laptop, days):
    request = days.summaries[SHIFTED]["retraining"]
    assert request["requested"], request["reason"]
    run = laptop.api.get_run(RETRAINING_DAG_ID, request["run_id"])
    assert "tenure_months" in run["conf"]["reason"]
    assert f"seen in the batch of {SHIFTED} against model {GROUP}/" in run["conf"]["reason"]
    assert laptop.finish(request["run_id"])["dag_run_state"] == "success"


def test_alert_when_a_worker_was_killed_then_is_sent_once_and_no_second_job_ran(days):
    summary = days.summaries[BROKEN]
    assert (summary["dag_run_state"], summary["verdict"]) == ("success", "data_break")
    assert len(days.messages[BROKEN]) == 1
    assert len(days.jobs_of_broken_day) == 1


def test_day_when_no_batch_came_then_is_an_alert_of_its_own(days):
    summary = days.summaries[ABSENT]
    assert (summary["dag_run_state"], summary["batch_status"]) == ("success", "missing")
    assert summary["verdict"] is None
    (message,) = days.messages[ABSENT]
    assert str(ABSENT) in message["message"]


def test_metrics_when_days_were_judged_then_cloudwatch_has_them_for_quiet_days_too(laptop, days):
    assert days.summaries[QUIET]["metrics_published"] > 12
    cloudwatch = open_aws_client(laptop.settings, "cloudwatch")
    pages = cloudwatch.get_paginator("list_metrics").paginate(Namespace=METRIC_NAMESPACE)
    metrics = [metric for page in pages for metric in page["Metrics"]]
    dimensions = {value["Value"] for metric in metrics for value in metric["Dimensions"]}
    assert "tenure_months" in dimensions


def test_day_when_it_is_run_again_then_says_the_same_and_sends_nothing(laptop, days):
    known = laptop.messages()
    summary = laptop.run_drift(conf_of(SHIFTED))
    assert summary["verdict"] == days.summaries[SHIFTED]["verdict"]
    assert not summary["alert_published"]
    assert laptop.messages() == known


def test_run_when_nothing_is_approved_then_ends_skipped_and_its_note_says_so(laptop):
    run_id = laptop.trigger_drift({"model_package_group": "nobody-approved-anything"})
    assert laptop.finish_drift(run_id)["dag_run_state"] == "success"
    assert set(laptop.task_states(run_id, DRIFT_DAG_ID).values()) == {"skipped"}
    assert "nobody-approved-anything" in laptop.api.get_run(DRIFT_DAG_ID, run_id)["note"]


def test_backfill_when_all_days_are_judged_anew_then_reports_are_those_of_the_daily_runs_and_nobody_is_told(
    laptop, days, model
):
    daily_state, told = forget_evidence(laptop, model), laptop.messages()
    request = BackfillRequest(QUIET, ABSENT, conf={"model_package_group": GROUP, "batch_grace_hours": 0})
    summaries = backfill_days(laptop.api, laptop.settings, request, model, print)
    assert [summary["batch_date"] for summary in summaries] == [str(day) for day in days.summaries]
    for day, summary in zip(days.summaries, summaries, strict=True):
        assert summary["batch_status"] == days.summaries[day]["batch_status"]
        if day in days.reports:
            assert json.loads((ROOT / summary["report_json"]).read_text()) == days.reports[day]
    assert read_state(laptop, model) == daily_state
    assert laptop.messages() == told


def state_key(model) -> str:
    return f"monitoring/{model.group}/{model.version}/monitor_state.json"


def read_state(laptop, model) -> dict[str, Any]:
    s3 = open_aws_client(laptop.settings, "s3")
    return json.load(s3.get_object(Bucket=ARTIFACT_BUCKET, Key=state_key(model))["Body"])


def forget_evidence(laptop, model) -> dict[str, Any]:
    """Delete all that is known of the model's days, and not what people were told; returns its state."""
    state = read_state(laptop, model)
    s3 = open_aws_client(laptop.settings, "s3")
    prefix = f"monitoring/{model.group}/{model.version}/"
    for page in s3.get_paginator("list_objects_v2").paginate(Bucket=ARTIFACT_BUCKET, Prefix=prefix):
        for entry in page["Contents"]:
            s3.delete_object(Bucket=ARTIFACT_BUCKET, Key=entry["Key"])
    return state
