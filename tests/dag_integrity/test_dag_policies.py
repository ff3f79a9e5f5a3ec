"""House rules for every DAG; each message says what to change."""

import ast
import re
from datetime import timedelta
from pathlib import Path

import pytest

from include.settings.monitoring_table import LONGEST_GRACE_HOURS
from include.settings.parameter_table import SECONDS_PER_DAY

ROOT = Path(__file__).resolve().parents[2]
TAGS = {"churn", "retraining", "drift", "sagemaker"}
BOUNDS = {
    "number": ("minimum", "maximum"),
    "integer": ("minimum", "maximum"),
    "string": ("maxLength", "enum", "pattern"),
    "object": ("maxProperties",),
    "boolean": (),
}


def each(dags):
    return sorted(dags.items())


def params_of(dag):
    return {name: dag.params.get_param(name) for name in dag.params}


def test_dag_when_named_then_its_file_has_the_same_name(dags):
    for dag_id, dag in each(dags):
        assert Path(dag.fileloc).stem == dag_id, f"rename {dag.fileloc} to {dag_id}.py"


def test_dag_when_tagged_then_only_with_words_of_the_vocabulary(dags):
    for dag_id, dag in each(dags):
        assert dag.tags, f"{dag_id}: give it tags from {sorted(TAGS)}"
        assert set(dag.tags) <= TAGS, (
            f"{dag_id}: {set(dag.tags) - TAGS} are not in the vocabulary {sorted(TAGS)}"
        )


# Monitoring keeps its days in order by itself (BatchSensor) and merges what runs at once write
# (docs/decisions/0010); one run at a time would hold back a person's run behind a late batch.
ACTIVE_RUNS = {"churn_drift_monitoring": 8}


def test_dag_when_scheduled_then_it_never_catches_up_and_overlaps_only_where_that_is_safe(dags):
    for dag_id, dag in each(dags):
        assert dag.catchup is False, f"{dag_id}: set catchup=False; old days cannot be retrained"
        assert dag.max_active_runs == ACTIVE_RUNS.get(dag_id, 1), (
            f"{dag_id}: set max_active_runs=1; runs must not race for one model group"
        )
        assert dag.dagrun_timeout, f"{dag_id}: set dagrun_timeout, or a stuck run blocks all that follow"


def test_dag_when_started_then_from_a_date_written_in_the_file(dags):
    for dag_id, dag in each(dags):
        tree = ast.parse(Path(dag.fileloc).read_text())
        calls = [
            node for node in ast.walk(tree) if isinstance(node, ast.keyword) and node.arg == "start_date"
        ]
        assert calls, f"{dag_id}: give it a fixed start_date"
        arguments = calls[0].value.args
        assert all(isinstance(node, ast.Constant) for node in arguments), (
            f"{dag_id}: start_date must be constants"
        )
        moving = [node.attr for node in ast.walk(tree) if isinstance(node, ast.Attribute)]
        assert not {"now", "today", "utcnow", "uuid4"} & set(moving), (
            f"{dag_id}: a moving date or id at parse time"
        )


def test_dag_documentation_when_read_then_names_every_parameter_and_the_promised_chapters(dags):
    for dag_id, dag in each(dags):
        assert dag.doc_md, f"{dag_id}: set doc_md from the file's docstring"
        for name in dag.params:
            assert f"`{name}`" in dag.doc_md, f"{dag_id}: doc_md does not explain the parameter {name}"
        for chapter in ("Schedule", "What can be set", "worked example", "Running it again"):
            assert chapter in dag.doc_md, f"{dag_id}: doc_md lacks the chapter {chapter!r}"
        assert "{" + "parameters}" not in dag.doc_md


def test_dag_documentation_when_it_shows_a_conf_then_every_key_is_a_parameter(dags):
    import json

    for dag_id, dag in each(dags):
        examples = re.findall(r"```json\n(.*?)```", dag.doc_md, flags=re.DOTALL)
        assert examples, f"{dag_id}: show a worked conf example"
        for example in examples:
            unknown = set(json.loads(example)) - set(dag.params)
            assert not unknown, f"{dag_id}: the example in doc_md uses unknown parameters {unknown}"


