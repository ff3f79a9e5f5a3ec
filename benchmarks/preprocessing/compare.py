"""Measure preprocess beside the plain pandas + scikit-learn way, on the same synthetic rows.

One command, from the checkout, with the job environment's own Python:

    .venvs/sklearn_job/bin/python benchmarks/preprocessing/compare.py

writes benchmarks/preprocessing/results.md. Every run is a fresh process: imports count, and so does memory.
"""

import argparse
import os
import platform
import subprocess
import sys
import tempfile
import time
from dataclasses import dataclass
from importlib.metadata import version
from pathlib import Path

HERE = Path(__file__).resolve().parent
CHECKOUT = HERE.parents[1]
PACKAGES = ("pandas", "scikit-learn", "numpy", "pyarrow")


@dataclass(frozen=True)
class Measurement:
    """One process: wall-clock seconds, CPU seconds of all its threads, peak resident memory in bytes."""

    wall_seconds: float
    cpu_seconds: float
    peak_bytes: int


def measure(command: list[str]) -> Measurement:
    """Run a command to its end and measure it; a failing command ends the benchmark."""
    environment = os.environ | {"PYTHONPATH": str(CHECKOUT)}
    started = time.perf_counter()
    with subprocess.Popen(command, cwd=CHECKOUT, env=environment, stdout=subprocess.DEVNULL) as process:
        _, status, usage = os.wait4(process.pid, 0)
        process.returncode = os.waitstatus_to_exitcode(status)
    if process.returncode:
        raise SystemExit(f"{' '.join(command)} ended with exit code {process.returncode}")
    wall_seconds = time.perf_counter() - started
    return Measurement(wall_seconds, usage.ru_utime + usage.ru_stime, usage.ru_maxrss * 1024)


def compare(rows: int, repeats: int, directory: Path) -> dict[str, Measurement]:
    """Generate the rows, then run both ways alternately; returns the quickest run of each."""
    data = directory / f"data-{rows}"
    job = [sys.executable, "-m", "sagemaker_jobs"]
    best: dict[str, Measurement] = {}
    ways = {
        "generate": [*job, "generate_synthetic_data", f"--rows={rows}", f"--output-dir={data}", "--files=4"],
        "preprocess": [*job, "preprocess", "--input-dir", f"{data}", "--output-dir", f"{directory / 'ours'}"],
        "plain": [sys.executable, f"{HERE / 'plain_preprocess.py'}", f"{data}", f"{directory / 'plain'}"],
    }
    for repeat in range(repeats):
        for way, command in ways.items():
            if way == "generate" and repeat:
                continue
            measured = measure(command)
            figures = f"{measured.wall_seconds:8.2f} s  {measured.peak_bytes / 1e6:8.0f} MB"
            print(f"{rows:>12,} rows  {way:10}  {figures}", flush=True)
            if way not in best or measured.wall_seconds < best[way].wall_seconds:
                best[way] = measured
    for path in data.iterdir():
        path.unlink()
    return best


INTRODUCTION = """\
# Preprocessing beside the plain pandas + scikit-learn way

Made by `benchmarks/preprocessing/compare.py`; quickest of {repeats} run(s) per cell, each a fresh process.
Python {python}, {versions}; {cores} cores. Load average when started: {load:.1f}.
Where other work shares the machine, CPU seconds are the steadier figure.

| rows | preprocess, s | plain, s | times faster | preprocess, CPU s | plain, CPU s | less CPU, times | \
preprocess, rows/s | preprocess, peak MB | plain, peak MB | generating, s |
|---:|---:|---:|---:|---:|---:|---:|---:|---:|---:|---:|
"""
EXPLANATION = """
The plain way (`plain_preprocess.py`): read_csv, to_numeric, median, drop_duplicates, stratified
train_test_split, StandardScaler and OneHotEncoder fitted on train, to_csv. It reports nothing and refuses
nothing. Preprocess does all of that and validates, counts, deduplicates by customer, keeps rows with equal
features on one side of the split, measures each feature's signal and writes the drift reference.
"""


def write_table(results: dict[int, dict[str, Measurement]], repeats: int, load: float, path: Path) -> None:
    """Write the figures as Markdown."""
    text = INTRODUCTION.format(
        repeats=repeats,
        python=platform.python_version(),
        versions=", ".join(f"{name} {version(name)}" for name in PACKAGES),
        cores=os.cpu_count(),
        load=load,
    )
    for rows, best in results.items():
        ours, plain = best["preprocess"], best["plain"]
        cells = (
            f"{rows:,}",
            f"{ours.wall_seconds:.2f}",
            f"{plain.wall_seconds:.2f}",
            f"{plain.wall_seconds / ours.wall_seconds:.1f}",
            f"{ours.cpu_seconds:.2f}",
            f"{plain.cpu_seconds:.2f}",
            f"{plain.cpu_seconds / ours.cpu_seconds:.1f}",
            f"{rows / ours.wall_seconds:,.0f}",
            f"{ours.peak_bytes / 1e6:,.0f}",
            f"{plain.peak_bytes / 1e6:,.0f}",
            f"{best['generate'].wall_seconds:.2f}",
        )
        text += f"| {' | '.join(cells)} |\n"
    path.write_text(text + EXPLANATION, encoding="utf-8")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--rows", type=int, nargs="+", default=[10_000, 1_000_000, 10_000_000])
    parser.add_argument("--repeats", type=int, default=1)
    parser.add_argument("--output", type=Path, default=HERE / "results.md")
    options = parser.parse_args()
    load = os.getloadavg()[0]
    with tempfile.TemporaryDirectory(prefix="benchmark-") as directory:
        results = {rows: compare(rows, options.repeats, Path(directory)) for rows in options.rows}
    write_table(results, options.repeats, load, options.output)
    print(f"written: {options.output}")


if __name__ == "__main__":
    main()
