import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sklearn import metrics as sklearn_metrics

from sagemaker_jobs.classification_metrics import bin_score_table, compute_metrics, make_score_table

THRESHOLD = 0.5


def draw(rows, seed, digits=None):
    generator = np.random.default_rng(seed)
    scores = generator.beta(1.0, 2.5, rows)
    labels = (generator.random(rows) < scores).astype(np.int8)
    labels[:2] = (0, 1)
    return labels, scores if digits is None else np.round(scores, digits)


def ours(labels, scores, threshold=THRESHOLD):
    return {
        name: float(v[0]) for name, v in compute_metrics(make_score_table(labels, scores, threshold)).items()
    }


def scikit_learns(labels, scores, threshold=THRESHOLD):
    predicted = scores >= threshold
    return {
        "accuracy": sklearn_metrics.accuracy_score(labels, predicted),
        "accuracy_best_constant_classifier": max(labels.mean(), 1 - labels.mean()),
        "precision": sklearn_metrics.precision_score(labels, predicted, zero_division=0),
        "recall": sklearn_metrics.recall_score(labels, predicted),
        "f1": sklearn_metrics.f1_score(labels, predicted, zero_division=0),
        "roc_auc": sklearn_metrics.roc_auc_score(labels, scores),
        "pr_auc": sklearn_metrics.average_precision_score(labels, scores),
        "brier_score": sklearn_metrics.brier_score_loss(labels, scores),
        "log_loss": sklearn_metrics.log_loss(labels, scores, labels=[0, 1]),
    }


def lift_by_expectation(labels, scores, draws=4000):
    """Average over random orders of tied rows, the cut falling within a row counted in proportion."""
    generator = np.random.default_rng(1)
    wanted, lifts = 0.1 * len(labels), []
    for _ in range(draws):
        order = np.lexsort((generator.random(len(labels)), -scores))
        taken = np.clip(wanted - np.arange(len(labels)), 0, 1)
        lifts.append(float((labels[order] * taken).sum() / wanted / labels.mean()))
    return float(np.mean(lifts))


CASES = {
    "distinct": draw(1409, 1),
    "ties": draw(1409, 2, digits=2),
    "few levels": draw(300, 3, digits=1),
    "constant": (np.array([0, 1, 1, 0, 0]), np.full(5, 0.3)),
    "perfect": (np.array([0, 0, 1, 1]), np.array([0.1, 0.2, 0.8, 0.9])),
    "inverted": (np.array([1, 1, 0, 0]), np.array([0.1, 0.2, 0.8, 0.9])),
    "certain and wrong": (np.array([0, 1, 1]), np.array([1.0, 0.0, 1.0])),
    "two rows": (np.array([0, 1]), np.array([0.4, 0.6])),
    "at the threshold": (np.array([0, 1, 1, 0]), np.array([0.5, 0.5, 0.5, 0.49999])),
    "large": draw(100_000, 4),
}


@pytest.mark.parametrize("case", CASES)
def test_metrics_when_computed_from_counts_then_equal_scikit_learns(case):
    labels, scores = CASES[case]

    found = ours(labels, scores)

    for name, expected in scikit_learns(labels, scores).items():
        assert found[name] == pytest.approx(expected, abs=1e-12, rel=1e-12), name


@settings(max_examples=150, deadline=None)
@given(
    st.lists(st.tuples(st.booleans(), st.integers(0, 20)), min_size=2, max_size=60).filter(
        lambda rows: len({label for label, _ in rows}) == 2
    ),
    st.integers(0, 20),
)
def test_metrics_when_rows_are_any_then_equal_scikit_learns_and_are_finite(rows, threshold):
    labels = np.array([int(label) for label, _ in rows])
    scores = np.array([step / 20 for _, step in rows])

    found = ours(labels, scores, threshold / 20)

    assert np.isfinite(list(found.values())).all()
    for name, expected in scikit_learns(labels, scores, threshold / 20).items():
        assert found[name] == pytest.approx(expected, abs=1e-12, rel=1e-12), name


@pytest.mark.parametrize("case", ["ties", "few levels", "constant", "two rows"])
def test_lift_when_scores_tie_then_is_the_mean_over_all_orders(case):
    labels, scores = CASES[case]

    assert ours(labels, scores)["lift_at_10_percent"] == pytest.approx(
        lift_by_expectation(labels, scores), abs=0.02
    )


def test_lift_when_churners_lead_then_is_one_over_the_churn_rate():
    labels = np.array([1] * 20 + [0] * 80)

    assert ours(labels, np.linspace(1, 0, 100))["lift_at_10_percent"] == pytest.approx(5.0)


def test_metrics_when_rows_are_shuffled_then_stay_the_same():
    labels, scores = CASES["ties"]
    order = np.random.default_rng(0).permutation(len(labels))

    assert ours(labels[order], scores[order]) == ours(labels, scores)


def test_replicates_when_counts_are_given_then_equal_the_metrics_of_the_repeated_rows():
    labels, scores = CASES["few levels"]
    table = make_score_table(labels, scores, THRESHOLD)
    weights = np.random.default_rng(5).integers(0, 4, len(labels))
    repeated_labels, repeated_scores = np.repeat(labels, weights), np.repeat(scores, weights)
    groups = np.searchsorted(-table.scores, -scores)
    positives = np.bincount(groups, weights * labels, len(table.scores))[None, :]
    negatives = np.bincount(groups, weights * (1 - labels), len(table.scores))[None, :]

    replicate = compute_metrics(table, positives, negatives)

    expected = ours(repeated_labels, repeated_scores)
    assert {name: float(v[0]) for name, v in replicate.items()} == pytest.approx(expected, abs=1e-12)


def test_bins_when_scores_are_merged_then_move_ranking_metrics_little_and_the_others_not_at_all():
    labels, scores = CASES["large"]
    table = make_score_table(labels, scores, THRESHOLD)
    binned = bin_score_table(table, 1024)
    exact, coarse = compute_metrics(table), compute_metrics(binned)

    assert len(binned.scores) <= 1025
    assert binned.item_count == table.item_count
    for name in ("accuracy", "precision", "recall", "f1", "brier_score", "log_loss"):
        assert coarse[name][0] == pytest.approx(exact[name][0], abs=1e-12)
    for name in ("roc_auc", "pr_auc", "lift_at_10_percent"):
        assert coarse[name][0] == pytest.approx(exact[name][0], abs=2e-3)
