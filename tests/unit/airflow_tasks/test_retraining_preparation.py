import json
from datetime import timedelta
from functools import partial
from pathlib import Path

import boto3
import pytest
from airflow.sdk.exceptions import AirflowFailException

from include.airflow_tasks.input_data import refuse_changed_data
from include.airflow_tasks.retraining_preparation import prepare_plan
from include.data_contracts.feature_schema import FeatureSchema, load_schema
from include.data_contracts.retraining_plan import RetrainingPlan
from include.settings.environment import Environment
from tests.unit.airflow_tasks.plans import BUNDLE, RUN_AFTER, VARIABLES

SCHEMAS = Path(__file__).resolve().parents[3] / "include/data_contracts/schemas"


def put(uri: str, body: bytes = b"a,b\n1,2\n"):
    bucket, _, key = uri.removeprefix("s3://").partition("/")
    boto3.client("s3").put_object(Bucket=bucket, Key=key, Body=body)


@pytest.fixture
def bundle(aws):
    put("s3://churn-artifacts/job-bundles/current.json", json.dumps(BUNDLE).encode())


@pytest.fixture
def data(bundle):
    put("s3://churn-data/raw/ibm_telco/a.csv")
    put("s3://churn-data/raw/ibm_telco/b.csv")


def prepare(
    s3_hook, conf=None, *, variables=VARIABLES, params=None, started_at=RUN_AFTER, run_id="manual__1"
):
    return prepare_plan(
        dag_id="churn_retraining",
        run_id=run_id,
        run_after=RUN_AFTER,
        started_at=started_at,
        params=params or {},
        conf=conf or {},
        read_environment=lambda: Environment.from_mapping(variables),
        s3=s3_hook,
    )


def refusal(s3_hook, conf=None, **changed) -> str:
    with pytest.raises(AirflowFailException) as refused:
        prepare(s3_hook, conf, **changed)
    message = str(refused.value)
    assert "\n" not in message
    return message


def objects_under_runs():
    return (
        boto3.client("s3").list_objects_v2(Bucket="churn-artifacts", Prefix="retraining/").get("KeyCount", 0)
    )


def test_prepare_when_conf_is_empty_then_the_defaults_hold(s3_hook, data):
    plan = prepare(s3_hook)
    assert plan.input_data_uri == "s3://churn-data/raw/ibm_telco/"
    assert plan.data_origin == "real"
    assert plan.parameters.accuracy_threshold == 0.80
    assert plan.job_bundle.sha256 == BUNDLE["sha256"]


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("accuracy_threshold", 0.9),
        ("gate_metric", "roc_auc"),
        ("algorithm", "keras_mlp"),
        ("hyperparameters", {"learning_rate": 0.1}),
        ("train_instance_type", "ml.m5.xlarge"),
        ("volume_size_gb", 50),
        ("max_runtime_seconds", 600),
        ("use_spot_instances", True),
        ("test_fraction", 0.3),
        ("seed", 7),
        ("model_package_group", "other-group"),
        ("reason", "drift"),
    ],
)
def test_prepare_when_one_parameter_is_given_then_only_that_one_differs(s3_hook, data, name, value):
    changed = prepare(s3_hook, {name: value}).parameters.to_mapping()
    usual = prepare(s3_hook).parameters.to_mapping()
    assert {key for key in usual if usual[key] != changed[key]} == {name}
    assert changed[name] == value


def test_prepare_when_three_parameters_are_given_then_all_hold(s3_hook, data):
    conf = {"seed": 3, "test_fraction": 0.25, "algorithm": "random_forest"}
    parameters = prepare(s3_hook, conf).parameters.to_mapping()
    assert conf.items() <= parameters.items()


def test_prepare_when_finished_then_the_plan_passes_through_xcom_unchanged(s3_hook, data):
    plan = prepare(s3_hook, {"hyperparameters": {"max_leaf_nodes": 3}})
    text = json.dumps(plan.to_mapping())
    assert len(text) < 48_000
    assert RetrainingPlan.from_mapping(json.loads(text)) == plan


def test_prepare_when_finished_then_the_schema_lies_in_s3_as_json(s3_hook, data):
    plan = prepare(s3_hook, {"schema": "ibm_telco"})
    stored = json.loads(s3_hook.read_key(plan.schema_uri))
    assert FeatureSchema.from_mapping(stored) == load_schema("ibm_telco")


@pytest.mark.parametrize("ending", ["yaml", "yml"])
def test_prepare_when_the_schema_is_ones_own_then_it_is_read_from_s3(s3_hook, data, ending):
    put(f"s3://churn-data/schemas/mine.{ending}", (SCHEMAS / "mlc.yaml").read_bytes())
    conf = {
        "schema": f"s3://churn-data/schemas/mine.{ending}",
        "input_data_uri": "s3://churn-data/raw/ibm_telco/",
    }
    plan = prepare(s3_hook, conf)
    assert FeatureSchema.from_mapping(json.loads(s3_hook.read_key(plan.schema_uri))) == load_schema("mlc")


