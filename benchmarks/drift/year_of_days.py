"""A year of daily looks: false alerts without drift; delay, messages and clearing of shifts that last or end.

    PYTHONPATH=. python benchmarks/drift/year_of_days.py quiet --reference 1000 --years 100
    PYTHONPATH=. python benchmarks/drift/year_of_days.py shifted --reference 8000 --years 60
    PYTHONPATH=. python benchmarks/drift/year_of_days.py lasting --years 4
    PYTHONPATH=. python benchmarks/drift/year_of_days.py ending --years 20
    PYTHONPATH=. python benchmarks/drift/year_of_days.py named --years 6
    PYTHONPATH=. python benchmarks/drift/year_of_days.py looks

Every year (or run of days) draws its own reference; its batches go through the whole chain, from rows to
alerts. Whether a day is broken is asked of the daily rule (its checks for breaks); whether its verdict is
drift plays no part in alerts and is asked only where it is shown, in `named`. Two processes share the years.
"""

import argparse
import datetime
import multiprocessing
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass

import numpy as np
from markdown_tables import wilson, write_table
from scipy.special import erfc
from telecom_tables import PILES, SHIFTS, SPECS, UNTUNED_SHIFTS, Table, draw

from include.drift_statistics.change_scan import LOOKBACK_DAYS
from include.drift_statistics.column_layouts import NumericLayout
from include.drift_statistics.comparison import compare_profiles
from include.drift_statistics.daily_evidence import DayEvidence, day_evidence
from include.drift_statistics.data_breaks import find_breaks
from include.drift_statistics.drift_report import Verdict
from include.drift_statistics.drift_rule import DriftRule
from include.drift_statistics.profiles import Profile, build_profile, count_rows
from include.drift_statistics.sequential_monitor import MonitorRule, walk_days

START = datetime.date(2026, 1, 1)
PROCESSES = 2
type Batches = Callable[[np.random.Generator, int], Table]


def moved(shift: float) -> Batches:
    """Batches with one column moved by so many standard deviations."""

    def batch(generator: np.random.Generator, rows: int) -> Table:
        table = draw(generator, rows)
        table["charge"] = table["charge"] + 30 * shift
        return table

    return batch


def broken_or_not(reference: Profile, batch: Profile) -> Verdict:
    """Whether the daily rule calls a batch of enough rows broken, at a fraction of the cost of its report."""
    for name, layout in reference.layout.items():
        numeric = layout if isinstance(layout, NumericLayout) else None
        if find_breaks(numeric, reference.counts[name], batch.counts[name], DriftRule()):
            return "data_break"
    return "no_drift"


def daily_verdict(reference: Profile, batch: Profile) -> Verdict:
    """Verdict of the daily report."""
    return compare_profiles(reference, batch).verdict


@dataclass(frozen=True)
class Course:
    """What a run of days is made of: consecutive parts, each so many days of such batches."""

    seed: int
    reference_size: int
    batch: int
    parts: Sequence[tuple[int, Batches]]
    judge: Callable[[Profile, Profile], Verdict] = broken_or_not


@dataclass(frozen=True)
class Outcome:
    """What came of it: day (from 1) and transition of every message, verdicts, the last day's status."""

    messages: list[tuple[int, str]]
    verdicts: list[Verdict]
    status: str


def simulate(course: Course) -> Outcome:
    """Walk one course."""
    size = course.reference_size
    generator = np.random.default_rng([365, size, course.batch, course.seed])
    reference = build_profile(draw(generator, size), SPECS)
    evidence: list[DayEvidence] = []
    for days, batches in course.parts:
        for _ in range(days):
            profile = count_rows(reference.layout, batches(generator, course.batch))
            date = (START + datetime.timedelta(days=len(evidence))).isoformat()
            evidence.append(day_evidence(reference, profile, date, course.judge(reference, profile)))
    decisions = walk_days(reference, evidence, MonitorRule())
    told = [(day, item.transition) for day, item in enumerate(decisions, 1) if item.transition != "none"]
    return Outcome(told, [day.verdict for day in evidence], decisions[-1].status)


