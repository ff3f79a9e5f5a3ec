"""This project's check in the same harness: a stored profile against a streamed Parquet batch."""

from pathlib import Path

from speed import check
from telecom_tables import SPECS, Table

from include.drift_statistics.comparison import compare_profiles
from include.drift_statistics.profile_files import load_profile
from include.drift_statistics.profiles import build_profile, count_rows


def check_files(reference: str, current: str) -> bool:
    """The profile is stored beside the reference, as it is beside a model."""
    profile = load_profile(Path(reference).with_suffix(".profile"))
    return check(Path(current), profile).verdict in {"drift", "data_break"}


def compare_tables(reference: Table, current: Table) -> tuple[dict[str, float], bool]:
    """1 - p of the day (the smallest adjusted p-value), and the alarm."""
    profile = build_profile(reference, SPECS)
    report = compare_profiles(profile, count_rows(profile.layout, current))
    known = [feature.adjusted_p_value for feature in report.features]
    p_values = [1.0 if value is None else value for value in known]
    if report.joint is not None:
        p_values.append(report.joint.adjusted_p_value)
    return {"day": 1.0 - min(p_values)}, report.verdict in {"drift", "data_break"}
