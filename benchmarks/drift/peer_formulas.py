"""Power of the statistics other tools use, on the very tables of the power benchmark, at equal false alarm.

    PYTHONPATH=. python benchmarks/drift/peer_formulas.py [--replicates 200] [--quiet 1500]

Not the tools themselves but their formulas, written out here: Wasserstein distance in standard deviations
with Jensen-Shannon distance; Jensen-Shannon distance alone, on reference deciles; ks_2samp with chi-squared.
Each column's statistic is turned into its rank among batches without drift, so every column has an equal part
in the 5 %: kinder to the formulas than one threshold for all columns.
"""

import argparse
from collections.abc import Callable, Mapping
from typing import Any

import numpy as np
from markdown_tables import write_table
from scipy import stats
from scipy.spatial.distance import jensenshannon
from telecom_tables import LEVELS, NUMERIC, SHIFTS, Table, draw

ROWS, REFERENCE = 1000, 8000


def shares(column: Any, levels: int) -> np.ndarray:
    """Counts per level; unseen levels come last."""
    return np.bincount(column.codes, minlength=levels + 1).astype(float)


def statistics(reference: Table, current: Table) -> dict[str, list[float]]:
    """Statistics per formula, one per column, larger for more drift."""
    found: dict[str, list[float]] = {"Wasserstein / JS": [], "JS": [], "KS + chi-squared": []}
    for name in NUMERIC:
        first, second = np.asarray(reference[name], float), np.asarray(current[name], float)
        second = second[~np.isnan(second)]
        edges = np.unique(np.quantile(first, np.linspace(0, 1, 11))[1:-1])
        bins = [
            np.bincount(np.searchsorted(edges, side), minlength=len(edges) + 1) for side in (first, second)
        ]
        found["Wasserstein / JS"].append(stats.wasserstein_distance(first, second) / first.std())
        found["JS"].append(float(jensenshannon(*bins)))
        found["KS + chi-squared"].append(-stats.ks_2samp(first, second, method="asymp").pvalue)
    for name, levels in LEVELS.items():
        first, second = shares(reference[name], len(levels)), shares(current[name], len(levels))
        distance = float(jensenshannon(first, second))
        kept = first + second > 0
        found["Wasserstein / JS"].append(distance)
        found["JS"].append(distance)
        table = np.array([first[kept], second[kept]])
        found["KS + chi-squared"].append(-stats.chi2_contingency(table, correction=False).pvalue)
    return found


def replicate(seed: int, batch: Callable[[np.random.Generator, int], Table]) -> dict[str, list[float]]:
    """One fresh reference and batch."""
    generator = np.random.default_rng([77, seed])
    return statistics(draw(generator, REFERENCE), batch(generator, ROWS))


def tail_ranks(values: np.ndarray, quiet: np.ndarray) -> np.ndarray:
    """Smallest share, over columns, of quiet batches at least as extreme."""
    ordered = np.sort(quiet, axis=0)
    places = [np.searchsorted(ordered[:, j], values[:, j]) for j in range(values.shape[1])]
    return np.min(1 - np.array(places) / len(quiet), axis=0)


def main() -> None:
    """Command line."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--replicates", type=int, default=200)
    parser.add_argument("--quiet", type=int, default=1500)
    arguments = parser.parse_args()
    quiet_runs = [replicate(seed + 10**6, draw) for seed in range(arguments.quiet)]
    quiet: Mapping[str, np.ndarray] = {
        key: np.array([run[key] for run in quiet_runs]) for key in quiet_runs[0]
    }
    limits = {key: np.quantile(tail_ranks(values, values), 0.05) for key, values in quiet.items()}
    rows = []
    for name, shift in SHIFTS.items():
        runs = [replicate(seed, shift) for seed in range(arguments.replicates)]
        row = [name]
        for key, values in quiet.items():
            ranks = tail_ranks(np.array([run[key] for run in runs]), values)
            row.append(f"{(ranks <= limits[key]).mean():.2f}")
        print(row, flush=True)
        rows.append(row)
    note = (
        f"n = {ROWS:,}, N = {REFERENCE:,}, {arguments.replicates} replicates, {arguments.quiet} quiet ones."
    )
    title = "Power of other tools' formulas at equal false alarm"
    write_table("peer_formulas", title, ["shift", *quiet], rows, note)


if __name__ == "__main__":
    main()
