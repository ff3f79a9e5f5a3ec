"""The model registry: groups, versions, approval, tags."""

import datetime
import itertools
from typing import Any

import pytest
from botocore.exceptions import ClientError

from tests.local_aws.stand_in import Server

SPECIFICATION = {
    "Containers": [{"Image": "1.dkr.ecr.eu-west-1.amazonaws.com/x:1", "ModelDataUrl": "s3://b/model.tar.gz"}],
    "SupportedContentTypes": ["text/csv"],
    "SupportedResponseMIMETypes": ["text/csv"],
}
GROUP_NUMBERS = itertools.count(1)
METRICS = {
    "ModelQuality": {"Statistics": {"ContentType": "application/json", "S3Uri": "s3://b/evaluation.json"}}
}


@pytest.fixture
def sagemaker(server: Server) -> Any:
    return server.client("sagemaker")


@pytest.fixture
def group(sagemaker: Any) -> str:
    name = f"group-{next(GROUP_NUMBERS)}"
    sagemaker.create_model_package_group(ModelPackageGroupName=name)
    return name


def create(sagemaker: Any, group: str, **changes: Any) -> str:
    request = {"ModelPackageGroupName": group, "InferenceSpecification": SPECIFICATION, **changes}
    return sagemaker.create_model_package(**request)["ModelPackageArn"]


def error_of(call: Any, **parameters: Any) -> tuple[str, str]:
    with pytest.raises(ClientError) as refused:
        call(**parameters)
    error = refused.value.response["Error"]
    return error["Code"], error["Message"]


def test_group_when_its_name_is_taken_then_it_is_refused_as_the_airflow_provider_expects(
    sagemaker: Any, group: str
):
    code, message = error_of(sagemaker.create_model_package_group, ModelPackageGroupName=group)
    assert code == "ValidationException"
    assert message.startswith("Model Package Group already exists")


def test_group_when_it_holds_a_package_then_it_can_be_deleted_only_afterwards(sagemaker: Any, group: str):
    arn = create(sagemaker, group)
    code, _ = error_of(sagemaker.delete_model_package_group, ModelPackageGroupName=group)
    assert code == "ConflictException"
    sagemaker.delete_model_package(ModelPackageName=arn)
    sagemaker.delete_model_package_group(ModelPackageGroupName=group)
    code, message = error_of(sagemaker.describe_model_package_group, ModelPackageGroupName=group)
    assert (code, "does not exist" in message) == ("ValidationException", True)


def test_package_when_created_then_version_status_and_all_that_was_sent_come_back(sagemaker: Any, group: str):
    sent = {
        "ModelPackageDescription": "run 7",
        "ModelMetrics": METRICS,
        "DriftCheckBaselines": {"ModelQuality": {"Statistics": METRICS["ModelQuality"]["Statistics"]}},
        "CustomerMetadataProperties": {"sha256": "a" * 64},
        "MetadataProperties": {"CommitId": "b" * 40},
        "SkipModelValidation": "All",
        "SourceUri": "https://example.com/run",
    }
    arn = create(sagemaker, group, **sent)
    described = sagemaker.describe_model_package(ModelPackageName=arn)
    assert {name: described[name] for name in sent} == sent
    assert described["InferenceSpecification"] == SPECIFICATION
    assert described["ModelApprovalStatus"] == "PendingManualApproval"
    assert described["ModelPackageStatus"] == "Completed"
    assert (described["ModelPackageVersion"], arn.rpartition("/")[2]) == (1, "1")


def test_packages_when_one_was_deleted_then_its_version_is_not_given_again(sagemaker: Any, group: str):
    arns = [create(sagemaker, group) for _ in range(2)]
    sagemaker.delete_model_package(ModelPackageName=arns[1])
    assert create(sagemaker, group).endswith("/3")


def test_package_when_the_client_token_repeats_then_the_first_one_is_answered(sagemaker: Any, group: str):
    first = create(sagemaker, group, ClientToken="token-1")
    assert create(sagemaker, group, ClientToken="token-1") == first
    listed = sagemaker.list_model_packages(ModelPackageGroupName=group)["ModelPackageSummaryList"]
    assert len(listed) == 1


def test_package_when_the_client_token_repeats_with_other_content_then_it_is_refused(
    sagemaker: Any, group: str
):
    create(sagemaker, group, ClientToken="token-2")
    code, _ = error_of(create, sagemaker=sagemaker, group=group, ClientToken="token-2", SourceUri="other")
    assert code == "ConflictException"


def test_package_when_approved_then_its_other_fields_stay(sagemaker: Any, group: str):
    arn = create(
        sagemaker,
        group,
        CustomerMetadataProperties={"a": "1", "b": "2"},
        ModelMetrics=METRICS,
        SourceUri="s3://x",
    )
    sagemaker.update_model_package(
        ModelPackageArn=arn, ModelApprovalStatus="Approved", ApprovalDescription="looks right"
    )
    described = sagemaker.describe_model_package(ModelPackageName=arn)
    assert described["ModelApprovalStatus"] == "Approved"
    assert described["ApprovalDescription"] == "looks right"
    assert described["CustomerMetadataProperties"] == {"a": "1", "b": "2"}
    assert (described["ModelMetrics"], described["SourceUri"]) == (METRICS, "s3://x")


