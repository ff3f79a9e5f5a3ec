import pytest

from local_airflow.registered_models import (
    APPROVED,
    PENDING,
    RegisteredModel,
    choose_for_approval,
    choose_model,
)
from local_airflow.stack_settings import StackError

REJECTED = "Rejected"


def model(version, status=PENDING, *, group="telecom-churn", origin="real"):
    return RegisteredModel(f"arn/{group}/{version}", group, version, status, origin, {})


@pytest.mark.parametrize(
    ("statuses", "chosen"),
    [
        ([], None),
        ([REJECTED], None),
        ([PENDING, PENDING], 2),
        ([APPROVED, PENDING], 1),
        ([APPROVED, APPROVED, PENDING], 2),
        ([PENDING, REJECTED], 1),
    ],
    ids=str,
)
def test_choose_model_when_some_are_approved_then_takes_the_latest_of_them_else_the_latest_pending(
    statuses, chosen
):
    models = [model(number, status) for number, status in enumerate(statuses, start=1)]
    found = choose_model(models)
    assert (found and found.version) == chosen


def test_choose_for_approval_when_no_version_is_named_then_takes_the_newest_pending():
    assert choose_for_approval([model(1), model(2)], None).version == 2


def test_choose_for_approval_when_an_older_version_is_named_then_takes_it():
    assert choose_for_approval([model(1), model(2, APPROVED)], "1").version == 1


@pytest.mark.parametrize(
    ("models", "version", "said"),
    [
        ([], None, "no model yet"),
        ([model(1), model(2, APPROVED)], None, "telecom-churn/2 is approved and nothing newer waits"),
        ([model(1, REJECTED)], None, "rejected"),
        ([model(1)], "9", r"VERSION=9.*it has 1"),
        ([model(1, APPROVED)], "1", "approved already"),
        ([model(1, origin="synthetic")], None, "SYNTHETIC.*never be approved"),
        ([model(1, group="telecom-churn-synthetic", origin="unknown")], None, "SYNTHETIC"),
    ],
    ids=["none", "only older", "rejected", "unknown version", "again", "synthetic data", "synthetic group"],
)
def test_choose_for_approval_when_nothing_can_be_approved_then_says_why(models, version, said):
    with pytest.raises(StackError, match=said):
        choose_for_approval(models, version)
