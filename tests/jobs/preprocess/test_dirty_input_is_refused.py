"""Every kind of broken file seen in the wild that cannot be mended: one line that names file and place."""

import gzip
import io
import zipfile
from collections.abc import Callable
from pathlib import Path

import pytest

from sagemaker_jobs.job_entry import InvalidInputError


def _csv(change: Callable) -> Callable:
    def build(table):
        changed = change(table)
        return (changed or table).to_csv()

    return build


def _zip(table) -> bytes:
    stream = io.BytesIO()
    with zipfile.ZipFile(stream, "w") as archive:
        archive.writestr("data.csv", table.to_csv())
    return stream.getvalue()


def _drop_column(name: str) -> Callable:
    def change(table):
        at = table.position(name)
        del table.header[at]
        for row in table.rows:
            del row[at]

    return change


def _add_column(name: str, value: Callable) -> Callable:
    def change(table):
        labels = table.column("Churn")
        table.header.insert(3, name)
        for number, (row, label) in enumerate(zip(table.rows, labels, strict=True)):
            row.insert(3, value(label, number))

    return change


def _set(column: str, value: object, rows: slice | None = None) -> Callable:
    return _csv(lambda table: table.set(column, value, rows))


def _leak(column: str, yes: str, no: str) -> Callable:
    def change(table):
        at = table.position(column)
        for row, label in zip(table.rows, table.column("Churn"), strict=True):
            row[at] = yes if label == "Yes" else no

    return _csv(change)


def _swallowed_rows(table) -> str:
    """A stray quote opens in one row and closes 40 rows later: all fields between become one."""
    lines = table.to_csv().split("\n")
    at = lines[10].split(",")
    at[1] = '"' + at[1]
    lines[10] = ",".join(at)
    at = lines[50].split(",")
    at[1] = at[1] + '"'
    lines[50] = ",".join(at)
    return "\n".join(lines)


def _unclosed_quote(table) -> str:
    lines = table.to_csv().split("\n")
    lines[20] = lines[20].replace(",Female,", ',"Female,').replace(",Male,", ',"Male,')
    return "\n".join(lines)


def _csv_text_with_inch_mark_and_late_quote(table) -> str:
    """An even number of quotes, of which one is a plain character and one opens a field that never ends."""
    lines = table.to_csv().split("\n")
    for at, mark in ((4, 'Fem"ale'), (1995, '"Female')):
        cells = lines[at].split(",")
        cells[1] = mark
        lines[at] = ",".join(cells)
    return "\n".join(lines)


def _parquet_of_dates(table) -> dict:
    import pyarrow as pa
    from pyarrow import parquet

    columns = {name: pa.array(table.column(name)) for name in table.header}
    columns["tenure"] = pa.array(range(len(table.rows)), pa.timestamp("ms"))
    stream = io.BytesIO()
    parquet.write_table(pa.table(columns), stream)
    return {"data.parquet": stream.getvalue()}


