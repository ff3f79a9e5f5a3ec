"""One tool in its own environment: a timed check of two files, or its statistics on many replicates.

    python run_peer.py speed PEER REFERENCE CURRENT WARM_REFERENCE WARM_CURRENT
    python run_peer.py power PEER QUIET REPLICATES OUTPUT

Started by measure_peers.py, which makes the environments and sets PYTHONPATH.
"""

import importlib
import json
import os
import sys
import time
import warnings
from pathlib import Path

STARTED = time.perf_counter()
LONG_SECONDS = 3.0  # a check longer than this is timed once


def _resident() -> float:
    """Largest resident size so far, MB; what getrusage tells would start from the parent's size."""
    status = Path("/proc/self/status").read_text()
    peak = next(line for line in status.splitlines() if line.startswith("VmHWM:"))
    return int(peak.split()[1]) / 1024


def speed(peer: str, reference: str, current: str, warm_reference: str, warm_current: str) -> None:
    """Wall and CPU seconds from two files to a verdict, after one check of small files."""
    module = importlib.import_module(f"{peer}_peer")
    check = getattr(module, "check_files", None)
    if check is None:
        import pandas as pd

        def check(first: str, second: str) -> bool:
            return bool(module.compare(pd.read_parquet(first), pd.read_parquet(second))[1])

    if (warm_reference, warm_current) != (reference, current):
        check(warm_reference, warm_current)
    ready, before = time.perf_counter() - STARTED, _resident()
    runs = []
    for attempt in range(6):
        wall, processor = time.perf_counter(), time.process_time()
        check(reference, current)
        runs.append((time.perf_counter() - wall, time.process_time() - processor))
        if attempt == 0 and runs[0][0] > LONG_SECONDS:
            break
    print(json.dumps({"ready": ready, "runs": runs, "before": before, "peak": _resident()}))


def power(peer: str, quiet: int, replicates: int, output: Path) -> None:
    """Append the statistics of every replicate that `output` does not hold yet, one JSON line each."""
    from peer_tables import checksum, draw_pair, scenarios, to_frame

    module = importlib.import_module(f"{peer}_peer")
    output.touch()
    drawn = {(line["name"], line["seed"]) for line in map(json.loads, output.read_text().splitlines())}
    with output.open("a") as file:
        for number, (name, shift, seed) in enumerate(scenarios(quiet, replicates)):
            if (name, seed) in drawn:
                continue
            reference, current = draw_pair(seed, shift)
            if hasattr(module, "compare_tables"):
                found, flagged = module.compare_tables(reference, current)
            else:
                found, flagged = module.compare(to_frame(reference), to_frame(current))
            sums = checksum(current) if seed % 50 == 0 else None
            line = {"name": name, "seed": seed, "statistics": found, "flagged": flagged, "checksum": sums}
            file.write(json.dumps(line) + "\n")
            file.flush()
            if number % 200 == 0:
                print(f"{peer}: {number} replicates, {time.perf_counter() - STARTED:.0f} s", file=sys.stderr)


def main() -> None:
    """Command line."""
    warnings.simplefilter("ignore")
    os.environ["NML_DISABLE_USAGE_LOGGING"] = os.environ["DO_NOT_TRACK"] = "1"  # no tool is to phone home
    os.environ["WHYLOGS_NO_ANALYTICS"] = "True"
    command, peer, *rest = sys.argv[1:]
    if command == "speed":
        speed(peer, *rest)
    else:
        power(peer, int(rest[0]), int(rest[1]), Path(rest[2]))


if __name__ == "__main__":
    main()