@pytest.mark.parametrize(
    ("conf", "words"),
    [
        ({"acuracy_threshold": 0.5}, ["unknown parameter 'acuracy_threshold'", "accuracy_threshold"]),
        ({"one": 1, "two": 2}, ["'one'", "'two'"]),
        ({"accuracy_threshold": 1.5}, ["accuracy_threshold"]),
        ({"seed": -1, "algorithm": "xgboost"}, ["seed", "algorithm"]),
        ({"schema": "no_such_schema"}, ["unknown schema 'no_such_schema'", "ibm_telco"]),
        ({"schema": "s3://churn-data/no.yaml"}, ["the schema is missing: s3://churn-data/no.yaml"]),
        ({"input_data_uri": "s3://no-such-bucket/x/"}, ["bucket of s3://no-such-bucket/x/ does not exist"]),
        (
            {"input_data_uri": "s3://churn-data/empty/"},
            ["no data found under s3://churn-data/empty/", "upload"],
        ),
    ],
)
def test_prepare_when_something_asked_for_is_wrong_then_one_line_names_it(s3_hook, data, conf, words):
    message = refusal(s3_hook, conf)
    assert all(word in message for word in words), message
    assert not objects_under_runs(), "a refused run leaves nothing"


def test_prepare_when_a_schema_in_s3_is_broken_then_the_line_names_file_and_cause(s3_hook, data):
    put("s3://churn-data/broken.yaml", b"name: [")
    assert "s3://churn-data/broken.yaml" in refusal(s3_hook, {"schema": "s3://churn-data/broken.yaml"})


def test_prepare_when_environment_variables_are_missing_then_all_are_named(s3_hook, data):
    message = refusal(s3_hook, variables={"AWS_REGION": "eu-west-1"})
    assert "CHURN_ARTIFACT_BUCKET" in message
    assert "CHURN_DATA_BUCKET" in message
    assert "CHURN_SAGEMAKER_ROLE_ARN" in message


def test_prepare_when_no_job_bundle_was_uploaded_then_it_says_how(s3_hook, aws):
    put("s3://churn-data/raw/ibm_telco/a.csv")
    message = refusal(s3_hook)
    assert "the job bundle's pointer is missing: s3://churn-artifacts/job-bundles/current.json" in message
    assert "scripts.build_job_bundle --upload" in message


def test_prepare_when_there_is_no_data_and_synthetic_is_asked_for_then_the_plan_says_so(s3_hook, bundle):
    plan = prepare(s3_hook, {"on_missing_data": "synthetic", "synthetic_rows": 1000})
    assert plan.is_synthetic


def test_prepare_when_there_is_data_then_synthetic_is_no_replacement(s3_hook, data):
    assert not prepare(s3_hook, {"on_missing_data": "synthetic"}).is_synthetic


def test_prepare_when_synthetic_settings_differ_then_so_do_the_fingerprints(s3_hook, bundle):
    conf = {"on_missing_data": "synthetic", "synthetic_rows": 1000}
    prints = [
        prepare(s3_hook, {**conf, **change}).dataset_fingerprint
        for change in ({}, {"seed": 1}, {"synthetic_rows": 999})
    ]
    assert len(set(prints)) == 3


def test_prepare_when_a_file_was_replaced_then_the_fingerprint_differs(s3_hook, data):
    before = prepare(s3_hook).dataset_fingerprint
    assert prepare(s3_hook).dataset_fingerprint == before
    put("s3://churn-data/raw/ibm_telco/b.csv", b"a,b\n1,3\n")
    assert prepare(s3_hook).dataset_fingerprint != before


def test_prepare_when_a_folder_is_named_without_slash_then_neighbours_are_not_read(s3_hook, data):
    plan = prepare(s3_hook, {"input_data_uri": "s3://churn-data/raw/ibm_telco"})
    assert plan.input_data_uri == "s3://churn-data/raw/ibm_telco/"


def test_prepare_when_one_file_is_named_then_that_file(s3_hook, data):
    uri = "s3://churn-data/raw/ibm_telco/a.csv"
    assert prepare(s3_hook, {"input_data_uri": uri}).input_data_uri == uri


@pytest.mark.parametrize("neighbour", ["raw/ibm_telco_old/x.csv", "raw/ibm_telco.csv"])
def test_prepare_when_the_name_would_also_match_a_neighbour_then_it_is_refused(s3_hook, data, neighbour):
    put(f"s3://churn-data/{neighbour}")
    message = refusal(s3_hook, {"input_data_uri": "s3://churn-data/raw/ibm_telco"})
    assert f"would also read {neighbour}" in message


def test_prepare_when_a_deleted_run_is_made_again_then_its_jobs_have_other_names(s3_hook, data):
    first = prepare(s3_hook)
    again = prepare(s3_hook, started_at=RUN_AFTER + timedelta(hours=1))
    assert first.run_id == again.run_id
    assert first.run_hash != again.run_hash
    assert first.run_prefix != again.run_prefix


def test_prepare_when_the_region_has_no_image_then_one_line_says_so(s3_hook, data):
    message = refusal(s3_hook, variables={**VARIABLES, "AWS_DEFAULT_REGION": "xx-nowhere-1"})
    assert "xx-nowhere-1" in message


