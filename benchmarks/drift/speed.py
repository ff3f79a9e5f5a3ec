"""Speed and memory of a check against a stored profile, beside the bare scan and scipy + contingency tables.

    PYTHONPATH=. python benchmarks/drift/speed.py [--rows 100000 1000000 10000000] [--directory DIR]

Parquet files of the telecom table are written once. The check streams a file, two threads over record
batches; the usual recipe holds both tables in memory, reading only the batch. Two bare scans read every
column of the same file in the same batches and threads: as pyarrow gives them, text as text; and as the check
asks for them, text as dictionaries, which costs pyarrow a third. All take turns, so that whatever else the
machine does strikes them alike; ratios are medians over the turns.
"""

import argparse
import resource
import statistics
import tempfile
import time
from collections.abc import Callable, Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
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


def read_batches(path: Path, passes: int = 1, *, dictionaries: bool = True) -> Iterator[pa.RecordBatch]:
    """Stream a file, as often as asked; text columns come as dictionaries unless said otherwise."""
    for _ in range(passes):
        file = pq.ParquetFile(path, read_dictionary=list(LEVELS) if dictionaries else None, pre_buffer=False)
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


def bare_scan(path: Path, passes: int = 1, *, dictionaries: bool = True) -> None:
    """Read every batch and do nothing."""
    for _ in read_batches(path, passes, dictionaries=dictionaries):
        pass


def usual_recipe(path: Path, reference: pa.Table) -> None:
    """scipy.stats.ks_2samp and chi2_contingency per column, both tables in memory."""
    current = pq.read_table(path)
    for name in NUMERIC:
        first, second = reference.column(name).to_numpy(), current.column(name).to_numpy()
        stats.ks_2samp(first, second, method="asymp")
    for name in LEVELS:
        first, second = (
            {item["values"]: item["counts"] for item in table.column(name).value_counts().to_pylist()}
            for table in (reference, current)
        )
        union = sorted({*first, *second})
        counts = [[side.get(level, 0) for level in union] for side in (first, second)]
        stats.chi2_contingency(np.array(counts), correction=False)


@dataclass(frozen=True)
class Seconds:
    """Wall and CPU seconds (user and system) of every turn of one piece of work."""

    walls: list[float]
    processors: list[float]

    def shown(self) -> str:
        """Smallest and median."""
        return " / ".join(
            f"{min(one):.3f} ({statistics.median(one):.3f})" for one in (self.walls, self.processors)
        )

    def times(self, other: "Seconds") -> str:
        """How many times `other` this took: medians over the turns of the ratios of wall and of CPU."""
        pairs = ((self.walls, other.walls), (self.processors, other.processors))
        ratios = [statistics.median(a / b for a, b in zip(*pair, strict=True)) for pair in pairs]
        return " / ".join(f"{ratio:.1f}" for ratio in ratios)


def take_turns(work: Mapping[str, Callable[[], Any]], turns: int) -> dict[str, Seconds]:
    """Time pieces of work in turns; with more than one turn, after a round that does not count."""
    found: dict[str, Seconds] = {name: Seconds([], []) for name in work}
    for turn in range(turns + (turns > 1)):
        for name, piece in work.items():
            wall, processor = time.perf_counter(), time.process_time()
            piece()
            if turn > 0 or turns == 1:
                found[name].walls.append(time.perf_counter() - wall)
                found[name].processors.append(time.process_time() - processor)
    return found


def measure(rows: int, directory: Path, reference: Profile, turns: int) -> list[str]:
    """One line of the table."""
    passes = max(1, rows // LARGEST_FILE_ROWS)
    path = directory / f"current_{rows // passes}.parquet"
    if not path.exists():
        write_file(path, rows // passes, rows)
    turns = turns if rows <= SLOWEST_RECIPE_ROWS else 1
    start = _resident()
    check(path, reference, passes)
    memory = f"{_resident() - start:.0f} / {_resident():.0f}"
    work: dict[str, Callable[[], Any]] = {
        "plain": lambda: bare_scan(path, passes, dictionaries=False),
        "scan": lambda: bare_scan(path, passes),
        "check": lambda: check(path, reference, passes),
    }
    if rows <= SLOWEST_RECIPE_ROWS:
        held = _arrow(draw(np.random.default_rng(1), rows))
        work["recipe"] = lambda: usual_recipe(path, held)
    found = take_turns(work, turns)
    recipe = (
        [found["recipe"].shown(), found["recipe"].times(found["check"])] if "recipe" in found else ["–", "–"]
    )
    return [
        f"{rows:,}",
        found["check"].shown(),
        found["plain"].shown(),
        found["check"].times(found["plain"]),
        found["scan"].shown(),
        found["check"].times(found["scan"]),
        *recipe,
        memory,
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
    parser.add_argument("--turns", type=int, default=7)
    arguments = parser.parse_args()
    start = time.process_time()
    content = profile_bytes(build_profile(draw(np.random.default_rng(0), BLOCK_ROWS), SPECS))
    built = time.process_time() - start
    reference = read_profile(content)
    with tempfile.TemporaryDirectory() as temporary:
        directory = arguments.directory or Path(temporary)
        rows = [measure(count, directory, reference, arguments.turns) for count in arguments.rows]
    header = ["rows", "check s", "plain scan s", "check / plain scan", "dictionary scan s"]
    header += ["check / dictionary scan", "scipy + contingency s", "recipe / check", "extra / peak MB"]
    note = (
        f"Seconds are wall / CPU of warm runs, smallest (median) of {arguments.turns} turns up to a million "
        f"rows and of one beyond; ratios are wall / CPU; 12 columns, {THREADS} threads, a shared machine. "
        f"Profile of {BLOCK_ROWS:,} reference rows: {built:.2f} CPU s, {len(content) / 1e6:.2f} MB stored."
    )
    name = "_".join(["speed", *(str(count) for count in arguments.rows)])
    write_table(name, "Speed of a check against a stored profile", header, rows, note)


if __name__ == "__main__":
    main()
