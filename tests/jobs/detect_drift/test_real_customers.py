"""Verdicts of the whole job on the real customers: what must stay quiet, what must alarm, what is broken."""

import numpy as np
import pytest

from tests.jobs.detect_drift.batches import change, to_csv

FEATURES = 12


def broken(done):
    return [feature["name"] for feature in done.report["features"] if feature["verdict"] == "data_break"]


def test_batch_when_it_is_a_random_half_then_is_quiet_and_every_feature_is_told(halves, run):
    report = run(halves.second, halves.reference).report

    assert report["verdict"] == "no_drift", report["sentence"]
    assert (report["drifted_features"], len(report["features"])) == ([], FEATURES)
    assert report["rows"]["current"] == len(halves.second)
    assert (report["alert"]["status"], report["alert"]["transition"]) == ("quiet", "none")


def test_batch_when_it_is_the_reference_in_another_order_then_nothing_differs(halves, run, tmp_path):
    shuffled = [halves.first[row] for row in np.random.default_rng(1).permutation(len(halves.first))]
    report = run(shuffled, run_reference(halves.first, tmp_path)).report

    assert report["verdict"] == "no_drift"
    numeric = [feature for feature in report["features"] if feature["kind"] == "numeric"]
    assert {feature["ks_statistic"] for feature in numeric} == {0.0}


def run_reference(rows, tmp_path):
    path = tmp_path / "reference.csv"
    path.write_text(to_csv(rows))
    return path


def test_batch_when_split_by_gender_then_is_quiet(ibm_rows, run, tmp_path):
    women = [row for row in ibm_rows if row["gender"] == "Female"]
    men = [row for row in ibm_rows if row["gender"] == "Male"]

    assert run(men, run_reference(women, tmp_path)).report["verdict"] == "no_drift"


def longer_contracts_become_monthly(rows):
    generator = np.random.default_rng(2)
    longer = [at for at, row in enumerate(rows) if row["Contract"] != "Month-to-month"]
    chosen = set(generator.choice(longer, int(0.2 * len(rows)), replace=False).tolist())
    return [{**row, "Contract": "Month-to-month"} if at in chosen else row for at, row in enumerate(rows)]


def sometimes(share, column, value):
    generator = np.random.default_rng(5)
    return lambda rows: change(rows, column, lambda row: value if generator.random() < share else row[column])


DRIFTS = {
    "tenure below 12": (lambda rows: [row for row in rows if int(row["tenure"]) < 12], "tenure_months"),
    "tenure times 3": (
        lambda rows: change(rows, "tenure", lambda row: str(3 * int(row["tenure"]))),
        "tenure_months",
    ),
    "contract mix + 20 points": (longer_contracts_become_monthly, "contract_type"),
    "prices + 10 %": (
        lambda rows: change(rows, "MonthlyCharges", lambda row: f"{float(row['MonthlyCharges']) * 1.1:.2f}"),
        "monthly_charges",
    ),
    "3 % of a new category": (sometimes(0.03, "PaymentMethod", "Crypto wallet"), "payment_method"),
}


@pytest.mark.parametrize(("damage", "column"), DRIFTS.values(), ids=DRIFTS)
def test_batch_when_customers_changed_then_is_drift_and_names_the_column(halves, run, damage, column):
    done = run(damage(halves.second), halves.reference)

    assert done.report["verdict"] == "drift", done.report["sentence"]
    assert column in done.report["drifted_features"]
    assert len(done.report["features"]) == FEATURES
    assert done.report["alert"]["transition"] == "new"


BREAKS = {
    "frozen column": (lambda rows: change(rows, "MonthlyCharges", lambda _: "70.35"), "monthly_charges"),
    "10 % nulls": (sometimes(0.1, "MonthlyCharges", ""), "monthly_charges"),
    "swapped codes": (
        lambda rows: change(
            rows, "PhoneService", lambda row: "No" if row["PhoneService"] == "Yes" else "Yes"
        ),
        "phone_service",
    ),
    "swapped flag": (
        lambda rows: change(rows, "SeniorCitizen", lambda row: str(1 - int(row["SeniorCitizen"]))),
        "senior_citizen",
    ),
    "text among numbers": (sometimes(0.03, "MonthlyCharges", "see note"), "monthly_charges"),
    "negative amounts": (sometimes(0.03, "MonthlyCharges", "-20"), "monthly_charges"),
    "a flag of 2": (sometimes(0.03, "SeniorCitizen", "2"), "senior_citizen"),
    "cents": (
        lambda rows: change(rows, "MonthlyCharges", lambda row: f"{float(row['MonthlyCharges']) * 100:.0f}"),
        "monthly_charges",
    ),
    "all missing": (lambda rows: change(rows, "TotalCharges", lambda _: ""), "total_charges"),
    "unknown codes": (lambda rows: change(rows, "Contract", lambda _: "M12"), "contract_type"),
    "column gone": (
        lambda rows: [{k: v for k, v in row.items() if k != "Contract"} for row in rows],
        "contract_type",
    ),
}


@pytest.mark.parametrize(("damage", "column"), BREAKS.values(), ids=BREAKS)
def test_batch_when_data_are_broken_then_is_a_data_break_of_that_column_only(halves, run, damage, column):
    done = run(damage(halves.second), halves.reference)

    assert done.report["verdict"] == "data_break", done.report["sentence"]
    assert broken(done) == [column]
    alert = done.report["alert"]
    assert (alert["status"], alert["transition"]) == ("data_break", "new")
    assert alert["sentence"] == done.report["sentence"]


def test_batch_when_a_column_is_gone_then_it_is_listed_and_the_others_are_judged(halves, run):
    rows = [{k: v for k, v in row.items() if k != "Contract"} for row in halves.second]
    report = run(rows, halves.reference).report

    assert report["batch"]["columns_missing"] == ["contract_type"]
    assert [f["name"] for f in report["features"] if f["verdict"] == "no_drift"] != []


def test_batch_when_a_column_is_new_then_is_quiet_and_says_so(halves, run):
    report = run(change(halves.second, "Discount <b>", lambda _: "10"), halves.reference).report

    assert report["verdict"] == "no_drift"
    assert report["batch"]["columns_extra"] == ["Discount <b>"]
    assert "column Discount <b> is new and was not compared" in report["notes"]
