"""Bootstrap standard deviations and 95 % intervals for all classification metrics at once."""

from dataclasses import dataclass

import numpy as np

from include.data_contracts.evaluation_report import Bootstrap, MetricEstimate
from sagemaker_jobs.classification_metrics import ScoreTable, bin_score_table, compute_metrics

# Beyond this many distinct scores they are binned: the cost then no longer grows with the test set.
MAXIMUM_EXACT_GROUPS = 4_096
BINS = 1_024
REPLICATES = 2_000
# Counts of one block of replicates stay within the processor's cache.
_BLOCK_CELLS = 262_144


@dataclass(frozen=True)
class _Replicates:
    values: dict[str, np.ndarray]
    discarded: int


def estimate_metrics(
    table: ScoreTable, seed: int, replicates: int = REPLICATES
) -> tuple[dict[str, MetricEstimate], Bootstrap]:
    """Return every metric with its interval, and how the intervals were made.

    A replicate draws as many rows as the test set has, with replacement: the counts per (score, class) are
    multinomial. A replicate of one class only, where ROC-AUC does not exist, is drawn again and counted.
    The interval is the 2.5th to 97.5th percentile (Efron & Tibshirani 1993, chapter 13). With more than
    MAXIMUM_EXACT_GROUPS distinct scores the replicates use scores binned by rank, moved by the difference
    that binning makes to the value itself.
    """
    exact = {name: float(values[0]) for name, values in compute_metrics(table).items()}
    is_binned = len(table.scores) > MAXIMUM_EXACT_GROUPS
    working = bin_score_table(table, BINS) if is_binned else table
    drawn = _draw_replicates(working, np.random.default_rng(seed), replicates)
    binned = compute_metrics(working)
    estimates = {}
    for name, value in exact.items():
        values = drawn.values[name] + (value - float(binned[name][0]))
        lower, upper = np.quantile(values, [0.025, 0.975])
        estimates[name] = MetricEstimate(value, float(np.std(values, ddof=1)), float(lower), float(upper))
    method = "percentile bootstrap of rows, multinomial counts per " + (
        f"score bin ({len(working.scores)} bins of equal size)"
        if is_binned
        else f"distinct score ({len(working.scores)})"
    )
    return estimates, Bootstrap(replicates, seed, method, drawn.discarded)


def _draw_replicates(table: ScoreTable, generator: np.random.Generator, replicates: int) -> _Replicates:
    groups = len(table.scores)
    counts = np.concatenate([table.positives, table.negatives])
    # A cell nobody is in can not be drawn; leaving it out halves the work where scores are distinct.
    occupied = np.flatnonzero(counts)
    shares = counts[occupied] / table.item_count
    block = max(1, _BLOCK_CELLS // (2 * groups))
    blocks: list[dict[str, np.ndarray]] = []
    done = discarded = 0
    while done < replicates:
        wanted = min(block, replicates - done)
        drawn = np.zeros((wanted, 2 * groups))
        drawn[:, occupied] = generator.multinomial(table.item_count, shares, size=wanted)
        positives, negatives = drawn[:, :groups], drawn[:, groups:]
        has_both = (positives.sum(axis=1) > 0) & (negatives.sum(axis=1) > 0)
        if has_both.any():
            blocks.append(compute_metrics(table, positives[has_both], negatives[has_both]))
        done += int(has_both.sum())
        discarded += wanted - int(has_both.sum())
    names = blocks[0].keys()
    return _Replicates({name: np.concatenate([part[name] for part in blocks]) for name in names}, discarded)
