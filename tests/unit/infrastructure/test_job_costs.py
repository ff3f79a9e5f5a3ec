"""What a SageMaker job cost, from its state change event."""

import pytest

from infrastructure.functions.job_costs import METRIC_NAME, UnusableEventError, metric_data, read_job_use

PRICES = {"ml.m5.large": 2.0, "ml.m5.xlarge": 4.0}
START = 1_795_000_000_000
HALF_HOUR = 1_800_000


def processing(**changes):
    detail = {
        "ProcessingJobName": "churn-preprocess-x",
        "ProcessingJobStatus": "Completed",
        "ProcessingResources": {"ClusterConfig": {"InstanceType": "ml.m5.large", "InstanceCount": 1}},
        "ProcessingStartTime": START,
        "ProcessingEndTime": START + HALF_HOUR,
    }
    return {"detail": {**detail, **changes}}


def training(**changes):
    detail = {
        "TrainingJobName": "churn-train-x",
        "TrainingJobStatus": "Failed",
        "ResourceConfig": {"InstanceType": "ml.m5.xlarge", "InstanceCount": 2},
        "TrainingStartTime": START,
        "TrainingEndTime": START + HALF_HOUR,
    }
    return {"detail": {**detail, **changes}}


@pytest.mark.parametrize(
    ("event", "cost"), [(processing(), 1.0), (training(), 4.0)], ids=["processing", "training"]
)
def test_cost_when_a_job_ended_then_is_hours_times_instances_times_price(event, cost):
    use = read_job_use(event)
    assert use.cost(PRICES) == pytest.approx(cost)
    assert metric_data(use, PRICES) == [
        {"MetricName": METRIC_NAME, "Value": pytest.approx(cost), "Unit": "None"}
    ]


def test_cost_when_the_instance_has_no_price_then_is_an_error_that_names_it():
    with pytest.raises(UnusableEventError, match=r"ml\.m5\.large.*no price"):
        read_job_use(processing()).cost({"ml.m5.xlarge": 4.0})


def test_job_when_it_never_got_a_machine_then_cost_nothing():
    assert read_job_use(processing(ProcessingStartTime=None)) is None


def test_job_when_the_event_is_no_end_of_a_job_then_is_an_error():
    with pytest.raises(UnusableEventError, match="TrainingJobName"):
        read_job_use({"detail": {"EndpointName": "x"}})
