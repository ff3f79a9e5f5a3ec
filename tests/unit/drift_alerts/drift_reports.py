"""Drift reports as the job writes them, small and whole; `tests/jobs` holds them against the real job."""

from typing import Any

DATE = "2026-11-24"


def quantity(name: str = "tenure", verdict: str = "no_drift", **changes: Any) -> dict[str, Any]:
    """A numeric column; drifted ones moved from 32.4 to 97.1."""
    drifted = verdict != "no_drift"
    reasons = ["values are higher by 1.21 standard deviations (normal scores)"] if drifted else []
    return {
        "name": name,
        "kind": "numeric",
        "verdict": verdict,
        "reasons": reasons,
        "sentence": f"{name}: {reasons[0]}" if reasons else f"{name}: no drift",
        "p_value": 1e-40 if drifted else 0.5,
        "adjusted_p_value": 1e-39 if drifted else 1.0,
        "effect_name": "ks_distance",
        "effect_size": 0.41 if drifted else 0.012,
        "effect_sizes": {},
        "ks_statistic": 0.41 if drifted else 0.012,
        "ks_statistic_upper": 0.41 if drifted else 0.012,
        "ks_p_value": 1e-35 if drifted else 0.4,
        "chi2_statistic": None,
        "chi2_p_value": None,
        "dof": None,
        "missing": {
            "reference_rows": 5634, "current_rows": 1000, "reference_missing_share": 0.0,
            "current_missing_share": 0.0, "missing_p_value": 1.0, "unreadable": 0, "infinite": 0,
            "out_of_range_share": 0.0,
        },
        "unseen_levels": [],
        "vanished_levels": [],
        "summary": {
            "reference_mean": 32.4, "current_mean": 97.1 if drifted else 32.6, "reference_median": 29,
            "current_median": 87 if drifted else 29, "reference_minimum": 0, "current_minimum": 0,
            "reference_maximum": 72, "current_maximum": 216 if drifted else 72,
            "reference_standard_deviation": 24.5, "current_standard_deviation": None,
        },
        "tests": [
            _test("location", "higher", verdict, "normal_score_shift", 1.21 if drifted else 0.01, 0.05,
                  "values are higher by 1.21 standard deviations (normal scores)"),
        ],
        **changes,
    }  # fmt: skip


def category(name: str = "contract", verdict: str = "no_drift", **changes: Any) -> dict[str, Any]:
    """A categorical column; drifted ones have 20 % more month-to-month contracts."""
    drifted = verdict != "no_drift"
    reason = "the mix of levels moved by 20.00% of the rows, most of all Month-to-month higher"
    return {
        **quantity(name),
        "kind": "categorical",
        "verdict": verdict,
        "reasons": [reason] if drifted else [],
        "sentence": f"{name}: {reason}" if drifted else f"{name}: no drift",
        "adjusted_p_value": 3e-12 if drifted else 1.0,
        "effect_name": "total_variation",
        "effect_size": 0.2 if drifted else 0.004,
        "summary": {"reference_levels": 3.0, "current_levels": 3.0},
        "tests": [
            _test(
                "contingency",
                "Month-to-month higher",
                verdict,
                "total_variation",
                0.2 if drifted else 0.004,
                0.02,
                reason,
            ),
        ],
        **changes,
    }


def _test(
    test: str, direction: str, verdict: str, effect_name: str, effect: float, floor: float, sentence: str
) -> dict[str, Any]:
    drifted = verdict != "no_drift"
    return {
        "test": test, "statistic": None, "direction": direction, "threshold": 0.05,
        "p_value": 1e-40 if drifted else 0.5, "adjusted_p_value": 1e-39 if drifted else 1.0,
        "effect_name": effect_name, "effect": effect, "floor": floor,
        "verdict": "drift" if drifted else "no_drift", "sentence": sentence,
    }  # fmt: skip


def change(column: str = "tenure", statistic: str = "location", **changes: Any) -> dict[str, Any]:
    return {
        "column": column,
        "statistic": statistic,
        "days": 1,
        "p_value": 1.2e-38,
        "effect": 1.21,
        **changes,
    }


