"""Curves of a binary classifier for the report: ROC, precision-recall, cumulative gain, calibration."""

import numpy as np

from sagemaker_jobs.classification_metrics import ScoreTable

MAXIMUM_POINTS = 200
CALIBRATION_BINS = 10
_Z_95 = 1.959963984540054

Curve = dict[str, tuple[float, ...]]


def compute_curves(table: ScoreTable) -> dict[str, Curve]:
    """Return the four curves by their names in the evaluation report, each of at most 200 points.

    Points are thinned for drawing only; areas are computed from all of them elsewhere.
    """
    true_positives, false_positives = np.cumsum(table.positives), np.cumsum(table.negatives)
    flagged = true_positives + false_positives
    recalls = true_positives / true_positives[-1]
    false_positive_rates = false_positives / false_positives[-1]
    start = np.zeros(1)
    return {
        "receiver_operating_characteristic_curve": _thin(
            "false_positive_rates",
            np.concatenate([start, false_positive_rates]),
            "true_positive_rates",
            np.concatenate([start, recalls]),
        ),
        "precision_recall_curve": _thin("recalls", recalls, "precisions", true_positives / flagged),
        "cumulative_gain_curve": _thin(
            "shares_of_customers",
            np.concatenate([start, flagged / flagged[-1]]),
            "shares_of_churners",
            np.concatenate([start, recalls]),
        ),
        "calibration_curve": compute_calibration_curve(table),
    }


def _thin(x_name: str, x: np.ndarray, y_name: str, y: np.ndarray) -> Curve:
    """Keep points at even distances along the curve, both ends included."""
    if len(x) > MAXIMUM_POINTS:
        steps = np.hypot(np.diff(x), np.diff(y))
        travelled = np.concatenate([[0.0], np.cumsum(steps)])
        wanted = np.linspace(0, travelled[-1], MAXIMUM_POINTS - 1)
        kept = np.unique(
            np.concatenate([np.searchsorted(travelled, wanted).clip(max=len(x) - 1), [len(x) - 1]])
        )
        x, y = x[kept], y[kept]
    return {x_name: _rounded(x), y_name: _rounded(y)}


def _rounded(values: np.ndarray) -> tuple[float, ...]:
    # Six digits draw a curve; more would only make the file large.
    return tuple(round(float(value), 6) for value in values)


def compute_calibration_curve(table: ScoreTable, bins: int = CALIBRATION_BINS) -> Curve:
    """Compare predicted with observed churn in about `bins` groups of customers of equal size, lowest first.

    The bounds are the Wilson 95 % interval of the observed rate (Wilson 1927), which stays within 0 and 1.
    """
    totals = table.positives + table.negatives
    rank = np.cumsum(totals) - totals / 2
    bin_of_group = np.floor(rank / table.item_count * bins).astype(np.int64)
    _, bin_of_group = np.unique(-bin_of_group, return_inverse=True)
    counts = np.bincount(bin_of_group, weights=totals)
    predicted = np.bincount(bin_of_group, weights=totals * table.scores) / counts
    observed = np.bincount(bin_of_group, weights=table.positives) / counts
    shrink = 1 + _Z_95**2 / counts
    centre = (observed + _Z_95**2 / (2 * counts)) / shrink
    spread = observed * (1 - observed) / counts + (_Z_95 / (2 * counts)) ** 2
    half = _Z_95 / shrink * np.sqrt(spread)
    return {
        "mean_predicted_probabilities": _rounded(predicted),
        "observed_churn_rates": _rounded(observed),
        "lower_bounds": _rounded(np.clip(centre - half, 0, 1)),
        "upper_bounds": _rounded(np.clip(centre + half, 0, 1)),
        "item_counts": tuple(float(count) for count in counts),
    }