REFUSED = {
    "missing column": (_csv(_drop_column("Contract")), r"data\.csv, line 1: no column 'contract_type'"),
    "missing target": (_csv(_drop_column("Churn")), r"no column 'churn'"),
    "missing id": (_csv(_drop_column("customerID")), r"no column 'customer_id'"),
    "renamed column": (
        _csv(lambda t: t.rename("MonthlyCharges", "MonthlyCharge_EUR")),
        r"no column 'monthly_charges' \(is it 'MonthlyCharge_EUR'\?\)",
    ),
    "duplicated column": (
        _csv(lambda t: t.rename("gender", "Tenure ")),
        r"line 1: columns 2 \('Tenure '\) and 6 \('tenure'\) both are 'tenure_months'",
    ),
    "no header": (lambda t: t.to_csv().split("\n", 1)[1], r"data\.csv, line 1: the file has no header"),
    "titles above the header": (
        lambda t: "Monthly export\nfrom the CRM\n" + t.to_csv(),
        r"data\.csv, line 3: the header stands here; remove the 2 lines above it",
    ),
    "all rows ragged": (
        lambda t: t.to_csv().replace("\n", ",\n").replace(",\n", "\n", 1),
        r"data\.csv, line 2: 2,000 rows with another number of fields",
    ),
    "header only": (lambda t: t.to_csv().split("\n", 1)[0] + "\n", r"data\.csv: a header and no rows"),
    "header without newline": (lambda t: t.to_csv().split("\n", 1)[0], r"a header and no rows"),
    "empty file": (lambda _: b"", r"data\.csv: the file is empty"),
    "blank file": (lambda _: b"\n\n  \n", r"data\.csv: the file holds only blank space"),
    "all-null column": (
        _set("MonthlyCharges", ""),
        r"data\.csv, line 2, column 'MonthlyCharges': 2,000 missing values",
    ),
    "half-null column": (
        _set("tenure", "NA", slice(0, 1000)),
        r"data\.csv, line 2, column 'tenure': 1,000 missing values, first here: 'NA'",
    ),
    "constant number": (_set("tenure", "12"), r"column .tenure. holds one single value"),
    "constant level": (_set("Contract", "One year"), r"column 'Contract' holds one single value"),
    "huge numbers": (
        _set("MonthlyCharges", lambda v: f"{v}e9", slice(0, 100)),
        r"line 2, column 'MonthlyCharges': 100 values outside .* first here: '29.85e9'",
    ),
    "infinite numbers": (
        _set("MonthlyCharges", "inf", slice(5, 105)),
        r"line 7, column 'MonthlyCharges': 100 infinite",
    ),
    "negative numbers": (_set("tenure", lambda v: f"-{v}"), r"column 'tenure': .*range is 0 to 72 months"),
    "scaled up": (
        _set("MonthlyCharges", lambda v: str(float(v) * 100)),
        r"column 'MonthlyCharges': 2,000 values outside .* 18 to 120 dollars per month",
    ),
    "scaled down": (
        _set("TotalCharges", lambda v: f"{float(v) / 100:.4f}" if v.strip() else v),
        r"line \d+, rule 'total_is_months_times_price': .*rows that break the rule",
    ),
    "unknown category": (
        _set("InternetService", "Satellite", slice(10, 60)),
        r"line 12, column 'InternetService': 50 values that are no level.*'Satellite'",
    ),
    "words among numbers": (
        _set("MonthlyCharges", "unknown price", slice(0, 50)),
        r"line 2, column 'MonthlyCharges': 50 values that are not numbers.*'unknown price'",
    ),
    "decimal commas that may be thousands": (
        _set("TotalCharges", lambda _: "1,234", slice(0, 200)),
        r"line 2, column 'TotalCharges': 200 numbers whose comma.*'1,234'",
    ),
    "unknown labels": (
        _set("Churn", "maybe", slice(0, 30)),
        r"line 2, column 'Churn': 30 rows with an unknown label.*'maybe'",
    ),
    "all labels unknown": (_set("Churn", "perhaps"), r"column 'Churn': 2,000 rows with an unknown label"),
    "too many missing labels": (
        _set("Churn", "", slice(0, 200)),
        r"column 'Churn': 200 rows without a label",
    ),
    "single class": (_set("Churn", "No"), r"column 'churn': all 2,000 rows carry the label 0"),
    "named leak": (
        _csv(_add_column("Churn Score", lambda label, _: "90" if label == "Yes" else "10")),
        r"line 1, column 4: 'Churn Score' gives the label away",
    ),
    "leak in other spelling": (
        _csv(_add_column("CHURN_REASON", lambda *_: "x")),
        r"'CHURN_REASON' gives the label",
    ),
    "level equals label": (
        _leak("PaperlessBilling", "Yes", "No"),
        r"'PaperlessBilling' alone ranks churn with AUC 1",
    ),
    "number equals label": (
        _leak("SeniorCitizen", "1", "0"),
        r"'SeniorCitizen' alone ranks churn with AUC 1",
    ),
    "ten-fold rows": (
        lambda t: {f"part-{n}.csv": (t.to_csv() + "\n" * n) for n in range(10)},
        r"part-1\.csv, line 2: 18,000 rows that repeat another row.*part-0\.csv, line 2",
    ),
    "the same file twice": (
        lambda t: {"a.csv": t.to_csv(), "b/c.csv.gz": gzip.compress(t.to_csv().encode())},
        r"b/c\.csv\.gz: holds the same text as a\.csv",
    ),
    "customers with both labels": (
        lambda t: (
            t.to_csv()
            + "".join(
                ",".join([*row[:-1], "No" if row[-1] == "Yes" else "Yes"]) + "\n" for row in t.rows[:100]
            )
        ),
        r"data\.csv, line 2: 200 rows of customers who carry both labels.*line 2002",
    ),
    "cut off in a row": (lambda t: t.to_csv()[:-40], r"data\.csv, line 2001: the file is cut off here"),
    "cut-off gzip": (
        lambda t: {"data.csv.gz": gzip.compress(t.to_csv().encode())[:-2000]},
        r"data\.csv\.gz: the gzip file is cut off",
    ),
    "damaged gzip": (
        lambda t: {"data.csv.gz": gzip.compress(t.to_csv().encode())[:5000] + b"x" * 5000},
        r"data\.csv\.gz: the gzip file is (damaged|cut off)",
    ),
    "many ragged rows": (
        _csv(lambda t: [row.append("extra") for row in t.rows[100:200]] and None),
        r"data\.csv, line 102: 100 rows with another number of fields",
    ),
    "unclosed quote": (_unclosed_quote, r"data\.csv, line 21: a quote is opened and never closed"),
    "unclosed quote near the end, and an inch mark": (
        _csv_text_with_inch_mark_and_late_quote,
        r"data\.csv, line 1996: a quote is opened and never closed",
    ),
    "rows swallowed by quotes": (_swallowed_rows, r"data\.csv, line 11: a quoted field runs on to line 51"),
    "NUL bytes": (
        lambda t: t.to_csv().encode().replace(b"Fiber", b"Fi\0er", 1),
        r"data\.csv, line \d+: a NUL byte",
    ),
    "zip named csv": (_zip, r"data\.csv: this is a zip archive"),
    "HTML named csv": (lambda _: "<!DOCTYPE html><html><body>Sign in</body></html>", r"data\.csv: .*HTML"),
    "JSON named csv": (lambda _: '[{"tenure": 1}]', r"data\.csv: this is JSON"),
    "zip inside gzip": (lambda t: {"d.csv.gz": gzip.compress(_zip(t))}, r"d\.csv\.gz: this is a zip archive"),
    "other kind of file": (lambda t: {"data.xlsx": _zip(t)}, r"data\.xlsx: cannot read this kind of file"),
    "damaged Parquet": (
        lambda _: {"data.parquet": b"PAR1" + b"x" * 500},
        r"data\.parquet: .*damaged or cut off",
    ),
    "Parquet column of another type": (
        _parquet_of_dates,
        r"data\.parquet: column 'tenure': type timestamp\[ms\] cannot be read as numeric",
    ),
    "foreign delimiter": (
        lambda t: t.to_csv(delimiter="^"),
        r"data\.csv: the columns are separated by carets",
    ),
    "mixed encodings": (
        lambda t: t.set("gender", "Müller", slice(0, 5)).to_csv().encode() + b"x\xff\n",
        r"data\.csv: neither valid UTF-8",
    ),
    "odd UTF-16": (lambda t: t.to_csv().encode("utf-16")[:-1], r"data\.csv: cannot be read as utf-16"),
    "contradictions": (
        _set("PhoneService", lambda v: "No" if v == "Yes" else "Yes"),
        r"line 2, rule 'no_phone_no_multiple_lines': 2,000 .*phone_service is No exactly when",
    ),
    "too few rows": (_csv(lambda t: t.rows.__delitem__(slice(150, None))), r"150 usable rows .*asks for 200"),
    "one file of two lacks a column": (
        lambda t: {"a.csv": t.to_csv(), "b.csv": t.rename("Contract", "Deal").to_csv()},
        r"b\.csv, line 1: no column 'contract_type'",
    ),
}


