"""Write synthetic telecom data with a known Bayes accuracy, marked as synthetic.

The directory gets CSV files in the form of the `ibm_telco` schema and a marker file by which preprocess (and
everything after it) knows the data as synthetic. The rows depend on the seed, not on the number of files.
"""

import json
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import BinaryIO

import numpy as np
import pyarrow as pa
from pyarrow import csv as pa_csv

from include.data_contracts.data_quality_report import SYNTHETIC_MARKER
from sagemaker_jobs.job_entry import (
    InvalidInputError,
    JobArguments,
    report_progress,
    run_entry,
    write_text_atomically,
)
from sagemaker_jobs.synthetic_customers import (
    FEATURE_NAMES,
    LEVELS,
    bayes_auc,
    churn_probability,
    draw_customers,
    solve_intercept,
)

ROWS_PER_CHUNK = 1 << 17
MAXIMUM_ROWS = 200_000_000  # beyond, the customer number times the id step would overflow 64 bits
_THREADS = 2
_ID_LETTERS = np.frombuffer(b"ABCDEFGHIJKLMNOPQRSTUVWXYZ", dtype=np.uint8)
_ID_COUNT = 10_000 * 26**5
_ID_STEP = 73_244_475_127  # coprime to the number of ids: all ids differ, neighbours lie far apart
_AUC_CHUNKS = 8


@dataclass(frozen=True)
class SyntheticData:
    """What was asked, and what the written rows have; accuracy and AUC are of the true probabilities."""

    rows: int
    seed: int
    churn_rate_asked: float
    signal_scale: float
    intercept: float
    churn_rate: float
    bayes_accuracy: float
    bayes_auc: float
    files: tuple[str, ...]

    def to_json(self) -> str:
        """Return the marker file's text."""
        mapping = {"contract": "synthetic_data", "version": 1, "data_origin": "synthetic", **asdict(self)}
        return json.dumps(mapping, indent=2, allow_nan=False) + "\n"


@dataclass(frozen=True)
class _Chunk:
    text: bytes
    churned: int
    probabilities: np.ndarray


def make_customer_ids(first: int, count: int) -> pa.Array:
    """Return distinct ids such as 4821-QWERT for customers number `first` onwards."""
    numbers = (
        np.arange(first, first + count, dtype=np.uint64) * np.uint64(_ID_STEP % _ID_COUNT)
    ) % np.uint64(_ID_COUNT)
    text = np.empty((count, 10), dtype=np.uint8)
    text[:, 4] = ord("-")
    for position in (3, 2, 1, 0):
        numbers, digit = np.divmod(numbers, np.uint64(10))
        text[:, position] = digit + np.uint64(ord("0"))
    for position in range(5, 10):
        numbers, letter = np.divmod(numbers, np.uint64(26))
        text[:, position] = _ID_LETTERS[letter.astype(np.int64)]
    offsets = pa.array(np.arange(count + 1, dtype=np.int32) * 10)
    return pa.StringArray.from_buffers(count, offsets.buffers()[1], pa.py_buffer(text.tobytes()))


def _draw_chunk(number: int, count: int, seed: int, signal_scale: float, intercept: float) -> _Chunk:
    rng = np.random.default_rng([seed, number])
    customers = draw_customers(count, rng)
    probabilities = churn_probability(customers.log_odds, signal_scale, intercept)
    churned = rng.random(count) < probabilities
    arrays = {"customer_id": make_customer_ids(number * ROWS_PER_CHUNK, count)}
    for name in FEATURE_NAMES:
        values = pa.array(customers.columns[name])
        arrays[name] = pa.array(LEVELS[name]).take(values) if name in LEVELS else values
    arrays["churn"] = pa.array(["No", "Yes"]).take(pa.array(churned.astype(np.int8)))
    sink = pa.BufferOutputStream()
    options = pa_csv.WriteOptions(include_header=False, batch_size=1 << 14, quoting_style="none")
    pa_csv.write_csv(pa.table(arrays), sink, options)
    return _Chunk(sink.getvalue().to_pybytes(), int(churned.sum()), probabilities)


@dataclass
class _Totals:
    churned: int = 0
    accuracy_sum: float = 0.0
    auc_parts: list[np.ndarray] = field(default_factory=list)

    def add(self, chunk: _Chunk) -> None:
        self.churned += chunk.churned
        self.accuracy_sum += float(np.maximum(chunk.probabilities, 1 - chunk.probabilities).sum())
        if len(self.auc_parts) < _AUC_CHUNKS:
            self.auc_parts.append(chunk.probabilities)


