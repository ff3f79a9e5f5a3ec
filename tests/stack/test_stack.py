"""The compose stack from nothing to nothing: both DAGs over REST, and a worker that is killed on the way."""

import stat
import subprocess
from datetime import UTC, datetime, timedelta
from pathlib import Path
from types import SimpleNamespace

import pytest

from local_airflow.dag_run_watch import new_run_id
from local_airflow.data_upload import replace_batch, upload_data
from local_airflow.demo_days import multiply_tenure, read_customers, split_customers, write_customers
from local_airflow.registered_models import approve_model, choose_for_approval, list_models
from local_airflow.stack_settings import DRIFT_DAG_ID, RETRAINING_DAG_ID
from tests.stack.compose_stack import ROOT, docker, wait_for

GROUP = "compose-stack"
CUSTOMERS = 24_000  # enough for a training job that is still at work when its worker is killed
SERVICES = {
    "postgres", "redis", "local-aws", "api-server", "scheduler", "dag-processor", "worker", "triggerer",
}  # fmt: skip
ENDING = {"init", "aws-setup"}
RETRAINING_TASKS = {
    "prepare_run", "preprocess", "train", "evaluate", "accuracy_gate", "register_model_package",
}  # fmt: skip
QUIET, SHIFTED = (datetime.now(UTC).date() - timedelta(days=days_ago) for days_ago in (5, 4))
MEMORY = 6 * 1024**3  # of 8 GB: the rest is for the engine, the desktop and the page cache


@pytest.fixture(scope="module")
def customers(tmp_path_factory):
    """Customers drawn by the generator; without its marker they pass for real ones, which can be approved."""
    folder = tmp_path_factory.mktemp("customers")
    command = [
        ROOT / ".venvs/sklearn_job/bin/python", "-m", "sagemaker_jobs", "generate_synthetic_data",
        "--output-dir", folder / "all", "--rows", str(CUSTOMERS),
    ]  # fmt: skip
    subprocess.run(command, cwd=ROOT, env={"PYTHONPATH": str(ROOT)}, check=True, capture_output=True)
    (folder / "all/_synthetic_data.json").unlink()
    training, (quiet, shifted) = split_customers(read_customers(folder / "all"), 2)
    days = {QUIET: quiet, SHIFTED: multiply_tenure(shifted)}
    return SimpleNamespace(
        training=write_customers(training, folder / "training"),
        days={day: write_customers(batch, folder / str(day)) for day, batch in days.items()},
    )


@pytest.fixture(scope="module")
def retraining(stack, customers):
    """One run whose worker container is killed twice: while a task is at work, and while a job trains."""
    api, worker, packages_before = stack.open_api(), stack.container("worker"), set(stack.packages())
    conf = {
        "model_package_group": GROUP,
        "accuracy_threshold": 0.7,
        "input_data_uri": upload_data(stack.aws("s3"), customers.training),
    }
    run_id = new_run_id()
    api.trigger(RETRAINING_DAG_ID, run_id, conf)

    wait_for("preprocess to run", lambda: stack.task_states(api, run_id).get("preprocess") == "running")
    docker("kill", worker)
    docker("start", worker)

    wait_for("a training job", lambda: "InProgress" in stack.training_jobs().values())
    docker("kill", worker)
    status_after_kill = list(stack.training_jobs().values())
    wait_for("the job's end without a worker", lambda: "InProgress" not in stack.training_jobs().values())
    docker("start", worker)

    run = stack.finish(api, RETRAINING_DAG_ID, run_id)
    return SimpleNamespace(
        run=run,
        states=stack.task_states(api, run_id),
        status_after_kill=status_after_kill,
        packages=set(stack.packages()) - packages_before,
        registered=api.get_xcom(RETRAINING_DAG_ID, run_id, "register_model_package"),
    )


@pytest.fixture(scope="module")
def monitoring(stack, customers, retraining):
    """The model approved, and a run for each of two days: one like the training data, one that is not."""
    sagemaker, s3, api = stack.aws("sagemaker"), stack.aws("s3"), stack.open_api()
    approve_model(sagemaker, choose_for_approval(list_models(sagemaker, GROUP), None))
    found = {}
    for day, batch in customers.days.items():
        replace_batch(s3, batch, f"current/ibm_telco/{day}/")
        run_id = new_run_id()
        conf = {"model_package_group": GROUP, "batch_date": str(day), "batch_grace_hours": 0}
        api.trigger(DRIFT_DAG_ID, run_id, conf)
        run = stack.finish(api, DRIFT_DAG_ID, run_id)
        found[day] = SimpleNamespace(
            state=run["state"],
            states=stack.task_states(api, run_id, DRIFT_DAG_ID),
            day=api.get_xcom(DRIFT_DAG_ID, run_id, "record_day"),
            alert=api.get_xcom(DRIFT_DAG_ID, run_id, "publish_alert"),
            metrics=api.get_xcom(DRIFT_DAG_ID, run_id, "publish_metrics"),
        )
    return found


