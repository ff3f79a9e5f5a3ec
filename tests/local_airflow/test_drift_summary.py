import pytest

from local_airflow.drift_summary import find_messages, message_ids, render_drift_summary
from local_airflow.stack_settings import StackSettings

QUIET = {
    "dag_run_id": "laptop__1", "dag_run_state": "success", "note": None, "warnings": [],
    "batch_date": "2026-11-24", "batch_status": "arrived", "verdict": "no_drift", "sentence": "No drift.",
    "alert": None, "alert_published": False, "alert_kind": None,
    "alert_transition": "none", "alert_reason": "nothing changed",
    "outbox": [], "metrics_published": 44, "metrics_reason": "", "retraining": None,
    "model_package_arn": "arn:1", "approval_status": "Approved", "report_html": "a.html", "report_json": None,
    "seconds": {"total": 1.0, "stack_start": 0.5},
}  # fmt: skip
NEVER_STARTED = {
    **QUIET, "dag_run_state": "failed", "batch_date": None, "batch_status": None, "verdict": None,
    "sentence": None, "alert_transition": None, "alert_reason": None, "metrics_published": 0,
    "metrics_reason": None, "model_package_arn": None, "report_html": None,
}  # fmt: skip
CHANGES = [
    {"column": f"column_{n}", "statistic": "location", "days": 1, "p_value": 1e-300, "effect": 1.9}
    for n in range(7)
]


def text_of(**changes):
    return "\n".join(render_drift_summary({**QUIET, **changes}))


def test_message_ids_when_an_earlier_run_sent_one_of_two_then_only_the_own_one_counts():
    messages = [
        {"message_id": "theirs", "published": False},
        {"message_id": "ours", "published": True},
    ]
    assert message_ids({"published": True, "message_id": "ours", "messages": messages}) == {"ours"}
    assert message_ids({}) == set()


def test_find_messages_when_the_outbox_holds_others_then_gives_the_wanted_ones_oldest_first(tmp_path):
    settings = StackSettings(state_dir=tmp_path, airflow_port=1, aws_port=2)
    settings.outbox_dir.mkdir()
    for name in ("2-topic-b.json", "1-topic-a.json", "3-topic-c.json"):
        (settings.outbox_dir / name).touch()
    found = find_messages(settings, {"a", "b"})
    assert [path.name for path in found] == ["1-topic-a.json", "2-topic-b.json"]


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        ({}, "verdict   no_drift"),
        ({}, "alert     none: nothing changed"),
        (
            {"alert_published": True, "alert_kind": "batch", "alert_transition": "cleared"},
            "alert     sent (batch cleared)",
        ),
        ({"warnings": ["SYNTHETIC: made up"]}, "model     ** SYNTHETIC: made up **"),
        ({"metrics_published": 0, "metrics_reason": "too old"}, "metrics   none published: too old"),
        ({"alert": {"changes": CHANGES}}, "changed   column_0: location +1.9 over 1 day(s), p 1e-300"),
        ({"alert": {"changes": CHANGES}}, "changed   and 2 more"),
        ({"alert": {"changes": [{**CHANGES[0], "p_value": 0.0}]}}, "p below 1e-300"),
        ({"retraining": {"requested": True, "reason": "run x"}}, "retrain   run x"),
    ],
    ids=lambda value: str(value)[:40],
)
def test_summary_when_rendered_then_says_what_happened(changes, said):
    assert said in text_of(**changes)


def test_summary_when_the_run_failed_early_then_is_told_without_none():
    assert "None" not in "\n".join(render_drift_summary(NEVER_STARTED))
