"""URIs of SageMaker's container images, from a committed table that the SageMaker SDK wrote.

The SDK cannot be installed beside Airflow, so `scripts/write_image_table.py` asks it in an environment of its
own and writes `images.json`; its `--check` compares the committed table with the SDK.
"""

import json
from collections.abc import Mapping
from functools import cache
from importlib.resources import files
from typing import Any

from include.data_contracts.retraining_plan import StageImages

SKLEARN = "sklearn"
TENSORFLOW_TRAINING = "tensorflow-training"
TENSORFLOW_INFERENCE = "tensorflow-inference"
SKLEARN_VERSION = "1.9-0"
TENSORFLOW_TRAINING_VERSION = "2.21"
TENSORFLOW_INFERENCE_VERSION = "2.20"
KERAS_ALGORITHMS = frozenset({"keras_mlp"})


class UnknownImageError(ValueError):
    """The table holds no image for what was asked; the one-line message says what it holds."""


@cache
def _table() -> Mapping[str, Any]:
    text = files("include.sagemaker_requests").joinpath("images.json").read_text(encoding="utf-8")
    table: Mapping[str, Any] = json.loads(text)
    return table


def image_uri(image: str, version: str, region: str) -> str:
    """Return the URI of one image in one region; raises UnknownImageError.

    `image` is one of the SKLEARN, TENSORFLOW_TRAINING and TENSORFLOW_INFERENCE constants of this module.
    """
    versions = _table()["images"].get(image, {})
    entry = versions.get(version)
    if entry is None:
        known = ", ".join(versions) or "none"
        raise UnknownImageError(f"image table: no version {version!r} of {image!r}; known versions: {known}")
    account = entry["accounts"].get(region)
    if account is None:
        raise UnknownImageError(
            f"image table: SageMaker has no {image} {version} image in region {region!r}; it has one in: "
            f"{', '.join(entry['accounts'])}"
        )
    domain = _table()["registry_domains"][region]
    return f"{account}.dkr.ecr.{region}.{domain}/{entry['repository']}:{entry['tag']}"


def stage_images(algorithm: str, region: str) -> StageImages:
    """Return the images of a run: Keras trains, is judged and served on TensorFlow, the rest on scikit-learn.

    Preprocessing always runs on the scikit-learn image. Raises UnknownImageError.
    """
    sklearn = image_uri(SKLEARN, SKLEARN_VERSION, region)
    if algorithm not in KERAS_ALGORITHMS:
        return StageImages(preprocess=sklearn, train=sklearn, evaluate=sklearn, inference=sklearn)
    tensorflow = image_uri(TENSORFLOW_TRAINING, TENSORFLOW_TRAINING_VERSION, region)
    serving = image_uri(TENSORFLOW_INFERENCE, TENSORFLOW_INFERENCE_VERSION, region)
    return StageImages(preprocess=sklearn, train=tensorflow, evaluate=tensorflow, inference=serving)


def images_by_region() -> Mapping[str, tuple[str, ...]]:
    """Return region → the images it has, for every region of the table."""
    images = _table()["images"]
    return {
        region: tuple(
            name
            for name, versions in images.items()
            if all(region in entry["accounts"] for entry in versions.values())
        )
        for region in _table()["registry_domains"]
    }
