"""Days one after another: one state per model version, the same in whatever order its days come."""

import json
import random
import shutil
from datetime import date, timedelta

import pytest

from sagemaker_jobs.job_entry import InvalidInputError
from tests.jobs.detect_drift.batches import change, draw_rows, to_csv

DAYS = [f"2026-11-{day:02d}" for day in range(1, 15)]


def quiet(day, count=600):
    return draw_rows(count, seed=100 + day)


def shifted(day):
    return change(quiet(day), "tenure_months", lambda row: str(3 * int(row["tenure_months"])))


@pytest.fixture
def days(approved, run, tmp_path):
    """Judge batches day by day, each with the state the one before left."""
    state = tmp_path / "monitor_state.json"

    def judge(batch, day, *arguments):
        done = run(
            *(batch, approved.reference, "--state", state, "--model-version", "telecom-churn/3"),
            *arguments,
            date=DAYS[day],
        )
        shutil.copyfile(done.state, state)
        return done.report

    judge.state = state
    return judge


def told(report):
    return report["alert"]["status"], report["alert"]["transition"]


def test_alert_when_a_shift_comes_and_goes_then_is_new_once_and_cleared_once(days):
    reports = [days(quiet(0), 0), days(shifted(1), 1), days(shifted(2), 2)]
    reports += [days(quiet(day), day) for day in range(3, 10)]

    assert [told(report) for report in reports[:3]] == [
        ("quiet", "none"),
        ("drift", "new"),
        ("drift", "none"),
    ]
    assert [told(report)[1] for report in reports].count("cleared") == 1
    assert [told(report)[1] for report in reports].count("new") == 1
    assert told(reports[-1]) == ("quiet", "none")
    assert "tenure_months" in reports[1]["alert"]["columns"]
    assert reports[2]["alert"]["since"] == DAYS[1]
    assert [entry["status"] for entry in reports[2]["history"]] == ["quiet", "drift", "drift"]
    assert [entry["date"] for entry in reports[-1]["history"]] == DAYS[:10]


def test_alert_when_another_column_joins_then_is_worse(days):
    days(shifted(0), 0)
    both = change(shifted(1), "paperless_billing", lambda _: "Yes")
    report = days([*both[:500], *quiet(1)[500:]], 1)

    assert told(report) == ("drift", "worse")
    assert {"tenure_months", "paperless_billing"} <= set(report["alert"]["columns"])


def test_alert_when_a_feed_breaks_and_mends_then_is_new_once_and_cleared_once(days):
    reports = [days(quiet(0), 0), days("<html>", 1), days("<html>", 2), days(quiet(3), 3), days(quiet(4), 4)]

    assert [told(report) for report in reports] == [
        ("quiet", "none"),
        ("data_break", "new"),
        ("data_break", "none"),
        ("quiet", "cleared"),
        ("quiet", "none"),
    ]
    assert reports[2]["alert"]["since"] == DAYS[1]


def test_alert_when_a_feed_breaks_during_drift_then_its_end_is_told_and_drift_is_still_open(days):
    reports = [days(shifted(0), 0), days("<html>", 1), days(shifted(2), 2), days(shifted(3), 3)]

    assert [told(report) for report in reports] == [
        ("drift", "new"),
        ("data_break", "worse"),
        ("drift", "cleared"),
        ("drift", "none"),
    ]
    whole = reports[2]["alert"]
    assert whole["sentence"].startswith("the data can be read again; ")
    assert (whole["since"], whole["columns"]) == (DAYS[0], reports[0]["alert"]["columns"])


def test_alert_when_a_batch_is_too_small_then_nothing_changes(days):
    days(shifted(0), 0)
    report = days(quiet(1, count=10), 1)

    assert report["verdict"] == "insufficient_data"
    assert told(report) == ("drift", "none")


def test_day_when_judged_again_then_changes_nothing(days):
    for day in (0, 1):
        days(shifted(day), day)
    before = days.state.read_bytes()
    first = days(shifted(2), 2)
    after = days.state.read_bytes()

    assert days(shifted(2), 2) == first
    assert days.state.read_bytes() == after != before


