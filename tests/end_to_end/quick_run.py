"""What a run is asked for whose result does not matter: few customers, a fast algorithm, an open gate."""

QUICK = {
    "on_missing_data": "synthetic",
    "synthetic_rows": 2000,
    "algorithm": "logistic_regression",
    "accuracy_threshold": 0.7,
}
