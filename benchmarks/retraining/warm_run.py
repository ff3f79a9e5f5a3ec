"""How long a warm `make run` takes, what of it is orchestration, and what the bare jobs take in a loop.

`.venvs/airflow/bin/python benchmarks/retraining/warm_run.py DATA.csv [RUNS]` writes warm_run.md.
Each round runs three ways, one after the other, so that a slow moment of the machine hits all: the first
`make run`, which starts the stack, a later one, which finds it up, and the bare jobs with no stack at all.
"""

import json
import os
import platform
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]


def time_make_run(data: Path) -> dict[str, float]:
    """Seconds of one whole `make run`, of its jobs, and of everything else."""
    began = time.monotonic()
    subprocess.run(
        ["make", "--silent", "run", f"DATA={data}"], cwd=ROOT, check=True, stdout=subprocess.DEVNULL
    )
    total = time.monotonic() - began
    jobs = json.loads((ROOT / ".local/retraining_run.json").read_text())["seconds"]["jobs"]
    return {"total": total, "jobs": jobs, "orchestration": total - jobs}


def time_bare_jobs(data: Path) -> dict[str, float]:
    """Seconds of the same three scripts run by hand, one after the other."""
    with tempfile.TemporaryDirectory() as folder:
        source, out, model, report = (Path(folder, name) for name in ("in", "out", "model", "report"))
        source.mkdir()
        (source / data.name).symlink_to(data)
        commands = {
            "preprocess": ["--input-dir", source, "--output-dir", out, "--schema", "ibm_telco"],
            "train": [
                *("--train-dir", out / "train", "--encoder-dir", out / "encoder", "--model-dir", model),
                *("--output-data-dir", Path(folder, "logs"), "--model-archive", Path(folder, "model.tar.gz")),
            ],
            "evaluate": [
                *(
                    "--model",
                    Path(folder, "model.tar.gz"),
                    "--test-dir",
                    out / "test",
                    "--output-dir",
                    report,
                ),
            ],
        }
        seconds = {}
        for name, arguments in commands.items():
            began = time.monotonic()
            subprocess.run(
                [ROOT / ".venvs/sklearn_job/bin/python", "-m", "sagemaker_jobs", name, *map(str, arguments)],
                check=True,
                stdout=subprocess.DEVNULL,
                env={**os.environ, "PYTHONPATH": str(ROOT)},
            )
            seconds[name] = time.monotonic() - began
        return {**seconds, "total": sum(seconds.values())}


def render(
    warm_runs: list[dict[str, float]],
    cold_runs: list[dict[str, float]],
    bare_runs: list[dict[str, float]],
    data: Path,
) -> str:
    """Markdown table of medians and ranges, in seconds."""

    def row(name: str, values: list[float]) -> str:
        return f"| {name} | {statistics.median(values):.1f} | {min(values):.1f} | {max(values):.1f} |"

    def share(runs: list[dict[str, float]]) -> str:
        return f"{statistics.median([run['orchestration'] / run['total'] for run in runs]):.0%}"

    pairs = zip(warm_runs, bare_runs, strict=True)
    beyond = statistics.median([1 - bare["total"] / warm["total"] for warm, bare in pairs])

    lines = [
        f"# A warm `make run` on {data.name}",
        "",
        f"{len(warm_runs)} rounds, {os.cpu_count()} cores, CPython {platform.python_version()}. Seconds.",
        "",
        "| | median | least | most |",
        "|---|---|---|---|",
        row("warm `make run`, everything", [run["total"] for run in warm_runs]),
        row("of it in the jobs", [run["jobs"] for run in warm_runs]),
        row("of it orchestration", [run["orchestration"] for run in warm_runs]),
        row("the first `make run`, which starts Airflow, everything", [run["total"] for run in cold_runs]),
        row("of it in the jobs", [run["jobs"] for run in cold_runs]),
        row("of it orchestration", [run["orchestration"] for run in cold_runs]),
        row("the same three scripts in a shell loop", [run["total"] for run in bare_runs]),
        *(
            row(f"of it {name}", [run[name] for run in bare_runs])
            for name in ("preprocess", "train", "evaluate")
        ),
        "",
        f"Orchestration, everything that is not a job, is {share(warm_runs)} of a warm run and",
        f"{share(cold_runs)} of the first one, which also starts Airflow (medians of rounds). Held against",
        f"the same scripts in a loop it is {beyond:.0%} of a warm run: a job also copies its data.",
    ]
    return "\n".join(lines) + "\n"


def call_make(target: str) -> None:
    """Run a make target that is not timed."""
    subprocess.run(["make", "--silent", target], cwd=ROOT, check=True, stdout=subprocess.DEVNULL)


def main() -> None:
    data, rounds = Path(sys.argv[1]).resolve(), int(sys.argv[2]) if len(sys.argv) > 2 else 5
    warm_runs, cold_runs, bare_runs = [], [], []
    for number in range(rounds):
        call_make("down")
        cold_runs.append(time_make_run(data))
        warm_runs.append(time_make_run(data))
        call_make("down")
        bare_runs.append(time_bare_jobs(data))
        print(f"round {number + 1}: {warm_runs[-1]} {cold_runs[-1]} {bare_runs[-1]}", flush=True)
    text = render(warm_runs, cold_runs, bare_runs, data)
    Path(__file__).with_suffix(".md").write_text(text)
    print(text)


if __name__ == "__main__":
    main()
