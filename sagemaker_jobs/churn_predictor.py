"""A trained model as one function: raw validated features in, churn probabilities out.

Used by evaluate and, from the archive's own `code/` directory, by the serving container. The caller must have
checked where the files come from (`model_archive.open_verified_model`, or SageMaker's own download): the
digests in model.json, checked here, only show that the files belong together.
"""

import hashlib
import os
from dataclasses import dataclass
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from sagemaker_jobs.feature_encoder import FeatureEncoder
from sagemaker_jobs.model_description import KERAS_ALGORITHM, ModelDescription

# Read when scikit-learn loads OpenMP: threads that spin while waiting cost five times the CPU when others
# use the machine too.
os.environ.setdefault("OMP_WAIT_POLICY", "PASSIVE")

SKLEARN_FILE = "model.joblib"
KERAS_FILE = "model.keras"
ENCODER_FILE = "encoder.json"
SCHEMA_FILE = "schema.json"
# HistGradientBoosting takes at most this many levels as categories; wider ones are one-hot encoded instead.
MAXIMUM_CATEGORY_LEVELS = 255


def encode_features(algorithm: str, encoder: FeatureEncoder, features: pd.DataFrame) -> np.ndarray:
    """Return the array (n, d) that `algorithm` takes; raises ValueError naming a missing column."""
    if algorithm == "hist_gradient_boosting":
        return encoder.transform_ordinal(features)
    return encoder.transform_dense(features)


@dataclass(frozen=True)
class ChurnPredictor:
    """A loaded model with its encoder and description."""

    description: ModelDescription
    encoder: FeatureEncoder
    estimator: Any

    def predict_probabilities(self, features: pd.DataFrame) -> np.ndarray:
        """Return churn probabilities (n,) float64 in [0, 1] for raw features; no row order is assumed.

        Raises ValueError naming a missing column; a missing or unknown value is encoded, not refused.
        """
        if not len(features):
            return np.empty(0)
        encoded = encode_features(self.description.algorithm, self.encoder, features)
        if self.description.algorithm == KERAS_ALGORITHM:
            from sagemaker_jobs.keras_churn_model import predict_keras

            return predict_keras(self.estimator, encoded)
        return self.estimator.predict_proba(encoded)[:, 1].astype(np.float64)

    @classmethod
    def from_directory(cls, directory: Path) -> "ChurnPredictor":
        """Load a model directory; raises ValueError when a file is missing, changed or of another kind."""
        description = ModelDescription.from_directory(directory)
        _check_versions(description)
        file_name = KERAS_FILE if description.algorithm == KERAS_ALGORITHM else SKLEARN_FILE
        for name in (file_name, ENCODER_FILE):
            _check_file(directory / name, description.file_digests.get(name))
        encoder = FeatureEncoder.from_json(directory / ENCODER_FILE)
        if encoder.schema_fingerprint != description.schema_fingerprint:
            raise ValueError(f"{ENCODER_FILE} was fitted for another schema than the model's")
        return cls(description, encoder, _load_estimator(directory / file_name))


def _check_versions(description: ModelDescription) -> None:
    """Refuse a model of another release of its framework: a pickle may load there and answer differently."""
    package = "keras" if description.algorithm == KERAS_ALGORITHM else "scikit-learn"
    wanted = description.versions.get(package, "unknown")
    try:
        found = version(package)
    except PackageNotFoundError:
        found = "none"
    if wanted.split(".")[:2] != found.split(".")[:2]:
        raise ValueError(
            f"{description.algorithm} was trained with {package} {wanted}, this environment has {found};"
            " use the image it was trained in"
        )


def _check_file(path: Path, expected_sha256: str | None) -> None:
    if expected_sha256 is None or not path.is_file():
        raise ValueError(f"{path.name} is missing from the model")
    with path.open("rb") as stream:
        found = hashlib.file_digest(stream, "sha256").hexdigest()
    if found != expected_sha256:
        raise ValueError(f"{path.name} was changed after training: its sha256 is not the one in model.json")


def _load_estimator(path: Path) -> Any:
    if path.name == KERAS_FILE:
        from sagemaker_jobs.keras_churn_model import load_keras

        return load_keras(path)
    import joblib

    return joblib.load(path)
