"""Train one churn model from preprocessed data: the script-mode entry of SageMaker, and runnable by hand.

Reads the train split and the encoder that preprocess fitted; writes a model directory that takes raw
validated features, the digests by which evaluate knows it again, and a training log.
"""

import contextlib
import os
import platform
import signal
import sys
from collections.abc import Sequence
from dataclasses import dataclass
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import Any, NoReturn

from include.data_contracts.hyperparameters import (
    DEFAULT_ALGORITHM,
    HyperparameterValue,
    NumberRange,
    validate_hyperparameters,
)
from include.data_contracts.mapping_reader import ContractError
from sagemaker_jobs.hyperparameters import read_hyperparameter_tokens, read_sagemaker_hyperparameters
from sagemaker_jobs.job_entry import (
    InvalidInputError,
    JobArguments,
    report_progress,
    run_entry,
    write_text_atomically,
)
from sagemaker_jobs.model_description import DECISION_THRESHOLD, KERAS_ALGORITHM, ModelDescription

DEFAULT_SEED = 42
EXIT_STOPPED = 143
MAXIMUM_METRIC_ROWS = 100_000
_SEED = NumberRange(DEFAULT_SEED, 0, 2**32 - 1, is_integer=True)
# SageMaker's own directories; by hand they are given as arguments.
_DIRECTORIES = {
    "train_dir": ("SM_CHANNEL_TRAIN", "/opt/ml/input/data/train"),
    "encoder_dir": ("SM_CHANNEL_ENCODER", "/opt/ml/input/data/encoder"),
    "model_dir": ("SM_MODEL_DIR", "/opt/ml/model"),
    "output_data_dir": ("SM_OUTPUT_DATA_DIR", "/opt/ml/output/data"),
}


@dataclass(frozen=True)
class TrainingSettings:
    """Everything one training needs, checked."""

    train_dir: Path
    encoder_dir: Path
    model_dir: Path
    output_data_dir: Path
    checkpoint_dir: Path | None
    model_archive: Path | None
    algorithm: str
    seed: int
    hyperparameters: dict[str, HyperparameterValue]


def read_settings(argv: Sequence[str]) -> TrainingSettings:
    """Read arguments, the toolkit's environment and SM_HPS; raises InvalidInputError.

    A hyperparameter on the command line wins over the same one in SM_HPS; in the container they are equal.
    """
    parser = JobArguments(prog="train", description=__doc__, allow_abbrev=False)
    for name, (variable, default) in _DIRECTORIES.items():
        option = f"--{name.replace('_', '-')}"
        parser.add_argument(option, type=Path, default=Path(os.environ.get(variable, default)))
    parser.add_argument("--checkpoint-dir", type=Path, default=Path("/opt/ml/checkpoints"))
    parser.add_argument("--model-archive", type=Path, help="also write this model.tar.gz and its .sha256")
    parser.add_argument("--algorithm", help=f"default: {DEFAULT_ALGORITHM}")
    parser.add_argument("--seed", help=f"default: {DEFAULT_SEED}")
    arguments, tokens = parser.parse_known_args(list(argv))
    given: dict[str, object] = read_sagemaker_hyperparameters(os.environ.get("SM_HPS"))
    given |= read_hyperparameter_tokens(tokens)
    given |= {
        name: value for name in ("algorithm", "seed") if (value := getattr(arguments, name)) is not None
    }
    algorithm = str(given.pop("algorithm", DEFAULT_ALGORITHM))
    seed = given.pop("seed", DEFAULT_SEED)
    try:
        seed_number = int(_SEED.read(seed))
    except ValueError as allowed:
        raise InvalidInputError(f"seed: expected {allowed}, found {seed!r:.80}") from None
    try:
        hyperparameters = validate_hyperparameters(algorithm, given)
    except ContractError as error:
        raise InvalidInputError(str(error)) from None
    return TrainingSettings(
        **{name: getattr(arguments, name) for name in _DIRECTORIES},
        # SageMaker makes the directory when checkpoints are wanted.
        checkpoint_dir=arguments.checkpoint_dir if arguments.checkpoint_dir.is_dir() else None,
        model_archive=arguments.model_archive,
        algorithm=algorithm,
        seed=seed_number,
        hyperparameters=hyperparameters,
    )


def main(argv: Sequence[str]) -> None:
    """Train and write a model; raises InvalidInputError for what a person must mend."""
    settings = read_settings(argv)
    _stop_cleanly_on_sigterm()
    train(settings)


def _stop_cleanly_on_sigterm() -> None:
    """End on SIGTERM with one line; the model directory is written last, so nothing is left half-written.

    A Keras training replaces this handler by one that first finishes the epoch and writes a checkpoint.
    """

    def stop(_signal: int, _frame: object) -> NoReturn:
        print("stopped: SIGTERM received before the model was written", file=sys.stderr, flush=True)
        raise SystemExit(EXIT_STOPPED)

    signal.signal(signal.SIGTERM, stop)


