"""Encode rows like `FeatureEncoder.transform_dense`, with the standard library only.

numpy and pandas are not certain to be in the TF Serving image; its handler encodes a few rows at a time.
Tests compare every value with FeatureEncoder's.
"""

import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any


def read_encoder_mapping(path: Path) -> dict[str, Any]:
    """Read encoder.json; raises ValueError naming the file when it is not a feature encoder of version 1."""
    content = json.loads(path.read_text(encoding="utf-8"))
    if not isinstance(content, dict) or (content.get("contract"), content.get("version")) != (
        "feature_encoder",
        1,
    ):
        raise ValueError(f"{path.name}: not a feature encoder of version 1")
    return content


def feature_names(encoder: Mapping[str, Any]) -> list[str]:
    """Return the raw features in the encoder's order."""
    return [entry["name"] for entry in encoder["features"]]


def numeric_feature_names(encoder: Mapping[str, Any]) -> list[str]:
    """Return the numeric ones among the raw features."""
    return [entry["name"] for entry in encoder["features"] if entry["kind"] == "numeric"]


def encode_rows(
    encoder: Mapping[str, Any], rows: Sequence[Mapping[str, float | str | None]]
) -> list[list[float]]:
    """Return one list of model inputs per row; a missing number is the median, an unknown level all zeros."""
    return [_encode_row(encoder, row) for row in rows]


def _encode_row(encoder: Mapping[str, Any], row: Mapping[str, float | str | None]) -> list[float]:
    encoded: list[float] = []
    for entry in encoder["features"]:
        value = row[entry["name"]]
        if entry["kind"] == "categorical":
            encoded += [1.0 if value == level else 0.0 for level in entry["levels"]]
            continue
        number = entry["median"] if value is None else float(value)
        encoded.append((number - entry["mean"]) / entry["standard_deviation"])
        if entry["missing_indicator"]:
            encoded.append(1.0 if value is None else 0.0)
    return encoded
