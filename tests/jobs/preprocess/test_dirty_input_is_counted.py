"""Every kind of fault that can be mended is mended, and counted with file and line in data_quality.json."""

import gzip
import io
import json
from pathlib import Path

import pytest


def _retype(table, name: str, delimiter: str = ",", encoding: str = "utf-8", line_end: str = "\n") -> dict:
    return {name: table.to_csv(delimiter, line_end).encode(encoding)}


# case -> (damage, cause, column, count, file, line of the first example)
CELLS = {
    "null spellings": (
        lambda t: [
            t.rows[row].__setitem__(t.position("tenure"), token)
            for row, token in enumerate(["NA", " null ", "N/A", "", "?", "NaN", "None", "-"], start=3)
        ],
        "missing_value",
        "tenure_months",
        8,
        5,
    ),
    "currency signs": (
        lambda t: t.set("MonthlyCharges", lambda v: f"${v}"),
        "reformatted_number",
        "monthly_charges",
        2000,
        2,
    ),
    "decimal commas": (
        lambda t: t.set("MonthlyCharges", lambda v: v.replace(".", ",")).set(
            "TotalCharges", lambda v: v.replace(".", ",")
        ),
        "reformatted_number",
        "monthly_charges",
        None,
        2,
    ),
    "thousands marks": (
        lambda t: t.set("TotalCharges", lambda v: f"{float(v):,.2f}" if v.strip() else v),
        "reformatted_number",
        "total_charges",
        None,
        3,
    ),
    "padded numbers": (
        lambda t: t.set("tenure", lambda v: f" {v} "),
        "reformatted_number",
        "tenure_months",
        2000,
        2,
    ),
    "few words among numbers": (
        lambda t: t.set("tenure", "twelve", slice(7, 9)),
        "invalid_number",
        "tenure_months",
        2,
        9,
    ),
    "few infinite numbers": (
        lambda t: t.set("TotalCharges", "-Infinity", slice(7, 8)),
        "infinite_number",
        "total_charges",
        1,
        9,
    ),
    "few overflowing numbers": (
        lambda t: t.set("TotalCharges", "1e999", slice(7, 8)),
        "infinite_number",
        "total_charges",
        1,
        9,
    ),
    "few numbers out of range": (
        lambda t: t.set("MonthlyCharges", "1e7", slice(7, 9)),
        "out_of_range",
        "monthly_charges",
        2,
        9,
    ),
    "few fractions of months": (
        lambda t: t.set("tenure", "7.5", slice(7, 9)),
        "fractional_number",
        "tenure_months",
        2,
        9,
    ),
    "few unknown levels": (
        lambda t: t.set("Contract", "Weekly", slice(7, 9)),
        "unknown_level",
        "contract_type",
        2,
        9,
    ),
    "spreadsheet formula in a level": (
        lambda t: t.set("Contract", '=HYPERLINK("http://x")', slice(7, 8)),
        "unknown_level",
        "contract_type",
        1,
        9,
    ),
    "levels spelled otherwise": (
        lambda t: t.set("Contract", lambda v: v.upper().replace("-", "_")),
        "respelled_level",
        "contract_type",
        2000,
        2,
    ),
    "padded levels": (
        lambda t: t.set("PaymentMethod", lambda v: f"  {v} "),
        "respelled_level",
        "payment_method",
        2000,
        2,
    ),
    "labels spelled otherwise": (
        lambda t: t.set("Churn", lambda v: {"Yes": "TRUE", "No": "0"}[v]),
        "respelled_label",
        "churn",
        2000,
        2,
    ),
    "labels as floats": (
        lambda t: t.set("Churn", lambda v: {"Yes": "1.0", "No": "0.0"}[v]),
        "respelled_label",
        "churn",
        2000,
        2,
    ),
    "few missing labels": (lambda t: t.set("Churn", " ", slice(7, 9)), "missing_label", "churn", 2, 9),
    "one unknown label": (lambda t: t.set("Churn", "Jein", slice(7, 8)), "unknown_label", "churn", 1, 9),
    "formula in an id": (
        lambda t: t.set("customerID", "=1+1", slice(7, 8)),
        "suspicious_text",
        "customer_id",
        1,
        9,
    ),
    "script in an id": (
        lambda t: t.set("customerID", "<script>alert(1)</script>", slice(7, 8)),
        "suspicious_text",
        "customer_id",
        1,
        9,
    ),
    "id of 100 kB": (
        lambda t: t.set("customerID", "x" * 100_000, slice(7, 8)),
        "overlong_text",
        "customer_id",
        1,
        9,
    ),
    "missing ids": (lambda t: t.set("customerID", "", slice(7, 9)), "missing_id", "customer_id", 2, 9),
    "line break in an id": (
        lambda t: t.set("customerID", "a\nb", slice(7, 8)),
        "line_break_in_field",
        None,
        1,
        9,
    ),
    "upper-case headers": (
        lambda t: t.header.__setitem__(5, "TENURE "),
        "renamed_column",
        "tenure_months",
        1,
        0,
    ),
    "extra column": (
        lambda t: [t.header.append("shoe size")] + [r.append("42") for r in t.rows],
        "extra_column",
        "shoe size",
        1,
        0,
    ),
    "leak in an extra column": (
        lambda t: [t.header.append("left on")] + [r.append("2024" if r[-1] == "Yes" else "") for r in t.rows],
        "label_in_extra_column",
        "left on",
        1,
        0,
    ),
    "repeated header": (lambda t: t.rows.insert(500, list(t.header)), "repeated_header", None, 1, 502),
    "footer row of all columns": (
        lambda t: t.rows.append(["Total", *[""] * 17, "64.76", "2279581", ""]),
        "missing_label",
        "churn",
        1,
        2002,
    ),
    "row of commas": (lambda t: t.rows.insert(10, [""] * 21), "blank_row", None, 1, 12),
    "whole rows twice": (
        lambda t: t.rows.extend([list(r) for r in t.rows[:20]]),
        "duplicate_row",
        None,
        20,
        2002,
    ),
    "same customer, other values": (
        lambda t: t.rows.append([*t.rows[3][:18], "55.5", *t.rows[3][19:]]),
        "duplicate_customer",
        None,
        1,
        None,
    ),
    "customer with both labels": (
        lambda t: t.rows.append([*t.rows[3][:-1], "Yes"]),
        "contradicting_labels",
        None,
        2,
        5,
    ),
    "contradiction between columns": (
        lambda t: t.set("OnlineSecurity", "No internet service", slice(3, 4)),
        "contradiction",
        None,
        None,
        5,
    ),
    "shuffled labels": (
        lambda t: [
            r.__setitem__(-1, "Yes" if (n * 7919) % 1999 < 530 else "No") for n, r in enumerate(t.rows)
        ],
        "no_signal",
        None,
        1,
        None,
    ),
}