MARKER = "_synthetic_data.json"


@pytest.mark.parametrize(
    ("marker", "named"),
    [
        (f"raw/ibm_telco/{MARKER}", "raw/ibm_telco/"),
        (f"raw/ibm_telco/{MARKER}", "raw/ibm_telco/a.csv"),
        (f"raw/ibm_telco/{MARKER}", "raw/ibm_telco/2026/10/"),
        (f"raw/{MARKER}", "raw/ibm_telco/2026/10/c.csv"),
        (MARKER, "raw/ibm_telco/"),
        (f"raw/ibm_telco/2026/{MARKER}", "raw/ibm_telco"),
    ],
)
def test_prepare_when_a_marker_lies_in_or_above_the_data_then_they_are_synthetic(
    s3_hook, data, marker, named
):
    put("s3://churn-data/raw/ibm_telco/2026/10/c.csv")
    put(f"s3://churn-data/{marker}", b"{}")
    plan = prepare(s3_hook, {"input_data_uri": f"s3://churn-data/{named}"})
    assert (plan.is_synthetic, plan.invents_customers) == (True, False)


@pytest.mark.parametrize("beside", [f"other/{MARKER}", f"raw/ibm_telco/{MARKER}.bak", f"raw/mlc/{MARKER}"])
def test_prepare_when_a_marker_lies_elsewhere_then_the_data_are_real(s3_hook, data, beside):
    put(f"s3://churn-data/{beside}", b"{}")
    assert prepare(s3_hook, {"input_data_uri": "s3://churn-data/raw/ibm_telco/a.csv"}).data_origin == "real"


@pytest.mark.parametrize("schema", ["iranian", "mlc"])
def test_prepare_when_customers_cannot_be_invented_for_the_schema_then_it_is_refused(s3_hook, bundle, schema):
    message = refusal(s3_hook, {"on_missing_data": "synthetic", "schema": schema})
    assert f"s3://churn-data/raw/{schema}/" in message
    assert "columns of ibm_telco" in message
    assert f"schema {schema} needs" in message
    assert not objects_under_runs()


def test_prepare_when_ones_own_schema_has_the_generated_columns_then_customers_are_invented(s3_hook, bundle):
    text = (SCHEMAS / "ibm_telco.yaml").read_text().replace("name: ibm_telco", "name: mine")
    put("s3://churn-data/schemas/mine.yaml", text.encode())
    conf = {"schema": "s3://churn-data/schemas/mine.yaml", "on_missing_data": "synthetic"}
    assert prepare(s3_hook, conf).invents_customers


def test_prepare_when_finished_then_the_plan_lies_beside_the_schema(s3_hook, data):
    plan = prepare(s3_hook, {"reason": "why"})
    assert RetrainingPlan.from_mapping(json.loads(s3_hook.read_key(f"{plan.run_prefix}/plan.json"))) == plan


def test_refuse_changed_data_when_nothing_changed_then_the_job_may_start(s3_hook, data, bundle):
    assert refuse_changed_data(prepare(s3_hook), s3=s3_hook) is None


def remove(*keys: str):
    entries = [{"Key": f"raw/ibm_telco/{key}"} for key in keys]
    boto3.client("s3").delete_objects(Bucket="churn-data", Delete={"Objects": entries})


@pytest.mark.parametrize(
    ("change", "told"),
    [
        (partial(put, "s3://churn-data/raw/ibm_telco/late.csv"), "newest of 3 objects is raw/ibm_telco/"),
        (partial(put, "s3://churn-data/raw/ibm_telco/b.csv", b"b"), "newest of 2 objects is raw/ibm_telco/"),
        (partial(remove, "b.csv"), "newest of 1 objects"),
        (partial(remove, "a.csv", "b.csv"), "nothing is left there"),
    ],
    ids=["added", "replaced", "removed", "all removed"],
)
def test_refuse_changed_data_when_an_object_changed_then_one_line_asks_for_a_new_run(
    s3_hook, data, change, told
):
    plan = prepare(s3_hook)
    change()
    with pytest.raises(AirflowFailException, match=told) as refused:
        refuse_changed_data(plan, s3=s3_hook)
    message = str(refused.value)
    assert "trigger a new run" in message
    assert "\n" not in message


def test_refuse_changed_data_when_customers_are_invented_then_there_is_nothing_to_compare(s3_hook, bundle):
    plan = prepare(s3_hook, {"on_missing_data": "synthetic"})
    put("s3://churn-data/raw/ibm_telco/a.csv")
    assert refuse_changed_data(plan, s3=s3_hook) is None


@pytest.mark.parametrize(
    ("hyperparameters", "named"), [({"max_leafs": 9}, "max_leafs"), ({"max_leaf_nodes": 0}, "max_leaf_nodes")]
)
def test_prepare_when_a_hyperparameter_is_not_the_algorithms_then_names_it(s3_hook, hyperparameters, named):
    with pytest.raises(AirflowFailException, match=named):
        prepare(s3_hook, {"hyperparameters": hyperparameters})
