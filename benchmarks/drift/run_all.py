"""Every table of the drift benchmark, one after the other.

    python benchmarks/drift/run_all.py [--only NAME ...] [--skip NAME ...] [--list]

Run with the interpreter of the scikit-learn job environment (.venvs/sklearn_job/bin/python). Each step is
the command named at the top of its script and writes into benchmarks/drift/results; a step that fails stops
the run after saying which. Altogether some hours on two cores, mostly years of days and peers; the other
tools' environments (almost 4 GB) are made when their steps come.
"""

import argparse
import os
import subprocess
import sys
import time
from collections.abc import Mapping
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
HERE = Path("benchmarks") / "drift"
STEPS: Mapping[str, tuple[str, ...]] = {
    "false-alarms": (
        "false_alarms_and_power.py", "false-alarms", "--replicates", "1500", "--sizes", "200", "1000", "8000",
    ),
    "false-alarms-large": (
        "false_alarms_and_power.py", "false-alarms", "--replicates", "1000", "--sizes", "100000",
    ),
    "false-alarms-with-scores": ("false_alarms_with_scores.py",),
    "false-alarms-with-labels": ("false_alarms_with_scores.py", "--labels"),
    "power": ("false_alarms_and_power.py", "power", "--replicates", "200", "--sizes", "1000"),
    "power-8000": (
        "false_alarms_and_power.py", "power", "--replicates", "40", "--quiet-replicates", "200",
        "--sizes", "8000",
    ),
    "power-untuned": (
        "false_alarms_and_power.py", "power-untuned", "--replicates", "100", "--sizes", "1000",
    ),
    "tiny-shift": ("false_alarms_and_power.py", "tiny-shift"),
    "peer-formulas": ("peer_formulas.py",),
    "quiet-year-small": ("year_of_days.py", "quiet", "--reference", "1000", "--years", "100"),
    "quiet-year": ("year_of_days.py", "quiet", "--reference", "8000", "--years", "100"),
    "shifted-year": ("year_of_days.py", "shifted", "--reference", "8000", "--years", "60"),
    "lasting-shift": ("year_of_days.py", "lasting", "--years", "4"),
    "ending-shift": ("year_of_days.py", "ending", "--years", "20"),
    "named-alerts": ("year_of_days.py", "named", "--years", "6"),
    "looks": ("year_of_days.py", "looks"),
    "speed": ("speed.py", "--rows", "8000", "100000", "1000000"),
    "speed-large": ("speed.py", "--rows", "10000000", "100000000"),
    "growth": ("growth.py",),
    "random-halves": ("random_halves.py",),
    "peers-speed": ("peers/measure_peers.py", "speed"),
    "peers-power": ("peers/measure_peers.py", "power"),
}  # fmt: skip


def run(name: str) -> None:
    """One step, in a process of its own: peak memory is a process's."""
    script, *arguments = STEPS[name]
    paths = os.pathsep.join(str(path) for path in (ROOT, ROOT / HERE, ROOT / HERE / "peers"))
    started = time.perf_counter()
    print(f"== {name}: {HERE / script} {' '.join(arguments)}", flush=True)
    subprocess.run(
        [sys.executable, str(HERE / script), *arguments],
        cwd=ROOT,
        env={**os.environ, "PYTHONPATH": paths},
        check=True,
    )
    print(f"== {name}: {time.perf_counter() - started:.0f} s", flush=True)


def main() -> None:
    """Command line."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--only", nargs="+", choices=list(STEPS), default=list(STEPS))
    parser.add_argument("--skip", nargs="+", choices=list(STEPS), default=[])
    parser.add_argument("--list", action="store_true", help="name the steps and stop")
    arguments = parser.parse_args()
    for name in arguments.only:
        if arguments.list:
            print(f"{name:20} {' '.join(STEPS[name])}")
        elif name not in arguments.skip:
            try:
                run(name)
            except subprocess.CalledProcessError as error:
                sys.exit(f"{name} failed with exit code {error.returncode}")


if __name__ == "__main__":
    main()
