"""Tables the drift tests share."""

import csv
import os
from pathlib import Path

import numpy as np
import pytest

from include.drift_statistics.column_layouts import ColumnSpec

# The real sets live beside the project when they are present at all; the licence texts stay with them.
BESIDE_THE_PROJECT = Path(__file__).resolve().parents[4] / "shared" / "data"
DATA = Path(os.environ.get("CHURN_REAL_DATA") or BESIDE_THE_PROJECT) / "ibm_telco_churn.csv"
NUMERIC = ("tenure", "MonthlyCharges", "TotalCharges", "SeniorCitizen")
CATEGORICAL = (
    "Contract",
    "InternetService",
    "PhoneService",
    "MultipleLines",
    "OnlineSecurity",
    "TechSupport",
    "PaymentMethod",
    "PaperlessBilling",
)


@pytest.fixture(scope="session")
def specs():
    return {name: ColumnSpec("numeric") for name in NUMERIC} | {
        name: ColumnSpec("categorical") for name in CATEGORICAL
    }


@pytest.fixture(scope="session")
def customers():
    """The 7,043 customers of the IBM set as arrays of text and numbers, with gender for the split by it."""
    if not DATA.exists():
        pytest.skip("the IBM churn set is not beside the project")
    with DATA.open(newline="", encoding="utf-8") as file:
        rows = list(csv.DictReader(file))
    table = {name: np.array([row[name] for row in rows], dtype=object) for name in (*CATEGORICAL, "gender")}
    table["tenure"] = np.array([int(row["tenure"]) for row in rows])
    table["SeniorCitizen"] = np.array([int(row["SeniorCitizen"]) for row in rows])
    table["MonthlyCharges"] = np.array([float(row["MonthlyCharges"]) for row in rows])
    table["TotalCharges"] = np.array([float(row["TotalCharges"].strip() or "nan") for row in rows])
    return table


def take(table, rows):
    """Some rows of the 12 features."""
    return {name: table[name][rows] for name in (*NUMERIC, *CATEGORICAL)}
