"""Days for `make drift-demo` out of a person's own customers: a quiet one, a shifted one, a broken feed."""

import csv
import gzip
import random
import shutil
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from pathlib import Path

from local_airflow.data_upload import SYNTHETIC_MARKER, find_data_files
from local_airflow.stack_settings import StackError

SEED = 20261124
FEWEST_CUSTOMERS = 3000
TENURE_FACTOR = 3
BLANK_EVERY = 4  # a quarter of the charges is missing
_TENURE = ("tenure", "tenure_months", "tenure months")
_CHARGES = ("monthlycharges", "monthly_charges", "monthly charge")
_CONTRACT = ("contract", "contract_type")


@dataclass(frozen=True)
class Customers:
    """Raw rows under one header; `marker` is the file that marks them as synthetic."""

    header: tuple[str, ...]
    rows: tuple[tuple[str, ...], ...]
    marker: Path | None = None

    def position(self, names: tuple[str, ...]) -> int:
        """Place of a column by any of its names; StackError when there is none."""
        for position, name in enumerate(self.header):
            if name.strip().lower() in names:
                return position
        raise StackError(
            f"DATA has no column {names[0]!r}: drift-demo shifts and breaks columns of the ibm_telco schema; "
            "run it without DATA, or compare your own batches with make drift"
        )


def read_customers(path: Path) -> Customers:
    """Read all CSV files of a path; StackError for anything but CSV under one header."""
    files = find_data_files(path)
    header: tuple[str, ...] | None = None
    rows: list[tuple[str, ...]] = []
    for file in files:
        lines = _read_lines(file)
        first = next(lines, ())
        if header is not None and first != header:
            raise StackError(f"{file.name}: its header differs from that of {files[0].name}")
        header = first
        for number, row in enumerate(lines, start=2):
            if len(row) != len(header):
                raise StackError(
                    f"{file.name}, line {number}: {len(row)} fields, the header has {len(header)}"
                )
            rows.append(row)
    if len(rows) < FEWEST_CUSTOMERS:
        raise StackError(
            f"DATA holds {len(rows):,} customers; drift-demo needs at least {FEWEST_CUSTOMERS:,}: "
            "half of them train a model, the others make up the days"
        )
    folder = path if path.is_dir() else path.parent
    marker = folder / SYNTHETIC_MARKER
    return Customers(header or (), tuple(rows), marker if marker.is_file() else None)


def split_customers(customers: Customers, days: int) -> tuple[Customers, list[Customers]]:
    """One random half to train on, and the other half dealt out to the days; the same rows every time."""
    order = list(range(len(customers.rows)))
    random.Random(SEED).shuffle(order)  # noqa: S311 - a seeded split, no secret
    half = len(order) // 2
    parts = [order[:half], *(order[half + day :: days] for day in range(days))]
    training, *others = (
        replace(customers, rows=tuple(customers.rows[number] for number in sorted(part))) for part in parts
    )
    return training, others


def multiply_tenure(customers: Customers) -> Customers:
    """Every customer stays three times as long: what a changed population, or a changed unit, looks like."""
    position = customers.position(_TENURE)
    return _map_rows(customers, lambda _, row: _with(row, position, _multiplied(row[position])))


def break_feed(customers: Customers) -> Customers:
    """Blank a quarter of the monthly charges and swap contract names for codes, as a broken export does."""
    charges, contract = customers.position(_CHARGES), customers.position(_CONTRACT)
    codes = {
        name: f"C{number}" for number, name in enumerate(sorted({row[contract] for row in customers.rows}))
    }

    def broken(number: int, row: tuple[str, ...]) -> tuple[str, ...]:
        coded = _with(row, contract, codes[row[contract]])
        return _with(coded, charges, "") if number % BLANK_EVERY == 0 else coded

    return _map_rows(customers, broken)


def write_customers(customers: Customers, folder: Path) -> Path:
    """Write one CSV file, and the marker first when the customers are synthetic; returns the folder."""
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir(parents=True)
    if customers.marker is not None:
        shutil.copyfile(customers.marker, folder / SYNTHETIC_MARKER)
    with (folder / "customers.csv").open("w", newline="", encoding="utf-8") as stream:
        writer = csv.writer(stream, lineterminator="\n")
        writer.writerow(customers.header)
        writer.writerows(customers.rows)
    return folder


def _read_lines(file: Path) -> Iterator[tuple[str, ...]]:
    if not file.name.lower().endswith((".csv", ".csv.gz")):
        raise StackError(f"{file.name}: drift-demo makes its days from CSV files; export the data as CSV")
    opened = gzip.open if file.suffix.lower() == ".gz" else open
    try:
        with opened(file, "rt", newline="", encoding="utf-8-sig") as stream:
            yield from (tuple(row) for row in csv.reader(stream) if row)
    except (UnicodeDecodeError, csv.Error, OSError) as error:
        raise StackError(f"{file.name}: cannot be read as CSV in UTF-8: {error}") from error


def _multiplied(text: str) -> str:
    try:
        return f"{float(text) * TENURE_FACTOR:g}"
    except ValueError:
        return text


def _with(row: tuple[str, ...], position: int, value: str) -> tuple[str, ...]:
    return (*row[:position], value, *row[position + 1 :])


def _map_rows(customers: Customers, change: Callable[[int, tuple[str, ...]], tuple[str, ...]]) -> Customers:
    return replace(customers, rows=tuple(change(number, row) for number, row in enumerate(customers.rows)))