def test_params_when_declared_then_each_is_typed_described_and_bounded(dags):
    for dag_id, dag in each(dags):
        assert params_of(dag), f"{dag_id}: has no parameters"
        for name, param in params_of(dag).items():
            where = f"{dag_id}.{name}"
            kind = param.schema.get("type")
            assert param.description, f"{where}: describe it; the trigger form shows the text"
            assert param.schema.get("title"), f"{where}: give it a title for the trigger form"
            kinds = [entry for entry in (kind if isinstance(kind, list) else [kind]) if entry != "null"]
            assert kinds, f"{where}: give it a JSON schema type"
            assert set(kinds) <= set(BOUNDS), f"{where}: give it a JSON schema type, not {kind!r}"
            for entry in kinds:
                bounded = BOUNDS[entry] and not any(bound in param.schema for bound in BOUNDS[entry])
                assert not bounded, f"{where}: bound it with {' or '.join(BOUNDS[entry])}"
                if entry in {"number", "integer"} and "enum" not in param.schema:
                    assert {"minimum", "maximum"} <= set(param.schema) or {
                        "exclusiveMinimum",
                        "exclusiveMaximum",
                    } & set(param.schema), f"{where}: bound it on both sides"


def test_params_when_left_alone_then_their_defaults_are_valid(dags):
    for _, dag in each(dags):
        assert dag.params.validate().keys() == dag.params.keys()


def test_tasks_when_they_wait_then_not_in_a_worker_slot(dags):
    for dag_id, dag in each(dags):
        for task in dag.tasks:
            if hasattr(task, "deferrable"):
                assert task.deferrable, f"{dag_id}.{task.task_id}: deferrable must be the default"
            mode = getattr(task, "mode", "reschedule")
            assert mode == "reschedule", f"{dag_id}.{task.task_id}: a sensor must not poke in a worker slot"


def test_tasks_when_they_fail_then_they_are_tried_again_and_never_run_for_ever(dags):
    for dag_id, dag in each(dags):
        for task in dag.tasks:
            assert task.retries >= 1, f"{dag_id}.{task.task_id}: give it retries; workers do get lost"
            is_job = hasattr(task, "build_request")
            assert is_job or task.execution_timeout, f"{dag_id}.{task.task_id}: give it an execution_timeout"


@pytest.mark.parametrize(
    ("upstream", "downstream"),
    [
        ("prepare_run", "preprocess"),
        ("preprocess", "train"),
        ("train", "evaluate"),
        ("evaluate", "accuracy_gate"),
        ("accuracy_gate", "register_model_package"),
    ],
)
def test_retraining_when_wired_then_each_step_follows_the_one_before(dags, upstream, downstream):
    assert downstream in dags["churn_retraining"].get_task(upstream).downstream_task_ids


def test_retraining_when_wired_then_it_has_exactly_the_promised_tasks(dags):
    order = [task.task_id for task in dags["churn_retraining"].topological_sort()]
    assert order == [
        "prepare_run",
        "preprocess",
        "train",
        "evaluate",
        "accuracy_gate",
        "register_model_package",
    ]


def test_retraining_when_scheduled_then_daily(dags):
    assert dags["churn_retraining"].schedule == "@daily"


@pytest.mark.parametrize(
    ("upstream", "downstream"),
    [
        ("prepare_monitoring", "wait_for_batch"),
        ("wait_for_batch", "batch_arrived"),
        ("batch_arrived", "detect_drift"),
        ("detect_drift", "record_day"),
        ("record_day", "publish_metrics"),
        ("record_day", "publish_alert"),
        ("record_day", "request_retraining"),
        ("request_retraining", "trigger_retraining"),
    ],
)
def test_monitoring_when_wired_then_each_step_follows_the_one_before(dags, upstream, downstream):
    assert downstream in dags["churn_drift_monitoring"].get_task(upstream).downstream_task_ids


