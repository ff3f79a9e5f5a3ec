"""Does the gate separate good models from bad ones? Real jobs on real data, honest and with shuffled labels.

`PYTHONPATH=. .venvs/sklearn_job/bin/python benchmarks/quality_gate/gate_separation.py DATA_DIR [SEEDS]`
writes gate_separation.md. DATA_DIR holds ibm_telco_churn.csv, iranian_churn.csv and mlc_churn_5000.csv.
"""

import contextlib
import csv
import io
import json
import platform
import random
import shutil
import sys
import tempfile
from collections import Counter, defaultdict
from pathlib import Path

from include.data_contracts.evaluation_report import EvaluationReport
from include.data_contracts.gate_decision import GateDecision
from include.model_quality_gate.decision import decide
from include.model_quality_gate.gate_rules import GateRules
from sagemaker_jobs import evaluate, preprocess, train

FILES = {"ibm_telco": "ibm_telco_churn.csv", "iranian": "iranian_churn.csv", "mlc": "mlc_churn_5000.csv"}
ALGORITHMS = ("hist_gradient_boosting", "logistic_regression")
SYNTHETIC_ROWS = 10_000
ASKED = GateRules("accuracy", 0.80)
COLUMNS = ("accuracy", "majority", "roc_auc", "roc_auc_lower", "average_precision", "brier_skill", "lift")


def main() -> None:
    """Run every case for every seed and write the table."""
    data, seeds = Path(sys.argv[1]), int(sys.argv[2]) if len(sys.argv) > 2 else 10
    rows: dict[tuple[str, str, str], list[tuple[GateDecision, dict[str, float]]]] = defaultdict(list)
    for seed in range(1, seeds + 1):
        for schema, name in FILES.items():
            for algorithm in ALGORITHMS:
                rows["honest", schema, algorithm].append(run(schema, data / name, algorithm, seed))
            key = ("shuffled labels", schema, ALGORITHMS[0])
            rows[key].append(run(schema, data / name, ALGORITHMS[0], seed, is_shuffled=True))
        rows["synthetic", "ibm_telco", ALGORITHMS[0]].append(run("ibm_telco", None, ALGORITHMS[0], seed))
        print(f"seed {seed} of {seeds} done", flush=True)
    target = Path(__file__).with_suffix(".md")
    target.write_text(render(rows, seeds))
    print(f"written: {target.name}")


def run(
    schema: str, source: Path | None, algorithm: str, seed: int, *, is_shuffled: bool = False
) -> tuple[GateDecision, dict[str, float]]:
    """One run of the three jobs; returns the decision and the values behind it."""
    with tempfile.TemporaryDirectory() as folder, contextlib.redirect_stdout(io.StringIO()):
        raw, out, model, report = (Path(folder, name) for name in ("raw", "out", "model", "report"))
        raw.mkdir()
        asked = ["--synthetic-rows", str(SYNTHETIC_ROWS)] if source is None else ["--input-dir", str(raw)]
        if source is not None and is_shuffled:
            shuffle_labels(source, raw / source.name, seed)
        elif source is not None:
            shutil.copy(source, raw / source.name)
        common = ["--seed", str(seed)]
        preprocess.main([*asked, "--output-dir", str(out), "--schema", schema, *common])
        train.main(
            [
                *("--train-dir", str(out / "train"), "--encoder-dir", str(out / "encoder")),
                *(
                    "--model-dir",
                    str(model),
                    "--output-data-dir",
                    str(report),
                    "--algorithm",
                    algorithm,
                    *common,
                ),
            ]
        )
        evaluate.main(
            [
                *("--model", str(model), "--model-digest", str(report / "model_digest.json")),
                *("--test-dir", str(out / "test"), "--output-dir", str(report), *common),
            ]
        )
        found = EvaluationReport.from_mapping(json.loads((report / "evaluation.json").read_text()))
    decision = decide(found, ASKED)
    return decision, {
        "accuracy": found.metric("accuracy").value,
        "majority": found.metric("accuracy_best_constant_classifier").value,
        "roc_auc": found.metric("roc_auc").value,
        "roc_auc_lower": found.metric("roc_auc").lower,
        "average_precision": decision.rule("finds_churners").value,
        "brier_skill": decision.rule("calibrated").value,
        "lift": decision.rule("useful_top_decile").value,
    }


def shuffle_labels(source: Path, target: Path, seed: int) -> None:
    """Copy a CSV with its churn column shuffled: nothing is left to learn."""
    with source.open(newline="", encoding="utf-8-sig") as stream:
        header, *rows = csv.reader(stream)
    column = next(n for n, name in enumerate(header) if name.strip().lower() == "churn")
    labels = [row[column] for row in rows]
    random.Random(seed).shuffle(labels)  # noqa: S311 - a benchmark, not a secret
    for row, label in zip(rows, labels, strict=True):
        row[column] = label
    with target.open("w", newline="", encoding="utf-8") as stream:
        csv.writer(stream).writerows([header, *rows])


def render(rows: dict[tuple[str, str, str], list[tuple[GateDecision, dict[str, float]]]], seeds: int) -> str:
    """The table: per case how often the gate opened, what kept it closed, and the range of each value."""
    lines = [
        "# Does the gate separate good models from bad ones?",
        "",
        f"{seeds} seeds (split, training, bootstrap); asked: accuracy at least 0.80, safeguards on;",
        f"Python {platform.python_version()}, made by `benchmarks/quality_gate/gate_separation.py`.",
        "Ranges: smallest and largest value over the seeds; `average_precision` is normalised (0 = chance).",
        "",
        "| data | schema | algorithm | gate open | closed by | " + " | ".join(COLUMNS) + " |",
        "|---|---|---|---|---|" + "---|" * len(COLUMNS),
    ]
    for (kind, schema, algorithm), outcomes in rows.items():
        broken = Counter(rule.name for decision, _ in outcomes for rule in decision.rules if not rule.passed)
        closed_by = ", ".join(f"{name} {count}" for name, count in broken.most_common()) or "–"
        columns = [[values[name] for _, values in outcomes] for name in COLUMNS]
        ranges = [f"{min(column):.3f} to {max(column):.3f}" for column in columns]
        opened = f"{sum(decision.passed for decision, _ in outcomes)} of {len(outcomes)}"
        lines.append("| " + " | ".join((kind, schema, algorithm, opened, closed_by, *ranges)) + " |")
    return "\n".join(lines) + "\n"


if __name__ == "__main__":
    main()
