"""Can a classifier tell the batch from the reference? A look at what no single column or pair shows.

Two-fold cross-fitting: each half is scored by a classifier that never saw it, so the rank test of its scores
(Mann-Whitney) is valid whatever the classifier learnt. The smaller p-value counts, doubled for two looks.
"""

import math
import os
from dataclasses import dataclass
from typing import Any

import numpy as np

from include.data_contracts.feature_schema import FeatureSchema
from include.drift_statistics.drift_report import Verdict
from include.drift_statistics.performance_drift import area_under_curve
from sagemaker_jobs.batch_columns import BatchColumns

# Read when scikit-learn loads OpenMP: threads that spin while waiting take the CPU from everybody else.
os.environ.setdefault("OMP_WAIT_POLICY", "PASSIVE")

SAMPLE_ROWS = 20_000
SMALLEST_SIDE = 200
FLOOR_AUC = 0.55
LARGEST_CATEGORIES = 250
SEED = 20_261_124


@dataclass(frozen=True)
class DomainClassifierResult:
    """The mean AUC over both halves, its p-value against .5, and a sentence; `adjusted_p_value` decides."""

    verdict: Verdict
    roc_auc: float
    p_value: float
    adjusted_p_value: float
    alpha: float
    floor: float
    rows_reference: int
    rows_current: int
    sentence: str

    def to_mapping(self) -> dict[str, Any]:
        """Strict JSON."""
        return dict(self.__dict__)


def compare_domains(
    reference: BatchColumns, current: BatchColumns, schema: FeatureSchema, alpha: float, family_share: float
) -> DomainClassifierResult | None:
    """Tell two samples apart as well as boosted trees can; None when a side is too small to learn from.

    `family_share` is the part of alpha that this comparison may spend; the adjusted p-value is divided by it.
    """
    if min(reference.row_count, current.row_count) < SMALLEST_SIDE:
        return None
    from sklearn.ensemble import HistGradientBoostingClassifier

    names = [
        name
        for name in schema.feature_names
        if all(name in side.numbers or name in side.levels for side in (reference, current))
    ]
    rows = np.concatenate([_encode(side, names, schema) for side in (reference, current)])
    is_current = np.repeat([0.0, 1.0], [reference.row_count, current.row_count])
    is_level = np.array([name in reference.levels for name in names])
    fold = np.random.default_rng(SEED).permutation(len(rows)) % 2
    areas, p_values = [], []
    for side in (0, 1):
        classifier = HistGradientBoostingClassifier(
            max_iter=60, max_leaf_nodes=15, categorical_features=is_level, random_state=SEED
        )
        classifier.fit(rows[fold != side], is_current[fold != side])
        held_out = is_current[fold == side]
        scores = classifier.predict_proba(rows[fold == side])[:, 1]
        area, _ = area_under_curve(held_out, scores)
        areas.append(area)
        p_values.append(_rank_test(area, int(held_out.sum()), int(len(held_out) - held_out.sum())))
    area, p_value = float(np.mean(areas)), min(1.0, 2 * min(p_values))
    adjusted = min(1.0, p_value / family_share)
    drifted = adjusted <= alpha and area >= FLOOR_AUC
    told = "tells the batch from the reference" if drifted else "cannot tell the batch from the reference"
    sentence = f"a classifier {told}: AUC {area:.3f}, adjusted p {adjusted:.2g}"
    verdict: Verdict = "drift" if drifted else "no_drift"
    return DomainClassifierResult(
        verdict, area, p_value, adjusted, alpha, FLOOR_AUC, reference.row_count, current.row_count, sentence
    )


def _encode(sample: BatchColumns, names: list[str], schema: FeatureSchema) -> np.ndarray:
    """Numbers as they are; level codes, all unknown levels as one, missing as NaN."""
    encoded = np.empty((sample.row_count, len(names)))
    known = {column.name: len(column.levels) for column in schema.categorical_features}
    for position, name in enumerate(names):
        if name in sample.numbers:
            encoded[:, position] = sample.numbers[name].values
            continue
        codes = np.minimum(sample.levels[name].codes, min(known[name], LARGEST_CATEGORIES))
        encoded[:, position] = np.where(codes < 0, np.nan, codes)
    return encoded


def _rank_test(area: float, positives: int, negatives: int) -> float:
    """One-sided Mann-Whitney p-value of an AUC above one half, normal approximation without ties."""
    deviation = math.sqrt((positives + negatives + 1) / (12 * positives * negatives))
    return 0.5 * math.erfc((area - 0.5) / deviation / math.sqrt(2))
