"""Messages about the delivery: one when batches stop, one when they come again, whatever is run again."""

from include.airflow_tasks.batch_outage import decide_batch_alert
from include.data_contracts.batch_delivery import BatchDelivery
from include.data_contracts.monitoring_day import BatchAlert


def day(date, status, alert):
    return BatchDelivery(date=date, status=status, fingerprint=None, batch_alert=alert, run_id="run")


def walk(*statuses):
    """Judge days one after the other and return (transition, since) of each."""
    found, previous = [], None
    for number, status in enumerate(statuses, 1):
        date = f"2026-11-{number:02}"
        alert = decide_batch_alert(date, status, previous=previous, recorded=None)
        previous = day(date, status, alert)
        found.append((alert.transition, alert.since))
    return found


def test_batch_alert_when_batches_come_daily_then_there_is_none():
    assert walk("arrived", "arrived") == [("none", None), ("none", None)]


def test_batch_alert_when_an_outage_lasts_then_it_is_told_once_and_cleared_once():
    assert walk("arrived", "missing", "stale", "missing", "arrived", "arrived") == [
        ("none", None),
        ("new", "2026-11-02"),
        ("none", "2026-11-02"),
        ("none", "2026-11-02"),
        ("cleared", "2026-11-02"),
        ("none", None),
    ]


def test_batch_alert_when_the_very_first_batch_is_missing_then_it_is_told():
    assert walk("missing", "arrived") == [("new", "2026-11-01"), ("cleared", "2026-11-01")]


def test_batch_alert_when_a_second_outage_begins_then_it_is_told_again():
    assert [transition for transition, _ in walk("missing", "arrived", "stale")] == ["new", "cleared", "new"]


def test_batch_alert_when_a_day_is_judged_again_then_its_decision_is_repeated():
    arrived = day("2026-11-01", "arrived", BatchAlert("none", None, "came"))
    for status in ("missing", "arrived"):
        first = decide_batch_alert("2026-11-02", status, previous=arrived, recorded=None)
        again = decide_batch_alert(
            "2026-11-02", status, previous=arrived, recorded=day("2026-11-02", status, first)
        )
        assert again == first


def test_batch_alert_when_a_late_batch_is_judged_after_all_then_the_outage_it_began_is_cleared():
    arrived = day("2026-11-01", "arrived", BatchAlert("none", None, "came"))
    missing = day("2026-11-02", "missing", BatchAlert("new", "2026-11-02", "has not come"))
    alert = decide_batch_alert("2026-11-02", "arrived", previous=arrived, recorded=missing)
    assert (alert.transition, alert.since) == ("cleared", "2026-11-02")
    # and once more: the message was sent under the same name, so it may be decided again
    again = decide_batch_alert(
        "2026-11-02", "arrived", previous=arrived, recorded=day("2026-11-02", "arrived", alert)
    )
    assert again == alert


def test_batch_alert_when_read_then_names_the_day_and_since_when():
    alert = decide_batch_alert("2026-11-02", "stale", previous=None, recorded=None)
    assert "2026-11-02" in alert.sentence
    assert "once more" in alert.sentence