@pytest.mark.parametrize("case", REFUSED)
def test_preprocess_when_file_is_beyond_repair_then_refuses_in_one_line(case, ibm, run, output_dir: Path):
    build, expected = REFUSED[case]

    with pytest.raises(InvalidInputError, match=expected) as refusal:
        run(build(ibm))

    assert "\n" not in str(refusal.value)
    assert len(str(refusal.value)) < 1024  # SageMaker cuts what is longer
    assert not list(output_dir.rglob("*"))


def test_preprocess_when_directory_is_missing_then_refuses(run, tmp_path: Path):
    with pytest.raises(InvalidInputError, match=r"nowhere does not exist"):
        run({}, "--input-dir", str(tmp_path / "nowhere"))


def test_preprocess_when_directory_is_empty_then_refuses_and_never_invents_data(run, tmp_path: Path):
    (tmp_path / "input").mkdir()
    with pytest.raises(InvalidInputError, match=r"holds no CSV, gzip CSV or Parquet file"):
        run({})


@pytest.mark.parametrize(
    ("arguments", "expected"),
    [
        (["--schema", "nokia"], r"unknown schema 'nokia': choose one of ibm_telco, iranian, mlc"),
        (["--schema", "/nowhere/mine.yaml"], r"schema file /nowhere/mine\.yaml: cannot be read"),
        (["--seed", "-1"], r"--seed must lie between 0"),
        (["--test-fraction", "1.5"], r"--test-fraction must lie between"),
    ],
)
def test_preprocess_when_argument_is_wrong_then_refuses_by_name(arguments, expected, ibm, run):
    with pytest.raises(InvalidInputError, match=expected):
        run(ibm.to_csv(), *arguments)
