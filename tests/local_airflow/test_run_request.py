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


def test_run_request_when_the_folder_is_empty_then_says_so_before_anything_starts(monkeypatch, tmp_path):
    (tmp_path / "empty").mkdir()
    monkeypatch.setenv("DATA", "empty")
    with pytest.raises(StackError, match="DATA=empty: the folder holds no file"):
        read_run_request()


@pytest.mark.parametrize(
    ("conf", "said"),
    [
        ('{"acuracy_threshold": 0.8}', "CONF: unknown parameter 'acuracy_threshold' .*'accuracy_threshold'"),
        ('{"accuracy_threshold": 1.5}', "CONF: accuracy_threshold must lie between 0.0 and 1.0, not 1.5"),
        ('{"alpha": 0.1}', "CONF: unknown parameter 'alpha'"),
    ],
)
def test_run_request_when_the_dag_would_refuse_conf_then_is_refused_by_name(monkeypatch, conf, said):
    monkeypatch.setenv("CONF", conf)
    with pytest.raises(StackError, match=said):
        read_run_request()


def test_run_request_when_another_schema_has_no_data_then_says_what_can_be_invented(monkeypatch):
    monkeypatch.setenv("SCHEMA", "iranian")
    with pytest.raises(StackError, match=r"SCHEMA=iranian needs DATA=path: .* for ibm_telco only"):
        read_run_request()
    monkeypatch.setenv("CONF", '{"on_missing_data": "fail"}')
    assert read_run_request().schema == "iranian"


@pytest.mark.parametrize("text", ["{accuracy: 1}", "[1]", '"x"', "{"])
def test_run_request_when_conf_is_no_json_object_then_says_so(monkeypatch, text):
    monkeypatch.setenv("CONF", text)
    with pytest.raises(StackError, match="CONF"):
        read_run_request()
