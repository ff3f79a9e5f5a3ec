"""Read and write scores of a model by customer: `customer_id,score`, CSV or Parquet."""

import csv
import gzip
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import islice
from pathlib import Path
from typing import IO, Any

import numpy as np

from sagemaker_jobs.job_entry import InvalidInputError

ID_NAME, SCORE_NAME = "customer_id", "score"
PREDICTIONS_FILE = "predictions.csv"
PART_ROWS = 1 << 16


@dataclass(frozen=True, eq=False)
class ScorePart:
    """Consecutive rows of a table of scores: ids as text (empty: none), scores float64, NaN: not scored."""

    ids: Sequence[str]
    scores: np.ndarray


def read_scores(path: Path, option: str) -> Iterator[ScorePart]:
    """Yield a table's rows part by part; the id column may be absent.

    `path` is a file, or a folder whose CSV and Parquet files are read in order. Raises InvalidInputError
    naming file, line and value.
    """
    files = [path]
    if path.is_dir():
        files = sorted(file for file in path.iterdir() if file.name.endswith((".csv", ".csv.gz", ".parquet")))
    if not files or not files[0].is_file():
        raise InvalidInputError(f"{option} {path}: no such file, or a folder without CSV or Parquet")
    for file in files:
        with file.open("rb") as stream:
            start = stream.read(4)
        yield from _read_parquet(file, option) if start == b"PAR1" else _read_csv(file, option, start)


def _read_csv(path: Path, option: str, start: bytes) -> Iterator[ScorePart]:
    def open_text() -> IO[str]:
        if start.startswith(b"\x1f\x8b"):
            return gzip.open(path, "rt", encoding="utf-8-sig", newline="")
        return path.open(encoding="utf-8-sig", newline="")

    try:
        with open_text() as stream:
            reader = csv.reader(stream)
            header = [cell.strip() for cell in next(reader, [])]
            if SCORE_NAME not in header:
                raise InvalidInputError(
                    f"{option} {path}, line 1: no column {SCORE_NAME!r}; found {', '.join(header):.200}"
                )
            at = header.index(SCORE_NAME)
            id_at = header.index(ID_NAME) if ID_NAME in header else None
            while rows := list(islice(reader, PART_ROWS)):
                place = f"{option} {path}, line {reader.line_num - len(rows) + 1} or below"
                if any(len(row) != len(header) for row in rows):
                    raise InvalidInputError(
                        f"{place}: a row has another number of fields than the header's {len(header)}"
                    )
                ids = [""] * len(rows) if id_at is None else [row[id_at] for row in rows]
                yield ScorePart(ids, _read_numbers([row[at] for row in rows], place))
    except (OSError, EOFError, UnicodeDecodeError, csv.Error) as error:
        raise InvalidInputError(f"{option} {path}: cannot be read as CSV: {error}") from None


def _read_numbers(texts: Sequence[str], place: str) -> np.ndarray:
    try:
        scores = np.array([float(text) if text else np.nan for text in texts], dtype=np.float64)
    except ValueError as error:
        raise InvalidInputError(f"{place}: a score is not a number: {error}") from None
    return _check(scores, place)


def _check(scores: np.ndarray, place: str) -> np.ndarray:
    is_wrong = (scores < 0) | (scores > 1)
    if is_wrong.any():
        value = scores[int(np.argmax(is_wrong))]
        raise InvalidInputError(f"{place}: score {value:g} lies outside 0 to 1; give churn probabilities")
    return scores


def _read_parquet(path: Path, option: str) -> Iterator[ScorePart]:
    try:
        import pyarrow as pa
        from pyarrow import compute, parquet
    except ImportError:
        raise InvalidInputError(f"{option} {path}: this image cannot read Parquet; give CSV") from None
    try:
        with parquet.ParquetFile(path) as file:
            names = file.schema_arrow.names
            if SCORE_NAME not in names:
                raise InvalidInputError(
                    f"{option} {path}: no column {SCORE_NAME!r}; found {', '.join(names):.200}"
                )
            wanted = [name for name in (ID_NAME, SCORE_NAME) if name in names]
            for batch in file.iter_batches(PART_ROWS, columns=wanted):
                scores = compute.cast(batch.column(SCORE_NAME), pa.float64())
                ids: Any = [""] * batch.num_rows
                if ID_NAME in names:
                    texts = compute.fill_null(compute.cast(batch.column(ID_NAME), pa.string()), "")
                    ids = texts.to_pylist()
                yield ScorePart(ids, _check(scores.to_numpy(zero_copy_only=False), f"{option} {path}"))
    except (pa.ArrowException, OSError) as error:
        raise InvalidInputError(
            f"{option} {path}: cannot be read as a table of scores: {' '.join(str(error).split())}"
        ) from None


class PredictionsWriter:
    """Write predictions.csv part by part; a customer who was not scored has an empty score."""

    def __init__(self, stream: IO[str]) -> None:
        """Write the header."""
        self._writer = csv.writer(stream, lineterminator="\n")
        self._writer.writerow((ID_NAME, SCORE_NAME))

    def write(self, part: ScorePart) -> None:
        """Append the rows of one part."""
        scores = ("" if score != score else repr(score) for score in part.scores.tolist())  # noqa: PLR0124
        self._writer.writerows(zip(part.ids, scores, strict=True))
