"""The usual recipe done right: scipy's ks_2samp and a contingency chi-squared per column, Bonferroni."""

import numpy as np
import pandas as pd
from scipy import stats

SMALLEST_P_VALUE = 1e-300


def compare(reference: pd.DataFrame, current: pd.DataFrame) -> tuple[dict[str, float], bool]:
    """-log10 p per column, and the flag."""
    found = {}
    for name in reference:
        if reference[name].dtype == object:
            counts = pd.concat([reference[name].value_counts(), current[name].value_counts()], axis=1)
            p_value = stats.chi2_contingency(counts.fillna(0).to_numpy().T, correction=False).pvalue
        else:
            p_value = stats.ks_2samp(reference[name], current[name].dropna(), method="asymp").pvalue
        found[name] = float(-np.log10(max(p_value, SMALLEST_P_VALUE)))
    return found, bool(max(found.values()) >= -np.log10(0.05 / len(found)))
