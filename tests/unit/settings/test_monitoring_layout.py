from include.settings import s3_layout

PREFIX = s3_layout.monitoring_prefix("churn-artifacts", "telecom-churn", "3")


def test_monitoring_layout_when_spelt_out_then_is_the_one_that_people_and_other_jobs_read():
    assert PREFIX == "s3://churn-artifacts/monitoring/telecom-churn/3"
    assert s3_layout.monitor_state_uri(PREFIX) == f"{PREFIX}/monitor_state.json"
    assert (
        s3_layout.predictions_uri(PREFIX, "2026-11-24") == f"{PREFIX}/predictions/2026-11-24/predictions.csv"
    )
    assert s3_layout.day_record_uri(PREFIX, "2026-11-24") == f"{PREFIX}/days/2026-11-24/day.json"
    assert s3_layout.metrics_marker_uri(PREFIX, "2026-11-24") == f"{PREFIX}/days/2026-11-24/metrics.json"
    group = s3_layout.group_prefix("churn-artifacts", "telecom-churn")
    assert s3_layout.delivery_uri(group, "2026-11-24") == f"{group}/deliveries/2026-11-24.json"
    messages = s3_layout.messages_prefix("churn-artifacts", "telecom-churn")
    message = s3_layout.message_uri(messages, "2026-11-24", 1)
    assert message == f"{group}/messages/2026-11-24/001.json"
    assert s3_layout.sent_uri(message) == f"{group}/messages/2026-11-24/001-sent.json"
    assert (
        s3_layout.retraining_request_uri("churn-artifacts", "telecom-churn", "2026-11-24")
        == "s3://churn-artifacts/monitoring/telecom-churn/retraining-requests/2026-11-24.json"
    )
    assert (
        s3_layout.monitoring_run_prefix("churn-artifacts", "run", "0a")
        == "s3://churn-artifacts/monitoring-runs/run-0a"
    )
    assert (
        s3_layout.default_batch_uri("churn-data", "ibm_telco", "2026-11-24")
        == "s3://churn-data/current/ibm_telco/2026-11-24/"
    )
    assert (
        s3_layout.default_labels_uri("churn-data", "ibm_telco", "2026-11-24")
        == "s3://churn-data/labels/ibm_telco/2026-11-24/"
    )
