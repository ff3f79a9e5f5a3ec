"""Power at an equal false-alarm rate from the statistics that each tool gave for each replicate.

A day's statistic is the largest over the columns. p-values are comparable as they are; distances are made so
by dividing each column's by its 99 % point among batches without drift. The day's threshold is exceeded by
5 % of two thirds of the quiet batches; the remaining third, which set nothing, tells what it is really worth.
"""

import math
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
from markdown_tables import write_table
from telecom_tables import SHIFTS

QUIET = "quiet"
COLUMN_POINT, DAY_POINT = 0.99, 0.95
SMALLEST = 1e-12


@dataclass(frozen=True)
class Replicate:
    """What a tool said of one batch."""

    name: str
    seed: int
    statistics: Mapping[str, float]
    flagged: bool
    checksum: int | None


def day_scores(runs: Sequence[Replicate], scale: Mapping[str, float]) -> npt.NDArray[np.float64]:
    """Largest statistic of a batch over its columns; a value that is no number is no evidence."""
    return np.array([
        max(0.0 if math.isnan(value) else value / scale[name] for name, value in run.statistics.items())
        for run in runs
    ])  # fmt: skip


def column_scale(runs: Sequence[Replicate], *, p_values: bool) -> dict[str, float]:
    """99 % point of each column's statistic among quiet batches; 1 where the statistics are p-values."""
    if p_values:
        return dict.fromkeys(runs[0].statistics, 1.0)
    return {
        name: max(float(np.nanquantile([run.statistics[name] for run in runs], COLUMN_POINT)), SMALLEST)
        for name in runs[0].statistics
    }


def power_tables(runs: Mapping[str, Sequence[Replicate]], p_value_tools: Collection[str]) -> None:
    """Write the table at equal false alarm and the one at the tools' own defaults."""
    _require_same_rows(runs)
    equal: dict[str, list[str]] = {name: [name] for name in (QUIET, *SHIFTS)}
    own: dict[str, list[str]] = {name: [name] for name in (QUIET, *SHIFTS)}
    counts = []
    for tool, all_runs in runs.items():
        by_name = {name: [run for run in all_runs if run.name == name] for name in equal}
        split = len(by_name[QUIET]) * 2 // 3
        scale = column_scale(by_name[QUIET][:split], p_values=tool in p_value_tools)
        limit = float(np.quantile(day_scores(by_name[QUIET][:split], scale), DAY_POINT))
        for name, row in equal.items():
            chosen = by_name[name][split:] if name == QUIET else by_name[name]
            row.append(_with_error(float((day_scores(chosen, scale) > limit).mean()), len(chosen)))
            flags = [run.flagged for run in by_name[name]]
            own[name].append(_with_error(float(np.mean(flags)), len(flags)))
        counts.append(f"{tool} {len(by_name[QUIET]):,} and {len(by_name[next(iter(SHIFTS))])}")
    note = (
        f"n = 1,000, N = 8,000; batches without drift and per shift: {'; '.join(counts)}. ± is the standard "
        "error. Tables and seeds are the same for all tools (checksums compared)."
    )
    write_table(
        "peers_power_1000",
        "Power at an equal 5 % false-alarm rate, the tools themselves",
        ["shift", *runs],
        list(equal.values()),
        note + " Thresholds come from two thirds of the batches without drift; the line `quiet` is the "
        "false-alarm rate on the others.",
    )
    write_table(
        "peers_default_1000",
        "Alarms at each tool's own default settings",
        ["shift", *runs],
        list(own.values()),
        note + " The line `quiet` is the false-alarm rate.",
    )


def _with_error(share: float, count: int) -> str:
    return f"{share:.2f} ± {math.sqrt(share * (1 - share) / count):.2f}"


def _require_same_rows(runs: Mapping[str, Sequence[Replicate]]) -> None:
    seen: dict[tuple[str, int], int] = {}
    for tool, all_runs in runs.items():
        for run in all_runs:
            if (
                run.checksum is not None
                and seen.setdefault((run.name, run.seed), run.checksum) != run.checksum
            ):
                raise ValueError(f"{tool} saw other rows in {run.name}, seed {run.seed}; compare nothing")
