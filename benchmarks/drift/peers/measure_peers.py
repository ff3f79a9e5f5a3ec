"""Evidently, NannyML, alibi-detect and whylogs themselves, beside this project's check, on the same tables.

    PYTHONPATH=.:benchmarks/drift python benchmarks/drift/peers/measure_peers.py speed
    PYTHONPATH=.:benchmarks/drift python benchmarks/drift/peers/measure_peers.py power

Run with the interpreter of the scikit-learn job environment, in the root of the project. Each tool gets an
environment of its own from requirements/benchmarks/*.lock (almost 4 GB altogether), made on first use by
scripts/make_environment. `power` takes half an hour on two cores; what it has drawn
is kept in --directory, so it can be interrupted.
"""

import argparse
import json
import os
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import numpy as np
from markdown_tables import write_table
from peer_power import Replicate, power_tables
from peer_tables import scenarios
from speed import write_file
from telecom_tables import SPECS, draw

from include.drift_statistics.profile_files import save_profile
from include.drift_statistics.profiles import build_profile

ROOT = Path(__file__).resolve().parents[3]
TOOLS = {
    "evidently": "Evidently",
    "nannyml": "NannyML",
    "alibi_detect": "alibi-detect",
    "whylogs": "whylogs",
}
OURS = {"stored_profile": "this project", "scipy": "scipy + contingency"}
NAMES = OURS | TOOLS
DISTRIBUTIONS = {"evidently": "evidently", "nannyml": "nannyml", "alibi_detect": "alibi-detect"}
SLOW = {"evidently", "nannyml", "whylogs"}  # these get fewer replicates
P_VALUES = {"stored_profile", "scipy", "alibi_detect", "whylogs"}  # the others give distances
LONGEST_SECONDS = 180


def interpreter(peer: str) -> Path:
    """Python of the tool's environment, made from its lock file when that is newer or nothing is there."""
    if peer in OURS:
        return Path(sys.executable)
    name = f"benchmark_{peer}"
    marker = ROOT / ".venvs" / name / f".ready-benchmarks-{peer}"
    lock = ROOT / "requirements" / "benchmarks" / f"{peer}.lock"
    if not marker.exists() or marker.stat().st_mtime < lock.stat().st_mtime:
        subprocess.run([ROOT / "scripts" / "make_environment", name, f"benchmarks/{peer}"], check=True)
    return ROOT / ".venvs" / name / "bin" / "python"


def version(peer: str) -> str:
    """Name and locked version of a tool."""
    if peer in OURS:
        return NAMES[peer]
    lock = (ROOT / "requirements" / "benchmarks" / f"{peer}.lock").read_text()
    name = DISTRIBUTIONS.get(peer, peer)
    locked = next(line for line in lock.splitlines() if line.startswith((f"{name}==", f"{name}[")))
    return f"{TOOLS[peer]} {locked.split('==')[1].split()[0]}"


def command(peer: str, *arguments: str) -> tuple[list[str], dict[str, str]]:
    """Command line and environment of one run of a tool."""
    paths = [ROOT, ROOT / "benchmarks" / "drift", ROOT / "benchmarks" / "drift" / "peers"]
    environment = {**os.environ, "PYTHONPATH": os.pathsep.join(str(path) for path in paths)}
    script = ROOT / "benchmarks" / "drift" / "peers" / "run_peer.py"
    return [str(interpreter(peer)), str(script), arguments[0], peer, *arguments[1:]], environment


def run_power(directory: Path, counts: tuple[int, int], slow_counts: tuple[int, int]) -> None:
    """Draw whatever is not yet in the directory, then write both tables."""
    runs: dict[str, list[Replicate]] = {}
    for peer in NAMES:
        quiet, count = slow_counts if peer in SLOW else counts
        output = directory / f"power_{peer}.jsonl"
        line, environment = command(peer, "power", str(quiet), str(count), str(output))
        subprocess.run(line, env=environment, check=True)
        drawn = [Replicate(**json.loads(text)) for text in output.read_text().splitlines()]
        wanted = {(name, seed): place for place, (name, _, seed) in enumerate(scenarios(quiet, count))}
        kept = [run for run in drawn if (run.name, run.seed) in wanted]
        runs[version(peer)] = sorted(kept, key=lambda run: wanted[run.name, run.seed])
    power_tables(runs, {version(peer) for peer in P_VALUES})


def prepare_files(directory: Path, sizes: list[int]) -> None:
    """Reference and batch of each size, and the stored profile beside the reference."""
    for rows in sizes:
        for seed, role in enumerate(("reference", "current")):
            path = directory / f"{role}_{rows}.parquet"
            if not path.exists():
                write_file(path, rows, 10 * rows + seed)
        profile = directory / f"reference_{rows}.profile"
        if not profile.exists():  # the profile of the very rows of the reference file
            save_profile(build_profile(draw(np.random.default_rng(10 * rows), rows), SPECS), profile)


