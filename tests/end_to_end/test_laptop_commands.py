"""The laptop commands as a person gives them: variables, exit codes, printed lines, written facts."""

import csv
import json
import os
import signal
import socket
import subprocess
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from local_airflow.demo_days import multiply_tenure, read_customers, write_customers
from local_airflow.drift_summary import read_message
from local_airflow.processes import kill_stack, running_components, stack_processes
from local_airflow.stack_settings import StackSettings, load_secrets
from tests.end_to_end.conftest import free_port

pytestmark = [pytest.mark.end_to_end, pytest.mark.slow]
# The one besides the default that the policies which the calls are judged by know.
OTHER_GROUP = "drift-end-to-end"

ROOT = Path(__file__).resolve().parents[2]
SCHEMAS = ROOT / "include/data_contracts/schemas"
VARIABLES = ("DATA", "DATE", "FROM", "TO", "LABELS", "SCHEMA", "CONF", "VERSION")
TIMEOUT_SECONDS = 600
RUN_FACTS = {
    "dag_run_state", "data", "metrics", "gate", "model_package_arn", "approval_status", "seconds", "reports",
}  # fmt: skip
DRIFT_FACTS = {
    "dag_run_state", "verdict", "drifted_features", "alert_published", "report_json", "report_html",
    "metrics_published",
}  # fmt: skip


@dataclass(frozen=True)
class Ended:
    """What a command left: exit code, printed lines, the document it wrote."""

    code: int
    out: str
    err: str
    facts: dict[str, Any]


@dataclass(frozen=True)
class Terminal:
    """Gives commands as the Makefile does, in a state folder and on ports of its own."""

    settings: StackSettings
    folder: Path

    def start(self, command: str, **variables: str) -> subprocess.Popen[str]:
        inherited = {name: value for name, value in os.environ.items() if name not in VARIABLES}
        environment = {
            **inherited,
            "PYTHONPATH": ".",
            "CHURN_CALLER_DIR": str(self.folder),
            "CHURN_LOCAL_DIR": str(self.settings.state_dir),
            "AIRFLOW_PORT": str(self.settings.airflow_port),
            "AWS_PORT": str(self.settings.aws_port),
            **variables,
        }
        python = ROOT / ".venvs/airflow/bin/python"
        return subprocess.Popen(
            [python, "-m", "local_airflow", command],
            cwd=ROOT, env=environment, text=True, stdout=subprocess.PIPE, stderr=subprocess.PIPE,
        )  # fmt: skip

    def give(self, command: str, **variables: str) -> Ended:
        return self.wait_for(self.start(command, **variables), command)

    def wait_for(self, process: subprocess.Popen[str], command: str) -> Ended:
        out, err = process.communicate(timeout=TIMEOUT_SECONDS)
        document = {"run": "retraining_run.json", "drift": "drift_run.json"}.get(command, "")
        path = self.settings.state_dir / document
        return Ended(process.returncode, out, err, json.loads(path.read_text()) if path.is_file() else {})


@pytest.fixture(scope="module")
def terminal(tmp_path_factory) -> Iterator[Terminal]:
    state_dir = tmp_path_factory.mktemp("terminal-state").resolve()
    settings = StackSettings(state_dir=state_dir, airflow_port=free_port(), aws_port=free_port())
    yield Terminal(settings, tmp_path_factory.mktemp("terminal"))
    kill_stack(settings)


@pytest.fixture(scope="module")
def customers(terminal) -> Path:
    """IBM's customers; where they are not at hand, invented ones that pass for real."""
    ibm = (ROOT / os.environ.get("CHURN_REAL_DATA", "../shared/data") / "ibm_telco_churn.csv").resolve()
    if ibm.is_file():
        return ibm
    command = ["-m", "sagemaker_jobs", "generate_synthetic_data", "--output-dir", terminal.folder / "made"]
    subprocess.run(
        [ROOT / ".venvs/sklearn_job/bin/python", *command, "--rows", "7000"],
        cwd=ROOT, env={"PYTHONPATH": str(ROOT)}, check=True, capture_output=True,
    )  # fmt: skip
    (terminal.folder / "made/_synthetic_data.json").unlink()
    return terminal.folder / "made"