_COURSES: list[Course] = []  # known to the processes that are forked after it is filled


def outcomes(courses: Sequence[Course]) -> Iterator[Outcome]:
    """Outcomes in order, two courses at a time; courses hold functions, which cannot be sent."""
    _COURSES[:] = courses
    with multiprocessing.get_context("fork").Pool(PROCESSES) as pool:
        for number, outcome in enumerate(pool.imap(_simulate_number, range(len(courses))), 1):
            print(f"{number} of {len(courses)}: {outcome.messages}", flush=True)
            yield outcome


def _simulate_number(number: int) -> Outcome:
    return simulate(_COURSES[number])


def quiet(reference_size: int, batch: int, years: int) -> None:
    """False alerts per year."""
    start = time.perf_counter()
    new, breaks = [], 0
    for outcome in outcomes([Course(seed, reference_size, batch, [(365, draw)]) for seed in range(years)]):
        new.append(sum(name in {"new", "worse"} for _, name in outcome.messages))
        breaks += outcome.verdicts.count("data_break")
    any_alert = sum(count > 0 for count in new)
    low, high = wilson(any_alert, years)
    mean = float(np.mean(new))
    margin = 1.96 * float(np.std(new)) / years**0.5
    row = [f"{reference_size:,}", f"{batch:,}", str(years), f"{mean:.3f} ± {margin:.3f}",
           f"{any_alert / years:.3f} ({low:.3f} to {high:.3f})", str(breaks)]  # fmt: skip
    write_table(
        f"quiet_year_{reference_size}_{batch}",
        "A year of daily looks without drift",
        [
            "reference rows",
            "batch rows",
            "years",
            "alerts per year (new or worse)",
            "years with any (95 % interval)",
            "days judged broken",
        ],
        [row],
        f"Target: at most 0.2 alerts a year. Run time {time.perf_counter() - start:.0f} s.",
    )


def shifted(reference_size: int, batch: int, years: int) -> None:
    """Delay of the alert after a shift of 0.1 sd on day 100, and the messages of its first month."""
    delays, told = [], []
    parts = [(99, draw), (31, moved(0.1))]
    for outcome in outcomes([Course(s + 10**6, reference_size, batch, parts) for s in range(years)]):
        later = [(day - 99, name) for day, name in outcome.messages if day > 99]
        delays.append(next((day for day, name in later if name == "new"), np.inf))
        told.append(len(later))
    found = np.array(delays)
    row = [f"{reference_size:,}", f"{batch:,}", str(years), f"{np.median(found):.0f}",
           f"{(found <= 10).mean():.3f}", f"{(found <= 30).mean():.3f}", f"{np.mean(told):.2f}"]  # fmt: skip
    write_table(
        f"shifted_year_{reference_size}_{batch}",
        "A shift of 0.1 sd in one column on day 100",
        [
            "reference rows",
            "batch rows",
            "years",
            "median delay (days)",
            "within 10 days",
            "within 30 days",
            "messages until day 130",
        ],
        [row],
        "Target: within 30 days at least 0.85; goal: within 10 days 0.95. Same rule as in the quiet years.",
    )


def lasting(years: int) -> None:
    """All messages of years whose shift stays from day 100 to day 365: one is wanted."""
    rows = []
    for batch, shift in ((1000, 0.1), (500, 0.1), (200, 0.15), (1000, 0.5)):
        counts, still_open = [], 0
        parts = [(99, draw), (266, moved(shift))]
        for outcome in outcomes([Course(s + 2 * 10**6, 8000, batch, parts) for s in range(years)]):
            counts.append(sum(day > 99 for day, _ in outcome.messages))
            still_open += outcome.status == "drift"
        listed = ", ".join(str(count) for count in sorted(counts))
        rows.append([f"{batch:,}", f"{shift} sd", str(years), listed, f"{still_open} of {years}"])
    write_table(
        "lasting_shift",
        "All messages of a year whose shift stays from day 100 on",
        ["batch rows", "shift", "years", "messages of each year", "alert open on day 365"],
        rows,
        "8,000 reference rows. One message a year is wanted: new, and then nothing while the shift is there.",
    )