@pytest.mark.parametrize("case", CELLS)
def test_preprocess_when_cells_are_dirty_then_counts_them_with_file_and_line(case, ibm, run):
    damage, cause, column, count, line = CELLS[case]
    damage(ibm)

    report = run({"month/data.csv": ibm.to_csv()}).report

    assert report.count(cause) > 0
    findings = [f for f in report.findings if f.cause == cause and column in {None, f.column}]
    assert count is None or [f.count for f in findings] == [count]
    if line is not None:
        assert ("month/data.csv", line) in {(f.examples[0].file, f.examples[0].line) for f in findings}
    assert report.rows_in == report.rows_out + report.rows_dropped == len(ibm.rows)


def _parquet(table, *, typed: bool) -> dict:
    import pyarrow as pa
    from pyarrow import parquet

    columns = {name: table.column(name) for name in table.header}
    if typed:
        columns |= {
            "tenure": [int(v) for v in columns["tenure"]],
            "SeniorCitizen": [v == "1" for v in columns["SeniorCitizen"]],
        }
        columns["TotalCharges"] = [float(v) if v.strip() else None for v in columns["TotalCharges"]]
        columns["Contract"] = pa.array(columns["Contract"]).dictionary_encode()
        columns["Churn"] = [v == "Yes" for v in columns["Churn"]]
    stream = io.BytesIO()
    parquet.write_table(pa.table(columns), stream)
    return {"data.parquet": stream.getvalue()}


