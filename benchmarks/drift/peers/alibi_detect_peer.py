"""alibi-detect's TabularDrift: KS and chi-squared with Bonferroni, its own defaults."""

import numpy as np
import pandas as pd
from alibi_detect.cd import TabularDrift

SMALLEST_P_VALUE = 1e-300


def compare(reference: pd.DataFrame, current: pd.DataFrame) -> tuple[dict[str, float], bool]:
    """-log10 p per column, and the flag; a p-value that is no number is no evidence, as the tool has it."""
    text = [name for name in reference if reference[name].dtype == object]
    levels = {name: sorted(reference[name].unique()) for name in text}
    places = {place: None for place, name in enumerate(reference) if name in levels}
    detector = TabularDrift(_encode(reference, levels), p_val=0.05, categories_per_feature=places)
    answer = detector.predict(_encode(current, levels), drift_type="batch")["data"]
    p_values = np.nan_to_num(np.asarray(answer["p_val"], dtype=float), nan=1.0)
    strength = -np.log10(np.maximum(p_values, SMALLEST_P_VALUE))
    return dict(zip(reference, strength.tolist(), strict=True)), bool(answer["is_drift"])


def _encode(frame: pd.DataFrame, levels: dict[str, list[str]]) -> np.ndarray:
    columns = [
        pd.Categorical(frame[name], categories=levels[name]).codes if name in levels else frame[name]
        for name in frame
    ]
    return np.column_stack([np.asarray(column, dtype=float) for column in columns])
