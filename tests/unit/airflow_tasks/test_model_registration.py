from dataclasses import replace
from threading import Barrier, Thread

import boto3
import pytest
from airflow.sdk.exceptions import AirflowException, AirflowFailException
from botocore.exceptions import ClientError

from include.airflow_tasks.model_registration import ensure_group, register_candidate
from include.model_quality_gate.decision import decide, rules_for
from include.sagemaker_requests.model_package_requests import build_model_package_group_request
from tests.unit.airflow_tasks.plans import make_plan, make_result
from tests.unit.airflow_tasks.reports import make_data_quality, make_report


@pytest.fixture
def client(aws):
    return boto3.client("sagemaker", region_name="eu-west-1")


def register(client, s3_hook, *, plan=None, report=None, gate=None):
    plan, report = plan or make_plan(), report or make_report()
    folder = make_result("evaluate").output("evaluation")
    s3_hook.load_string(report.to_json(), f"{folder}/evaluation.json", replace=True)
    quality_folder = make_result("preprocess").output("data_quality")
    s3_hook.load_string(make_data_quality().to_json(), f"{quality_folder}/data_quality.json", replace=True)
    decision = gate or decide(report, rules_for(plan.parameters))
    return register_candidate(
        plan.to_mapping(),
        preprocess=make_result("preprocess").to_mapping(),
        training=make_result("train").to_mapping(),
        evaluation=make_result("evaluate").to_mapping(),
        gate_decision=decision.to_mapping(),
        s3=s3_hook,
        client=client,
    )


def packages(client, group="telecom-churn"):
    return client.list_model_packages(ModelPackageGroupName=group)["ModelPackageSummaryList"]


def test_register_when_the_gate_is_open_then_a_person_is_waited_for(client, s3_hook):
    result = register(client, s3_hook)
    assert result["approval_status"] == "PendingManualApproval"
    assert result["model_package_version"] == 1
    assert result["model_package_arn"].endswith(":model-package/telecom-churn/1")
    assert result["newly_registered"]


def test_register_when_tried_again_then_the_same_package_and_no_second_one(client, s3_hook):
    first = register(client, s3_hook)
    again = register(client, s3_hook)
    assert again == {**first, "newly_registered": False}
    assert len(packages(client)) == 1


def test_register_when_another_run_comes_then_a_new_version(client, s3_hook):
    register(client, s3_hook)
    result = register(client, s3_hook, plan=make_plan("manual__other"))
    assert result["model_package_version"] == 2


def test_register_when_the_same_run_trained_another_model_then_a_new_version(client, s3_hook):
    register(client, s3_hook)
    result = register(client, s3_hook, report=make_report(content_sha256="99" * 32))
    assert result["model_package_version"] == 2


def test_register_when_a_cleared_run_trained_the_same_model_again_then_no_second_package(client, s3_hook):
    first = register(client, s3_hook)
    # Airflow gives an ended run that is cleared a new start; SageMaker packs the same files differently.
    prepared_anew = replace(
        make_plan(), run_hash="0123456789", run_prefix="s3://churn-artifacts/retraining/x"
    )
    again = register(client, s3_hook, plan=prepared_anew, report=make_report(model_sha256="99" * 32))
    assert again == {**first, "newly_registered": False}
    assert len(packages(client)) == 1


def test_register_when_two_run_ids_look_alike_in_the_registry_then_each_has_its_package(client, s3_hook):
    register(client, s3_hook, plan=make_plan("manual;1"))
    assert register(client, s3_hook, plan=make_plan("manual!1"))["newly_registered"]


def test_register_when_many_packages_exist_then_an_old_one_is_still_found(client, s3_hook, monkeypatch):
    first = register(client, s3_hook)
    for number in range(12):
        register(client, s3_hook, plan=make_plan(f"manual__{number}"))
    assert register(client, s3_hook)["model_package_arn"] == first["model_package_arn"]


def test_register_when_data_are_synthetic_then_the_package_is_marked_and_set_apart(client, s3_hook):
    plan = make_plan(data_origin="synthetic", gate_safeguards=False)
    result = register(client, s3_hook, plan=plan, report=make_report(data_origin="synthetic"))
    package = client.describe_model_package(ModelPackageName=result["model_package_arn"])
    assert package["CustomerMetadataProperties"]["data_origin"] == "synthetic"
    assert result["model_package_group"] == "telecom-churn-synthetic"


