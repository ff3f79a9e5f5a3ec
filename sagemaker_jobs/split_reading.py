"""Read what preprocess wrote: the encoder, and one side of the split (CSV parts, target first)."""

from pathlib import Path

import numpy as np
import pandas as pd

from include.data_contracts.feature_schema import load_schema
from sagemaker_jobs.feature_encoder import FeatureEncoder, NumericEncoding
from sagemaker_jobs.job_entry import InvalidInputError

TARGET = "churn"


def read_encoder(directory: Path) -> FeatureEncoder:
    """Read encoder.json and check that schema.json beside it is the schema it was fitted for.

    Raises InvalidInputError naming the file.
    """
    try:
        encoder = FeatureEncoder.from_json(directory / "encoder.json")
        schema = load_schema(str(directory / "schema.json"))
    except ValueError as error:
        raise InvalidInputError(str(error)) from None
    if schema.fingerprint() != encoder.schema_fingerprint:
        raise InvalidInputError(
            f"{directory}: encoder.json was fitted for schema {encoder.schema_name} with another fingerprint"
            " than schema.json; take both from the same preprocess run"
        )
    return encoder


def read_split(directory: Path, encoder: FeatureEncoder) -> tuple[pd.DataFrame, np.ndarray]:
    """Return raw features (n rows, columns of the encoder) and labels (n,), int8, 0 or 1, both present.

    Numbers are float64 with NaN where the cell is empty; levels are categories, so that ten million rows fit.
    Raises InvalidInputError naming the file, the line and the column.
    """
    paths = sorted(directory.glob("*.csv")) if directory.is_dir() else []
    if not paths:
        raise InvalidInputError(f"{directory}: holds no CSV file; give the directory that preprocess wrote")
    frames = [_read_part(path, encoder) for path in paths]
    table = frames[0] if len(frames) == 1 else pd.concat(frames, ignore_index=True)
    labels = table.pop(TARGET).to_numpy(dtype=np.int8)
    if not len(labels):
        raise InvalidInputError(f"{directory}: holds no row; run preprocess on more data")
    if labels.min() == labels.max():
        raise InvalidInputError(
            f"{directory}: all {len(labels)} rows have {TARGET} = {labels[0]}; both classes are needed"
        )
    return table, labels


def _read_part(path: Path, encoder: FeatureEncoder) -> pd.DataFrame:
    names = [TARGET, *encoder.feature_names]
    kinds = {
        encoding.name: "float64" if isinstance(encoding, NumericEncoding) else "category"
        for encoding in encoder.encodings
    }
    try:
        header = list(pd.read_csv(path, nrows=0, index_col=False).columns)
        if header == names:
            # Only an empty cell is missing: "No" and "None" are levels.
            part = pd.read_csv(
                path,
                dtype=kinds | {TARGET: "float64"},
                keep_default_na=False,
                na_values=[""],
                index_col=False,
            )
    except ValueError as error:  # an OSError is the machine's, and worth another try
        raise InvalidInputError(_name_bad_cell(path, kinds, error)) from None
    if header != names:
        raise InvalidInputError(
            f"{path}, line 1: expected the header {','.join(names)}, found {','.join(header):.300}"
        )
    _check_numbers(path, part, kinds)
    return part


def _check_numbers(path: Path, part: pd.DataFrame, kinds: dict[str, str]) -> None:
    is_label = part[TARGET].isin([0.0, 1.0]).to_numpy()
    if not is_label.all():
        row = int(np.argmin(is_label))
        raise InvalidInputError(
            f"{path}, line {row + 2}, column {TARGET}: expected 0 or 1, found {part[TARGET].iloc[row]}"
        )
    for name in (name for name, kind in kinds.items() if kind == "float64"):
        is_infinite = np.isinf(part[name].to_numpy())
        if is_infinite.any():
            row = int(np.argmax(is_infinite))
            raise InvalidInputError(f"{path}, line {row + 2}, column {name}: an infinite number")


def _name_bad_cell(path: Path, kinds: dict[str, str], error: Exception) -> str:
    """Find the first cell that is not a number, by a second reading: the job fails anyway."""
    try:
        texts = pd.read_csv(path, dtype=str, keep_default_na=False, na_values=[""], index_col=False)
    except ValueError:
        return f"{path}: cannot be read as CSV: {error}"
    for name in (TARGET, *(name for name, kind in kinds.items() if kind == "float64")):
        if name not in texts:
            continue
        is_bad = pd.to_numeric(texts[name], errors="coerce").isna() & texts[name].notna()
        if is_bad.any():
            row = int(np.argmax(is_bad.to_numpy()))
            return f"{path}, line {row + 2}, column {name}: not a number: {texts[name].iloc[row]!r:.80}"
    return f"{path}: cannot be read as CSV: {error}"
