"""Numbers as people and spreadsheets write them."""

import numpy as np
import pyarrow as pa
import pytest

from sagemaker_jobs.number_cleaning import AMBIGUOUS, INFINITE, INVALID, NULL, REFORMATTED, read_number_column
from sagemaker_jobs.spelling_tables import NullTokens

IS_NULL = NullTokens(["NA", "?"])


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("$29.85", 29.85), ("29.85 €", 29.85), ("USD 1889.50", 1889.5), ("-$5", -5.0), ("£1,889.50", 1889.5),
        ("29,85", 29.85), ("1.889,50", 1889.5), ("1 889,50", 1889.5), ("1'889.50", 1889.5), ("0,125", 0.125),
        ("1,234,567", 1234567.0), (" 7 ", 7.0), ("\t7", 7.0), ("1889,5000", 1889.5), ("-29,85", -29.85),
    ],
)  # fmt: skip
def test_read_number_when_written_in_one_readable_way_then_reads_it(text, value):
    values, statuses = read_number_column(pa.array([text, "1.5"]), IS_NULL)

    assert values.tolist() == [value, 1.5]
    assert statuses.tolist() == [REFORMATTED, 0]


@pytest.mark.parametrize(
    ("text", "status"),
    [
        ("twelve", INVALID), ("12 months", INVALID), ("1.2.3", INVALID), ("0x1F", INVALID), ("1e", INVALID),
        ("١٢", INVALID), ("=1+1", INVALID), ("12;5", INVALID), ("1,23,456", INVALID), ("--5", INVALID),
        ("inf", INFINITE), ("-Infinity", INFINITE), ("1e999", INFINITE), ("1,234", AMBIGUOUS),
        ("NA", NULL), (" ? ", NULL), ("", NULL), ("   ", NULL),
    ],
)  # fmt: skip
def test_read_number_when_not_readable_in_one_way_then_is_missing_and_says_why(text, status):
    values, statuses = read_number_column(pa.array([text, "1.5"]), IS_NULL)

    assert np.isnan(values[0])
    assert statuses.tolist() == [status, 0]


@pytest.mark.parametrize(
    ("neighbour", "value"), [("29,85", 1.234), ("12,345.60", 1234.0), ("2,345,678", 1234.0)]
)
def test_read_number_when_neighbours_show_what_a_comma_means_then_follows_them(neighbour, value):
    values, _ = read_number_column(pa.array(["1,234", neighbour]), IS_NULL)

    assert values[0] == value


def test_read_number_when_all_plain_then_takes_the_fast_path():
    values, statuses = read_number_column(pa.array(["1", "2.5", "1e3", "-0"]), IS_NULL)

    assert statuses is None
    assert values.tolist() == [1.0, 2.5, 1000.0, 0.0]
