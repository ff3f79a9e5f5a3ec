"""False alarms per day and power of the daily rule.

    export PYTHONPATH=. ; cd to the root of the project
    python benchmarks/drift/false_alarms_and_power.py false-alarms [--replicates 1000] [--sizes 200 1000]
    python benchmarks/drift/false_alarms_and_power.py power [--replicates 400]
    python benchmarks/drift/false_alarms_and_power.py power-untuned [--replicates 400]
    python benchmarks/drift/false_alarms_and_power.py tiny-shift [--replicates 40] [--sizes 1000000]

Every replicate draws a new reference and a new batch. Power is given at the rule's own threshold and at the
threshold that alarms on exactly 5 % of batches without drift (equal false alarm).
"""

import argparse
import math
import time
from collections.abc import Callable, Mapping

import numpy as np
from markdown_tables import wilson, write_table
from telecom_tables import SHIFTS, SPECS, UNTUNED_SHIFTS, Table, draw

from include.drift_statistics.comparison import compare_profiles
from include.drift_statistics.drift_report import DriftReport
from include.drift_statistics.profiles import Profile, build_profile, count_rows


def daily_p_value(report: DriftReport) -> float:
    """Smallest adjusted p-value of the day: the day alarms when it is at most alpha."""
    values = [feature.adjusted_p_value for feature in report.features]
    if report.joint is not None:
        values.append(report.joint.adjusted_p_value)
    return min(1.0 if value is None else value for value in values)


def reference_rows(rows: int) -> int:
    """Eight batches, as in the published tables, but never more than 100,000."""
    return min(8 * max(rows, 1000), 100_000)


def replicate(
    seed: int, rows: int, batch: Callable[[np.random.Generator, int], Table], reference_size: int
) -> DriftReport:
    """One fresh reference, one fresh batch."""
    generator = np.random.default_rng([20261124, rows, seed])
    reference: Profile = build_profile(draw(generator, reference_size), SPECS)
    return compare_profiles(reference, count_rows(reference.layout, batch(generator, rows)))


def false_alarms(sizes: list[int], replicates: int) -> None:
    """Table of false alarms per day."""
    rows = []
    for size in sizes:
        start = time.perf_counter()
        reports = [replicate(seed, size, draw, reference_rows(size)) for seed in range(replicates)]
        alarms = sum(report.verdict not in {"no_drift", "insufficient_data"} for report in reports)
        breaks = sum(report.verdict == "data_break" for report in reports)
        joint = sum(report.joint is not None and report.joint.verdict == "drift" for report in reports)
        low, high = wilson(alarms, replicates)
        print(f"n={size}: {time.perf_counter() - start:.0f} s", flush=True)
        rows.append(
            [
                f"{size:,}",
                f"{reference_rows(size):,}",
                f"{replicates:,}",
                f"{alarms / replicates:.4f}",
                f"{low:.4f} to {high:.4f}",
                f"{joint / replicates:.4f}",
                str(breaks),
            ]
        )
    header = [
        "batch rows",
        "reference rows",
        "replicates",
        "days with alarm",
        "95 % interval",
        "joint test",
        "breaks",
    ]
    write_table(
        "_".join(["false_alarms", *(str(size) for size in sizes)]),
        "False alarms per day without drift",
        header,
        rows,
        "Family-wise target: at most 0.05.",
    )


def power(replicates: int, sizes: list[int], quiet_replicates: int, untuned: bool) -> None:
    """Table of power for the named shifts."""
    shifts: Mapping[str, Callable[[np.random.Generator, int], Table]] = UNTUNED_SHIFTS if untuned else SHIFTS
    thresholds = {}
    for size in sizes:
        quiet = sorted(
            daily_p_value(replicate(seed + 10**6, size, draw, reference_rows(size)))
            for seed in range(quiet_replicates)
        )
        thresholds[size] = quiet[quiet_replicates // 20 - 1]
    rows = []
    for name, shift in shifts.items():
        row = [name]
        for size in sizes:
            values = [
                daily_p_value(replicate(seed, size, shift, reference_rows(size)))
                for seed in range(replicates)
            ]
            own = sum(value <= 0.05 for value in values) / replicates
            equal = sum(value <= thresholds[size] for value in values) / replicates
            row += [f"{own:.2f}", f"{equal:.2f}"]
        print(row, flush=True)
        rows.append(row)
    header = ["shift"]
    for size in sizes:
        header += [f"n = {size:,}", "at equal 5 %"]
    error = math.sqrt(0.25 / replicates)
    note = (
        f"{replicates} replicates, standard error at most {error:.3f}. Thresholds at equal alarm "
        f"(adjusted p-value): {', '.join(f'n = {size:,}: {at:.4f}' for size, at in thresholds.items())}."
    )
    name = "_".join(["power_untuned" if untuned else "power", *(str(size) for size in sizes)])
    write_table(
        name,
        "Power of the daily rule" + (" on shifts nobody tuned on" if untuned else ""),
        header,
        rows,
        note,
    )


def tiny_shift(sizes: list[int], replicates: int) -> None:
    """Table of alarms at a shift too small to matter: sure in a million rows, but below every floor."""
    rows = []
    for size in sizes:
        alarms, p_values = 0, []
        for seed in range(replicates):
            generator = np.random.default_rng([1, size, seed])
            reference = build_profile(draw(generator, size), SPECS)
            table = draw(generator, size)
            table["charge"] = table["charge"] + 30 * 0.01
            report = compare_profiles(reference, count_rows(reference.layout, table))
            alarms += report.verdict != "no_drift"
            charge = next(feature for feature in report.features if feature.name == "charge")
            p_values.append(charge.ks_p_value or 0.0)
        sure = sum(p_value <= 0.05 for p_value in p_values)
        rows.append([f"{size:,}", str(replicates), str(alarms), f"{sure} of {replicates}"])
    write_table(
        "_".join(["tiny_shift", *(str(size) for size in sizes)]),
        "A shift of 0.01 sd in one column",
        ["batch and reference rows", "replicates", "alarms", "a KS test of the column alone at .05 alarms"],
        rows,
        "Target: no alarm.",
    )


def main() -> None:
    """Command line."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("table", choices=["false-alarms", "power", "power-untuned", "tiny-shift"])
    parser.add_argument("--replicates", type=int)
    parser.add_argument("--quiet-replicates", type=int, default=1000)
    parser.add_argument("--sizes", type=int, nargs="+")
    arguments = parser.parse_args()
    if arguments.table == "false-alarms":
        false_alarms(arguments.sizes or [200, 1000, 8000, 100_000], arguments.replicates or 1000)
    elif arguments.table == "tiny-shift":
        tiny_shift(arguments.sizes or [1_000_000], arguments.replicates or 40)
    else:
        sizes = arguments.sizes or [1000, 8000]
        power(
            arguments.replicates or 400, sizes, arguments.quiet_replicates, arguments.table == "power-untuned"
        )


if __name__ == "__main__":
    main()
