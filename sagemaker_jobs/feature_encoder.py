"""Turn raw validated features into the arrays models take; state is portable JSON, never a pickle.

The encoder is fitted by preprocess on the train split only and then travels with the model, so training,
evaluation and serving encode alike, in the scikit-learn image and in the TensorFlow one.
"""

import json
import math
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

if TYPE_CHECKING:  # pandas takes most of a second to import, and fitting does not need it
    import pandas as pd

CONTRACT = "feature_encoder"
VERSION = 1


@dataclass(frozen=True)
class NumericEncoding:
    """Median for missing values, then (value - mean) / standard deviation, all of the imputed train column.

    `missing_indicator` adds a 0/1 column; it is set when the train split had missing values.
    """

    name: str
    median: float
    mean: float
    standard_deviation: float
    missing_indicator: bool


@dataclass(frozen=True)
class CategoricalEncoding:
    """One-hot over `levels` in schema order; an unknown or missing level is all zeros."""

    name: str
    levels: tuple[str, ...]


FeatureEncoding = NumericEncoding | CategoricalEncoding


@dataclass(frozen=True)
class FeatureEncoder:
    """Fitted encodings of all features in schema order, and where they come from."""

    encodings: tuple[FeatureEncoding, ...]
    schema_name: str
    schema_fingerprint: str
    data_origin: str
    rows_fitted: int

    @property
    def feature_names(self) -> tuple[str, ...]:
        """Raw feature names in schema order; the columns of `transform_ordinal`."""
        return tuple(encoding.name for encoding in self.encodings)

    @property
    def dense_feature_names(self) -> tuple[str, ...]:
        """Names of the columns of `transform_dense`."""
        names: list[str] = []
        for encoding in self.encodings:
            if isinstance(encoding, NumericEncoding):
                names.append(encoding.name)
                names += [f"{encoding.name}=missing"] if encoding.missing_indicator else []
            else:
                names += [f"{encoding.name}={level}" for level in encoding.levels]
        return tuple(names)

    @property
    def categorical_mask(self) -> np.ndarray:
        """Boolean, one entry per column of `transform_ordinal`: is it categorical."""
        return np.array([isinstance(encoding, CategoricalEncoding) for encoding in self.encodings])

    def transform_dense(self, frame: "pd.DataFrame") -> np.ndarray:
        """Encode n rows as float32 (n, len(dense_feature_names)); never NaN.

        Extra columns of `frame` are ignored; a missing one raises ValueError with its name.
        """
        self._require_columns(frame)
        dense = np.zeros((len(frame), len(self.dense_feature_names)), dtype=np.float32)
        position = 0
        for encoding in self.encodings:
            if isinstance(encoding, NumericEncoding):
                values = _read_numbers(frame[encoding.name])
                is_missing = np.isnan(values)
                values[is_missing] = encoding.median
                dense[:, position] = (values - encoding.mean) / encoding.standard_deviation
                position += 1
                if encoding.missing_indicator:
                    dense[:, position] = is_missing
                    position += 1
            else:
                codes = _read_codes(frame[encoding.name], encoding.levels)
                rows = np.flatnonzero(codes >= 0)
                dense[rows, position + codes[rows]] = 1
                position += len(encoding.levels)
        return dense

    def transform_ordinal(self, frame: "pd.DataFrame") -> np.ndarray:
        """Encode n rows as float64 (n, len(feature_names)): raw numbers and level codes.

        NaN stands for a missing number and for a missing or unknown level. Raises ValueError as above.
        """
        self._require_columns(frame)
        ordinal = np.empty((len(frame), len(self.encodings)), dtype=np.float64)
        for position, encoding in enumerate(self.encodings):
            if isinstance(encoding, NumericEncoding):
                ordinal[:, position] = _read_numbers(frame[encoding.name])
            else:
                codes = _read_codes(frame[encoding.name], encoding.levels)
                ordinal[:, position] = np.where(codes >= 0, codes, np.nan)
        return ordinal

    def _require_columns(self, frame: "pd.DataFrame") -> None:
        missing = [name for name in self.feature_names if name not in frame.columns]
        if missing:
            raise ValueError(
                f"missing feature: {', '.join(missing)}; needed: {', '.join(self.feature_names)}"
            )

    def to_json(self) -> str:
        """Return strict, indented JSON, ending in a newline."""
        mapping = {
            "contract": CONTRACT,
            "version": VERSION,
            "schema": {"name": self.schema_name, "fingerprint": self.schema_fingerprint},
            "data_origin": self.data_origin,
            "rows_fitted": self.rows_fitted,
            "features": [_encoding_mapping(encoding) for encoding in self.encodings],
        }
        return json.dumps(mapping, indent=2, allow_nan=False, ensure_ascii=False) + "\n"

    @classmethod
    def from_json(cls, path: str | Path) -> "FeatureEncoder":
        """Read the encoder from a file; raises ValueError naming the file when it is not one."""
        try:
            return cls.from_mapping(json.loads(Path(path).read_text(encoding="utf-8")))
        except (OSError, UnicodeDecodeError, KeyError, TypeError, ValueError) as error:
            detail = f"key {error}" if isinstance(error, KeyError) else str(error)
            raise ValueError(f"{path}: not a feature encoder of version {VERSION}: {detail}") from error

    @classmethod
    def from_mapping(cls, mapping: Mapping[str, Any]) -> "FeatureEncoder":
        """Read the encoder from its JSON mapping; raises KeyError, TypeError or ValueError."""
        if mapping["contract"] != CONTRACT or mapping["version"] != VERSION:
            raise ValueError(f"found {mapping['contract']} version {mapping['version']}")
        return cls(
            encodings=tuple(_read_encoding(entry) for entry in mapping["features"]),
            schema_name=mapping["schema"]["name"],
            schema_fingerprint=mapping["schema"]["fingerprint"],
            data_origin=mapping["data_origin"],
            rows_fitted=mapping["rows_fitted"],
        )