def test_days_when_backfilled_out_of_order_then_end_in_the_same_state_and_report(days, approved, tmp_path):
    scored = approved.arguments[:-2]
    batches = [quiet(0), shifted(1), "<html>", shifted(3), quiet(4)]
    in_order = [days(batch, day, *scored) for day, batch in enumerate(batches)]
    state = json.loads(days.state.read_text())
    days.state.unlink()
    for day in (4, 1, 3, 0, 2):
        days(batches[day], day, *scored)

    assert json.loads(days.state.read_text()) == state
    assert [days(batch, day, *scored) for day, batch in enumerate(batches)] == in_order


def test_sixty_days_when_backfilled_then_every_report_is_that_of_its_daily_run(approved, run, tmp_path):
    """Also over a state that days in any order, later ones among them, have left."""
    dates = [str(date(2026, 9, 1) + timedelta(days=number)) for number in range(60)]
    batches = {day: sixty_days_batch(number) for number, day in enumerate(dates)}

    def judge(order, state):
        reports = {}
        for day in order:
            done = run(batches[day], approved.reference, "--state", state, date=day)
            reports[day] = (done.directory / "drift_report.json").read_bytes()
            shutil.copyfile(done.state, state)
        return reports

    daily = judge(dates, tmp_path / "daily.json")
    shuffled = random.Random(4).sample(dates, len(dates))
    judge(shuffled, tmp_path / "backfilled.json")
    assert (tmp_path / "backfilled.json").read_bytes() == (tmp_path / "daily.json").read_bytes()
    assert judge(dates, tmp_path / "backfilled.json") == daily
    transitions = [json.loads(report)["alert"]["transition"] for report in daily.values()]
    assert {"new", "worse", "cleared"} <= set(transitions)


def sixty_days_batch(number):
    """Twenty quiet days, fifteen shifted ones, a broken one among them, and quiet ones to the end."""
    rows = quiet(number, 120)
    if not 20 <= number < 35:
        return rows
    shifted_rows = change(rows, "tenure_months", lambda row: str(3 * int(row["tenure_months"])))
    return change(shifted_rows, "contract_type", lambda _: "") if number == 27 else shifted_rows


def test_scores_of_a_broken_batch_when_recorded_then_take_no_part(days, approved):
    frozen = change(quiet(0), "monthly_charges", lambda _: "70.35")
    report = days(frozen, 0, *approved.arguments[:-2])

    assert report["verdict"] == "data_break"
    (scores,) = json.loads(days.state.read_text())["scores"]["days"]
    assert scores["verdict"] == "insufficient_data"


@pytest.mark.parametrize(
    ("change_state", "expected"),
    [
        (
            lambda state: {**state, "model_version": "telecom-churn/2"},
            "belongs to model version telecom-churn/2, not to telecom-churn/3",
        ),
        (lambda state: {**state, "reference_sha256": "0" * 64}, "compared with another reference"),
        (lambda state: {**state, "version": 2}, "not a monitoring_state of version 1"),
        (lambda _: {"contract": "monitoring_state", "version": 1}, "key 'model_version' is missing"),
    ],
)
def test_state_when_it_is_not_this_models_then_is_refused_in_one_line(days, change_state, expected):
    days(quiet(0), 0)
    text = json.dumps(change_state(json.loads(days.state.read_text())))
    days.state.write_text(text)

    with pytest.raises(InvalidInputError, match=expected):
        days(quiet(1), 1)
    assert days.state.read_text() == text


def test_state_when_reference_scores_are_others_then_is_refused(days, approved, tmp_path):
    days(quiet(0), 0, *approved.arguments[:-2])
    (tmp_path / "scores.csv").write_text("score\n" + "0.25\n0.75\n" * 200)

    with pytest.raises(InvalidInputError, match="compared with another reference scores"):
        days(quiet(1), 1, "--reference-scores", tmp_path / "scores.csv")


def test_state_when_it_is_json_then_is_strict_and_without_rows(days):
    days(quiet(0), 0)
    text = days.state.read_text()

    json.loads(text, parse_constant=lambda name: pytest.fail(f"{name} is not JSON"))
    assert "C000001" not in text
    assert to_csv(quiet(0)[:1]).splitlines()[1] not in text