def _write_chunks(paths: list[Path], rows: int, draw: Callable[[int, int], _Chunk]) -> _Totals:
    """Draw the chunks two at a time and write them in order, spread over the files."""
    totals = _Totals()
    chunk_count = -(-rows // ROWS_PER_CHUNK)
    header = ",".join(("customer_id", *FEATURE_NAMES, "churn")) + "\n"
    with ExitStack() as stack:
        streams = [stack.enter_context(path.open("wb")) for path in paths]
        pool = stack.enter_context(ThreadPoolExecutor(_THREADS))
        for stream in streams:
            stream.write(header.encode())
        for start in range(0, chunk_count, _THREADS):
            numbers = range(start, min(start + _THREADS, chunk_count))
            counts = [min(ROWS_PER_CHUNK, rows - number * ROWS_PER_CHUNK) for number in numbers]
            for number, chunk in zip(numbers, pool.map(draw, numbers, counts), strict=True):
                _write_rows(streams, chunk.text, number * ROWS_PER_CHUNK, rows)
                totals.add(chunk)
            if start and start % 32 == 0:
                report_progress("generate", f"{start * ROWS_PER_CHUNK:,} of {rows:,} rows")
    return totals


def generate(
    output_dir: Path,
    *,
    rows: int,
    seed: int = 42,
    churn_rate: float = 0.37,
    signal_scale: float = 1.4,
    files: int = 1,
) -> SyntheticData:
    """Write `rows` customers over `files` CSV files and the marker; returns what the data really have.

    Memory does not grow with the rows. Files appear under their names when all are complete, the marker
    first: no synthetic file ever stands in a directory that is not marked.
    """
    output_dir.mkdir(parents=True, exist_ok=True)
    intercept = solve_intercept(churn_rate, signal_scale)
    names = tuple(f"customers-{number:05d}.csv" for number in range(files))
    partial = [output_dir / f".{name}.partial" for name in names]

    def draw(number: int, count: int) -> _Chunk:
        return _draw_chunk(number, count, seed, signal_scale, intercept)

    try:
        totals = _write_chunks(partial, rows, draw)
        data = SyntheticData(
            rows=rows,
            seed=seed,
            churn_rate_asked=churn_rate,
            signal_scale=signal_scale,
            intercept=round(intercept, 9),
            churn_rate=totals.churned / rows,
            bayes_accuracy=round(totals.accuracy_sum / rows, 6),
            bayes_auc=round(bayes_auc(np.concatenate(totals.auc_parts)), 6),
            files=names,
        )
        write_text_atomically(output_dir / SYNTHETIC_MARKER, data.to_json())
        for path, name in zip(partial, names, strict=True):
            path.replace(output_dir / name)
    finally:
        for path in partial:
            path.unlink(missing_ok=True)
    report_progress(
        "generate",
        f"{rows:,} synthetic rows, churn rate {data.churn_rate:.4f},"
        f" Bayes accuracy {data.bayes_accuracy:.4f}, Bayes AUC {data.bayes_auc:.4f}",
    )
    return data


def _write_rows(streams: list[BinaryIO], text: bytes, first_row: int, rows: int) -> None:
    """Append a chunk's lines to the files that own them: file k of K owns the k-th K-th of all rows."""
    bounds = [rows * (number + 1) // len(streams) for number in range(len(streams))]
    row, position = first_row, 0
    lines = None
    for stream, bound in zip(streams, bounds, strict=True):
        if row >= bound or position >= len(text):
            continue
        if lines is None and first_row + text.count(b"\n") > bound:
            lines = np.flatnonzero(np.frombuffer(text, dtype=np.uint8) == ord("\n")) + 1
        if lines is None or first_row + len(lines) <= bound:
            stream.write(text[position:])
            return
        end = int(lines[bound - first_row - 1])
        stream.write(text[position:end])
        row, position = bound, end


def main(argv: Sequence[str]) -> None:
    """Run the generator from the command line; raises InvalidInputError for values out of bounds."""
    parser = JobArguments(prog="generate_synthetic_data", description=__doc__.splitlines()[0])
    parser.add_argument("--rows", type=int, required=True)
    parser.add_argument("--output-dir", type=Path, required=True)
    parser.add_argument("--seed", type=int, default=42)
    parser.add_argument("--churn-rate", type=float, default=0.37)
    parser.add_argument("--signal-scale", type=float, default=1.4, help="1.4: Bayes accuracy .846; 0.8: .765")
    parser.add_argument("--files", type=int, default=1, help="spread the rows over this many files")
    options = parser.parse_args(argv)
    bounds = (
        ("--rows", options.rows, 1, MAXIMUM_ROWS),
        ("--seed", options.seed, 0, 2**63 - 1),
        ("--churn-rate", options.churn_rate, 0.001, 0.999),
        ("--signal-scale", options.signal_scale, 0.0, 10.0),
        ("--files", options.files, 1, min(1000, max(options.rows, 1))),
    )
    for name, value, low, high in bounds:
        if not low <= value <= high:
            raise InvalidInputError(f"{name} must lie between {low:g} and {high:g}, found {value:g}")
    generate(
        options.output_dir,
        rows=options.rows,
        seed=options.seed,
        churn_rate=options.churn_rate,
        signal_scale=options.signal_scale,
        files=options.files,
    )


if __name__ == "__main__":
    import sys

    run_entry(lambda: main(sys.argv[1:]))