def run_speed(directory: Path, sizes: list[int], rounds: int) -> None:
    """Interleaved rounds: every tool takes its turn at every size before anybody has a second one."""
    prepare_files(directory, sizes)
    results: dict[tuple[str, int], list[dict[str, Any]]] = {}
    given_up: set[str] = set()
    for turn in range(rounds):
        for rows in sizes:
            for peer in NAMES:
                if peer in given_up or (turn > 0 and results[peer, rows][0]["whole"] > LONGEST_SECONDS / 2):
                    continue
                found = measure(peer, directory, rows, sizes[0])
                if found is None:
                    given_up.add(peer)
                    continue
                print(f"{rows:>9,} {NAMES[peer]:20} {found}", flush=True)
                results.setdefault((peer, rows), []).append(found)
    write_speed(results, sizes)


def measure(peer: str, directory: Path, rows: int, warm_rows: int) -> dict[str, Any] | None:
    """One process: import, a check of the smallest files, timed checks; None beyond the time limit."""
    files = [f"{directory}/{role}_{count}.parquet" for count in (rows, warm_rows)
             for role in ("reference", "current")]  # fmt: skip
    line, environment = command(peer, "speed", *files)
    started = time.perf_counter()
    try:
        done = subprocess.run(
            line, env=environment, check=True, capture_output=True, text=True, timeout=LONGEST_SECONDS
        )
    except subprocess.TimeoutExpired:
        return None
    whole = time.perf_counter() - started
    found = json.loads(done.stdout.splitlines()[-1])
    walls, processors = zip(*found["runs"], strict=True)
    kept = slice(1, None) if len(walls) > 1 else slice(None)  # the first run of several is a warm-up
    # A process that makes one check: everything before the timed checks, and the first of them.
    return {
        "whole": whole,
        "once": found["ready"] + walls[0],
        "wall": float(np.median(walls[kept])),
        "cpu": float(np.median(processors[kept])),
        "least": float(min(processors[kept])),
        "peak": found["peak"],
        "extra": found["peak"] - found["before"],
    }


def write_speed(results: dict[tuple[str, int], list[dict[str, Any]]], sizes: list[int]) -> None:
    """Table of seconds and memory, with ratios to this project's check."""
    rows = []
    for size in sizes:
        ours = _medians(results["stored_profile", size])
        for peer in NAMES:
            if (peer, size) not in results:
                rows.append([f"{size:,}", version(peer), f"over {LONGEST_SECONDS} s", *["–"] * 6])
                continue
            found = _medians(results[peer, size])
            rows.append([
                f"{size:,}",
                version(peer),
                f"{found['wall']:.3f} / {found['cpu']:.3f}",
                f"{found['wall'] / ours['wall']:.1f}",
                f"{found['cpu'] / ours['cpu']:.1f}",
                f"{found['once']:.1f}",
                f"{found['once'] / ours['once']:.1f}",
                f"{found['extra']:.0f}",
                f"{found['peak']:.0f}",
            ])  # fmt: skip
    header = ["rows", "tool", "check s", "× ours (wall)", "× ours (CPU)", "process s", "× ours", "extra MB"]
    note = (
        "Reference and batch of the same size, 12 columns, from Parquet files to a verdict; ours reads a "
        "stored profile instead of the reference file. check: wall / CPU seconds inside a warm process, "
        "files read again; process: one check from the start of the interpreter, imports and a first small "
        "check included; extra MB: what the check adds to the largest resident size after that (fewest rows: "
        "what the first check adds). Medians "
        f"of {max(len(found) for found in results.values())} interleaved rounds on a shared machine; every "
        "tool at its own defaults."
    )
    write_table("peers_speed", "End to end: this project and other tools", [*header, "peak MB"], rows, note)


def _medians(found: list[dict[str, Any]]) -> dict[str, float]:
    return {key: float(np.median([one[key] for one in found])) for key in found[0]}


def main() -> None:
    """Command line."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("table", choices=["speed", "power"])
    parser.add_argument("--directory", type=Path, default=ROOT / ".local" / "drift_benchmark")
    parser.add_argument("--rows", type=int, nargs="+", default=[8000, 100_000, 1_000_000])
    parser.add_argument("--rounds", type=int, default=3)
    both = {"type": int, "nargs": 2, "metavar": ("QUIET", "PER_SHIFT")}
    parser.add_argument("--replicates", **both, default=[1500, 200], help="of the quick tools and ours")
    parser.add_argument("--slow-replicates", **both, default=[450, 60])
    arguments = parser.parse_args()
    arguments.directory.mkdir(parents=True, exist_ok=True)
    if arguments.table == "speed":
        run_speed(arguments.directory, arguments.rows, arguments.rounds)
    else:
        run_power(arguments.directory, tuple(arguments.replicates), tuple(arguments.slow_replicates))


if __name__ == "__main__":
    main()
