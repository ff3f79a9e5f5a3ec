import pytest

from local_airflow.retraining_summary import render_summary

FOLDER = ".local/reports/laptop__1"
GREEN = {
    "dag_run_id": "laptop__1", "dag_run_state": "success",
    "data": {"rows_in": 7043, "rows_out": 7000, "origin": "real"},
    "metrics": {"accuracy": 0.8112}, "metric_intervals_95": {"accuracy": [0.7899, 0.8318]},
    "gate": {"sentence": "Gate open: it is good enough."},
    "model_package_arn": "arn:1", "approval_status": "PendingManualApproval",
    "reports": {
        "data_quality_json": f"{FOLDER}/data_quality.json",
        "evaluation_json": f"{FOLDER}/evaluation.json",
        "evaluation_html": f"{FOLDER}/evaluation.html",
    },
    "seconds": {"total": 9.8, "stack_start": 0.5, "jobs": 5.0},
}  # fmt: skip
FAILED = {
    **GREEN, "dag_run_state": "failed", "data": None, "metrics": {}, "metric_intervals_95": {}, "gate": None,
    "model_package_arn": None, "approval_status": None, "reports": {},
}  # fmt: skip


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        ({}, "rows      7,043 in, 7,000 out, origin real"),
        ({}, "metric    accuracy             0.8112   95 % interval 0.7899 to 0.8318"),
        ({}, "package   arn:1  (PendingManualApproval)"),
        ({}, f"page      {FOLDER}/evaluation.html\n          beside it: data_quality.json, evaluation.json"),
        (
            {"data": {**GREEN["data"], "origin": "synthetic"}},
            "** SYNTHETIC DATA: never approve this model **",
        ),
        ({"reports": {"data_quality_json": "q.json"}}, "report    q.json"),
        ({"model_package_arn": None}, "package   none registered"),
    ],
    ids=lambda value: str(value)[:40],
)
def test_summary_when_rendered_then_says_what_came_of_the_run(changes, said):
    assert said in "\n".join(render_summary({**GREEN, **changes}))


def test_summary_when_the_run_failed_early_then_is_told_without_none():
    lines = render_summary(FAILED)
    assert "run       laptop__1: failed" in lines
    assert "None" not in "\n".join(lines)