def ending(runs: int) -> None:
    """Days from the end of a shift to the message that it is over."""
    rows = []
    for batch, shift, days in ((1000, 0.1, 20), (1000, 0.5, 20), (200, 0.15, 40), (200, 0.5, 20)):
        parts = [(20, draw), (days, moved(shift)), (60, draw)]
        delays, alerted, early, again = [], 0, 0, 0
        for outcome in outcomes([Course(s + 3 * 10**6, 8000, batch, parts) for s in range(runs)]):
            told = outcome.messages
            shown = [day for day, name in told if name == "new" and 20 < day <= 20 + days]
            if not shown:
                continue
            alerted += 1
            cleared = [day - 20 - days for day, name in told if name == "cleared" and day > shown[0]]
            early += bool(cleared) and cleared[0] <= 0
            delays.append(next((day for day in cleared if day > 0), np.inf))
            again += sum(name in {"new", "worse"} and day > 20 + days for day, name in told)
        found = np.array(delays)
        worst = np.quantile(found, 0.9, method="inverted_cdf")
        rows.append([f"{batch:,}", f"{shift} sd for {days} days", f"{alerted} of {runs}",
                     f"{np.median(found):.0f}", f"{worst:.0f}", f"{np.isfinite(found).sum()} of {alerted}",
                     str(early), str(again)])  # fmt: skip
    write_table(
        "ending_shift",
        "Days from the end of a shift to the message that it is over",
        [
            "batch rows",
            "shift",
            "runs that alerted",
            "median days",
            "90 % within",
            "cleared in 60 days",
            "cleared before the end",
            "alerts after the end",
        ],
        rows,
        "8,000 reference rows; 20 quiet days, the shift, 60 quiet days. At least five days by rule.",
    )


def named(runs: int) -> None:
    """What the alerts make of every named shift that stays for 60 days, beside the daily verdicts."""
    rows = []
    for name, batches in {**SHIFTS, **UNTUNED_SHIFTS, **PILES}.items():
        delays, told, flagged = [], [], []
        parts = [(20, draw), (60, batches)]
        courses = [Course(s + 4 * 10**6, 8000, 1000, parts, daily_verdict) for s in range(runs)]
        for outcome in outcomes(courses):
            later = [(day - 20, what) for day, what in outcome.messages if day > 20]
            delays.append(next((day for day, what in later if what in {"new", "worse"}), np.inf))
            told.append(len(later))
            flagged.append(sum(verdict != "no_drift" for verdict in outcome.verdicts[20:]) / 60)
        found = np.array(delays)
        delay = f"{np.median(found):.0f}" if np.isfinite(np.median(found)) else "none"
        rows.append([name, f"{np.mean(flagged):.2f}", f"{np.isfinite(found).mean():.2f}", delay,
                     f"{np.mean(told):.2f}"])  # fmt: skip
        print(rows[-1], flush=True)
    write_table(
        "named_shifts_alerts",
        "Alerts on shifts that stay for 60 days",
        ["shift", "days with a verdict", "runs alerted", "median delay (days)", "messages per run"],
        rows,
        f"{runs} runs each, 1,000 rows a day, 8,000 reference rows, the shift from day 21 on.",
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
    parser.add_argument("table", choices=["quiet", "shifted", "lasting", "ending", "named", "looks"])
    parser.add_argument("--reference", type=int, default=8000)
    parser.add_argument("--batch", type=int, default=1000)
    parser.add_argument("--years", type=int, help="years or runs of days; for looks, years of one stream")
    arguments = parser.parse_args()
    alone = {"lasting": (lasting, 4), "ending": (ending, 20), "named": (named, 6), "looks": (looks, 25_000)}
    if arguments.table in alone:
        table, years = alone[arguments.table]
        table(arguments.years or years)
    else:
        run = quiet if arguments.table == "quiet" else shifted
        run(arguments.reference, arguments.batch, arguments.years or 100)


if __name__ == "__main__":
    main()
