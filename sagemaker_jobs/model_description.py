"""The file `model.json`: what a model is, what it was made from, and the sha256 of the files beside it."""

import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from pathlib import Path

FILE_NAME = "model.json"
CONTRACT = "churn_model"
VERSION = 1
DECISION_THRESHOLD = 0.5
KERAS_ALGORITHM = "keras_mlp"


@dataclass(frozen=True)
class ModelDescription:
    """One trained model; `decision_threshold`: a probability at or above it is predicted to churn.

    `file_digests` covers every file of the model directory but model.json itself.
    """

    algorithm: str
    hyperparameters: Mapping[str, int | float | str]
    seed: int
    training_rows: int
    training_churn_rate: float
    training_metrics: Mapping[str, float]
    decision_threshold: float
    schema_name: str
    schema_fingerprint: str
    data_origin: str
    feature_names: tuple[str, ...]
    versions: Mapping[str, str]
    file_digests: Mapping[str, str] = field(default_factory=dict)

    def to_json(self) -> str:
        """Return strict, indented JSON ending in a newline."""
        content = {"contract": CONTRACT, "version": VERSION, **asdict(self)}
        return json.dumps(content, indent=2, allow_nan=False, ensure_ascii=False) + "\n"

    @classmethod
    def from_directory(cls, directory: Path) -> "ModelDescription":
        """Read model.json of a model directory; raises ValueError naming the file and the key."""
        path = directory / FILE_NAME
        try:
            content = json.loads(path.read_text(encoding="utf-8"))
            found = (content["contract"], content["version"])
            fields = {name: content[name] for name in cls.__dataclass_fields__}
        except KeyError as error:
            raise ValueError(f"{path.name}: key {error} is missing") from None
        except (OSError, ValueError, TypeError) as error:
            raise ValueError(f"{path.name}: not a {CONTRACT} of version {VERSION}: {error}") from None
        if found != (CONTRACT, VERSION):
            raise ValueError(f"{path.name}: expected {CONTRACT} version {VERSION}, found {found}")
        return cls(**fields | {"feature_names": tuple(fields["feature_names"])})
