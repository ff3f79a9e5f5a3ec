import json
from datetime import UTC, datetime

import boto3
import pytest
from airflow.sdk.exceptions import AirflowException, AirflowFailException, AirflowSkipException

from include.data_contracts.feature_schema import FeatureSchema, load_schema
from include.data_contracts.monitoring_plan import MonitoringPlan
from tests.unit.airflow_tasks.monitored_models import (
    MONITORING_VARIABLES,
    client_of,
    get,
    prepare,
    put,
    register_model,
)
from tests.unit.airflow_tasks.plans import make_plan, make_result


@pytest.fixture
def approved(aws):
    return register_model()


def refusal(s3_hook, conf=None, **changed) -> str:
    with pytest.raises(AirflowFailException) as refused:
        prepare(s3_hook, conf, **changed)
    assert "\n" not in str(refused.value)
    return str(refused.value)


def written_runs():
    found = client_of("s3").list_objects_v2(Bucket="churn-artifacts", Prefix="monitoring")
    return found.get("KeyCount", 0)


# --- which day, which batch ----------------------------------------------------------------------------
def test_prepare_when_conf_is_empty_then_yesterdays_batch_meets_the_approved_model(s3_hook, approved):
    plan = prepare(s3_hook)
    assert plan.batch_date == "2026-11-24"
    assert plan.batch_uri == "s3://churn-data/current/ibm_telco/2026-11-24/"
    assert plan.labelled_date == "2026-10-25"
    assert plan.labels_uri == "s3://churn-data/labels/ibm_telco/2026-10-25/"
    assert plan.deadline == "2026-11-25T12:00:00+00:00"
    assert plan.model.name == "telecom-churn/1"
    assert plan.model.is_approved
    assert plan.monitoring_prefix == "s3://churn-artifacts/monitoring/telecom-churn/1"


def test_prepare_when_done_then_the_plan_survives_json_and_fits_xcom(s3_hook, approved):
    text = json.dumps(prepare(s3_hook).to_mapping())
    assert MonitoringPlan.from_mapping(json.loads(text)) == prepare(s3_hook)
    assert len(text) < 48 * 1024


def test_prepare_when_a_date_is_given_then_everything_follows_from_it(s3_hook, approved):
    plan = prepare(s3_hook, {"batch_date": "2026-03-01", "label_delay_days": 1, "batch_grace_hours": 0})
    assert plan.batch_uri.endswith("/2026-03-01/")
    assert plan.labelled_date == "2026-02-28"
    assert plan.deadline == "2026-03-02T00:00:00+00:00"


def test_prepare_when_the_run_is_due_in_another_zone_then_the_day_is_utcs(s3_hook, approved):
    due = datetime.fromisoformat("2026-11-25T01:30:00+05:00")  # still the 24th in UTC
    assert prepare(s3_hook, due_at=due).batch_date == "2026-11-23"


def test_prepare_when_a_batch_is_named_then_it_is_taken(s3_hook, approved):
    assert prepare(s3_hook, {"batch_uri": "s3://other/place/"}).batch_uri == "s3://other/place/"


@pytest.mark.parametrize(
    ("conf", "parts"),
    [
        ({"batch_date": "2026-02-30"}, ("2026-02-30", "no day of the calendar")),
        ({"batch_date": "2026-11-26"}, ("2026-11-26", "future")),
        ({"bach_uri": "s3://b/k"}, ("bach_uri", "batch_uri")),
        ({"schema": "unknown_source"}, ("unknown_source", "ibm_telco")),
        ({"schema": "iranian"}, ("iranian", "telecom-churn/1", "leave schema empty")),
        ({"schema": "s3://churn-data/none.yaml"}, ("s3://churn-data/none.yaml", "missing")),
        ({"reference_version": "7"}, ("reference_version 7", "newest is 1")),
        ({"reference_version": "7", "model_package_group": "other"}, ("reference_version 7", "it has none")),
    ],
)
def test_prepare_when_something_asked_cannot_be_then_one_line_says_what(s3_hook, approved, conf, parts):
    message = refusal(s3_hook, conf)
    assert all(part in message for part in parts), message
    assert written_runs() == 0


def test_prepare_when_variables_are_missing_then_all_are_named_at_once(s3_hook, approved):
    message = refusal(s3_hook, variables={"AWS_DEFAULT_REGION": "eu-west-1"})
    assert all(name in message for name in MONITORING_VARIABLES if name != "AWS_DEFAULT_REGION")


# --- which model ---------------------------------------------------------------------------------------
def test_prepare_when_no_model_is_approved_then_the_run_is_skipped_with_a_sentence(s3_hook, aws):
    register_model(approve=False)
    with pytest.raises(AirflowSkipException, match="No approved model in telecom-churn"):
        prepare(s3_hook)
    assert written_runs() == 0


