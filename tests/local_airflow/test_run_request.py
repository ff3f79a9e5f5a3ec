import pytest

from local_airflow.retraining_run import read_run_request
from local_airflow.stack_settings import StackError


@pytest.fixture(autouse=True)
def clean_environment(monkeypatch, tmp_path):
    for name in ("DATA", "SCHEMA", "CONF"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("CHURN_CALLER_DIR", str(tmp_path))


def test_run_request_when_nothing_is_given_then_is_empty():
    request = read_run_request()
    assert (request.data, request.schema, request.conf) == (None, None, {})


def test_run_request_when_data_is_missing_then_names_the_path(monkeypatch):
    monkeypatch.setenv("DATA", "absent.csv")
    with pytest.raises(StackError, match=r"absent\.csv"):
        read_run_request()


def test_run_request_when_data_is_relative_then_is_found_from_the_callers_folder(monkeypatch, tmp_path):
    (tmp_path / "mine.csv").touch()
    monkeypatch.setenv("DATA", "mine.csv")
    assert read_run_request().data == (tmp_path / "mine.csv").resolve()


@pytest.mark.parametrize("text", ["{accuracy: 1}", "[1]", '"x"', "{"])
def test_run_request_when_conf_is_no_json_object_then_says_so(monkeypatch, text):
    monkeypatch.setenv("CONF", text)
    with pytest.raises(StackError, match="CONF"):
        read_run_request()