def test_monitoring_when_wired_then_it_has_exactly_the_promised_tasks(dags):
    assert set(dags["churn_drift_monitoring"].task_ids) == {
        "prepare_monitoring",
        "wait_for_batch",
        "batch_arrived",
        "detect_drift",
        "record_day",
        "publish_metrics",
        "publish_alert",
        "request_retraining",
        "trigger_retraining",
    }


def test_monitoring_when_no_batch_came_then_the_day_is_recorded_all_the_same(dags):
    dag = dags["churn_drift_monitoring"]
    assert dag.get_task("batch_arrived").ignore_downstream_trigger_rules is False
    assert dag.get_task("record_day").trigger_rule == "none_failed_min_one_success"
    assert "record_day" not in dag.get_task("batch_arrived").downstream_task_ids


def test_monitoring_when_a_day_is_published_then_only_after_it_was_recorded(dags):
    dag = dags["churn_drift_monitoring"]
    for name in ("publish_metrics", "publish_alert", "request_retraining"):
        assert dag.get_task(name).trigger_rule == "all_success"
        assert dag.get_task(name).upstream_task_ids == {"prepare_monitoring", "record_day"}


def test_monitoring_when_scheduled_then_daily_and_backfills_need_no_extra_option(dags):
    dag = dags["churn_drift_monitoring"]
    assert dag.schedule == "@daily"
    # A task that depends on its past makes `airflow backfill create` refuse without --reprocess-behavior.
    assert not any(task.depends_on_past for task in dag.tasks)


def test_monitoring_when_drift_starts_a_retraining_then_it_is_one_of_our_dags_and_never_a_second_run(dags):
    trigger = dags["churn_drift_monitoring"].get_task("trigger_retraining")
    assert trigger.trigger_dag_id in dags
    assert trigger.skip_when_already_exists
    assert not trigger.reset_dag_run


def test_publishing_tasks_when_aws_is_out_for_a_day_then_they_outlast_it_and_their_run_does_too(dags):
    dag = dags["churn_drift_monitoring"]
    for name in ("publish_alert", "publish_metrics"):
        task = dag.get_task(name)
        delays = [min(task.retry_delay * 2**number, task.max_retry_delay) for number in range(task.retries)]
        assert timedelta(hours=24) <= sum(delays, timedelta()) <= timedelta(hours=25), name
        assert task.retry_exponential_backoff == 2.0, name
    longest = timedelta(hours=LONGEST_GRACE_HOURS) + timedelta(days=1)  # settling
    job = timedelta(seconds=SECONDS_PER_DAY)
    assert dag.dagrun_timeout > longest + job + timedelta(hours=24)


@pytest.mark.parametrize(
    ("dag_id", "variable", "text", "name", "expected"),
    [
        (
            "churn_drift_monitoring",
            "CHURN_DRIFT_PARAMETERS",
            '{"retrain_on_drift": true}',
            "retrain_on_drift",
            True,
        ),
        ("churn_drift_monitoring", "CHURN_DRIFT_PARAMETERS", '{"alpha": "no"}', "alpha", 0.05),
        (
            "churn_retraining",
            "CHURN_RETRAINING_PARAMETERS",
            '{"accuracy_threshold": 0.9}',
            "accuracy_threshold",
            0.9,
        ),
    ],
)
def test_params_when_the_deployment_sets_defaults_then_scheduled_runs_have_them_and_the_docs_say_so(
    dag_folder, monkeypatch, dag_id, variable, text, name, expected
):
    from airflow.dag_processing.dagbag import DagBag

    monkeypatch.setenv(variable, text)
    bag = DagBag(dag_folder=str(dag_folder / f"{dag_id}.py"), collect_dags=True, bundle_name="dags")
    assert not bag.import_errors
    dag = bag.dags[dag_id]
    assert dag.params[name] == expected
    assert f"| `{name}` | `{expected}` |" in dag.doc_md
