"""Metrics of a binary classifier, for one test set or for thousands of bootstrap replicates at once.

All metrics are functions of how many churners and stayers have each distinct score. A replicate is a redraw
of these counts, so every metric of all replicates comes from a few passes over one array (replicates,
scores) instead of a sort per replicate. Values equal scikit-learn's (tests compare them to 1e-12).
"""

from dataclasses import dataclass

import numpy as np

LIFT_SHARE = 0.10


@dataclass(frozen=True)
class ScoreTable:
    """Counts per distinct score, best score first; all arrays have shape (groups,).

    The loss columns hold the mean squared error and mean log loss of a churner (of a stayer) in the group:
    the score's own loss where a group is one score, the average where scores were binned.
    """

    scores: np.ndarray
    positives: np.ndarray
    negatives: np.ndarray
    positive_squares: np.ndarray
    negative_squares: np.ndarray
    positive_logs: np.ndarray
    negative_logs: np.ndarray
    groups_above_threshold: int

    @property
    def item_count(self) -> int:
        """Rows of the test set."""
        return int(self.positives.sum() + self.negatives.sum())


def make_score_table(labels: np.ndarray, scores: np.ndarray, threshold: float) -> ScoreTable:
    """Count labels (n,) 0/1 by distinct score (n,) in [0, 1]; a score ≥ threshold predicts churn."""
    distinct, group_of_row = np.unique(-np.asarray(scores, dtype=np.float64), return_inverse=True)
    distinct = -distinct
    positives = np.bincount(group_of_row, weights=labels, minlength=len(distinct))
    totals = np.bincount(group_of_row, minlength=len(distinct)).astype(np.float64)
    # As scikit-learn does: a probability of exactly 0 or 1 would make the loss infinite.
    epsilon = np.finfo(np.float64).eps
    clipped = np.clip(distinct, epsilon, 1 - epsilon)
    return ScoreTable(
        scores=distinct,
        positives=positives,
        negatives=totals - positives,
        positive_squares=np.square(1 - distinct),
        negative_squares=np.square(distinct),
        positive_logs=-np.log(clipped),
        negative_logs=-np.log(1 - clipped),
        groups_above_threshold=int((distinct >= threshold).sum()),
    )


def bin_score_table(table: ScoreTable, bins: int) -> ScoreTable:
    """Merge neighbouring scores into about `bins` groups of equal size; no group spans the threshold.

    Losses are averaged by class within a group, so that Brier score and log loss stay exact in the mean;
    ranks within a group become ties.
    """
    totals = table.positives + table.negatives
    middle = np.cumsum(totals) - totals / 2
    bin_of_group = np.floor(middle / table.item_count * bins).astype(np.int64)
    is_below = np.arange(len(totals)) >= table.groups_above_threshold
    _, bin_of_group = np.unique(2 * bin_of_group + is_below, return_inverse=True)

    def add_up(values: np.ndarray) -> np.ndarray:
        return np.bincount(bin_of_group, weights=values)

    positives, negatives = add_up(table.positives), add_up(table.negatives)

    def average(values: np.ndarray, weights: np.ndarray, sums: np.ndarray) -> np.ndarray:
        return add_up(values * weights) / np.maximum(sums, 1)

    above = table.groups_above_threshold
    return ScoreTable(
        scores=average(table.scores, totals, positives + negatives),
        positives=positives,
        negatives=negatives,
        positive_squares=average(table.positive_squares, table.positives, positives),
        negative_squares=average(table.negative_squares, table.negatives, negatives),
        positive_logs=average(table.positive_logs, table.positives, positives),
        negative_logs=average(table.negative_logs, table.negatives, negatives),
        groups_above_threshold=int(bin_of_group[above - 1]) + 1 if above else 0,
    )


def compute_metrics(
    table: ScoreTable, positives: np.ndarray | None = None, negatives: np.ndarray | None = None
) -> dict[str, np.ndarray]:
    """Return each metric for every row of the counts, shape (replicates,).

    `positives` and `negatives` (replicates, groups) default to the table's own counts, one replicate. Every
    row must hold both classes. Never NaN: precision is 0 where nothing is predicted to churn (as scikit-learn
    does with zero_division=0).
    """
    if positives is None or negatives is None:
        positives, negatives = table.positives[None, :], table.negatives[None, :]
    positive_sum, negative_sum = positives.sum(axis=1), negatives.sum(axis=1)
    count = positive_sum + negative_sum
    true_positives = np.cumsum(positives, axis=1)
    false_positives = np.cumsum(negatives, axis=1)
    flagged = true_positives + false_positives
    squares = positives @ table.positive_squares + negatives @ table.negative_squares
    logs = positives @ table.positive_logs + negatives @ table.negative_logs
    # Pairs ranked rightly: churners before a stayer's group, and half of those that tie with it.
    pairs = np.einsum("rg,rg->r", negatives, true_positives - positives / 2)
    precision_at_group = true_positives / np.maximum(flagged, 1)
    return {
        **_compute_threshold_metrics(table, true_positives, false_positives, count),
        "roc_auc": pairs / (positive_sum * negative_sum),
        "pr_auc": np.einsum("rg,rg->r", positives, precision_at_group) / positive_sum,
        "brier_score": squares / count,
        "log_loss": logs / count,
        "lift_at_10_percent": _compute_lift(positives, true_positives, flagged, LIFT_SHARE),
    }


def _compute_threshold_metrics(
    table: ScoreTable, true_positives: np.ndarray, false_positives: np.ndarray, count: np.ndarray
) -> dict[str, np.ndarray]:
    last = table.groups_above_threshold - 1
    zeros = np.zeros(len(count))
    hits = true_positives[:, last] if last >= 0 else zeros
    false_alarms = false_positives[:, last] if last >= 0 else zeros
    positive_sum, negative_sum = true_positives[:, -1], false_positives[:, -1]
    return {
        "accuracy": (hits + negative_sum - false_alarms) / count,
        "accuracy_best_constant_classifier": np.maximum(positive_sum, negative_sum) / count,
        "precision": hits / np.maximum(hits + false_alarms, 1),
        "recall": hits / positive_sum,
        "f1": 2 * hits / (hits + false_alarms + positive_sum),
    }


def _compute_lift(
    positives: np.ndarray, true_positives: np.ndarray, flagged: np.ndarray, share: float
) -> np.ndarray:
    """Return the churn rate among the `share` with the best scores over the churn rate of all.

    Where the cut falls into a group of equal scores, its churners count in proportion: the order of rows
    with equal scores must not change the figure.
    """
    count = flagged[:, -1]
    wanted = share * count
    group = np.minimum((flagged < wanted[:, None]).sum(axis=1), flagged.shape[1] - 1)
    rows = np.arange(len(count))
    inside = positives[rows, group]
    before = true_positives[rows, group] - inside
    size = np.maximum(flagged[rows, group] - np.where(group > 0, flagged[rows, group - 1], 0), 1)
    taken = wanted - (flagged[rows, group] - size)
    caught = before + inside * np.clip(taken / size, 0, 1)
    return (caught / wanted) / (true_positives[:, -1] / count)
