"""Batches as rows of text, and what one run of detect_drift left."""

import csv
import io
import json
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pytest

from sagemaker_jobs.synthetic_customers import LEVELS, churn_probability, draw_customers

DATE = "2026-11-24"
Row = dict[str, str]
Outcome = dict


@dataclass(frozen=True)
class Done:
    """What one run left."""

    directory: Path

    @property
    def report(self) -> Outcome:
        text = (self.directory / "drift_report.json").read_text()
        return json.loads(text, parse_constant=lambda name: pytest.fail(f"{name} is not JSON"))

    @property
    def state(self) -> Path:
        return self.directory / "monitor_state.json"

    @property
    def predictions(self) -> list[Row]:
        with (self.directory / "predictions.csv").open(newline="") as stream:
            return list(csv.DictReader(stream))

    def feature(self, name: str) -> Outcome:
        return next(feature for feature in self.report["features"] if feature["name"] == name)


def to_csv(rows: list[Row], names: list[str] | None = None) -> str:
    stream = io.StringIO()
    writer = csv.DictWriter(stream, names or list(rows[0]), lineterminator="\n", extrasaction="ignore")
    writer.writeheader()
    writer.writerows(rows)
    return stream.getvalue()


def change(rows: list[Row], column: str, new: Callable[[Row], str]) -> list[Row]:
    """Copies of the rows with one column made anew."""
    return [{**row, column: new(row)} for row in rows]


@dataclass(frozen=True)
class Halves:
    """One random half of the real customers as preprocess profiled it, the other one as rows."""

    reference: Path
    first: list[Row]
    second: list[Row]


def draw_rows(count: int, seed: int, first_id: int = 0, signal: float = 1.4) -> list[Row]:
    """Synthetic customers with ids and labels; `signal` 0 makes the labels a coin of the same rate."""
    generator = np.random.default_rng(seed)
    customers = draw_customers(count, generator)
    probabilities = churn_probability(customers.log_odds, signal, -1.0)
    labels = generator.random(count) < probabilities
    rows = []
    for row in range(count):
        cells = {
            name: LEVELS[name][values[row]] if name in LEVELS else str(values[row])
            for name, values in customers.columns.items()
        }
        rows.append(
            {"customer_id": f"C{first_id + row:06d}", **cells, "churn": "Yes" if labels[row] else "No"}
        )
    return rows


@dataclass(frozen=True)
class Approved:
    """A model with everything that travels with it."""

    reference: Path
    archive: Path
    evaluation: Path

    @property
    def arguments(self) -> tuple[object, ...]:
        return (
            *("--model", self.archive, "--reference-scores", self.evaluation),
            *("--evaluation", self.evaluation, "--model-version", "telecom-churn/3"),
        )
