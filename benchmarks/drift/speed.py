"""Speed and memory of a check against a stored profile, beside the bare scan and scipy + contingency tables.

    PYTHONPATH=. python benchmarks/drift/speed.py [--rows 100000 1000000 10000000] [--directory DIR]

Parquet files of the telecom table are written once. The check streams a file, two threads over record
batches; the usual recipe holds both tables in memory. Figures are medians of a few warm runs in one process.
"""

import argparse
import resource
import statistics
import tempfile
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from functools import reduce
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
from markdown_tables import write_table
from scipy import stats
from telecom_tables import LEVELS, NUMERIC, SPECS, Table, draw

from include.drift_statistics.column_values import DictionaryColumn
from include.drift_statistics.comparison import compare_profiles
from include.drift_statistics.drift_report import DriftReport
from include.drift_statistics.profile_files import profile_bytes, read_profile
from include.drift_statistics.profiles import Profile, build_profile, count_rows

BLOCK_ROWS = 1_000_000
BATCH_ROWS = 131_072
LARGEST_FILE_ROWS = 10_000_000  # a larger batch is streamed as several passes over a file of this size
THREADS = 2
SLOWEST_RECIPE_ROWS = 1_000_000


def write_file(path: Path, rows: int, seed: int) -> None:
    """Write a table in row groups of a million rows at most."""
    generator = np.random.default_rng(seed)
    writer = None
    for start in range(0, rows, BLOCK_ROWS):
        table = _arrow(draw(generator, min(BLOCK_ROWS, rows - start)))
        writer = writer or pq.ParquetWriter(path, table.schema)
        writer.write_table(table)
    if writer is not None:
        writer.close()


def _arrow(table: Table) -> pa.Table:
    columns = {}
    for name, column in table.items():
        if isinstance(column, DictionaryColumn):
            codes = pa.array(column.codes.astype(np.int32))
            columns[name] = pa.DictionaryArray.from_arrays(codes, pa.array(list(column.levels))).cast(
                pa.string()
            )
        else:
            columns[name] = pa.array(column)
    return pa.table(columns)


def read_batches(path: Path, passes: int = 1) -> Iterator[pa.RecordBatch]:
    """Stream a file, as often as asked; text columns come as dictionaries."""
    for _ in range(passes):
        file = pq.ParquetFile(path, read_dictionary=list(LEVELS), pre_buffer=False)
        yield from file.iter_batches(batch_size=BATCH_ROWS, use_threads=True)


def to_columns(batch: pa.RecordBatch) -> Table:
    """Columns of a record batch, without copies where there are no nulls."""
    columns: dict[str, Any] = {}
    for name in NUMERIC:
        columns[name] = batch.column(name).to_numpy(zero_copy_only=False)
    for name in LEVELS:
        array = batch.column(name)
        levels = tuple(array.dictionary.to_pylist())
        columns[name] = DictionaryColumn(array.indices.to_numpy(zero_copy_only=False), levels)
    return columns


def check(path: Path, reference: Profile, passes: int = 1) -> DriftReport:
    """Stream a file, count it, compare it."""

    def count(batch: pa.RecordBatch) -> Profile:
        return count_rows(reference.layout, to_columns(batch))

    with ThreadPoolExecutor(THREADS) as pool:
        current: Profile | None = None
        waiting = []
        for batch in read_batches(path, passes):
            waiting.append(pool.submit(count, batch))
            if len(waiting) > 2 * THREADS:  # bounds the memory whatever the size of the file
                done = waiting.pop(0).result()
                current = done if current is None else current.merge(done)
        parts = [future.result() for future in waiting]
    whole = reduce(Profile.merge, parts if current is None else [current, *parts])
    return compare_profiles(reference, whole)


def bare_scan(path: Path, passes: int = 1) -> None:
    """Read every batch and do nothing."""
    for _ in read_batches(path, passes):
        pass