def alert(transition: str = "none", status: str = "quiet", **changes: Any) -> dict[str, Any]:
    drifting = status == "drift"
    return {
        "date": DATE,
        "status": status,
        "transition": transition,
        "since": DATE if status != "quiet" or transition == "cleared" else None,
        "columns": ["tenure"] if drifting or transition == "cleared" else [],
        "changes": [change()] if drifting else [],
        "sentence": f"tenure: location changed by 1.21 since {DATE}" if drifting else f"{DATE}: quiet",
        **changes,
    }


RULE = {
    "version": 1, "alpha": 0.05, "correction": "holm", "joint_share": 0.05, "missing_share": 0.1,
    "floor_distance": 0.02, "floor_location": 0.05, "floor_spread": 0.1, "floor_share": 0.005,
    "floor_total_variation": 0.02, "floor_missing": 0.01, "floor_correlation": 0.05, "break_missing": 0.05,
    "break_unseen": 0.05, "yearly_false_alerts": 0.1, "domain_classifier": False, "accuracy_drop": 0.05,
}  # fmt: skip


def report(**changes: Any) -> dict[str, Any]:
    """A quiet day of two columns."""
    date = (changes.get("alert") or {}).get("date", DATE)
    return {
        "contract": "drift_report",
        "version": 1,
        "verdict": "no_drift",
        "drifted_features": [],
        "sentence": "No drift: 1,000 rows agree with the 5,634 rows of the reference.",
        "rows": {"reference": 5634, "current": 1000, "needed": 168},
        "rule": RULE,
        "joint": {"verdict": "no_drift", "p_value": 1.0, "sentence": "columns go together as before"},
        "notes": [],
        "features": [quantity(), category()],
        "batch": {"date": date, "files": 1, "bytes": 1234, "columns_missing": [], "columns_extra": []},
        "model": {"version": "telecom-churn/3", "data_origin": "real"},
        "predictions": {
            "verdict": "no_drift", "sentence": "Scores as in the reference: 26.1% -> 26.4%.",
            "reference_rate": 0.261, "current_rate": 0.264, "current_rate_interval_95": [0.23, 0.29],
            "rate_p_value": 0.8, "score": quantity("score"),
        },
        "performance": None,
        "domain_classifier": None,
        "alert": alert(),
        "history": [
            {"date": DATE, "verdict": "no_drift", "rows": 1000, "status": "quiet",
             "effects": {"tenure": 0.012, "contract": None}, "predicted_churn_rate": 0.264, "accuracy": None},
        ],
        **changes,
    }  # fmt: skip


def performance(accuracy: float = 0.71, verdict: str = "drift") -> dict[str, Any]:
    measures = [("accuracy", accuracy, 0.803), ("roc_auc", 0.74, 0.845), ("calibration_gap", 0.03, 0.0)]
    words = f"accuracy {accuracy:.3f} (0.680 to 0.740), registered 0.803"
    return {
        "verdict": verdict,
        "sentence": f"Performance drift: {words}.",
        "rows": 950,
        "rows_needed": 600,
        "labelled_date": "2026-10-25",
        "labels": 980,
        "matched": 950,
        "measures": [
            {"name": name, "value": value, "interval_95": [value - 0.03, value + 0.03],
             "registered": registered, "verdict": verdict if name == "accuracy" else "no_drift",
             "sentence": words if name == "accuracy" else f"{name} {value:.3f}"}
            for name, value, registered in measures
        ],
    }  # fmt: skip


def drifted(transition: str = "new", **changes: Any) -> dict[str, Any]:
    """A day with three times the tenure."""
    day = {
        "verdict": "drift",
        "drifted_features": ["tenure"],
        "sentence": "Drift: tenure: values are higher by 1.21 standard deviations (normal scores).",
        "features": [quantity(verdict="drift"), category()],
        "alert": alert(transition, "drift"),
    }
    return report(**(day | changes))


def broken(transition: str = "new", **changes: Any) -> dict[str, Any]:
    """A day whose tenure is empty in a third of the rows."""
    reason = "33.1% of the values are missing, 0.0% in the reference"
    feature = quantity(verdict="data_break", reasons=[reason], sentence=f"tenure: {reason}", tests=[])
    feature["missing"] = {**feature["missing"], "current_missing_share": 0.331}
    day = {
        "verdict": "data_break",
        "drifted_features": ["tenure"],
        "sentence": f"Data break, do not retrain on this batch: tenure: {reason}.",
        "features": [feature, category()],
        "alert": alert(transition, "data_break", sentence=f"{DATE}: the data are broken"),
    }
    return report(**(day | changes))
