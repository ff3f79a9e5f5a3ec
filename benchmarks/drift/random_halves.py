"""False alarms between random halves of the real IBM customers: one half as reference, the other as batch.

`PYTHONPATH=. .venvs/sklearn_job/bin/python benchmarks/drift/random_halves.py [--splits 480]`, from the
project's root, writes results/random_halves.md. It needs ibm_telco_churn.csv in the directory that
CHURN_REAL_DATA names.
"""

import argparse
import csv
import os
from pathlib import Path

import numpy as np
from markdown_tables import wilson, write_table
from telecom_tables import Table

from include.drift_statistics.column_layouts import ColumnSpec
from include.drift_statistics.comparison import compare_profiles
from include.drift_statistics.profiles import build_profile, count_rows

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
SPECS = {name: ColumnSpec("numeric") for name in NUMERIC} | {
    name: ColumnSpec("categorical") for name in CATEGORICAL
}


def read_customers(path: Path) -> Table:
    """Return the 12 features of all customers."""
    with path.open(newline="", encoding="utf-8") as file:
        rows = list(csv.DictReader(file))
    numbers = {name: np.array([float(row[name].strip() or "nan") for row in rows]) for name in NUMERIC}
    return numbers | {name: np.array([row[name] for row in rows], dtype=object) for name in CATEGORICAL}


def alarms(customers: Table, seed: int) -> bool:
    """Whether one half differs from the other."""
    order = np.random.default_rng(seed).permutation(len(customers["tenure"]))
    first, second = order[: len(order) // 2], order[len(order) // 2 :]
    reference = build_profile({name: column[first] for name, column in customers.items()}, SPECS)
    batch = count_rows(reference.layout, {name: column[second] for name, column in customers.items()})
    return compare_profiles(reference, batch).verdict not in {"no_drift", "insufficient_data"}


def main() -> None:
    """Write the table."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--splits", type=int, default=480)
    splits = parser.parse_args().splits
    customers = read_customers(Path(os.environ["CHURN_REAL_DATA"]) / "ibm_telco_churn.csv")
    found = sum(alarms(customers, seed) for seed in range(splits))
    low, high = wilson(found, splits)
    write_table(
        "random_halves",
        "False alarms between random halves of the IBM customers",
        ["customers", "splits", "alarms", "share", "95 % interval"],
        [
            [
                f"{len(customers['tenure']):,}",
                f"{splits:,}",
                f"{found:,}",
                f"{found / splits:.4f}",
                f"{low:.4f} to {high:.4f}",
            ]
        ],
        "Family-wise target: at most 0.05. All splits are of the same customers: they depend on each other.",
    )


if __name__ == "__main__":
    main()
