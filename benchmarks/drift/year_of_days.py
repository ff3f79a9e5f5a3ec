"""A year of daily looks: false alerts without drift, and delay after a shift of 0.1 sd on day 100.

    PYTHONPATH=. python benchmarks/drift/year_of_days.py quiet --reference 1000 --years 200
    PYTHONPATH=. python benchmarks/drift/year_of_days.py shifted --reference 8000 --years 200
    PYTHONPATH=. python benchmarks/drift/year_of_days.py looks

Every year draws its own reference; its 365 batches go through the whole chain, from rows to alerts.
"""

import argparse
import datetime
import time

import numpy as np
from markdown_tables import wilson, write_table
from scipy.special import erfc
from telecom_tables import SPECS, draw

from include.drift_statistics.change_scan import LOOKBACK_DAYS
from include.drift_statistics.daily_evidence import DayEvidence, day_evidence
from include.drift_statistics.profiles import build_profile, count_rows
from include.drift_statistics.sequential_monitor import AlertDecision, MonitorRule, walk_days

START = datetime.date(2026, 1, 1)


def simulate_year(
    seed: int, reference_size: int, batch: int, days: int, shift_day: int | None, shift: float
) -> list[AlertDecision]:
    """Alerts of one year; from `shift_day` on, one column is moved by `shift` standard deviations."""
    generator = np.random.default_rng([365, reference_size, batch, seed])
    reference = build_profile(draw(generator, reference_size), SPECS)
    evidence: list[DayEvidence] = []
    for day in range(days):
        table = draw(generator, batch)
        if shift_day is not None and day + 1 >= shift_day:
            table["charge"] = table["charge"] + 30 * shift
        profile = count_rows(reference.layout, table)
        date = (START + datetime.timedelta(days=day)).isoformat()
        evidence.append(day_evidence(reference, profile, date, "no_drift"))
    return walk_days(reference, evidence, MonitorRule())


def quiet(reference_size: int, batch: int, years: int) -> None:
    """False alerts per year."""
    start = time.perf_counter()
    new = [
        sum(
            decision.transition in {"new", "worse"}
            for decision in simulate_year(seed, reference_size, batch, 365, None, 0)
        )
        for seed in range(years)
    ]
    any_alert = sum(count > 0 for count in new)
    low, high = wilson(any_alert, years)
    mean = float(np.mean(new))
    margin = 1.96 * float(np.std(new)) / years**0.5
    row = [f"{reference_size:,}", f"{batch:,}", str(years), f"{mean:.3f} ± {margin:.3f}",
           f"{any_alert / years:.3f} ({low:.3f} to {high:.3f})"]  # fmt: skip
    write_table(
        f"quiet_year_{reference_size}_{batch}",
        "A year of daily looks without drift",
        ["reference rows", "batch rows", "years", "alerts per year", "years with any (95 % interval)"],
        [row],
        f"Target: at most 0.2 alerts a year. Run time {time.perf_counter() - start:.0f} s.",
    )


def shifted(reference_size: int, batch: int, years: int) -> None:
    """Delay of the alert after a shift of 0.1 sd on day 100."""
    delays: list[float] = []
    for seed in range(years):
        decisions = simulate_year(seed + 10**6, reference_size, batch, 130, 100, 0.1)
        alerts = [
            place for place, decision in enumerate(decisions) if decision.transition == "new" and place >= 99
        ]
        delays.append(alerts[0] - 98 if alerts else np.inf)  # day 100 itself is a delay of 1 day
    found = np.array(delays)
    row = [f"{reference_size:,}", f"{batch:,}", str(years), f"{np.median(found):.0f}",
           f"{(found <= 10).mean():.3f}", f"{(found <= 30).mean():.3f}"]  # fmt: skip
    write_table(
        f"shifted_year_{reference_size}_{batch}",
        "A shift of 0.1 sd in one column on day 100",
        ["reference rows", "batch rows", "years", "median delay (days)", "within 10 days", "within 30 days"],
        [row],
        "Target: within 30 days at least 0.85; goal: within 10 days 0.95. Same rule as in the quiet years.",
    )


def looks(years: int) -> None:
    """How many looks a year of look-backs is worth, for references of one and of eight batches."""
    generator = np.random.default_rng(3)
    rows = []
    for ratio in (1, 8):
        best = np.concatenate([_largest_z(generator, ratio, 1000) for _ in range(years // 1000)])
        for limit in (4.0, 4.5, 4.75):
            level = float(erfc(limit / 2**0.5))
            share = float((best > limit).mean())
            rows.append([str(ratio), f"{limit}", f"{level:.2e}", f"{share:.5f}", f"{share / level:.0f}"])
    write_table(
        "looks_per_year",
        "Looks a year of daily contrasts is worth",
        ["reference / batch", "z", "two-sided p", "years that cross", "looks"],
        rows,
        f"{years:,} years of one normal stream.",
    )


def _largest_z(generator: np.random.Generator, ratio: float, years: int) -> np.ndarray:
    days = 365
    running = np.concatenate(
        [np.zeros((years, 1)), generator.standard_normal((years, days)).cumsum(axis=1)], axis=1
    )
    reference = generator.standard_normal((years, 1)) / ratio**0.5
    best = np.zeros(years)
    for span in (*LOOKBACK_DAYS, None):
        today = np.arange(span or 1, days + 1)
        length = today if span is None else np.full(len(today), span)
        before = running[:, today - length]
        recent = (running[:, today] - before) / length
        weight = ratio + today - length
        z = np.abs(recent - (reference * ratio + before) / weight) / np.sqrt(1 / length + 1 / weight)
        best = np.maximum(best, z.max(axis=1))
    return best


def main() -> None:
    """Command line."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("table", choices=["quiet", "shifted", "looks"])
    parser.add_argument("--reference", type=int, default=8000)
    parser.add_argument("--batch", type=int, default=1000)
    parser.add_argument("--years", type=int)
    arguments = parser.parse_args()
    if arguments.table == "looks":
        looks(arguments.years or 25_000)
    else:
        run = quiet if arguments.table == "quiet" else shifted
        run(arguments.reference, arguments.batch, arguments.years or 200)


if __name__ == "__main__":
    main()
