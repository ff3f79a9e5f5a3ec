"""Bootstrap intervals of all metrics: ours against the plain way, scikit-learn's metrics in a loop.

`.venvs/sklearn_job/bin/python benchmarks/evaluation/bootstrap_speed.py` writes bootstrap_speed.md beside
itself. Times are CPU seconds, so that other work on the machine does not count. The plain way is timed over
fewer replicates and scaled up: its cost per replicate is constant.
"""

import platform
import sys
import time
from datetime import UTC, datetime
from pathlib import Path

import numpy as np
from sklearn import metrics as sklearn_metrics

sys.path.insert(0, str(Path(__file__).resolve().parents[2]))

from sagemaker_jobs.bootstrap_intervals import REPLICATES, estimate_metrics
from sagemaker_jobs.classification_metrics import make_score_table

# rows of the test set → replicates of the plain way that are timed
CASES = {1_409: 400, 20_000: 60, 200_000: 8, 1_000_000: 3}
REPEATS = 3
COMPARED = ("accuracy", "roc_auc", "pr_auc", "brier_score", "log_loss")


def draw(rows):
    generator = np.random.default_rng(1)
    scores = generator.beta(1.0, 2.5, rows)
    return (generator.random(rows) < scores).astype(np.int8), scores


def compute_plain_metrics(labels, scores):
    predicted = scores >= 0.5
    leaders = np.argsort(-scores, kind="stable")[: len(scores) // 10]
    return {
        "accuracy": sklearn_metrics.accuracy_score(labels, predicted),
        "accuracy_best_constant_classifier": max(labels.mean(), 1 - labels.mean()),
        "precision": sklearn_metrics.precision_score(labels, predicted),
        "recall": sklearn_metrics.recall_score(labels, predicted),
        "f1": sklearn_metrics.f1_score(labels, predicted),
        "roc_auc": sklearn_metrics.roc_auc_score(labels, scores),
        "pr_auc": sklearn_metrics.average_precision_score(labels, scores),
        "brier_score": sklearn_metrics.brier_score_loss(labels, scores),
        "log_loss": sklearn_metrics.log_loss(labels, scores),
        "lift_at_10_percent": labels[leaders].mean() / labels.mean(),
    }


def run_plain(labels, scores, replicates):
    generator = np.random.default_rng(2)
    values = []
    for _ in range(replicates):
        rows = generator.integers(0, len(labels), len(labels))
        values.append(compute_plain_metrics(labels[rows], scores[rows]))
    return {name: float(np.std([value[name] for value in values], ddof=1)) for name in values[0]}


def time_ours(labels, scores):
    """Return the shortest of a few times, from labels and scores to intervals, and the estimates."""
    seconds = []
    for _ in range(REPEATS):
        started = time.process_time()
        estimates, _ = estimate_metrics(make_score_table(labels, scores, 0.5), seed=3)
        seconds.append(time.process_time() - started)
    return min(seconds), estimates


def measure(rows, plain_replicates):
    labels, scores = draw(rows)
    seconds, estimates = time_ours(labels, scores)
    started = time.process_time()
    deviations = run_plain(labels, scores, plain_replicates)
    plain_seconds = (time.process_time() - started) / plain_replicates * REPLICATES
    exact = compute_plain_metrics(labels, scores)
    difference = max(abs(estimates[name].value - exact[name]) for name in COMPARED)
    agreement = max(abs(estimates[name].standard_deviation / deviations[name] - 1) for name in COMPARED)
    shown = f"{agreement:.0%}" if plain_replicates >= 50 else "too few to tell"
    return (
        f"| {rows:,} | {seconds:.2f} s | {plain_seconds:,.0f} s | {plain_seconds / seconds:,.0f} "
        f"| {difference:.0e} | {shown} |"
    )


def main():
    lines = [
        "# Bootstrap intervals of ten metrics: ours against scikit-learn in a loop",
        "",
        (
            f"{REPLICATES:,} replicates, {datetime.now(UTC):%Y-%m-%d}, CPython {platform.python_version()},"
            f" numpy {np.__version__}; CPU seconds. Made by `bootstrap_speed.py`."
        ),
        f"The plain way is timed over {', '.join(f'{n} ({rows:,} rows)' for rows, n in CASES.items())}",
        "replicates and scaled up.",
        "",
        "| test rows | ours | plain | ratio | largest difference of a value | of a standard deviation |",
        "|---|---|---|---|---|---|",
    ]
    for rows, replicates in CASES.items():
        lines.append(measure(rows, replicates))
        print(lines[-1], flush=True)
    Path(__file__).with_suffix(".md").write_text("\n".join(lines) + "\n")


if __name__ == "__main__":
    main()