def train(settings: TrainingSettings) -> ModelDescription:
    """Run the stages load, encode, fit (with calibrate) and save; return the finished description."""
    # Heavy imports come after the arguments are checked: a wrong one is told at once.
    from sagemaker_jobs.churn_predictor import encode_features
    from sagemaker_jobs.model_archive import digest_text, write_model_archive
    from sagemaker_jobs.model_files import write_model_directory
    from sagemaker_jobs.split_reading import read_encoder, read_split
    from sagemaker_jobs.training_log import TrainingLog

    log = TrainingLog()
    encoder = read_encoder(settings.encoder_dir)
    features, labels = read_split(settings.train_dir, encoder)
    churn_rate = float(labels.mean())
    log.stage(
        "load",
        f"{len(labels)} rows, {features.shape[1]} features, churn rate {churn_rate:.4f}, schema"
        f" {encoder.schema_name}, {encoder.data_origin} data",
        rows=len(labels),
    )
    encoded = encode_features(settings.algorithm, encoder, features)
    del features
    log.stage("encode", f"{encoded.shape[1]} columns of {encoded.dtype}", columns=encoded.shape[1])
    write_estimator, predict = _fit(settings, encoder, encoded, labels, log)
    rows = _choose_metric_rows(len(labels), settings.seed)
    metrics = compute_training_metrics(labels[rows], predict(encoded[rows]))
    log.metrics(metrics)
    description = ModelDescription(
        algorithm=settings.algorithm,
        hyperparameters=settings.hyperparameters,
        seed=settings.seed,
        training_rows=len(labels),
        training_churn_rate=churn_rate,
        training_metrics=metrics,
        decision_threshold=DECISION_THRESHOLD,
        schema_name=encoder.schema_name,
        schema_fingerprint=encoder.schema_fingerprint,
        data_origin=encoder.data_origin,
        feature_names=encoder.feature_names,
        versions=list_versions(settings.algorithm),
    )
    finished = write_model_directory(settings.model_dir, settings.encoder_dir, description, write_estimator)
    if settings.model_archive is not None:
        digest = write_model_archive(settings.model_dir, settings.model_archive)
        report_progress("save", f"{settings.model_archive} sha256 {digest}")
    log.stage("save", f"{len(finished.file_digests) + 1} files in {settings.model_dir}")
    write_text_atomically(settings.output_data_dir / "model_digest.json", digest_text(settings.model_dir))
    write_text_atomically(settings.output_data_dir / "training_log.jsonl", log.to_json_lines())
    return finished


def _fit(settings: TrainingSettings, encoder: Any, encoded: Any, labels: Any, log: Any) -> tuple[Any, Any]:
    """Fit the asked algorithm; return what writes its files, and what predicts encoded rows."""
    if settings.algorithm == KERAS_ALGORITHM:
        from sagemaker_jobs.keras_training import fit_keras_model

        return fit_keras_model(settings, encoded, labels, log)
    from sagemaker_jobs.model_files import sklearn_writer
    from sagemaker_jobs.sklearn_churn_models import fit_sklearn_model

    estimator, predict = fit_sklearn_model(
        settings.algorithm,
        settings.hyperparameters,
        encoded,
        labels,
        encoder.categorical_mask,
        settings.seed,
        log,
    )
    return sklearn_writer(estimator), predict


def _choose_metric_rows(count: int, seed: int) -> Any:
    """Return what selects the rows for the training metrics: all, or a uniform sample of many."""
    import numpy as np

    if count <= MAXIMUM_METRIC_ROWS:
        return slice(None)
    return np.random.default_rng(seed).choice(count, MAXIMUM_METRIC_ROWS, replace=False)


def compute_training_metrics(labels: Any, probabilities: Any) -> dict[str, float]:
    """Return accuracy, ROC-AUC and log loss on rows trained on: to watch a training, not to judge it."""
    from sagemaker_jobs.classification_metrics import compute_metrics, make_score_table

    metrics = compute_metrics(make_score_table(labels, probabilities, DECISION_THRESHOLD))
    return {name: float(metrics[name][0]) for name in ("accuracy", "roc_auc", "log_loss")}


def list_versions(algorithm: str) -> dict[str, str]:
    """Return the versions of what a loader needs: a pickle belongs to the scikit-learn that wrote it."""
    framework = ["tensorflow", "keras"] if algorithm == KERAS_ALGORITHM else ["scikit-learn"]
    versions = {"python": platform.python_version()}
    for package in ("numpy", "pandas", *framework):
        # TensorFlow is installed under several names (tensorflow-cpu, …); keras is the one that matters.
        with contextlib.suppress(PackageNotFoundError):
            versions[package] = version(package)
    return versions


if __name__ == "__main__":
    run_entry(lambda: main(sys.argv[1:]))