def _encoding_mapping(encoding: FeatureEncoding) -> dict[str, Any]:
    if isinstance(encoding, CategoricalEncoding):
        return {"name": encoding.name, "kind": "categorical", "levels": list(encoding.levels)}
    return {
        "name": encoding.name,
        "kind": "numeric",
        "median": encoding.median,
        "mean": encoding.mean,
        "standard_deviation": encoding.standard_deviation,
        "missing_indicator": encoding.missing_indicator,
    }


def _read_encoding(entry: Mapping[str, Any]) -> FeatureEncoding:
    if entry["kind"] == "categorical":
        return CategoricalEncoding(entry["name"], tuple(entry["levels"]))
    numbers = [float(entry[key]) for key in ("median", "mean", "standard_deviation")]
    if not all(map(math.isfinite, numbers)) or numbers[2] <= 0:
        raise ValueError(f"{entry['name']}: median, mean and standard deviation must be finite, the last > 0")
    return NumericEncoding(entry["name"], *numbers, bool(entry["missing_indicator"]))


def _read_numbers(column: "pd.Series") -> np.ndarray:
    """Return a fresh float64 array; what is not a finite number is NaN."""
    import pandas as pd

    values = pd.to_numeric(column, errors="coerce").to_numpy(dtype=np.float64, na_value=np.nan, copy=True)
    values[~np.isfinite(values)] = np.nan
    return values


def _read_codes(column: "pd.Series", levels: tuple[str, ...]) -> np.ndarray:
    """Return the position of each value in `levels`, -1 for a missing or unknown one."""
    import pandas as pd

    # Strings are `object` in pandas 2 and `str` in pandas 3; object is read alike in both.
    return pd.Index(levels, dtype=object).get_indexer(
        pd.Index(column.astype(object).to_numpy(), dtype=object)
    )


def fit_numeric_encoding(name: str, train_values: np.ndarray) -> NumericEncoding:
    """Fit one numeric encoding on the train split's float64 values, NaN where missing.

    A constant column gets a standard deviation of 1, so that it encodes as zero instead of dividing by zero.
    Figures are rounded to 12 significant digits: they then do not depend on the order of the rows.
    """
    is_missing = np.isnan(train_values)
    present = train_values[~is_missing] if is_missing.any() else train_values
    missing_count = len(train_values) - len(present)
    median = float(np.median(present)) if len(present) else 0.0
    count = max(len(train_values), 1)
    mean = (float(present.sum()) + median * missing_count) / count
    squares = float(np.square(present - mean).sum()) + (median - mean) ** 2 * missing_count
    deviation = math.sqrt(squares / count)
    if deviation <= 1e-12 * max(1.0, abs(mean)):
        deviation = 1.0
    return NumericEncoding(name, *(float(f"{v:.12g}") for v in (median, mean, deviation)), missing_count > 0)