def test_stack_when_started_from_nothing_then_every_service_is_healthy(stack):
    assert stack.states() == dict.fromkeys(SERVICES, "healthy") | dict.fromkeys(ENDING, "exited:0")


def test_containers_when_running_then_no_process_is_roots(stack):
    users = {
        service: set(docker("top", stack.container(service), "-eo", "uid,pid").split()[2::2])
        for service in SERVICES
    }
    assert all(users.values())
    assert {service for service, uids in users.items() if "0" in uids} == set()


def test_ports_when_published_then_are_on_the_loopback_only(stack):
    published = {
        service: {entry["HostIp"] for entries in ports.values() for entry in entries}
        for service, container in stack.inspect().items()
        if (ports := {k: v for k, v in container["HostConfig"]["PortBindings"].items() if v})
    }
    assert published == {"api-server": {"127.0.0.1"}, "local-aws": {"127.0.0.1"}}


def test_memory_limits_when_summed_then_leave_two_of_eight_gigabytes(stack):
    limits = {
        service: container["HostConfig"]["Memory"]
        for service, container in stack.inspect().items()
        if service in SERVICES
    }
    assert min(limits.values()) > 0
    assert sum(limits.values()) <= MEMORY


def test_secrets_when_made_then_are_readable_by_their_owner_only(stack):
    assert stat.S_IMODE(stack.env_file.stat().st_mode) == 0o600


def test_shared_package_when_a_worker_imports_it_then_comes_from_the_unpacked_plugins(stack):
    code = "from airflow import settings; settings.initialize(); import include; print(include.__file__)"
    shown = docker("exec", stack.container("worker"), "python", "-c", code)
    assert shown.split()[-1] == "/opt/airflow/plugins/include/__init__.py"


def test_plugins_when_loaded_then_are_those_of_the_bundle_and_nothing_else(stack):
    find = ("find", "/opt/airflow/plugins", "-maxdepth", "1", "-name", "[!_]*.py")
    listed = docker("exec", stack.container("worker"), *find).split()
    expected = {path.name for path in (ROOT / "plugins").glob("*.py")}
    assert {Path(path).name for path in listed} == expected


def test_dags_when_processed_then_none_has_an_import_error(stack):
    api = stack.open_api()
    for dag_id in (RETRAINING_DAG_ID, DRIFT_DAG_ID):
        wait_for(f"{dag_id} to be parsed", lambda dag_id=dag_id: api.find_dag(dag_id))
    assert api.import_errors() == []


def test_retraining_when_its_worker_is_killed_twice_then_ends_green(retraining):
    assert retraining.run["state"] == "success", retraining.states
    assert {name for name, state in retraining.states.items() if state == "success"} == RETRAINING_TASKS


def test_training_when_its_worker_is_killed_then_goes_on_and_is_not_started_twice(stack, retraining):
    assert retraining.status_after_kill == ["InProgress"]
    assert list(stack.training_jobs().values()) == ["Completed"]


@pytest.mark.parametrize("stage", ["preprocess", "evaluate"])
def test_processing_when_a_worker_was_killed_then_each_stage_ran_once(stack, retraining, stage):
    assert list(stack.processing_jobs(stage).values()) == ["Completed"]


def test_registration_when_a_worker_was_killed_then_is_there_exactly_once(retraining):
    assert len(retraining.packages) == 1
    assert all(f"/{GROUP}/1" in arn for arn in retraining.packages)


def test_run_when_it_ends_then_the_plugin_has_written_its_note(retraining):
    assert "Gate open" in (retraining.run["note"] or "")


@pytest.mark.parametrize("day", [QUIET, SHIFTED], ids=["quiet", "shifted"])
def test_monitoring_when_triggered_over_rest_then_ends_green(monitoring, day):
    assert monitoring[day].state == "success", monitoring[day].states
    assert monitoring[day].metrics["published"] > 0


def test_monitoring_when_the_batch_is_like_the_training_data_then_nobody_is_told(monitoring):
    assert monitoring[QUIET].day["verdict"] == "no_drift"
    assert not monitoring[QUIET].alert["published"]


def test_monitoring_when_tenure_is_three_times_as_long_then_one_message_is_sent(monitoring):
    assert "tenure_months" in monitoring[SHIFTED].day["drifted_features"]
    assert monitoring[SHIFTED].alert["published"]


def test_memory_when_both_dags_have_run_then_no_service_wanted_more_than_its_limit(stack, monitoring):
    assert {name: stack.ended_for_memory(name) for name in SERVICES} == dict.fromkeys(SERVICES, 0)
    containers = stack.inspect()
    assert {name: containers[name]["RestartCount"] for name in SERVICES} == dict.fromkeys(SERVICES, 0)


# The last of this file, in the order in which pytest runs them.
def test_stack_when_taken_down_then_no_container_volume_or_network_is_left(stack):
    assert stack.remains()
    stack.remove()
    assert stack.remains() == []
