"""A batch is read as training reads: other names, spellings, types and number formats are no drift."""

import csv
import io

import numpy as np
import pandas as pd
import pytest

from include.data_contracts.feature_schema import load_schema
from include.drift_statistics.profile_files import load_profile, profile_bytes
from sagemaker_jobs import batch_reading
from sagemaker_jobs.batch_columns import KEPT_UNKNOWN_LEVELS, OTHER_LEVELS
from sagemaker_jobs.batch_reading import list_batch_files, open_batch, read_parts
from sagemaker_jobs.feature_profiles import count_in_parts
from tests.jobs.detect_drift.batches import change, to_csv

NUMBERS = ("tenure_months", "monthly_charges", "total_charges", "senior_citizen")
NAMES = {
    "customerID": "customer id",
    "tenure": "TENURE MONTHS",
    "MonthlyCharges": "monthly_charge",
    "Contract": " contract ",
    "SeniorCitizen": "Senior",
}


def count(path, reference, tmp_path, name="work"):
    schema = load_schema("ibm_telco")
    (tmp_path / name).mkdir()
    batch = open_batch(list_batch_files(path, "--current"), schema, tmp_path / name)
    parts = (part.columns.columns(schema) for part in read_parts(batch))
    return count_in_parts(reference.layout, parts, batch.present_names)


@pytest.fixture
def reference(halves):
    return load_profile(halves.reference / "reference.profile")


@pytest.fixture
def plain(halves, reference, tmp_path):
    """The rows as they are, counted; and where they lie."""
    path = tmp_path / "plain.csv"
    path.write_text(to_csv(halves.second))
    return path, count(path, reference, tmp_path, "plain")


def same(one, other):
    return profile_bytes(one) == profile_bytes(other)


def test_train_rows_when_counted_as_a_batch_then_are_the_stored_profile(halves, reference, tmp_path):
    counted = count(halves.reference / "reference.csv", reference, tmp_path)

    assert counted.rows == reference.rows
    for name in reference.layout:
        assert vars(counted.counts[name]).keys() == vars(reference.counts[name]).keys()
        assert str(counted.counts[name]) == str(reference.counts[name]), name


def respelled(rows):
    """The same customers as another system writes them."""
    yes = {"Yes": "yes ", "No": "FALSE"}
    rows = change(rows, "PhoneService", lambda row: yes[row["PhoneService"]])
    rows = change(rows, "Contract", lambda row: row["Contract"].replace("-", "_").upper())
    rows = change(rows, "MonthlyCharges", lambda row: f" $ {row['MonthlyCharges']}")
    rows = change(rows, "tenure", lambda row: f"{row['tenure']}.0")
    return [{NAMES.get(name, name): cell for name, cell in row.items()} for row in rows]


@pytest.mark.parametrize("delimiter", [",", ";", "\t"])
def test_batch_when_spelled_otherwise_then_counts_the_same(halves, reference, plain, tmp_path, delimiter):
    stream = io.StringIO()
    rows = respelled(halves.second)
    writer = csv.DictWriter(stream, list(rows[0]), delimiter=delimiter)
    writer.writeheader()
    writer.writerows(rows)
    (tmp_path / "other.csv").write_bytes(stream.getvalue().encode("utf-16"))

    assert same(count(tmp_path / "other.csv", reference, tmp_path), plain[1])


def as_flags(frame):
    frame["PhoneService"] = frame["PhoneService"] == "Yes"
    frame["SeniorCitizen"] = frame["SeniorCitizen"] == "1"
    return frame


def as_numbers(frame):
    frame["tenure"] = frame["tenure"].astype(np.int16)
    frame["MonthlyCharges"] = frame["MonthlyCharges"].astype(np.float32)
    frame["SeniorCitizen"] = frame["SeniorCitizen"].astype(float)
    frame["TotalCharges"] = pd.to_numeric(frame["TotalCharges"], errors="coerce")
    return frame


def as_codes(frame):
    frame["PaperlessBilling"] = (frame["PaperlessBilling"] == "Yes").astype(int)
    frame["Contract"] = frame["Contract"].astype("category")
    return frame


@pytest.mark.parametrize("retype", [lambda frame: frame, as_flags, as_numbers, as_codes])
def test_parquet_when_its_types_differ_then_counts_the_same(halves, reference, plain, tmp_path, retype):
    frame = retype(pd.DataFrame(halves.second))
    frame.to_parquet(tmp_path / "batch.parquet", row_group_size=1000)

    assert same(count(tmp_path / "batch.parquet", reference, tmp_path), plain[1])


def test_csv_when_there_is_no_pyarrow_then_counts_the_same(halves, reference, tmp_path, monkeypatch):
    rows = change(halves.second, "MonthlyCharges", lambda row: f"{float(row['MonthlyCharges']):,.2f}")
    rows[5]["tenure"], rows[6]["tenure"], rows[7]["Contract"] = "see note", "inf", "Weekly, new"
    lines = to_csv(rows).splitlines()
    text = "\n".join([*lines[:9], lines[9] + ",more", "", *lines[10:]]) + "\n"
    (tmp_path / "odd.csv").write_text(text)
    with_arrow = count(tmp_path / "odd.csv", reference, tmp_path, "arrow")
    monkeypatch.setattr(batch_reading, "_has_pyarrow", lambda: False)

    without = count(tmp_path / "odd.csv", reference, tmp_path, "plain")
    assert same(without, with_arrow)
    assert (without.rows, without.counts["tenure_months"].unreadable) == (len(rows) - 1, 1)


def test_parquet_when_there_is_no_pyarrow_then_says_what_to_do(halves, run, tmp_path, monkeypatch):
    pd.DataFrame(halves.second).to_parquet(tmp_path / "batch.parquet")
    monkeypatch.setattr(batch_reading, "_has_pyarrow", lambda: False)

    with pytest.raises(batch_reading.InvalidInputError, match=r"batch\.parquet: this image has no pyarrow"):
        run({"batch.parquet": (tmp_path / "batch.parquet").read_bytes()}, halves.reference)


def test_level_when_free_text_floods_it_then_memory_stays_bounded(halves, reference, tmp_path):
    rows = [{**row, "Contract": f"note {number}"} for number, row in enumerate(halves.second)]
    (tmp_path / "batch.csv").write_text(to_csv(rows))

    levels = count(tmp_path / "batch.csv", reference, tmp_path).counts["contract_type"].levels
    assert len(levels) == KEPT_UNKNOWN_LEVELS + 1
    assert levels[OTHER_LEVELS] == len(rows) - KEPT_UNKNOWN_LEVELS


def test_numbers_when_they_are_dates_then_are_unreadable_and_nothing_fails(halves, reference, tmp_path):
    frame = pd.DataFrame(halves.second)
    frame["tenure"] = pd.Timestamp("2026-11-24")
    frame["Contract"] = [["a list"]] * len(frame)
    frame.to_parquet(tmp_path / "batch.parquet")

    counted = count(tmp_path / "batch.parquet", reference, tmp_path)
    assert counted.counts["tenure_months"].unreadable == len(frame)
    assert sum(counted.counts["contract_type"].levels.values()) == len(frame)