def test_package_when_customer_properties_are_updated_then_they_are_merged_and_removed_by_name(
    sagemaker: Any, group: str
):
    arn = create(sagemaker, group, CustomerMetadataProperties={"a": "1", "b": "2"})
    sagemaker.update_model_package(
        ModelPackageArn=arn, CustomerMetadataProperties={"c": "3"}, CustomerMetadataPropertiesToRemove=["a"]
    )
    described = sagemaker.describe_model_package(ModelPackageName=arn)
    assert described["CustomerMetadataProperties"] == {"b": "2", "c": "3"}
    assert described["ModelApprovalStatus"] == "PendingManualApproval"


@pytest.mark.parametrize("tagged", ["package", "group"])
def test_package_when_tagged_synthetic_then_approval_is_denied_and_rejection_is_not(
    sagemaker: Any, group: str, tagged: str
):
    arn = create(sagemaker, group)
    group_arn = sagemaker.describe_model_package_group(ModelPackageGroupName=group)["ModelPackageGroupArn"]
    tag = {"Key": "churn:data-origin", "Value": "synthetic"}
    sagemaker.add_tags(ResourceArn=arn if tagged == "package" else group_arn, Tags=[tag])
    code, message = error_of(
        sagemaker.update_model_package, ModelPackageArn=arn, ModelApprovalStatus="Approved"
    )
    assert code == "AccessDeniedException"
    assert "explicit deny" in message
    sagemaker.update_model_package(ModelPackageArn=arn, ModelApprovalStatus="Rejected")
    assert sagemaker.describe_model_package(ModelPackageName=arn)["ModelApprovalStatus"] == "Rejected"


def test_package_when_created_with_tags_in_a_group_then_it_is_refused_as_on_aws(sagemaker: Any, group: str):
    code, message = error_of(create, sagemaker=sagemaker, group=group, Tags=[{"Key": "a", "Value": "b"}])
    assert code == "ValidationException"
    assert "AddTags" in message


def test_tags_when_changed_then_the_package_has_the_new_ones(sagemaker: Any, group: str):
    arn = create(sagemaker, group)
    sagemaker.add_tags(ResourceArn=arn, Tags=[{"Key": "a", "Value": "1"}, {"Key": "b", "Value": "2"}])
    sagemaker.add_tags(ResourceArn=arn, Tags=[{"Key": "a", "Value": "3"}])
    sagemaker.delete_tags(ResourceArn=arn, TagKeys=["b"])
    assert sagemaker.list_tags(ResourceArn=arn)["Tags"] == [{"Key": "a", "Value": "3"}]


def test_packages_when_listed_then_filters_order_and_pages_hold(sagemaker: Any, group: str):
    arns = [create(sagemaker, group) for _ in range(5)]
    sagemaker.update_model_package(ModelPackageArn=arns[1], ModelApprovalStatus="Approved")
    sagemaker.update_model_package(ModelPackageArn=arns[3], ModelApprovalStatus="Approved")
    approved = sagemaker.list_model_packages(ModelPackageGroupName=group, ModelApprovalStatus="Approved")
    assert [entry["ModelPackageArn"] for entry in approved["ModelPackageSummaryList"]] == [arns[3], arns[1]]
    pages = sagemaker.get_paginator("list_model_packages").paginate(
        ModelPackageGroupName=group, SortOrder="Ascending", MaxResults=2
    )
    listed = [[entry["ModelPackageVersion"] for entry in page["ModelPackageSummaryList"]] for page in pages]
    assert listed == [[1, 2], [3, 4], [5]]


def test_packages_when_listed_by_time_then_only_those_of_that_time_come(sagemaker: Any, group: str):
    create(sagemaker, group)
    now = datetime.datetime.now(datetime.UTC)
    hour = datetime.timedelta(hours=1)

    def count(**times: datetime.datetime) -> int:
        return len(
            sagemaker.list_model_packages(ModelPackageGroupName=group, **times)["ModelPackageSummaryList"]
        )

    assert count(CreationTimeAfter=now - hour, CreationTimeBefore=now + hour) == 1
    assert count(CreationTimeAfter=now + hour) == count(CreationTimeBefore=now - hour) == 0


def test_package_when_unknown_then_describe_update_and_delete_say_so(sagemaker: Any, group: str):
    arn = f"arn:aws:sagemaker:eu-west-1:123456789012:model-package/{group}/9"
    calls = [
        (sagemaker.describe_model_package, {"ModelPackageName": arn}),
        (sagemaker.update_model_package, {"ModelPackageArn": arn, "ModelApprovalStatus": "Approved"}),
        (sagemaker.delete_model_package, {"ModelPackageName": arn}),
    ]
    for call, parameters in calls:
        code, message = error_of(call, **parameters)
        assert (code, message) == ("ValidationException", f"ModelPackage {arn} does not exist.")


def test_package_when_it_names_a_group_that_is_not_there_then_it_is_refused(sagemaker: Any):
    code, message = error_of(create, sagemaker=sagemaker, group="nobodys-group")
    assert (code, "does not exist" in message) == ("ValidationException", True)


def test_registry_when_two_regions_are_used_then_they_do_not_mix(server: Server):
    server.client("sagemaker", "us-east-1").create_model_package_group(ModelPackageGroupName="regional")
    listed = server.client("sagemaker").list_model_package_groups(NameContains="regional")
    assert listed["ModelPackageGroupSummaryList"] == []
