"""The function that asks Airflow to retrain, against a server that speaks MWAA's REST protocol."""

import json
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import boto3
import pytest
from botocore.config import Config
from botocore.exceptions import ClientError

from include.settings.retraining_parameters import RetrainingParameters
from infrastructure.functions.start_retraining import (
    UnusableEventError,
    read_delivery,
    read_message,
    start_run,
)


def landed(key="raw/ibm_telco/2026-11/_SUCCESS", **changes):
    entry = {"key": key, "size": 0, "etag": "x", "version-id": "v1", "sequencer": "005"}
    detail = {"bucket": {"name": "churn-data"}, "object": {**entry, **changes}}
    return {"source": "aws.s3", "detail-type": "Object Created", "detail": detail}


class Airflow:
    """MWAA's InvokeRestApi: keeps runs, refuses a run id it has, and whatever it is told to refuse."""

    def __init__(self):
        self.requests = []
        self.refusal = None
        outer = self

        class Handler(BaseHTTPRequestHandler):
            def do_POST(self):
                body = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
                known = [entry["Body"]["dag_run_id"] for _, entry in outer.requests]
                outer.requests.append((self.path, body))
                refusal = outer.refusal or (409 if body["Body"]["dag_run_id"] in known else None)
                answer = {"RestApiStatusCode": refusal or 200, "RestApiResponse": {}}
                content = json.dumps(answer).encode()
                self.send_response(400 if refusal else 200)
                if refusal:
                    self.send_header("x-amzn-ErrorType", "RestApiClientException")
                self.send_header("Content-Length", str(len(content)))
                self.end_headers()
                self.wfile.write(content)

            def log_message(self, *_arguments):
                pass

        self.server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        threading.Thread(target=self.server.serve_forever, daemon=True).start()
        self.client = boto3.client(
            "mwaa",
            endpoint_url=f"http://127.0.0.1:{self.server.server_port}",
            region_name="eu-west-1",
            aws_access_key_id="x",
            aws_secret_access_key="x",
            config=Config(inject_host_prefix=False, retries={"total_max_attempts": 1}),
        )


@pytest.fixture
def airflow(monkeypatch):
    for name in ("http_proxy", "HTTP_PROXY", "https_proxy", "HTTPS_PROXY"):
        monkeypatch.delenv(name, raising=False)
    airflow = Airflow()
    yield airflow
    airflow.server.shutdown()


def test_delivery_when_a_marker_landed_then_names_folder_schema_and_run():
    delivery = read_delivery(landed())
    assert delivery.input_data_uri == "s3://churn-data/raw/ibm_telco/2026-11/"
    assert delivery.schema == "ibm_telco"
    assert delivery.run_id.startswith("new_data__ibm_telco__")


@pytest.mark.parametrize("wrap", [dict, lambda event: {"Records": [{"body": json.dumps(event)}]}])
def test_message_when_out_of_the_queue_or_handed_in_then_is_the_same_delivery(wrap):
    assert read_delivery(read_message(wrap(landed()))) == read_delivery(landed())


def test_delivery_when_read_then_its_conf_is_one_the_dag_takes():
    parameters = RetrainingParameters.from_conf({}, read_delivery(landed()).run_request()["conf"])
    assert parameters.input_data_uri == "s3://churn-data/raw/ibm_telco/2026-11/"


def test_delivery_when_the_marker_is_written_again_then_is_another_run():
    assert read_delivery(landed()).run_id == read_delivery(landed()).run_id
    assert read_delivery(landed()).run_id != read_delivery(landed(**{"version-id": "v2"})).run_id


@pytest.mark.parametrize(
    "key",
    ["raw/_SUCCESS", "raw/IBM/_SUCCESS", "raw/ibm_telco/data.csv", "current/ibm_telco/2026-11-01/_SUCCESS"],
)
def test_delivery_when_the_object_is_no_marker_of_raw_data_then_is_refused_by_name(key):
    with pytest.raises(UnusableEventError, match=key):
        read_delivery(landed(key))


def test_delivery_when_the_event_is_of_another_kind_then_is_refused():
    with pytest.raises(UnusableEventError, match="bucket"):
        read_delivery({"detail": {}})


def test_start_run_when_airflow_takes_it_then_asked_for_the_dag_and_conf(airflow):
    delivery = read_delivery(landed())
    assert start_run(airflow.client, "churn-env", "churn_retraining", delivery)
    ((path, body),) = airflow.requests
    assert path == "/restapi/churn-env"
    assert (body["Method"], body["Path"]) == ("POST", "/dags/churn_retraining/dagRuns")
    assert body["Body"]["logical_date"] is None
    assert body["Body"]["conf"]["input_data_uri"] == delivery.input_data_uri


def test_start_run_when_the_event_comes_twice_then_one_run_is_made(airflow):
    delivery = read_delivery(landed())
    assert start_run(airflow.client, "churn-env", "churn_retraining", delivery)
    assert not start_run(airflow.client, "churn-env", "churn_retraining", delivery)


def test_start_run_when_airflow_refuses_then_the_error_reaches_lambda(airflow):
    airflow.refusal = 404
    with pytest.raises(ClientError, match="RestApiClientException"):
        start_run(airflow.client, "churn-env", "churn_retraining", read_delivery(landed()))
