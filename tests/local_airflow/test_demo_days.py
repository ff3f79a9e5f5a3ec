import gzip

import pytest

from local_airflow.data_upload import SYNTHETIC_MARKER
from local_airflow.demo_days import (
    FEWEST_CUSTOMERS,
    break_feed,
    multiply_tenure,
    read_customers,
    split_customers,
    write_customers,
)
from local_airflow.stack_settings import StackError

HEADER = "customerID,tenure,MonthlyCharges,Contract"
CONTRACTS = ("Month-to-month", "One year", "Two year")


@pytest.fixture
def data(tmp_path):
    lines = [f"c{n},{n % 73},{20 + n % 80},{CONTRACTS[n % 3]}" for n in range(FEWEST_CUSTOMERS)]
    path = tmp_path / "customers.csv"
    path.write_text("\n".join([HEADER, *lines]) + "\n")
    return path


def column(customers, name):
    return [row[customers.header.index(name)] for row in customers.rows]


def test_split_when_made_twice_then_is_the_same_and_every_customer_is_in_one_part(data):
    customers = read_customers(data)
    training, days = split_customers(customers, 3)
    assert (training, days) == split_customers(customers, 3)
    parts = [training, *days]
    assert sorted(row for part in parts for row in part.rows) == sorted(customers.rows)
    assert [len(part.rows) for part in parts] == [1500, 500, 500, 500]


def test_multiply_tenure_when_applied_then_only_tenure_changes(data):
    customers = read_customers(data)
    shifted = multiply_tenure(customers)
    assert column(shifted, "tenure") == [str(int(text) * 3) for text in column(customers, "tenure")]
    for name in ("customerID", "MonthlyCharges", "Contract"):
        assert column(shifted, name) == column(customers, name)


def test_break_feed_when_applied_then_charges_are_missing_and_contracts_are_codes(data):
    customers = read_customers(data)
    broken = break_feed(customers)
    assert column(broken, "MonthlyCharges").count("") == len(customers.rows) // 4
    assert set(column(broken, "Contract")) == {"C0", "C1", "C2"}
    assert column(broken, "tenure") == column(customers, "tenure")


def test_write_when_the_customers_are_synthetic_then_every_day_keeps_the_marker(data, tmp_path):
    (data.parent / SYNTHETIC_MARKER).write_text('{"rows": 1}')
    training, _ = split_customers(read_customers(data), 3)
    folder = write_customers(training, tmp_path / "day")
    assert (folder / SYNTHETIC_MARKER).read_text() == '{"rows": 1}'
    assert (folder / "customers.csv").read_text().splitlines()[0] == HEADER


def test_read_when_the_file_is_gzipped_then_reads_the_same(data, tmp_path):
    packed = tmp_path / "packed" / "customers.csv.gz"
    packed.parent.mkdir()
    packed.write_bytes(gzip.compress(data.read_bytes()))
    assert read_customers(packed).rows == read_customers(data).rows


@pytest.mark.parametrize(
    ("name", "content", "said"),
    [
        ("few.csv", f"{HEADER}\nc1,1,20,One year\n", "needs at least 3,000"),
        ("ragged.csv", f"{HEADER}\nc1,1,20\n", r"ragged\.csv, line 2: 3 fields, the header has 4"),
        ("data.parquet", "PAR1", r"data\.parquet.*CSV"),
        ("latin.csv", b"customerID\n\xff\xfe\n", r"latin\.csv: cannot be read as CSV in UTF-8"),
    ],
)
def test_read_when_a_file_cannot_be_used_then_says_which_and_why(tmp_path, name, content, said):
    path = tmp_path / name
    path.write_bytes(content if isinstance(content, bytes) else content.encode())
    with pytest.raises(StackError, match=said):
        read_customers(path)


def test_multiply_tenure_when_there_is_no_such_column_then_names_it(data):
    data.write_text(data.read_text().replace("tenure", "months"))
    with pytest.raises(StackError, match="no column 'tenure'"):
        multiply_tenure(read_customers(data))
