"""The benchmark's tables as pandas frames, the way a user would hand them to another tool."""

import zlib
from collections.abc import Iterator

import numpy as np
import pandas as pd
from telecom_tables import SHIFTS, Table, draw

from include.drift_statistics.column_values import DictionaryColumn

BATCH_ROWS, REFERENCE_ROWS = 1000, 8000
FIRST_QUIET_SEED = 10**6


def to_frame(table: Table) -> pd.DataFrame:
    """Numbers as they are, levels as text."""
    columns = {}
    for name, column in table.items():
        if isinstance(column, DictionaryColumn):
            columns[name] = pd.Series(np.array(column.levels, dtype=object)[column.codes])
        else:
            columns[name] = pd.Series(column)
    return pd.DataFrame(columns)


def draw_pair(seed: int, shift: str | None) -> tuple[Table, Table]:
    """Reference and batch of one replicate: the very tables of false_alarms_and_power.py."""
    generator = np.random.default_rng([20261124, BATCH_ROWS, seed])
    reference = draw(generator, REFERENCE_ROWS)
    return reference, (draw if shift is None else SHIFTS[shift])(generator, BATCH_ROWS)


def scenarios(quiet: int, replicates: int) -> Iterator[tuple[str, str | None, int]]:
    """Name, shift and seed of every replicate; batches without drift come first."""
    for seed in range(quiet):
        yield "quiet", None, FIRST_QUIET_SEED + seed
    for name in SHIFTS:
        for seed in range(replicates):
            yield name, name, seed


def checksum(table: Table) -> int:
    """A number that differs when the tables differ: every environment must draw the same rows."""
    frame = to_frame(table)
    return zlib.crc32(frame.to_csv(index=False, float_format="%.9g").encode())
