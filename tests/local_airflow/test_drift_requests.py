from datetime import UTC, date, datetime, timedelta

import pytest

from local_airflow.drift_backfill import BackfillRequest, find_batches, read_backfill_request
from local_airflow.drift_run import read_drift_request
from local_airflow.stack_settings import StackError

NAMES = ("DATA", "DATE", "FROM", "TO", "LABELS", "SCHEMA", "CONF", "VERSION")


@pytest.fixture(autouse=True)
def given(monkeypatch, tmp_path):
    """Give the command variables; whatever the caller's shell has is not seen."""
    for name in NAMES:
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("CHURN_CALLER_DIR", str(tmp_path))

    def give(**variables):
        for name, value in variables.items():
            monkeypatch.setenv(name, value)

    return give


def test_drift_request_when_a_batch_and_a_date_are_given_then_has_both(given, tmp_path):
    (tmp_path / "batch.csv").touch()
    given(DATA="batch.csv", DATE="2026-11-24", SCHEMA="iranian", CONF='{"alpha": 0.01}')
    request = read_drift_request()
    assert request.data == (tmp_path / "batch.csv").resolve()
    assert (request.batch_date, request.schema, request.conf) == (
        date(2026, 11, 24),
        "iranian",
        {"alpha": 0.01},
    )


@pytest.mark.parametrize(
    ("variables", "said"),
    [
        ({}, "make drift needs a batch"),
        ({"DATE": "24.11.2026"}, r"DATE=24\.11\.2026 is not a date"),
        ({"DATE": "2026-02-30"}, "DATE=2026-02-30 is not a date"),
        ({"DATE": "20261124"}, "DATE=20261124 is not a date"),
        ({"DATA": "absent.csv"}, r"DATA=absent\.csv: no such file"),
        ({"LABELS": "absent.csv", "DATE": "2026-11-24"}, r"LABELS=absent\.csv: no such file"),
        ({"CONF": "{"}, "CONF is not JSON"),
        ({"CONF": '{"accuracy_threshold": 0.8}'}, "CONF: unknown parameter 'accuracy_threshold'"),
        ({"SCHEMA": "nobody"}, "SCHEMA=nobody: unknown schema"),
    ],
    ids=str,
)
def test_drift_request_when_a_variable_is_wrong_then_names_it(given, variables, said):
    given(**variables)
    with pytest.raises(StackError, match=said):
        read_drift_request()


def test_backfill_request_when_a_span_is_given_then_has_every_day_of_it_in_order(given):
    given(FROM="2026-02-27", TO="2026-03-02")
    days = [str(day) for day in read_backfill_request().days]
    assert days == ["2026-02-27", "2026-02-28", "2026-03-01", "2026-03-02"]


@pytest.mark.parametrize(
    ("variables", "said"),
    [
        ({}, "needs FROM"),
        ({"FROM": "2026-01-01"}, "needs FROM"),
        ({"FROM": "2026-02-02", "TO": "2026-02-01"}, "FROM=2026-02-02 is after TO=2026-02-01"),
        ({"FROM": "2024-01-01", "TO": "2026-01-01"}, "more than 400 days"),
        ({"FROM": "2026-02-01", "TO": "2026-02-02", "CONF": '{"batch_uri": "s3://a/b/"}'}, "batch_uri"),
    ],
    ids=str,
)
def test_backfill_request_when_a_variable_is_wrong_then_names_it(given, variables, said):
    given(**variables)
    with pytest.raises(StackError, match=said):
        read_backfill_request()


def test_backfill_request_when_its_last_day_is_not_over_then_names_the_last_possible_one(given):
    today = datetime.now(UTC).date()
    given(FROM=str(today - timedelta(days=3)), TO=str(today))
    with pytest.raises(StackError, match=f"TO={today} is not over yet"):
        read_backfill_request()


def test_find_batches_when_days_are_files_or_folders_then_finds_both_and_leaves_gaps(tmp_path):
    (tmp_path / "2026-02-01").mkdir()
    (tmp_path / "2026-02-03.CSV.gz").touch()
    request = BackfillRequest(date(2026, 2, 1), date(2026, 2, 3), data=tmp_path)
    found = find_batches(request)
    assert {str(day): path.name for day, path in found.items()} == {
        "2026-02-01": "2026-02-01",
        "2026-02-03": "2026-02-03.CSV.gz",
    }


@pytest.mark.parametrize(
    ("names", "said"),
    [([], "holds no batch"), (["2026-02-01.csv", "2026-02-01.parquet"], "2026-02-01 is there twice")],
)
def test_find_batches_when_a_day_is_not_clear_then_says_so(tmp_path, names, said):
    for name in names:
        (tmp_path / name).touch()
    with pytest.raises(StackError, match=said):
        find_batches(BackfillRequest(date(2026, 2, 1), date(2026, 2, 1), data=tmp_path))
