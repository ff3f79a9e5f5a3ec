"""A day's figures reach CloudWatch once, and again only when they are others."""

import json
from datetime import UTC, datetime, timedelta

import pytest
from airflow.sdk.exceptions import AirflowException, AirflowFailException

from include.airflow_tasks.metric_publication import publish_day_metrics
from include.data_contracts.mapping_reader import ContractError
from include.data_contracts.publication_marker import MetricsMarker
from tests.unit.airflow_tasks.alert_topics import KilledError, client, dying, refusing
from tests.unit.drift_alerts.days import judged_day, outage_day, plan
from tests.unit.drift_alerts.drift_reports import DATE, drifted, quantity, report

NOW = datetime(2026, 11, 25, 3, 0, tzinfo=UTC)


def publish(s3_hook, document=None, *, day=None, cloudwatch=None, now=NOW, **plan_options):
    if document is not None:
        day = judged_day(document)
        bucket, _, key = day.report_json_uri.removeprefix("s3://").partition("/")
        client("s3").put_object(Bucket=bucket, Key=key, Body=json.dumps(document).encode())
    return publish_day_metrics(
        plan(**plan_options).to_mapping(),
        day.to_mapping(),
        s3=s3_hook,
        cloudwatch=cloudwatch or client("cloudwatch"),
        now=now,
    )


def statistics(name="Rows", feature=None, namespace="TelecomChurn"):
    """Sum and SampleCount of a metric over the batch's day."""
    dimensions = [{"Name": "ModelPackageGroup", "Value": "telecom-churn"}]
    if feature is not None:
        dimensions.append({"Name": "Feature", "Value": feature})
    start = datetime.fromisoformat(DATE).replace(tzinfo=UTC)
    points = client("cloudwatch").get_metric_statistics(
        Namespace=namespace,
        MetricName=name,
        Dimensions=dimensions,
        StartTime=start,
        EndTime=start + timedelta(days=1),
        Period=86_400,
        Statistics=["Sum", "SampleCount"],
    )["Datapoints"]
    return [(point["Sum"], point["SampleCount"]) for point in points]


def many_columns(count=1500):
    return report(features=[quantity(f"column_{number}") for number in range(count)], drifted_features=[])


def test_metrics_when_a_quiet_day_is_published_then_cloudwatch_has_every_figure(s3_hook):
    result = publish(s3_hook, report())
    assert result == {"published": 14, "reason": "in TelecomChurn, filed under 2026-11-24 23:00 UTC"}
    assert statistics() == [(1000.0, 1.0)]
    assert statistics("FeatureEffectSize", "tenure") == [(0.012, 1.0)]


def test_metrics_when_no_batch_came_then_that_is_published(s3_hook):
    assert publish(s3_hook, day=outage_day())["published"] == 2
    assert statistics("BatchMissing") == [(1.0, 1.0)]
    assert statistics("AlertOpen") == [(0.0, 1.0)]


def test_metrics_when_metrics_are_off_then_none_are_published(s3_hook):
    assert publish(s3_hook, report(), publish_metrics=False) == {
        "published": 0,
        "reason": "publish_metrics is off",
    }
    assert statistics() == []


def test_metrics_when_a_namespace_is_set_then_they_go_there(s3_hook):
    publish(s3_hook, report(), variables={"CHURN_METRIC_NAMESPACE": "Another"})
    assert statistics(namespace="Another") == [(1000.0, 1.0)]


def test_metrics_when_the_same_run_tries_again_then_nothing_is_counted_twice(s3_hook):
    publish(s3_hook, report())
    again = publish(s3_hook, report())
    assert again["published"] == 14
    assert statistics() == [(1000.0, 1.0)]


def test_metrics_when_another_run_finds_the_same_figures_then_publishes_none(s3_hook):
    publish(s3_hook, report())
    again = publish(s3_hook, report(), run_id="manual__later")
    assert again["published"] == 0
    assert "published by run scheduled__2026-11-25" in again["reason"]
    assert statistics() == [(1000.0, 1.0)]


def test_metrics_when_the_figures_are_others_then_they_are_published_a_minute_beside(s3_hook):
    publish(s3_hook, report())
    corrected = publish(
        s3_hook, report(rows={"reference": 5634, "current": 900, "needed": 168}), run_id="manual__later"
    )
    assert corrected["reason"].endswith("filed under 2026-11-24 23:01 UTC")
    assert statistics() == [(1900.0, 2.0)]


@pytest.mark.parametrize("status", [500, 503])
def test_metrics_when_cloudwatch_is_out_for_a_while_then_they_are_published_once(s3_hook, status):
    broken = refusing("PutMetricData", status, service="cloudwatch")
    with pytest.raises(AirflowException, match="AWS cannot be reached") as failed:
        publish(s3_hook, report(), cloudwatch=broken)
    assert not isinstance(failed.value, AirflowFailException)
    assert publish(s3_hook, report())["published"] == 14
    assert statistics() == [(1000.0, 1.0)]


def test_metrics_when_there_are_thousands_and_the_worker_dies_between_requests_then_it_goes_on_from_there(
    s3_hook,
):
    cloudwatch = dying("PutMetricData", after_the_answer=False, service="cloudwatch", survives=2)
    with pytest.raises(KilledError):
        publish(s3_hook, many_columns(), cloudwatch=cloudwatch)
    assert statistics() == [(1000.0, 1.0)]
    assert statistics("FeatureEffectSize", "column_1499") == []
    assert publish(s3_hook, many_columns())["published"] == 8 + 3 * 1500
    assert statistics() == [(1000.0, 1.0)]
    assert statistics("FeatureEffectSize", "column_0") == [(0.012, 1.0)]
    assert statistics("FeatureEffectSize", "column_1499") == [(0.012, 1.0)]


def test_metrics_when_the_day_is_long_past_then_none_are_published_and_the_reason_says_why(s3_hook):
    result = publish(s3_hook, drifted(), now=NOW + timedelta(days=30))
    assert result["published"] == 0
    assert "older than two weeks" in result["reason"]
    assert statistics() == []


def test_metrics_when_cloudwatch_is_denied_then_one_line_names_the_permission(s3_hook):
    denied = refusing("PutMetricData", 403, service="cloudwatch")
    with pytest.raises(
        AirflowFailException, match="grant cloudwatch:PutMetricData for the namespace"
    ) as failed:
        publish(s3_hook, report(), cloudwatch=denied)
    assert "\n" not in str(failed.value)


@pytest.mark.parametrize("change", [{"requests_sent": "2"}, {"contract": "x"}, {"fingerprint": None}])
def test_marker_when_it_breaks_its_contract_then_is_refused(change):
    sound = MetricsMarker("ab", 0, 2, 1, "run", "2026-11-25")
    assert MetricsMarker.from_mapping(sound.to_mapping()) == sound
    assert not sound.is_complete
    with pytest.raises(ContractError):
        MetricsMarker.from_mapping({**sound.to_mapping(), **change})