def test_register_when_described_then_the_package_says_where_it_comes_from(client, s3_hook):
    result = register(client, s3_hook)
    facts = client.describe_model_package(ModelPackageName=result["model_package_arn"])[
        "CustomerMetadataProperties"
    ]
    plan = make_plan()
    assert facts["run_id"] == plan.run_id
    assert facts["model_sha256"] == "12" * 32
    assert facts["dataset_fingerprint"] == plan.dataset_fingerprint
    assert facts["data_fingerprint"] == make_data_quality().data_fingerprint
    assert facts["git_revision"] == plan.job_bundle.git_revision


def test_register_when_the_gate_is_closed_then_it_is_refused(client, s3_hook):
    with pytest.raises(AirflowFailException, match="although the gate is closed"):
        register(client, s3_hook, plan=make_plan(accuracy_threshold=0.99))


def tags_of(client, group):
    arn = client.describe_model_package_group(ModelPackageGroupName=group)["ModelPackageGroupArn"]
    return {tag["Key"]: tag["Value"] for tag in client.list_tags(ResourceArn=arn)["Tags"]}


@pytest.mark.parametrize("tags", [[], [{"Key": "churn:data-origin", "Value": "real"}]])
def test_ensure_group_when_a_synthetic_group_is_not_marked_then_it_gets_the_mark(client, tags):
    group = "telecom-churn-synthetic"
    client.create_model_package_group(
        ModelPackageGroupName=group, Tags=[{"Key": "team", "Value": "data"}, *tags]
    )
    ensure_group(client, build_model_package_group_request(make_plan(data_origin="synthetic")))
    assert tags_of(client, group) == {"team": "data", "churn:data-origin": "synthetic"}


def test_ensure_group_when_the_group_is_for_real_models_then_its_tags_stay(client):
    client.create_model_package_group(ModelPackageGroupName="telecom-churn")
    ensure_group(client, build_model_package_group_request(make_plan()))
    assert tags_of(client, "telecom-churn") == {}


def test_register_when_the_data_quality_report_is_gone_then_one_line_says_so(client, s3_hook):
    register(client, s3_hook)
    folder = make_result("preprocess").output("data_quality")
    bucket, key = s3_hook.parse_s3_url(f"{folder}/data_quality.json")
    s3_hook.delete_objects(bucket, key)
    with pytest.raises(AirflowFailException, match="the data quality report is missing"):
        register_candidate(
            make_plan().to_mapping(),
            preprocess=make_result("preprocess").to_mapping(),
            training=make_result("train").to_mapping(),
            evaluation=make_result("evaluate").to_mapping(),
            gate_decision=decide(make_report(), rules_for(make_plan().parameters)).to_mapping(),
            s3=s3_hook,
            client=client,
        )


def test_ensure_group_when_two_runs_create_it_at_once_then_neither_fails(client):
    request = build_model_package_group_request(make_plan())
    barrier, failures = Barrier(4), []

    def create():
        barrier.wait()
        try:
            ensure_group(client, request)
        except AirflowException as error:
            failures.append(error)

    threads = [Thread(target=create) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert not failures


@pytest.mark.parametrize(
    ("code", "message"),
    [
        ("ValidationException", "Model Package Group already exists: telecom-churn"),
        ("ConflictException", "exists"),
        ("ResourceInUse", "exists"),
    ],
)
def test_ensure_group_when_sagemaker_says_it_exists_then_it_goes_on(client, code, message):
    def taken(params, **_):
        raise ClientError({"Error": {"Code": code, "Message": message}}, "CreateModelPackageGroup")

    client.meta.events.register("before-call.sagemaker.CreateModelPackageGroup", taken)
    assert ensure_group(client, build_model_package_group_request(make_plan())) is None


def test_register_when_aws_is_out_of_reach_then_it_is_worth_a_retry(client, s3_hook):
    unreachable = boto3.client("sagemaker", region_name="eu-west-1", endpoint_url="http://127.0.0.1:1")
    with pytest.raises(AirflowException, match="AWS cannot be reached") as failed:
        register(unreachable, s3_hook)
    assert not isinstance(failed.value, AirflowFailException)
    assert "\n" not in str(failed.value)