def usual_recipe(path: Path, reference: dict[str, np.ndarray]) -> None:
    """scipy.stats.ks_2samp and chi2_contingency per column, both tables in memory."""
    current = pq.read_table(path)
    for name in NUMERIC:
        stats.ks_2samp(reference[name], current.column(name).to_numpy(), method="asymp")
    for name in LEVELS:
        first = dict(zip(*np.unique(reference[name], return_counts=True), strict=True))
        values = current.column(name).combine_chunks().value_counts()
        second = {item["values"]: item["counts"] for item in values.to_pylist()}
        union = sorted({*first, *second})
        table = np.array(
            [[first.get(level, 0) for level in union], [second.get(level, 0) for level in union]]
        )
        stats.chi2_contingency(table, correction=False)


def timed(work: Callable[[], Any], repeats: int) -> tuple[float, float]:
    """Median wall and CPU seconds of warm runs."""
    if repeats > 1:
        work()
    walls, processors = [], []
    for _ in range(repeats):
        wall, processor = time.perf_counter(), time.process_time()
        work()
        walls.append(time.perf_counter() - wall)
        processors.append(time.process_time() - processor)
    return statistics.median(walls), statistics.median(processors)


def measure(rows: int, directory: Path, reference: Profile) -> list[str]:
    """One line of the table."""
    passes = max(1, rows // LARGEST_FILE_ROWS)
    path = directory / f"current_{rows // passes}.parquet"
    if not path.exists():
        write_file(path, rows // passes, rows)
    repeats = 5 if rows <= 1_000_000 else 1
    start = _resident()
    scan = timed(lambda: bare_scan(path, passes), repeats)
    found = timed(lambda: check(path, reference, passes), repeats)
    memory = f"{_resident() - start:.0f}"
    recipe = ("–", "–")
    if rows <= SLOWEST_RECIPE_ROWS:
        table = draw(np.random.default_rng(1), rows)
        held = {
            name: np.array(column.levels)[column.codes] if isinstance(column, DictionaryColumn) else column
            for name, column in table.items()
        }
        seconds = timed(lambda: usual_recipe(path, held), 1)
        recipe = (f"{seconds[0]:.2f} / {seconds[1]:.2f}", f"{seconds[1] / found[1]:.1f}")
    return [
        f"{rows:,}",
        f"{scan[0]:.3f} / {scan[1]:.3f}",
        f"{found[0]:.3f} / {found[1]:.3f}",
        f"{found[1] / scan[1]:.1f}",
        recipe[0],
        recipe[1],
        memory,
        f"{_resident():.0f}",
    ]


def _resident() -> float:
    """Largest resident size of the process so far, MB."""
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024


def main() -> None:
    """Command line."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--rows", type=int, nargs="+", default=[8000, 100_000, 1_000_000])
    parser.add_argument("--directory", type=Path)
    arguments = parser.parse_args()
    start = time.process_time()
    content = profile_bytes(build_profile(draw(np.random.default_rng(0), BLOCK_ROWS), SPECS))
    built = time.process_time() - start
    reference = read_profile(content)
    with tempfile.TemporaryDirectory() as temporary:
        directory = arguments.directory or Path(temporary)
        rows = [measure(count, directory, reference) for count in arguments.rows]
    header = ["rows", "bare scan s", "check s", "check / scan (CPU)", "scipy + contingency s"]
    header += ["ratio (CPU)", "extra MB", "peak MB"]
    note = (
        f"Seconds are wall / CPU of warm runs, 12 columns, {THREADS} threads, a shared machine. "
        f"Profile of {BLOCK_ROWS:,} reference rows: {built:.2f} CPU s, {len(content) / 1e6:.2f} MB stored."
    )
    name = "_".join(["speed", *(str(count) for count in arguments.rows)])
    write_table(name, "Speed of a check against a stored profile", header, rows, note)


if __name__ == "__main__":
    main()