def test_prepare_when_there_is_no_group_at_all_then_the_run_is_skipped_too(s3_hook, aws):
    with pytest.raises(AirflowSkipException, match="No approved model in telecom-churn"):
        prepare(s3_hook)


def test_prepare_when_a_newer_version_waits_for_approval_then_the_approved_one_is_taken(s3_hook, approved):
    register_model(approve=False)
    assert prepare(s3_hook).model.version == "1"


def test_prepare_when_two_are_approved_then_the_newer_is_taken(s3_hook, approved):
    register_model()
    assert prepare(s3_hook).model.version == "2"


def test_prepare_when_there_are_many_versions_then_one_beyond_the_first_page_is_found(s3_hook, approved):
    for _ in range(101):
        client_of("sagemaker").create_model_package(ModelPackageGroupName="telecom-churn")
    assert prepare(s3_hook).model.version == "1"
    assert prepare(s3_hook, {"reference_version": "1"}).model.version == "1"


def test_prepare_when_a_version_is_named_then_it_need_not_be_approved(s3_hook, approved):
    register_model(approve=False)
    model = prepare(s3_hook, {"reference_version": "2"}).model
    assert (model.version, model.is_approved) == ("2", False)


def test_prepare_when_the_model_is_found_then_everything_that_travels_with_it_is(s3_hook, approved):
    model = prepare(s3_hook).model
    evaluation = make_result("evaluate").output("evaluation")
    assert model.reference_uri == make_result("preprocess").output("reference")
    assert model.evaluation_uri == f"{evaluation}/evaluation.json"
    assert model.reference_scores_uri == f"{evaluation}/reference_scores.profile"
    assert model.model_uri == make_result("train").model_artifact_uri
    assert len(model.model_sha256) == 64
    assert model.schema_name == "ibm_telco"
    assert model.data_origin == "real"


def test_prepare_when_the_model_has_no_reference_profile_then_one_line_says_to_retrain(s3_hook, aws):
    register_model(profile=False)
    message = refusal(s3_hook)
    assert "no reference profile" in message
    assert "churn_retraining" in message


def test_prepare_when_the_package_lacks_its_properties_then_they_are_named(s3_hook, aws):
    client = client_of("sagemaker")
    client.create_model_package_group(ModelPackageGroupName="telecom-churn")
    client.create_model_package(ModelPackageGroupName="telecom-churn", ModelApprovalStatus="Approved")
    message = refusal(s3_hook)
    assert "reference_uri" in message
    assert "churn_retraining" in message


def test_prepare_when_the_model_has_no_stored_scores_then_the_plan_says_so(s3_hook, aws):
    register_model(scores=False)
    assert prepare(s3_hook).model.reference_scores_uri is None


def test_prepare_when_the_registry_is_out_of_reach_then_it_is_tried_again(s3_hook, approved, monkeypatch):
    put("s3://churn-artifacts/job-bundles/current.json")
    client = boto3.client("sagemaker", region_name="eu-west-1", endpoint_url="http://127.0.0.1:1")
    from include.airflow_tasks.approved_model import find_package

    with pytest.raises(AirflowException, match="cannot be reached") as raised:
        find_package(client, "telecom-churn", "")
    assert not isinstance(raised.value, AirflowFailException)


# --- the frozen schema ---------------------------------------------------------------------------------
def test_prepare_when_no_schema_is_named_then_the_models_own_is_kept_with_the_run(s3_hook, approved):
    plan = prepare(s3_hook)
    assert plan.schema_uri == f"{plan.run_prefix}/schema.json"
    assert plan.run_prefix.startswith("s3://churn-artifacts/monitoring-runs/run-")
    kept = FeatureSchema.from_text(get(plan.schema_uri).decode(), "schema.json")
    assert kept.fingerprint() == load_schema("ibm_telco").fingerprint()


def test_prepare_when_a_schema_spells_columns_differently_then_it_is_used_for_the_batch(s3_hook, approved):
    mapping = load_schema("ibm_telco").to_mapping()
    mapping["name"] = "crm_export"
    put("s3://churn-data/schemas/crm_export.json", json.dumps(mapping).encode())
    plan = prepare(s3_hook, {"schema": "s3://churn-data/schemas/crm_export.json"})
    assert plan.batch_uri == "s3://churn-data/current/crm_export/2026-11-24/"
    assert json.loads(get(plan.schema_uri))["name"] == "crm_export"


def test_prepare_when_a_run_of_the_same_name_was_deleted_then_nothing_of_it_is_found_again(s3_hook, approved):
    first = prepare(s3_hook)
    again = prepare(s3_hook, due_at=datetime(2026, 11, 25, 1, tzinfo=UTC))
    assert first.run_hash != again.run_hash
    assert first.run_hash != make_plan("run").run_hash
