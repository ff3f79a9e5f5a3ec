import json

import pytest

from sagemaker_jobs.prediction_requests import RequestError, choose_accepted, format_predictions, read_rows

NAMES = ("tenure_months", "contract_type")
NUMERIC = ("tenure_months",)
ROW = {"tenure_months": 5.0, "contract_type": "One year"}


def read(body, content_type="application/json"):
    return read_rows(body, content_type, NAMES, NUMERIC)


@pytest.mark.parametrize(
    ("content_type", "body"),
    [
        ("text/csv", "5,One year"),
        ("text/csv", b"5,One year\r\n"),
        ("text/csv; charset=utf-8", '5,"One year"\n\n'),
        ("TEXT/CSV", "tenure_months,contract_type\n5,One year\n"),
        ("text/csv", "customer_id,contract_type,tenure_months\n7,One year,5\n"),
        ("text/csv", b"\xef\xbb\xbftenure_months,contract_type\n5.0,One year"),
        ("application/json", '{"tenure_months": 5, "contract_type": "One year"}'),
        ("application/json", '{"tenure_months": "5", "contract_type": "One year", "customer_id": 7}'),
        ("application/json", '[{"tenure_months": 5, "contract_type": "One year"}]'),
        ("application/json", '[5, "One year"]'),
        ("application/json", '[[5, "One year"]]'),
        ("application/json", '{"instances": [[5, "One year"]]}'),
        ("application/jsonlines", '{"tenure_months": 5, "contract_type": "One year"}\n\n'),
        ("application/x-ndjson", '[5, "One year"]'),
    ],
)
def test_rows_when_sent_in_any_known_form_then_are_the_same(content_type, body):
    assert read(body, content_type) == [ROW]


@pytest.mark.parametrize(
    ("content_type", "body"),
    [
        ("text/csv", ","),
        ("text/csv", " , \n"),
        ("application/json", '{"tenure_months": null, "contract_type": null}'),
        ("application/json", '["", ""]'),
    ],
)
def test_cells_when_empty_then_are_missing(content_type, body):
    assert read(body, content_type) == [{"tenure_months": None, "contract_type": None}]


def test_rows_when_there_are_several_then_keep_their_order():
    rows = read("1,One year\n2,Two year\n3,", "text/csv")

    assert [row["tenure_months"] for row in rows] == [1, 2, 3]


@pytest.mark.parametrize(
    ("content_type", "body", "status", "expected"),
    [
        ("application/xml", "<a/>", 415, "content type 'application/xml' is not supported; send text/csv"),
        (None, "5,One year", 415, "content type None is not supported"),
        ("text/csv", "", 400, "the request holds no row"),
        ("text/csv", "tenure_months,contract_type\n", 400, "the request holds no row"),
        ("application/json", "[]", 400, "the request holds no row"),
        ("text/csv", "5", 400, "row 1: has 1 values, expected 2: tenure_months, contract_type"),
        ("text/csv", "5,One year\n5,One year,7", 400, "row 2: has 3 values, expected 2"),
        ("text/csv", "tenure_months\n5", 400, "the CSV header: missing feature: contract_type; needed:"),
        ("text/csv", "tenure_months,contract_type\n5", 400, "row 1: has 1 cells, the header has 2"),
        ("text/csv", "many,One year", 400, "row 1, column tenure_months: expected a number, found 'many'"),
        ("text/csv", "nan,One year", 400, "row 1, column tenure_months: expected a number, found 'nan'"),
        ("text/csv", "1,One year\ninf,One year", 400, "row 2, column tenure_months: expected a number"),
        ("text/csv", b"\xff\xfe", 400, "the request is not UTF-8 text"),
        ("text/csv", '"5,One', 400, "the request is not CSV"),
        ("application/json", "{", 400, "the request is not JSON"),
        ("application/json", "5", 400, "expected a JSON object, a list of rows"),
        ("application/json", '{"instances": 5}', 400, "key 'instances': expected a list"),
        ("application/json", '{"tenure_months": 5}', 400, "row 1: missing feature: contract_type"),
        ("application/json", '[{"tenure_months": 5}]', 400, "row 1: missing feature: contract_type"),
        ("application/json", '[[5, "One year"], 7]', 400, "row 2: expected an object or a list, found 7"),
        ("application/json", '[true, "One year"]', 400, "expected a number, found True"),
        ("application/json", "[5, 1]", 400, "row 1, column contract_type: expected text, found 1"),
        ("application/json", '[[NaN, "One year"]]', 400, "expected a number, found nan"),
        ("application/jsonlines", '[5, "One year"]\n[5', 400, "line 2 is not JSON"),
    ],
)
def test_request_when_wrong_then_is_refused_by_place(content_type, body, status, expected):
    with pytest.raises(RequestError) as caught:
        read(body, content_type)

    assert expected in str(caught.value)
    assert caught.value.status_code == status
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize(
    "accept", [None, "", "*/*", "application/json", "application/json; q=0.9", "application/*"]
)
def test_answer_when_anything_goes_then_is_json(accept):
    answer = json.loads(format_predictions([0.25, 0.5], 0.5, accept))

    assert answer == {
        "predictions": [{"churn_probability": 0.25, "churn": 0}, {"churn_probability": 0.5, "churn": 1}]
    }


def test_answer_when_csv_is_wanted_then_has_a_line_per_row():
    assert format_predictions([0.25, 0.5], 0.5, "text/csv") == "0.25,0\n0.5,1\n"


def test_answer_when_json_lines_are_wanted_then_has_an_object_per_row():
    lines = format_predictions([0.25, 0.5], 0.3, "application/jsonlines").splitlines()

    assert [json.loads(line)["churn"] for line in lines] == [0, 1]


def test_answer_when_the_first_wanted_kind_is_unknown_then_is_the_next():
    assert choose_accepted("image/png, text/csv") == "text/csv"


def test_answer_when_no_wanted_kind_is_known_then_is_refused():
    with pytest.raises(RequestError, match="cannot answer with 'image/png'") as caught:
        choose_accepted("image/png")
    assert caught.value.status_code == 406
