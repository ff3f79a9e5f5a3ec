"""whylogs: profiles of both tables and its drift scores at its own defaults (KS on sketches, chi-squared)."""

import math

import pandas as pd
import whylogs
from whylogs.viz.drift.column_drift_algorithms import calculate_drift_scores

SMALLEST_P_VALUE = 1e-300


def compare(reference: pd.DataFrame, current: pd.DataFrame) -> tuple[dict[str, float], bool]:
    """-log10 p per column, and whether any column's category is DRIFT."""
    views = [whylogs.log(frame).view() for frame in (current, reference)]
    scores = calculate_drift_scores(target_view=views[0], reference_view=views[1], with_thresholds=True)
    found, flagged = {}, False
    for name in reference:
        score = scores.get(name)
        p_value = 1.0 if score is None or math.isnan(score["pvalue"]) else score["pvalue"]
        found[name] = -math.log10(max(p_value, SMALLEST_P_VALUE))
        flagged |= score is not None and score["drift_category"] == "DRIFT"
    return found, flagged