# Forms of a file that change nothing in the data: the outputs must be those of the plain file.
FORMS = {
    "gzip": lambda t: {"data.csv.gz": gzip.compress(t.to_csv().encode())},
    "gzip without its ending": lambda t: {"data.csv": gzip.compress(t.to_csv().encode())},
    "UTF-16": lambda t: _retype(t, "data.csv", encoding="utf-16"),
    "UTF-16 without mark": lambda t: _retype(t, "data.csv", encoding="utf-16-le"),
    "byte order mark": lambda t: _retype(t, "data.csv", encoding="utf-8-sig"),
    "Latin-1": lambda t: _retype(t.set("gender", "männlich"), "data.csv", encoding="latin-1"),
    "Windows-1252": lambda t: _retype(t.set("gender", "„ä“"), "data.csv", encoding="cp1252"),
    "UTF-8 beyond ASCII": lambda t: _retype(t.set("gender", "žена"), "data.csv"),
    "semicolon": lambda t: _retype(t, "data.csv", delimiter=";"),
    "tab": lambda t: _retype(t, "data.tsv", delimiter="\t"),
    "pipe": lambda t: _retype(t, "data.txt", delimiter="|"),
    "CRLF": lambda t: _retype(t, "data.csv", line_end="\r\n"),
    "carriage returns": lambda t: _retype(t, "data.csv", line_end="\r"),
    "sep line": lambda t: {"data.csv": "sep=;\n" + t.to_csv(";")},
    "leading blank lines": lambda t: {"data.csv": "\n\n" + t.to_csv()},
    "blank lines between": lambda t: {"data.csv": t.to_csv().replace("\n", "\n\n")},
    "no newline at the end": lambda t: {"data.csv": t.to_csv().rstrip("\n")},
    "every field quoted": lambda t: {
        "data.csv": "\n".join(",".join(f'"{cell}"' for cell in row) for row in (t.header, *t.rows)) + "\n"
    },
    "columns in another order": lambda t: {
        "data.csv": "\n".join(",".join(reversed(row)) for row in (t.header, *t.rows)) + "\n"
    },
    "Parquet of text": lambda t: _parquet(t, typed=False),
    "typed Parquet": lambda t: _parquet(t, typed=True),
    "several files": lambda t: {
        "a.csv": "\n".join(map(",".join, (t.header, *t.rows[:700]))) + "\n",
        "deep/er/b.csv.gz": gzip.compress("\n".join(map(",".join, (t.header, *t.rows[700:1500]))).encode()),
        "z.csv": "\n".join(map(";".join, (t.header, *t.rows[1500:]))) + "\n",
        "_SUCCESS": "",
        ".hidden": "junk",
    },
}  # fmt: skip


@pytest.fixture(scope="module")
def plain_outputs(real_file, tmp_path_factory: pytest.TempPathFactory) -> dict[str, bytes]:
    from sagemaker_jobs import preprocess

    directory = tmp_path_factory.mktemp("plain")
    (directory / "in").mkdir()
    lines = real_file("ibm_telco_churn.csv").splitlines(keepends=True)[:2001]
    (directory / "in" / "data.csv").write_bytes(b"".join(lines))
    preprocess.main(["--input-dir", str(directory / "in"), "--output-dir", str(directory / "out")])
    return _outputs(directory / "out")