def test_run_when_conf_is_misspelt_then_is_refused_by_name_and_nothing_starts(terminal, customers):
    ended = terminal.give("run", DATA=str(customers), CONF='{"acuracy_threshold": 0.8}')
    assert (ended.code, ended.out) == (2, "")
    assert ended.err == (
        "error: CONF: unknown parameter 'acuracy_threshold' (did you mean 'accuracy_threshold'?)\n"
    )
    assert running_components(terminal.settings.state_dir) == set()


@pytest.mark.parametrize("variable", ["AIRFLOW_PORT", "AWS_PORT"])
def test_up_when_a_port_is_taken_then_says_which_and_starts_nothing(terminal, variable):
    with socket.socket() as other_program:
        other_program.bind(("127.0.0.1", 0))
        other_program.listen()
        port = other_program.getsockname()[1]
        ended = terminal.give("up", **{variable: str(port)})
    assert (ended.code, ended.out) == (2, "")
    assert ended.err == (
        f"error: port {port} is taken by another program; end that program or choose another port with "
        f"{variable}={port + 10}\n"
    )
    assert stack_processes(terminal.settings) == []


@pytest.fixture(scope="module")
def green_run(terminal, customers) -> Ended:
    """The first run of a stack that was not up: one's own data, and one's own schema by its path."""
    schema = terminal.folder / "my_source.yaml"
    schema.write_text((SCHEMAS / "ibm_telco.yaml").read_text())
    conf = {"accuracy_threshold": 0.75}
    return terminal.give("run", DATA=str(customers), SCHEMA=schema.name, CONF=json.dumps(conf))


def test_run_when_the_gate_opens_then_registers_and_writes_what_it_did(green_run):
    assert green_run.code == 0, green_run.out + green_run.err
    facts = green_run.facts
    assert facts.keys() >= RUN_FACTS
    assert facts["dag_run_state"] == "success"
    assert facts["data"].keys() == {"rows_in", "rows_out", "origin"}
    assert (facts["data"]["rows_in"], facts["data"]["origin"]) in {(7043, "real"), (7000, "real")}
    assert facts["metrics"]["accuracy"] == pytest.approx(0.80, abs=0.05)
    assert facts["gate"]["passed"]
    assert isinstance(facts["gate"]["reasons"], list)
    assert facts["model_package_arn"].endswith(":model-package/telecom-churn/1")
    assert facts["approval_status"] == "PendingManualApproval"
    assert {"preprocess", "train", "evaluate", "accuracy_gate", "register_model_package", "total"} <= set(
        facts["seconds"]
    )
    assert all((ROOT / path).is_file() for path in facts["reports"].values())
    assert facts["model_package_arn"] in green_run.out
    assert green_run.err == ""


@pytest.fixture(scope="module")
def interrupted_run(terminal, customers, green_run) -> tuple[Ended, Ended]:
    """A run whose command a person interrupts; and the next command, on a folder with one broken file."""
    conf = {"synthetic_rows": 3000, "accuracy_threshold": 0.95}
    process = terminal.start("run", CONF=json.dumps(conf))
    seen = []
    while not seen or " triggered" not in seen[-1]:
        line = process.stdout.readline()
        assert line, process.communicate()
        seen.append(line)
    process.send_signal(signal.SIGINT)
    interrupted = terminal.wait_for(process, "run")
    folder = write_customers(read_customers(customers), terminal.folder / "mixed")
    (folder / "MORE.CSV").write_text("customerID,tenure\n1,2\n")
    return interrupted, terminal.give("run", DATA=folder.name)


def test_run_when_a_person_interrupts_it_then_the_next_command_finishes_it_first(interrupted_run):
    interrupted, following = interrupted_run
    assert interrupted.code == 130
    assert interrupted.err.startswith("interrupted; the run goes on")
    first, _, second = following.out.partition("mixed uploaded")
    assert "was interrupted; Airflow finishes it first" in first
    assert second
    assert "  + evaluate done in" in first


