"""Runs preprocess in this process on files the tests make, mostly by damaging the real IBM file."""

import csv
import io
import json
import os
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import pytest

from include.data_contracts.data_quality_report import DataQualityReport
from sagemaker_jobs import preprocess

ROWS = 2000
_CHECKOUT = Path(__file__).resolve().parents[3]


@dataclass(frozen=True)
class Run:
    """Where a finished run left its outputs."""

    output_dir: Path

    @property
    def report(self) -> DataQualityReport:
        text = (self.output_dir / "data_quality" / "data_quality.json").read_text()
        return DataQualityReport.from_mapping(json.loads(text))

    def rows(self, split: str) -> list[dict[str, str]]:
        with (self.output_dir / split / "part-00000.csv").open(newline="") as stream:
            return list(csv.DictReader(stream))


@dataclass
class Table:
    """A header and rows of text that a test damages and writes as CSV."""

    header: list[str]
    rows: list[list[str]]

    def position(self, column: str) -> int:
        return self.header.index(column)

    def column(self, column: str) -> list[str]:
        at = self.position(column)
        return [row[at] for row in self.rows]

    def set(self, column: str, value: str | Callable[[str], str], rows: slice | None = None) -> "Table":
        at = self.position(column)
        for row in self.rows[rows or slice(None)]:
            row[at] = value(row[at]) if callable(value) else value
        return self

    def rename(self, column: str, name: str) -> "Table":
        self.header[self.position(column)] = name
        return self

    def to_csv(self, delimiter: str = ",", line_end: str = "\n") -> str:
        stream = io.StringIO()
        writer = csv.writer(stream, delimiter=delimiter, lineterminator=line_end)
        writer.writerow(self.header)
        writer.writerows(self.rows)
        return stream.getvalue()


def read_real(name: str) -> bytes:
    """Return a real data file; skips, visibly, where the data are not at hand."""
    directory = Path(os.environ.get("CHURN_REAL_DATA", _CHECKOUT.parent / "shared" / "data"))
    if not (directory / name).is_file():
        pytest.skip(f"real data {name} not found; set CHURN_REAL_DATA to the directory that holds it")
    return (directory / name).read_bytes()


@pytest.fixture(scope="session")
def real_file() -> Callable[[str], bytes]:
    return read_real


@pytest.fixture
def ibm() -> Table:
    """The first rows of the real IBM file, fresh for every test."""
    header, *rows = csv.reader(io.StringIO(read_real("ibm_telco_churn.csv").decode()))
    return Table(header, rows[:ROWS])


@pytest.fixture
def run(tmp_path: Path) -> Callable[..., Run]:
    """Write files (name -> text or bytes) into a directory and preprocess it."""

    def run_preprocess(files: dict[str, str | bytes] | str | bytes, *arguments: str) -> Run:
        input_dir = tmp_path / "input"
        for name, content in (files if isinstance(files, dict) else {"data.csv": files}).items():
            path = input_dir / name
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_bytes(content.encode() if isinstance(content, str) else content)
        output_dir = tmp_path / "output"
        preprocess.main(["--input-dir", str(input_dir), "--output-dir", str(output_dir), *arguments])
        return Run(output_dir)

    return run_preprocess


@pytest.fixture
def output_dir(tmp_path: Path) -> Path:
    return tmp_path / "output"


@pytest.fixture(scope="session")
def synthetic(tmp_path_factory: pytest.TempPathFactory) -> Run:
    """5,000 synthetic rows, preprocessed once."""
    output_dir = tmp_path_factory.mktemp("synthetic") / "output"
    preprocess.main(["--synthetic-rows", "5000", "--output-dir", str(output_dir)])
    return Run(output_dir)
