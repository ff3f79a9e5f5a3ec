"""Verdicts on the real IBM set: what must stay quiet, what must alarm, what is broken data."""

import json

import numpy as np
import pytest

from include.drift_statistics.comparison import compare_profiles
from include.drift_statistics.profiles import build_profile, count_rows

FEATURES = 12


def halves(customers, seed):
    order = np.random.default_rng(seed).permutation(len(customers["tenure"]))
    return order[:3521], order[3521:]


def take(table, rows, specs):
    return {name: table[name][rows] for name in specs}


def verdict_of(reference, current, specs):
    profile = build_profile(reference, specs)
    report = compare_profiles(profile, count_rows(profile.layout, current))
    json.dumps(report.to_mapping(), allow_nan=False)
    assert len(report.features) == FEATURES
    return report


def test_compare_profiles_when_halves_are_random_then_alarms_at_most_as_often_as_alpha_allows(
    customers, specs
):
    alarms = []
    for seed in range(24):
        first, second = halves(customers, seed)
        report = verdict_of(take(customers, first, specs), take(customers, second, specs), specs)
        alarms += [report.sentence] if report.verdict != "no_drift" else []
    # 24 days at 5 %: more than four alarms have a chance of 0.6 %.
    assert len(alarms) <= 4, alarms


def test_compare_profiles_when_rows_are_shuffled_then_nothing_differs_at_all(customers, specs):
    order = np.random.default_rng(1).permutation(len(customers["tenure"]))
    everyone = slice(None)
    report = verdict_of(take(customers, everyone, specs), take(customers, order, specs), specs)
    assert report.verdict == "no_drift"
    assert {feature.ks_statistic for feature in report.features if feature.kind == "numeric"} == {0.0}


def test_compare_profiles_when_split_by_gender_then_no_drift(customers, specs):
    women = customers["gender"] == "Female"
    report = verdict_of(take(customers, women, specs), take(customers, ~women, specs), specs)
    assert report.verdict == "no_drift", report.sentence


def _tenure_below_12(batch, generator):
    keep = batch["tenure"] < 12
    return {name: column[keep] for name, column in batch.items()}


def _tenure_times_3(batch, generator):
    return {**batch, "tenure": batch["tenure"] * 3}


def _contract_mix(batch, generator):
    contract = batch["Contract"].copy()
    longer = np.flatnonzero(contract != "Month-to-month")
    contract[generator.choice(longer, int(0.2 * len(contract)), replace=False)] = "Month-to-month"
    return {**batch, "Contract": contract}


def _prices(batch, generator):
    return {**batch, "MonthlyCharges": batch["MonthlyCharges"] * 1.1}


def _new_category(batch, generator):
    method = batch["PaymentMethod"].copy()
    method[generator.random(len(method)) < 0.03] = "Crypto wallet"
    return {**batch, "PaymentMethod": method}


def _frozen(batch, generator):
    return {**batch, "MonthlyCharges": np.full(len(batch["tenure"]), 70.35)}


@pytest.mark.parametrize(
    ("change", "column"),
    [
        (_tenure_below_12, "tenure"),
        (_tenure_times_3, "tenure"),
        (_contract_mix, "Contract"),
        (_prices, "MonthlyCharges"),
        (_new_category, "PaymentMethod"),
        (_frozen, "MonthlyCharges"),
    ],
)
def test_compare_profiles_when_customers_changed_then_alarms_and_names_the_column(
    customers, specs, change, column
):
    first, second = halves(customers, 3)
    current = change(take(customers, second, specs), np.random.default_rng(2))
    report = verdict_of(take(customers, first, specs), current, specs)
    assert report.verdict in {"drift", "data_break"}
    assert column in report.drifted_features


def test_compare_profiles_when_tenure_is_tripled_then_drift_not_data_break(customers, specs):
    first, second = halves(customers, 3)
    current = _tenure_times_3(take(customers, second, specs), np.random.default_rng(2))
    report = verdict_of(take(customers, first, specs), current, specs)
    assert report.verdict == "drift"
    tenure = next(feature for feature in report.features if feature.name == "tenure")
    assert tenure.missing.out_of_range_share > 0.5


def _nulls(batch, generator):
    charges = batch["MonthlyCharges"].copy()
    charges[generator.random(len(charges)) < 0.1] = np.nan
    return {**batch, "MonthlyCharges": charges}


def _swapped_text(batch, generator):
    return {**batch, "PhoneService": np.where(batch["PhoneService"] == "Yes", "No", "Yes").astype(object)}


def _swapped_numbers(batch, generator):
    return {**batch, "SeniorCitizen": 1 - batch["SeniorCitizen"]}


def _coded(batch, generator):
    return {**batch, "Contract": np.where(batch["Contract"] == "One year", "2", "1").astype(object)}


def _text_in_numbers(batch, generator):
    charges = batch["MonthlyCharges"].astype(object)
    charges[:100] = "see note"
    return {**batch, "MonthlyCharges": charges}


def _cents(batch, generator):
    return {**batch, "MonthlyCharges": batch["MonthlyCharges"] * 100}


def _column_gone(batch, generator):
    return {name: column for name, column in batch.items() if name != "Contract"}


def _all_missing(batch, generator):
    return {**batch, "TotalCharges": np.full(len(batch["tenure"]), np.nan)}


@pytest.mark.parametrize(
    ("change", "column"),
    [
        (_nulls, "MonthlyCharges"),
        (_swapped_text, "PhoneService"),
        (_swapped_numbers, "SeniorCitizen"),
        (_coded, "Contract"),
        (_text_in_numbers, "MonthlyCharges"),
        (_cents, "MonthlyCharges"),
        (_column_gone, "Contract"),
        (_all_missing, "TotalCharges"),
        (_frozen, "MonthlyCharges"),
    ],
)
def test_compare_profiles_when_data_are_broken_then_data_break_and_names_the_column(
    customers, specs, change, column
):
    first, second = halves(customers, 4)
    current = change(take(customers, second, specs), np.random.default_rng(5))
    report = verdict_of(take(customers, first, specs), current, specs)
    assert report.verdict == "data_break", report.sentence
    broken = [feature.name for feature in report.features if feature.verdict == "data_break"]
    assert broken == [column]
