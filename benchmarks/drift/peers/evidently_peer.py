"""Evidently's data drift preset with its own defaults."""

import pandas as pd
from evidently import Report
from evidently.presets import DataDriftPreset


def compare(reference: pd.DataFrame, current: pd.DataFrame) -> tuple[dict[str, float], bool]:
    """Distance per column (normed Wasserstein, Jensen-Shannon) and the data set flag."""
    metrics = Report([DataDriftPreset()]).run(current, reference).dict()["metrics"]
    found, flagged = {}, False
    for metric in metrics:
        settings = metric["config"]
        if "column" in settings:
            found[settings["column"]] = float(metric["value"])
        elif "drift_share" in settings:
            flagged = metric["value"]["share"] >= settings["drift_share"]
    return found, flagged