def test_run_when_the_gate_stays_closed_then_the_sentence_says_why_and_nothing_is_registered(interrupted_run):
    finished = interrupted_run[1].out.partition("mixed uploaded")[0]
    assert ": success" in finished
    assert "gate      Gate closed, the model is not registered: accuracy is 0." in finished
    assert "asked: at least 0.95" in finished
    assert "** SYNTHETIC DATA: never approve this model **" in finished
    assert "package   none registered" in finished


def test_run_when_one_of_its_files_is_broken_then_fails_with_one_line_that_names_it(interrupted_run):
    ended = interrupted_run[1]
    assert ended.code == 1
    assert ended.facts["dag_run_state"] == "failed"
    assert ended.facts["model_package_arn"] is None
    errors = [line for line in ended.out.splitlines() if line.startswith("error ")]
    assert len(errors) == 1
    assert errors[0].startswith("error     preprocess: ")
    assert "MORE.CSV" in errors[0]


@pytest.mark.parametrize(
    ("schema", "file"), [("iranian", "iranian_churn.csv"), ("mlc", "mlc_churn_5000.csv")]
)
def test_run_when_another_source_is_named_by_its_schema_then_ends_green(terminal, real_data, schema, file):
    conf = {"model_package_group": OTHER_GROUP}
    ended = terminal.give("run", DATA=str(real_data / file), SCHEMA=schema, CONF=json.dumps(conf))
    assert ended.code == 0, ended.out + ended.err
    assert ended.facts["dag_run_state"] == "success"
    with (real_data / file).open(newline="") as stream:
        rows = sum(1 for row in csv.reader(stream) if row) - 1
    assert (ended.facts["data"]["rows_in"], ended.facts["data"]["origin"]) == (rows, "real")
    assert ended.facts["metrics"]["roc_auc"] > 0.85
    assert f":model-package/{OTHER_GROUP}/" in ended.facts["model_package_arn"]


@pytest.fixture(scope="module")
def approval(terminal, green_run) -> Ended:
    return terminal.give("approve")


def test_approve_when_a_model_waits_then_is_approved_by_name(approval):
    assert approval.code == 0, approval.out + approval.err
    assert "approved  telecom-churn/1" in approval.out


@pytest.fixture(scope="module")
def drifted_day(terminal, customers, approval) -> Ended:
    """Every customer stays three times as long; the schema is one's own again."""
    batch = write_customers(multiply_tenure(read_customers(customers)), terminal.folder / "batch")
    return terminal.give("drift", DATA=str(batch), SCHEMA="my_source.yaml")


def test_drift_when_tenure_is_three_times_as_long_then_alerts_once_and_writes_what_it_found(
    terminal, drifted_day
):
    assert drifted_day.code == 0, drifted_day.out + drifted_day.err
    facts = drifted_day.facts
    assert facts.keys() >= DRIFT_FACTS
    assert facts["dag_run_state"] == "success"
    assert facts["verdict"] in {"drift", "data_break"}
    assert "tenure_months" in facts["drifted_features"]
    assert facts["alert_published"] is True
    assert facts["metrics_published"] > 12
    assert facts["approval_status"] == "Approved"
    assert json.loads((ROOT / facts["report_json"]).read_text())["verdict"] == facts["verdict"]
    assert "tenure_months" in (ROOT / facts["report_html"]).read_text()
    (message,) = terminal.settings.outbox_dir.glob("*.json")
    assert "tenure" in read_message(message)["message"]
    assert str(message) in drifted_day.out


def test_up_when_a_stack_runs_then_prints_where_it_is_and_the_login(terminal, drifted_day):
    ended = terminal.give("up")
    assert ended.code == 0
    assert f"Airflow UI    {terminal.settings.airflow_url}" in ended.out
    assert f"login         admin / {load_secrets(terminal.settings)['admin_password']}" in ended.out


def test_down_when_a_stack_runs_then_leaves_no_process_behind(terminal, drifted_day):
    assert len(stack_processes(terminal.settings)) > 3
    ended = terminal.give("down")
    assert ended.code == 0
    assert "stopped " in ended.out
    assert stack_processes(terminal.settings) == []
    assert "nothing was running" in terminal.give("down").out
    assert "nothing is running" in terminal.give("status").out
