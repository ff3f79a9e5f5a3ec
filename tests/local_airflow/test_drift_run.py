from datetime import UTC, date, datetime

import pytest

from local_airflow.drift_run import (
    NOT_APPROVED,
    SYNTHETIC_MODEL,
    DriftRequest,
    find_reference,
    model_warnings,
    trigger_drift,
)
from local_airflow.registered_models import APPROVED, PENDING, RegisteredModel
from local_airflow.stack_settings import DRIFT_DAG_ID, StackError, StackSettings


class RecordingApi:
    """Remembers what was triggered."""

    def trigger(self, dag_id, run_id, conf):
        self.dag_id, self.run_id, self.conf = dag_id, run_id, conf


def model(status, origin="real", group="telecom-churn"):
    return RegisteredModel(f"arn/{group}/3", group, 3, status, origin, {})


@pytest.fixture
def settings(tmp_path):
    return StackSettings(state_dir=tmp_path, airflow_port=1, aws_port=2)


@pytest.fixture
def trigger(settings):
    def run(chosen, **request):
        api = RecordingApi()
        trigger_drift(api, settings, DriftRequest(**request), chosen, lambda _: None)
        assert api.dag_id == DRIFT_DAG_ID
        return api.conf

    return run


@pytest.fixture
def registry(monkeypatch):
    """Fill the registry: group → its models."""
    groups = {}
    monkeypatch.setattr("local_airflow.drift_run.open_aws_client", lambda *_: None)
    monkeypatch.setattr("local_airflow.drift_run.list_models", lambda _, group: groups.get(group, []))
    return groups


@pytest.mark.parametrize(("status", "named"), [(APPROVED, None), (PENDING, "3")])
def test_trigger_when_the_model_is_not_approved_then_its_version_is_named(trigger, status, named):
    assert trigger(model(status)).get("reference_version") == named


@pytest.mark.parametrize(
    ("request_", "day"),
    [
        ({}, str(datetime.now(UTC).date())),
        ({"conf": {"batch_date": "2026-02-01"}}, "2026-02-01"),
        ({"batch_date": date(2026, 2, 3), "conf": {"batch_date": "2026-02-01"}}, "2026-02-03"),
    ],
    ids=["nothing: today", "CONF", "DATE before CONF"],
)
def test_trigger_when_a_date_is_given_or_not_then_the_batch_has_one(trigger, request_, day):
    assert trigger(model(APPROVED), **request_)["batch_date"] == day


@pytest.mark.parametrize(
    ("chosen", "warnings"),
    [
        (model(APPROVED), []),
        (model(PENDING), [NOT_APPROVED]),
        (model(PENDING, "synthetic", "telecom-churn-synthetic"), [SYNTHETIC_MODEL]),
    ],
    ids=["approved", "pending", "synthetic"],
)
def test_model_warnings_when_the_model_is_no_real_approved_one_then_say_so(chosen, warnings):
    assert model_warnings(chosen) == warnings


def test_find_reference_when_nothing_is_registered_then_says_what_to_run(settings, registry):
    with pytest.raises(StackError, match=r"^no model yet: make run DATA=… trains and registers one$"):
        find_reference(settings, {})


def test_find_reference_when_only_a_synthetic_model_is_there_then_is_not_used_unasked(settings, registry):
    registry["telecom-churn-synthetic"] = [model(PENDING, "synthetic", "telecom-churn-synthetic")]
    with pytest.raises(StackError, match=r'no model yet.*SYNTHETIC.*"reference_version": "3"'):
        find_reference(settings, {})
    asked = {"model_package_group": "telecom-churn-synthetic", "reference_version": "3"}
    assert find_reference(settings, asked).is_synthetic
