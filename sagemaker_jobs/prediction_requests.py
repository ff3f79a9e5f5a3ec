"""Read rows of raw features from a request body and write predictions back; standard library only.

CSV comes with or without a header (without: the model's features in their order, as batch transform sends
them); JSON is one object, a list, or {"instances": [...]}; JSON Lines is one object or list per line. A row
is an object by feature name, or a list in feature order. Missing: an empty cell or null. Columns beyond the
features are ignored, so that a caller may pass an id along.
"""

import csv
import io
import json
import math
from collections.abc import Mapping, Sequence
from typing import Any

CSV = "text/csv"
JSON = "application/json"
JSON_LINES = "application/jsonlines"
_JSON_LINES_NAMES = {JSON_LINES, "application/x-jsonlines", "application/x-ndjson"}
_ANYTHING = {"", "*/*", "application/*"}

Cell = float | str | None
Row = dict[str, Cell]


class RequestError(ValueError):
    """A request that the caller must mend; `status_code` is what an HTTP server should answer."""

    def __init__(self, message: str, status_code: int = 400) -> None:
        super().__init__(message)
        self.status_code = status_code


def read_rows(
    body: bytes | str, content_type: str | None, feature_names: Sequence[str], numeric_names: Sequence[str]
) -> list[Row]:
    """Return one mapping per row with every feature; numbers are float, levels text, missing cells None.

    Raises RequestError naming the row (from 1) and the column; status 415 for another content type.
    """
    media_type = _media_type(content_type)
    text = _decode(body)
    if media_type == CSV:
        records = _read_csv(text, feature_names)
    elif media_type == JSON:
        records = _read_json(text)
    elif media_type in _JSON_LINES_NAMES:
        records = [_parse(line, f"line {n}") for n, line in enumerate(text.splitlines(), 1) if line.strip()]
    else:
        raise RequestError(
            f"content type {content_type!r} is not supported; send {CSV}, {JSON} or {JSON_LINES}", 415
        )
    if not records:
        raise RequestError("the request holds no row")
    numeric = frozenset(numeric_names)
    return [_read_row(record, n, feature_names, numeric) for n, record in enumerate(records, 1)]


def _media_type(content_type: str | None) -> str:
    return (content_type or "").split(";")[0].strip().lower()


def _decode(body: bytes | str) -> str:
    if isinstance(body, str):
        return body.removeprefix("\ufeff")
    try:
        return bytes(body).decode("utf-8-sig")
    except UnicodeDecodeError:
        raise RequestError("the request is not UTF-8 text") from None


def _read_csv(text: str, feature_names: Sequence[str]) -> list[Any]:
    try:
        records = [record for record in csv.reader(io.StringIO(text), strict=True) if record]
    except csv.Error as error:
        raise RequestError(f"the request is not CSV: {error}") from None
    if not records:
        return []
    header = [cell.strip() for cell in records[0]]
    # A header is recognised by any feature name in it: no feature's value is spelled like a feature's name.
    if not set(header) & set(feature_names):
        return records
    _refuse_missing(header, feature_names, "the CSV header")
    for number, record in enumerate(records[1:], 1):
        if len(record) != len(header):
            raise RequestError(f"row {number}: has {len(record)} cells, the header has {len(header)}")
    return [dict(zip(header, record, strict=True)) for record in records[1:]]


def _read_json(text: str) -> list[Any]:
    content = _parse(text, "the request")
    if isinstance(content, dict) and "instances" in content:
        content = content["instances"]
        if not isinstance(content, list):
            raise RequestError("key 'instances': expected a list of rows")
    if isinstance(content, dict):
        return [content]
    if isinstance(content, list) and content and not isinstance(content[0], dict | list):
        return [content]
    if not isinstance(content, list):
        raise RequestError("expected a JSON object, a list of rows, or {'instances': [...]}")
    return content


def _parse(text: str, place: str) -> Any:
    try:
        return json.loads(text)
    except json.JSONDecodeError as error:
        raise RequestError(f"{place} is not JSON: {error}") from None


def _refuse_missing(
    found: Sequence[str] | Mapping[str, Any], feature_names: Sequence[str], place: str
) -> None:
    missing = [name for name in feature_names if name not in found]
    if missing:
        raise RequestError(
            f"{place}: missing feature: {', '.join(missing)}; needed: {', '.join(feature_names)}"
        )


def _read_row(record: Any, number: int, feature_names: Sequence[str], numeric: frozenset[str]) -> Row:
    if isinstance(record, list):
        if len(record) != len(feature_names):
            raise RequestError(
                f"row {number}: has {len(record)} values, expected {len(feature_names)}:"
                f" {', '.join(feature_names)}"
            )
        record = dict(zip(feature_names, record, strict=True))
    if not isinstance(record, dict):
        raise RequestError(f"row {number}: expected an object or a list, found {record!r:.60}")
    _refuse_missing(record, feature_names, f"row {number}")
    return {name: _read_cell(record[name], number, name, name in numeric) for name in feature_names}


def _read_cell(value: Any, number: int, name: str, is_numeric: bool) -> Cell:
    if value is None or (isinstance(value, str) and not value.strip()):
        return None
    if not is_numeric:
        if not isinstance(value, str):
            raise RequestError(f"row {number}, column {name}: expected text, found {value!r:.60}")
        return value
    try:
        cell = math.nan if isinstance(value, bool) else float(value)
    except (TypeError, ValueError):
        cell = math.nan
    if not math.isfinite(cell):
        raise RequestError(f"row {number}, column {name}: expected a number, found {value!r:.60}")
    return cell


def choose_accepted(accept: str | None) -> str:
    """Return the media type to answer with, JSON when anything goes; raises RequestError (406)."""
    wanted = [_media_type(part) for part in (accept or "").split(",")]
    for media_type in wanted:
        if media_type in _ANYTHING:
            return JSON
        if media_type in {CSV, JSON, *_JSON_LINES_NAMES}:
            return media_type
    raise RequestError(f"cannot answer with {accept!r}; accept {JSON}, {JSON_LINES} or {CSV}", 406)


def format_predictions(probabilities: Sequence[float], threshold: float, accept: str | None) -> str:
    """Return churn probabilities and the class at `threshold` as JSON, JSON Lines or CSV (no header)."""
    media_type = choose_accepted(accept)
    pairs = [(float(probability), int(probability >= threshold)) for probability in probabilities]
    if media_type == CSV:
        return "".join(f"{probability!r},{label}\n" for probability, label in pairs)
    objects = [{"churn_probability": probability, "churn": label} for probability, label in pairs]
    if media_type == JSON:
        return json.dumps({"predictions": objects}, allow_nan=False)
    return "".join(json.dumps(entry, allow_nan=False) + "\n" for entry in objects)
