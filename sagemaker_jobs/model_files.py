"""Write a trained model's directory: model, encoder, schema, serving code, digests; whole or not at all."""

import pkgutil
import shutil
import tempfile
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

from sagemaker_jobs.churn_predictor import ENCODER_FILE, SCHEMA_FILE, SKLEARN_FILE
from sagemaker_jobs.job_entry import InvalidInputError, write_bytes_atomically
from sagemaker_jobs.model_archive import digest_directory
from sagemaker_jobs.model_description import FILE_NAME, ModelDescription

# What `code/inference.py` needs beside the packages of the serving images.
SERVING_MODULES = (
    "__init__",
    "churn_predictor",
    "feature_encoder",
    "model_description",
    "prediction_requests",
    "row_encoder",
)


def write_model_directory(
    model_dir: Path,
    encoder_dir: Path,
    description: ModelDescription,
    write_estimator: Callable[[Path], None],
) -> ModelDescription:
    """Write all files of a model into `model_dir`; return the description with the files' digests.

    `write_estimator` writes the framework's own files into the directory it is given. Everything is made in
    a temporary directory first, and model.json comes last: a directory without it is not a model.
    Raises InvalidInputError when `model_dir` holds files already.
    """
    if model_dir.is_dir() and any(model_dir.iterdir()):
        raise InvalidInputError(f"{model_dir}: is not empty; give a new or empty directory")
    with tempfile.TemporaryDirectory(prefix="model-") as temporary:
        staging = Path(temporary)
        write_estimator(staging)
        for name in (ENCODER_FILE, SCHEMA_FILE):
            shutil.copyfile(encoder_dir / name, staging / name)
        _write_serving_code(staging / "code")
        finished = replace(description, file_digests=digest_directory(staging))
        model_dir.mkdir(parents=True, exist_ok=True)
        for name in finished.file_digests:
            write_bytes_atomically(model_dir / name, (staging / name).read_bytes())
    write_bytes_atomically(model_dir / FILE_NAME, finished.to_json().encode())
    return finished


def _write_serving_code(directory: Path) -> None:
    # pkgutil reads the source from a directory and from a zip alike.
    package = directory / "sagemaker_jobs"
    package.mkdir(parents=True)
    sources = {f"sagemaker_jobs/{name}.py": f"{name}.py" for name in SERVING_MODULES}
    for target, name in (sources | {"inference.py": "inference.py"}).items():
        source = pkgutil.get_data("sagemaker_jobs", name)
        if source is None:
            raise FileNotFoundError(f"the source of sagemaker_jobs/{name} is not shipped with this program")
        (directory / target).write_bytes(source)


def sklearn_writer(estimator: Any) -> Callable[[Path], None]:
    """Return a function that writes a scikit-learn estimator into a directory."""

    def write(directory: Path) -> None:
        import joblib

        # Not compressed: model.tar.gz is.
        joblib.dump(estimator, directory / SKLEARN_FILE)

    return write