def _outputs(directory: Path) -> dict[str, bytes]:
    names = ("train/part-00000.csv", "test/part-00000.csv", "encoder/encoder.json", "reference/reference.csv")
    return {name: (directory / name).read_bytes() for name in names}


@pytest.mark.parametrize("form", FORMS)
def test_preprocess_when_file_comes_in_another_form_then_outputs_are_the_same(form, ibm, run, plain_outputs):
    finished = run(FORMS[form](ibm))

    assert _outputs(finished.output_dir) == plain_outputs


@pytest.mark.parametrize(
    ("form", "encoding"), [("UTF-16", "utf-16"), ("byte order mark", "utf-8-sig"), ("Latin-1", "latin-1")]
)
def test_preprocess_when_encoding_is_unusual_then_report_names_it(form, encoding, ibm, run):
    report = run(FORMS[form](ibm)).report

    assert report.files[0].encoding == encoding
    assert report.count("converted_text") == 1


def test_preprocess_when_rows_are_ragged_then_drops_and_names_lines(ibm, run):
    lines = ibm.to_csv().split("\n")
    lines[100] += ",surplus"
    lines[200] = lines[200].rsplit(",", 3)[0]
    lines.insert(300, "Page 2 of 9")

    report = run("\n".join(lines)).report

    finding = next(f for f in report.findings if f.cause == "ragged_row")
    assert [example.line for example in finding.examples] == [101, 201, 301]
    assert (report.rows_in, report.rows_out) == (2001, 1998)


def test_preprocess_when_rows_before_were_ragged_then_later_lines_are_still_right(ibm, run):
    ibm.set("tenure", "twelve", slice(1500, 1501))
    lines = ibm.to_csv().split("\n")
    lines[100] += ",surplus"
    lines.insert(200, "")

    report = run("\n".join(lines)).report

    finding = next(f for f in report.findings if f.cause == "invalid_number")
    assert finding.examples[0].line == 1503


def test_preprocess_when_several_files_then_reports_each_and_what_was_left_aside(ibm, run):
    report = run(FORMS["several files"](ibm)).report

    assert [(file.name, file.rows, file.delimiter) for file in report.files] == [
        ("a.csv", 700, ","), ("deep/er/b.csv.gz", 800, ","), ("z.csv", 500, ";"),
    ]  # fmt: skip
    assert report.ignored_files == (".hidden", "_SUCCESS")


def test_preprocess_when_one_of_several_files_has_no_rows_then_warns(ibm, run):
    header = ",".join(ibm.header) + "\n"

    report = run({"a.csv": ibm.to_csv(), "b.csv": header, "c.csv": header}).report

    assert report.count("empty_file") == 2


def test_preprocess_when_total_is_blank_for_new_customers_then_fills_zero(ibm, run):
    blanks = [total for total in ibm.column("TotalCharges") if not total.strip()]

    report = run(ibm.to_csv()).report

    assert report.count("filled_value", "total_charges") == len(blanks) > 0
    assert report.count("missing_value") == 0


def test_preprocess_when_total_is_blank_for_an_old_customer_then_it_is_missing(ibm, run):
    ibm.set("TotalCharges", " ", slice(1, 2))

    finished = run(ibm.to_csv())

    assert finished.report.count("missing_value", "total_charges") == 1
    assert sum(r["total_charges"] == "" for s in ("train", "test") for r in finished.rows(s)) == 1


def test_data_quality_json_when_values_hold_markup_then_is_strict_json_with_short_values(ibm, run):
    ibm.set("Contract", "<script>" + "x" * 5000 + "\u2028", slice(7, 8))

    finished = run(ibm.to_csv())

    text = (finished.output_dir / "data_quality" / "data_quality.json").read_text()
    values = [e["value"] for f in json.loads(text)["findings"] for e in f["examples"]]
    assert max(map(len, values)) <= 80
    assert all(value.isprintable() for value in values)
