"""Fit the scikit-learn churn models; only scikit-learn's own classes end up in the pickle."""

from collections.abc import Callable, Mapping
from typing import Any

import numpy as np

from include.data_contracts.hyperparameters import HyperparameterValue
from sagemaker_jobs.training_log import TrainingLog

# Up to here the calibrated model is an average over folds, which also makes it better; above, one model is
# fitted and calibrated on rows kept aside: several fits would cost minutes and gain nothing.
MAXIMUM_ROWS_FOR_FOLDS = 200_000
CALIBRATION_FRACTION = 0.1
# Threads cost more than they bring on small data.
MINIMUM_ROWS_FOR_THREADS = 50_000

Hyperparameters = Mapping[str, HyperparameterValue]


def fit_sklearn_model(
    algorithm: str,
    hyperparameters: Hyperparameters,
    encoded: np.ndarray,
    labels: np.ndarray,
    categorical_mask: np.ndarray,
    seed: int,
    log: TrainingLog,
) -> tuple[Any, Callable[[np.ndarray], np.ndarray]]:
    """Return a classifier fitted to the encoded train split (n, d) and labels (n,), and a function.

    The function gives churn probabilities (m,) for encoded rows (m, d).

    `categorical_mask` (d,) is used by hist_gradient_boosting only. Deterministic for a seed.
    """
    with _limit_threads(len(labels)):
        if algorithm == "hist_gradient_boosting":
            estimator = _fit_hist_gradient_boosting(
                hyperparameters, encoded, labels, categorical_mask, seed, log
            )
        else:
            estimator = (
                _make_logistic_regression(hyperparameters)
                if algorithm == "logistic_regression"
                else _make_random_forest(hyperparameters, seed)
            )
            estimator.fit(encoded, labels)
            if algorithm == "random_forest":
                # Threads add up the trees' votes in any order: a last digit that changes from call to call.
                estimator.n_jobs = None
            log.stage("fit", f"{algorithm} on {len(labels)} rows, {encoded.shape[1]} columns")
            log.stage("calibrate", "none: its probabilities are used as they are")
    return estimator, lambda rows: _predict(estimator, rows)


def _limit_threads(rows: int) -> Any:
    import sklearn  # noqa: F401 - loads OpenMP: a limit set before that would have no effect
    from threadpoolctl import threadpool_limits

    return threadpool_limits(limits=1 if rows < MINIMUM_ROWS_FOR_THREADS else None)


def _predict(estimator: Any, rows: np.ndarray) -> np.ndarray:
    with _limit_threads(len(rows)):
        return estimator.predict_proba(rows)[:, 1]


def _make_logistic_regression(hyperparameters: Hyperparameters) -> Any:
    from sklearn.linear_model import LogisticRegression

    return LogisticRegression(
        C=hyperparameters["inverse_regularization"], max_iter=hyperparameters["max_iter"]
    )


def _make_random_forest(hyperparameters: Hyperparameters, seed: int) -> Any:
    from sklearn.ensemble import RandomForestClassifier

    return RandomForestClassifier(**hyperparameters, random_state=seed, n_jobs=-1)


def _fit_hist_gradient_boosting(
    hyperparameters: Hyperparameters,
    encoded: np.ndarray,
    labels: np.ndarray,
    categorical_mask: np.ndarray,
    seed: int,
    log: TrainingLog,
) -> Any:
    from sklearn.ensemble import HistGradientBoostingClassifier

    own = {k: v for k, v in hyperparameters.items() if not k.startswith("calibration")}
    estimator = HistGradientBoostingClassifier(
        **own, categorical_features=categorical_mask, early_stopping=False, random_state=seed
    )
    method = str(hyperparameters["calibration"])
    if method == "none":
        estimator.fit(encoded, labels)
        log.stage("fit", f"hist_gradient_boosting on {len(labels)} rows")
        log.stage("calibrate", "not asked for")
        return estimator
    # A fold needs a row of each class on both sides.
    folds = min(int(hyperparameters["calibration_folds"]), int(np.bincount(labels, minlength=2).min()))
    if len(labels) > MAXIMUM_ROWS_FOR_FOLDS or folds < 2:
        return _fit_and_calibrate_on_held_out_rows(estimator, method, encoded, labels, seed, log)
    return _fit_and_calibrate_by_folds(estimator, method, folds, encoded, labels, seed, log)


def _fit_and_calibrate_by_folds(
    estimator: Any,
    method: str,
    folds: int,
    encoded: np.ndarray,
    labels: np.ndarray,
    seed: int,
    log: TrainingLog,
) -> Any:
    from sklearn.calibration import CalibratedClassifierCV
    from sklearn.model_selection import StratifiedKFold

    splitter = StratifiedKFold(folds, shuffle=True, random_state=seed)
    calibrated = CalibratedClassifierCV(estimator, method=method, cv=splitter, ensemble=True)
    calibrated.fit(encoded, labels)
    log.stage(
        "fit", f"hist_gradient_boosting on {len(labels)} rows, the mean of {folds} models, one per fold"
    )
    log.stage("calibrate", f"{method}, each model on the fold it had not seen")
    return calibrated


def _fit_and_calibrate_on_held_out_rows(
    estimator: Any, method: str, encoded: np.ndarray, labels: np.ndarray, seed: int, log: TrainingLog
) -> Any:
    from sklearn.calibration import CalibratedClassifierCV
    from sklearn.frozen import FrozenEstimator

    is_held_out = np.random.default_rng(seed).random(len(labels)) < CALIBRATION_FRACTION
    if len(np.unique(labels[is_held_out])) < 2 or len(np.unique(labels[~is_held_out])) < 2:
        estimator.fit(encoded, labels)
        log.stage("fit", f"hist_gradient_boosting on {len(labels)} rows")
        log.stage("calibrate", "left out: too few rows of one class")
        return estimator
    estimator.fit(encoded[~is_held_out], labels[~is_held_out])
    log.stage("fit", f"hist_gradient_boosting on {int((~is_held_out).sum())} rows")
    calibrated = CalibratedClassifierCV(FrozenEstimator(estimator), method=method)
    calibrated.fit(encoded[is_held_out], labels[is_held_out])
    log.stage("calibrate", f"{method} on {int(is_held_out.sum())} rows kept aside")
    return calibrated
