"""The job as a process: exit codes, one-line errors, outputs whole or not at all, quick start."""

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from sagemaker_jobs import preprocess, split_files

CHECKOUT = Path(__file__).resolve().parents[3]


def _start(*arguments: str, **environment: str) -> subprocess.CompletedProcess:
    return subprocess.run(
        [sys.executable, "-m", "sagemaker_jobs", "preprocess", *arguments],
        cwd=CHECKOUT,
        env=os.environ | environment,
        capture_output=True,
        text=True,
        check=False,
    )


def test_process_when_data_are_good_then_exits_0_with_a_line_per_stage(ibm, tmp_path: Path):
    (tmp_path / "in").mkdir()
    (tmp_path / "in" / "data.csv").write_text(ibm.to_csv())

    done = _start("--input-dir", str(tmp_path / "in"), "--output-dir", str(tmp_path / "out"))

    assert (done.returncode, done.stderr) == (0, "")
    stages = [line.split("] ")[1].split(":")[0] for line in done.stdout.splitlines()]
    assert [s for s in stages if s != "warning"] == [
        "read", "read", "deduplicate", "split", "encode", "profile", "write", "done",
    ]  # fmt: skip


def test_process_when_data_are_bad_then_exits_2_with_one_line_and_leaves_the_exit_message(
    ibm, tmp_path: Path
):
    (tmp_path / "in").mkdir()
    (tmp_path / "output").mkdir()
    (tmp_path / "in" / "data.csv").write_text(ibm.set("Churn", "No").to_csv())

    done = _start(
        "--input-dir", str(tmp_path / "in"), "--output-dir", str(tmp_path / "out"),
        SM_OUTPUT_DIR=str(tmp_path / "output"),
    )  # fmt: skip

    assert done.returncode == 2
    assert (
        done.stderr == "error: column 'churn': all 2,000 rows carry the label 0; a model needs both classes\n"
    )
    message = (tmp_path / "output" / "message").read_text()
    assert message.startswith("invalid input: ")
    assert message.removeprefix("invalid input: ") in done.stderr
    assert not list((tmp_path / "out").iterdir())


def test_process_when_started_then_imports_neither_scipy_nor_sklearn(tmp_path: Path):
    code = (
        "import sys; from sagemaker_jobs import preprocess;"
        f"preprocess.main(['--synthetic-rows', '2000', '--output-dir', {str(tmp_path)!r}]);"
        "print(sorted({'scipy', 'sklearn'} & set(sys.modules)), file=sys.stderr)"
    )
    done = subprocess.run(
        [sys.executable, "-c", code], cwd=CHECKOUT, capture_output=True, text=True, check=True
    )

    assert done.stderr.strip() == "[]"  # their imports take seconds, and preprocess needs neither


def test_preprocess_when_writing_fails_then_leaves_nothing(ibm, run, output_dir: Path, monkeypatch):
    def full_disk(path: Path, *_: object) -> None:
        if path.name == "reference.csv":
            raise OSError(28, "No space left on device")
        path.write_text("written")

    monkeypatch.setattr(preprocess, "write_selected_rows", full_disk)

    with pytest.raises(OSError, match="No space left"):
        run(ibm.to_csv())

    assert not list(output_dir.rglob("*"))


def test_preprocess_when_a_later_run_is_refused_then_earlier_outputs_stay_whole(ibm, run, output_dir: Path):
    run(ibm.to_csv())
    before = {path: path.read_bytes() for path in output_dir.rglob("*") if path.is_file()}

    with pytest.raises(preprocess.InvalidInputError):
        run(ibm.set("Churn", "No").to_csv())

    assert {path: path.read_bytes() for path in output_dir.rglob("*") if path.is_file()} == before


def test_preprocess_when_schema_is_a_file_of_ones_own_then_reads_any_source_without_code(run, tmp_path: Path):
    schema = {
        "name": "my_source",
        "columns": [
            {"name": "usage", "kind": "numeric", "unit": "GB", "minimum": 0, "maximum": 100},
            {"name": "plan", "kind": "categorical", "levels": ["basic, old", 'the "pro"']},
            {
                "name": "churn",
                "kind": "target",
                "aliases": ["gone"],
                "positive": ["ja"],
                "negative": ["nein"],
            },
        ],
        "limits": {"minimum_rows": 50, "maximum_duplicate_share": 1},
    }
    (tmp_path / "mine.json").write_text(json.dumps(schema))
    lines = ["plan;usage;gone"]
    for n in range(300):
        plan = "basic, old" if n % 3 else '"the ""pro"""'
        lines.append(f"{plan};{n % 97},{n % 10};{'ja' if (n * 31) % 7 < 2 else 'nein'}")

    finished = run("\n".join(lines), "--schema", str(tmp_path / "mine.json"))

    assert {row["plan"] for row in finished.rows("train")} == {"basic, old", 'the "pro"'}
    assert {row["usage"] for row in finished.rows("test")} <= {
        f"{n % 97 + n % 10 / 10:g}" for n in range(300)
    }
    written = json.loads((finished.output_dir / "encoder" / "schema.json").read_text())
    assert written["name"] == "my_source"


def test_written_rows_when_many_chunks_then_are_in_order_and_complete(synthetic, tmp_path: Path, monkeypatch):
    monkeypatch.setattr(split_files, "ROWS_PER_CHUNK", 97)
    arguments = ["--synthetic-rows", "5000", "--output-dir", str(tmp_path / "out")]

    preprocess.main(arguments)

    for split in ("train", "test"):
        name = f"{split}/part-00000.csv"
        assert (tmp_path / "out" / name).read_bytes() == (synthetic.output_dir / name).read_bytes()
