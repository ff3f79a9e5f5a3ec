import json

import pytest

from include.data_contracts.job_result import JobResult
from include.data_contracts.mapping_reader import ContractError
from include.data_contracts.retraining_plan import RetrainingPlan
from include.data_contracts.run_plan import JobBundle
from tests.unit.sagemaker_requests.plans import plan

RESULT = JobResult(
    job_name="job-1",
    job_arn="arn:aws:sagemaker:eu-west-1:123456789012:training-job/job-1",
    kind="training",
    outputs={"a": "s3://bucket/a/"},
    model_artifact_uri="s3://bucket/model.tar.gz",
    training_output_uri="s3://bucket/output.tar.gz",
    seconds=1.5,
)


def through_json(mapping):
    return json.loads(json.dumps(mapping, allow_nan=False))


def test_plan_when_written_and_read_then_is_equal():
    made = plan({"hyperparameters": {"depth": 3}}, kms_key_id="alias/churn", subnet_ids=("subnet-1",))
    assert RetrainingPlan.from_mapping(through_json(made.to_mapping())) == made


@pytest.mark.parametrize(
    ("changes", "named"),
    [
        ({"version": 2}, "contract"),
        ({"contract": "other"}, "contract"),
        ({"run_id": None}, "run_id"),
        ({"data_origin": "dubious"}, "data_origin"),
        ({"invents_customers": True}, "invented customers cannot be real"),
        ({"invents_customers": "yes"}, "invents_customers"),
        ({"images": {"preprocess": "x"}}, "train"),
        ({"parameters": {"seed": "x"}}, "seed"),
        ({"environment": {"region": "x"}}, "environment"),
        ({"environment": None}, "mapping"),
        ({"job_bundle": {}}, "uri"),
        ({"surprise": 1}, "surprise"),
    ],
)
def test_plan_when_its_mapping_is_wrong_then_the_error_names_the_key(changes, named):
    with pytest.raises(ContractError, match=named):
        RetrainingPlan.from_mapping({**through_json(plan().to_mapping()), **changes})


def test_plan_when_it_is_no_mapping_then_says_so():
    with pytest.raises(ContractError, match="mapping"):
        RetrainingPlan.from_mapping("plan")


def test_job_bundle_when_the_pointer_object_has_more_keys_then_is_read():
    pointer = {"contract": "job_bundle", "version": 1, "uri": "s3://b/x", "sha256": "ab", "git_revision": "c"}
    assert JobBundle.from_mapping(pointer) == JobBundle("s3://b/x", "ab", "c")


def test_job_result_when_written_and_read_then_is_equal():
    assert JobResult.from_mapping(through_json(RESULT.to_mapping())) == RESULT


def test_job_result_when_optional_values_are_absent_then_has_defaults():
    mapping = {"job_name": "j", "job_arn": "arn", "kind": "processing", "outputs": {}}
    assert JobResult.from_mapping(mapping) == JobResult("j", "arn", "processing", {})


def test_job_result_when_an_output_is_asked_for_then_has_no_closing_slash():
    assert RESULT.output("a") == "s3://bucket/a"


def test_job_result_when_an_output_is_unknown_then_names_the_known_ones():
    with pytest.raises(KeyError, match=r"'b'.*a"):
        RESULT.output("b")


@pytest.mark.parametrize(
    ("changes", "named"),
    [
        ({"kind": "transform"}, "kind"),
        ({"outputs": {"a": 1}}, "'a'"),
        ({"outputs": None}, "outputs"),
        ({"seconds": "1"}, "seconds"),
        ({"job_name": 1}, "job_name"),
        ({"surprise": 1}, "surprise"),
    ],
)
def test_job_result_when_its_mapping_is_wrong_then_the_error_names_the_key(changes, named):
    with pytest.raises(ContractError, match=named):
        JobResult.from_mapping({**RESULT.to_mapping(), **changes})
