"""The strict check itself: it must find every kind of fault that botocore's own validator lets through."""

import copy

import pytest

from tests.unit.sagemaker_requests.service_model import find_breaches, python_pattern

REQUEST = {
    "TrainingJobName": "job-1",
    "RoleArn": "arn:aws:iam::123456789012:role/churn-job",
    "AlgorithmSpecification": {
        "TrainingImage": "image",
        "TrainingInputMode": "File",
        "MetricDefinitions": [{"Name": "loss", "Regex": "loss=(.*)"}],
    },
    "HyperParameters": {"depth": "3"},
    "OutputDataConfig": {"S3OutputPath": "s3://bucket/train"},
    "ResourceConfig": {"InstanceType": "ml.m5.large", "InstanceCount": 1, "VolumeSizeInGB": 10},
    "StoppingCondition": {"MaxRuntimeInSeconds": 60},
    "EnableNetworkIsolation": False,
    "Tags": [{"Key": "churn:run-id", "Value": "é été"}],
}


def test_check_when_request_is_sound_then_finds_nothing():
    assert find_breaches("CreateTrainingJob", REQUEST) == []


@pytest.mark.parametrize(
    ("path", "value", "fault"),
    [
        (("TrainingJobName",), "x" * 64, "more than the maximum 63"),
        (("TrainingJobName",), "job_1", "does not match"),
        (("TrainingJobName",), "job-1\n", "does not match"),
        (("TrainingJobName",), "", "less than the minimum 1"),
        (("TrainingJobName",), 7, "expected text"),
        (("TrainingJobName",), "\ud800", "half a surrogate"),
        (("RoleArn",), "arn:aws:iam::12:role/churn-job-name", "does not match"),
        (("Nonsense",), 1, "Nonsense is unknown"),
        (("ResourceConfig", "InstanceSize"), 1, "InstanceSize is unknown"),
        (("ResourceConfig", "InstanceType"), "ml.m5.huge", "not one of the"),
        (("ResourceConfig", "InstanceCount"), "1", "expected an integer"),
        (("ResourceConfig", "InstanceCount"), True, "expected an integer"),
        (("ResourceConfig", "InstanceCount"), -1, "less than the minimum"),
        (("ResourceConfig",), [], "expected a structure"),
        (("StoppingCondition", "MaxRuntimeInSeconds"), 0, "less than the minimum 1"),
        (("EnableNetworkIsolation",), "false", "expected true or false"),
        (("AlgorithmSpecification", "TrainingInputMode"), "Files", "not one of the"),
        (("AlgorithmSpecification", "ContainerArguments"), [], "less than the minimum 1"),
        (("AlgorithmSpecification", "ContainerArguments"), ["x" * 257], "more than the maximum 256"),
        (("AlgorithmSpecification", "MetricDefinitions"), [{"Name": "x"}], "Regex is missing"),
        (("AlgorithmSpecification", "MetricDefinitions"), {"Name": "x"}, "expected a list"),
        (("HyperParameters",), {f"h{n}": "1" for n in range(101)}, "more than the maximum 100"),
        (("HyperParameters",), {"depth": "x" * 2501}, "more than the maximum 2500"),
        (("HyperParameters",), {"d" * 257: "3"}, "more than the maximum 256"),
        (("HyperParameters",), {"depth": 3}, "expected text"),
        (("HyperParameters",), [], "expected a map"),
        (("Environment",), {"1st": "x"}, "does not match"),
        (("Tags",), [{"Key": "k", "Value": "a;b"}], "does not match"),
        (("Tags",), [{"Key": "k", "Value": "v"}] * 51, "more than the maximum 50"),
        (("OutputDataConfig",), {}, "S3OutputPath is missing"),
        (("OutputDataConfig", "S3OutputPath"), "bucket/train", "does not match"),
    ],
)
def test_check_when_a_fault_is_planted_then_finds_exactly_that(path, value, fault):
    request = copy.deepcopy(REQUEST)
    place = request
    for name in path[:-1]:
        place = place[name]
    place[path[-1]] = value
    breaches = find_breaches("CreateTrainingJob", request)
    assert breaches
    assert all(path[0] in breach for breach in breaches)
    assert any(fault in breach for breach in breaches)


@pytest.mark.parametrize("name", ["TrainingJobName", "RoleArn", "OutputDataConfig"])
def test_check_when_a_required_member_is_absent_then_says_so(name):
    request = {key: value for key, value in REQUEST.items() if key != name}
    assert find_breaches("CreateTrainingJob", request) == [f"CreateTrainingJob: {name} is missing"]


@pytest.mark.parametrize(
    ("pattern", "fits", "does_not"),
    [
        (r"([\p{L}\p{Z}\p{N}_.:/=+\-@]*)${1,256}", "Zürich 再 2:1", "a;b"),
        (r"[\p{L}\p{M}\p{Z}\p{S}\p{N}\p{P}]*", "a; “b” + 3 €", "tab\there"),
        (r"arn:[\p{Alnum}\-]+:x", "arn:aws-cn:x", "arn:aws_cn:x"),
    ],
)
def test_python_pattern_when_java_dialect_is_given_then_means_the_same(pattern, fits, does_not):
    assert python_pattern(pattern).fullmatch(fits)
    assert not python_pattern(pattern).fullmatch(does_not)
