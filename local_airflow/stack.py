"""Bring the laptop stack up: AWS stand-in, metadata database, Airflow's components, job bundle."""

import hashlib
import os
import sqlite3
import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import closing
from pathlib import Path

from local_airflow import idle_end
from local_airflow.airflow_api import AirflowApi
from local_airflow.ports import remember_ports, require_free_port
from local_airflow.processes import (
    running_components,
    start_process,
    stop_stack,
    tail_of_log,
)
from local_airflow.stack_settings import (
    ADMIN_USER,
    ALERT_TOPIC,
    ARTIFACT_BUCKET,
    DATA_BUCKET,
    LAPTOP_CALLER,
    LOOPBACK,
    PROJECT_ROOT,
    REQUEST_LOG_VARIABLE,
    StackError,
    StackSettings,
    aws_client_environment,
    load_secrets,
    process_environment,
    write_admin_password,
)
from scripts.build_job_bundle import git_revision

START_TIMEOUT_SECONDS = 180.0
_TITLES = {"aws": "the AWS stand-in", "airflow": "Airflow"}
_AIRFLOW = PROJECT_ROOT / ".venvs/airflow/bin/airflow"
_PYTHON = PROJECT_ROOT / ".venvs/airflow/bin/python"
_AWS_PYTHON = PROJECT_ROOT / ".venvs/local_aws/bin/python"

Report = Callable[[str], None]


def airflow_components(settings: StackSettings) -> tuple[str, ...]:
    """Airflow's processes; the triggerer only where tasks defer."""
    return ("api-server", "scheduler", "dag-processor", *(("triggerer",) if settings.deferrable else ()))


def start_stack(settings: StackSettings, report: Report, *, quiet_minutes: float | None = None) -> bool:
    """Start whatever does not run yet and wait until every DAG can be triggered.

    With `quiet_minutes` a stack that this call starts ends by itself once no command has used it for so long;
    without, a stack that would end by itself stays. Returns whether anything was started.

    What still runs is left alone: a job goes on while Airflow is started anew. Raises StackError with one
    line when a port is taken or a component ends; then nothing that this call started is left behind.
    """
    idle_end.note_use(settings)
    running = running_components(settings.state_dir)
    missing = [name for name in _TITLES if name not in running]
    if quiet_minutes is None:
        stop_stack(settings, idle_end.COMPONENT, grace_seconds=0.0)
    for name in missing:
        stop_stack(settings, name)  # what is left of a component that was killed
    if "airflow" in missing:
        require_free_port(settings.airflow_port, "AIRFLOW_PORT")
    if "aws" in missing:
        require_free_port(settings.aws_port, "AWS_PORT")
    started = " and ".join(_TITLES[name] for name in missing)
    report(f"starting {started}" if started else "the AWS stand-in and Airflow are up already")
    try:
        with ThreadPoolExecutor() as pool:
            aws = pool.submit(_start_aws, settings, is_missing="aws" in missing)
            if "airflow" in missing:
                _start_airflow(settings, report, aws)
            aws.result()
            _wait_for_dags(settings)
        if missing:
            remember_ports(settings)
            if quiet_minutes is not None:
                _end_when_idle(settings, quiet_minutes)
    except BaseException:
        for name in missing:
            stop_stack(settings, name)
        raise
    return bool(missing)


def _end_when_idle(settings: StackSettings, quiet_minutes: float) -> None:
    stop_stack(settings, idle_end.COMPONENT, grace_seconds=0.0)
    environment = process_environment(settings) | {"CHURN_LOCAL_DIR": str(settings.state_dir)}
    command = [str(_PYTHON), "-m", "local_airflow.idle_end", str(quiet_minutes)]
    start_process(idle_end.COMPONENT, command, environment, settings)


def describe_login(settings: StackSettings) -> list[str]:
    """Lines that tell a person where to look and how to log in."""
    return [
        f"Airflow UI    {settings.airflow_url}",
        f"login         {ADMIN_USER} / {load_secrets(settings)['admin_password']}",
        f"AWS stand-in  {settings.aws_url}",
        f"logs          {settings.log_dir}",
    ]


def describe_stay(settings: StackSettings) -> list[str]:
    """Lines that tell where the run can be looked at, and until when."""
    login = f"{ADMIN_USER} / {load_secrets(settings)['admin_password']}"
    ends = idle_end.COMPONENT in running_components(settings.state_dir)
    end = f"for {idle_end.MINUTES} minutes after its last use, or until" if ends else "until"
    return [f"airflow   {settings.airflow_url}  login {login}", f"          stays up {end} `make down`"]


def open_aws_client(settings: StackSettings, service: str, caller: str = LAPTOP_CALLER):
    """Return a boto3 client for the stand-in; its log of requests names the caller."""
    import boto3

    environment = aws_client_environment(settings)
    return boto3.client(
        service,
        endpoint_url=environment["AWS_ENDPOINT_URL"],
        region_name=environment["AWS_DEFAULT_REGION"],
        aws_access_key_id=caller,
        aws_secret_access_key=environment["AWS_SECRET_ACCESS_KEY"],
    )


def _start_aws(settings: StackSettings, *, is_missing: bool) -> None:
    if is_missing:
        request_log = os.environ.get(REQUEST_LOG_VARIABLE)
        command = [
            str(_AWS_PYTHON), "-m", "local_aws",
            "--host", LOOPBACK, "--port", str(settings.aws_port), "--state-dir", str(settings.aws_state_dir),
            "--outbox", str(settings.outbox_dir),
            *(("--request-log", request_log) if request_log else ()),
        ]  # fmt: skip
        start_process("aws", command, process_environment(settings), settings)
        _wait_until(lambda: _answers(f"{settings.aws_url}/health"), settings, "aws")
    _publish_job_code(settings)
    _make_alert_topic(settings)


def _publish_job_code(settings: StackSettings) -> None:
    """Make the buckets and upload the job bundle; today's code is what the next run uses."""
    published = settings.aws_state_dir / "published_job_code.txt"  # goes when the buckets go
    signature = job_code_signature()
    if published.exists() and published.read_text() == signature:
        return
    s3 = open_aws_client(settings, "s3")
    existing = {bucket["Name"] for bucket in s3.list_buckets()["Buckets"]}
    for bucket in {ARTIFACT_BUCKET, DATA_BUCKET} - existing:
        s3.create_bucket(Bucket=bucket, CreateBucketConfiguration={"LocationConstraint": s3.meta.region_name})
    upload = [str(_PYTHON), "-m", "scripts.build_job_bundle", "--upload", f"s3://{ARTIFACT_BUCKET}"]
    done = subprocess.run(
        upload,
        env=process_environment(settings) | aws_client_environment(settings),
        cwd=PROJECT_ROOT,
        capture_output=True,
        text=True,
        check=False,
    )
    if done.returncode:
        raise StackError(
            f"the job bundle could not be uploaded: {(done.stderr or done.stdout).strip()[-600:]}"
        )
    published.write_text(signature)


def _make_alert_topic(settings: StackSettings) -> None:
    """Make the topic of drift alerts once: the stand-in keeps it, and asking again costs it a second."""
    made = settings.aws_state_dir / "alert_topic.txt"
    if not made.exists():
        made.write_text(open_aws_client(settings, "sns").create_topic(Name=ALERT_TOPIC)["TopicArn"])


def job_code_signature(project_root: Path = PROJECT_ROOT) -> str:
    """Revision, and names, sizes and times of the files a bundle is made of: a cheap look before each run.

    The revision is published with the code: after a commit the same files are no more a dirty tree's.
    """
    facts = [
        (path.as_posix(), path.stat().st_size, path.stat().st_mtime_ns)
        for folder in ("sagemaker_jobs", "include")
        for path in sorted((project_root / folder).rglob("*"))
        if path.suffix in {".py", ".yaml", ".json"}
    ]
    return hashlib.sha256(repr((git_revision(project_root), facts)).encode()).hexdigest()


def _start_airflow(settings: StackSettings, report: Report, aws: Future[None]) -> None:
    environment = process_environment(settings)
    write_admin_password(settings)
    migrated = settings.airflow_home / f".database-of-{_airflow_lock_fingerprint()}"
    if not migrated.exists():
        report("creating Airflow's database (first time only)")
        done = subprocess.run(
            [str(_AIRFLOW), "db", "migrate"], env=environment, capture_output=True, text=True, check=False
        )
        if done.returncode:
            raise StackError(f"airflow db migrate failed: {done.stderr.strip()[-600:]}")
        with closing(sqlite3.connect(settings.airflow_home / "airflow.db")) as database:
            database.execute("PRAGMA journal_mode = WAL")  # readers and the writer do not wait for each other
        migrated.touch()
    report(f"waiting for Airflow's {', '.join(airflow_components(settings))}")
    command = [str(_PYTHON), "-m", "local_airflow.airflow_processes", str(settings.log_dir)]
    start_process("airflow", [*command, *airflow_components(settings)], environment, settings)
    # The first call of the API that tasks use costs seconds; pay while the scheduler still starts.
    _wait_until(lambda: _answers(f"{settings.airflow_url}/execution/health"), settings, "airflow")
    api = AirflowApi(settings)
    health = ("scheduler", "dag_processor", *(("triggerer",) if settings.deferrable else ()))

    def is_healthy() -> bool:
        if aws.done():
            aws.result()  # what went wrong there is not waited for here
        return api.is_healthy(health)

    _wait_until(is_healthy, settings, "airflow")


def _wait_for_dags(settings: StackSettings) -> None:
    api = AirflowApi(settings)
    api.log_in()
    missing = {path.stem for path in (PROJECT_ROOT / "dags").glob("*.py")}  # file name = DAG id

    def are_parsed() -> bool:
        if errors := api.import_errors():
            raise StackError("a DAG file cannot be imported: " + " | ".join(errors))
        missing.difference_update([dag_id for dag_id in missing if api.find_dag(dag_id)])
        return not missing

    _wait_until(are_parsed, settings, "airflow")


def _wait_until(condition: Callable[[], bool], settings: StackSettings, *names: str) -> None:
    deadline = time.monotonic() + START_TIMEOUT_SECONDS
    while not condition():
        for name in set(names) - running_components(settings.state_dir):
            print(tail_of_log(settings, name), file=sys.stderr)
            raise StackError(f"{name} ended while starting; its log is {settings.log_dir / name}.log")
        if time.monotonic() > deadline:
            raise StackError(
                f"{', '.join(names)} not ready after {START_TIMEOUT_SECONDS:.0f} s; see {settings.log_dir}"
            )
        time.sleep(0.1)


def _answers(url: str) -> bool:
    opener = urllib.request.build_opener(urllib.request.ProxyHandler({}))
    try:
        with opener.open(url, timeout=60):
            return True
    except urllib.error.HTTPError:
        return True
    except OSError:
        return False


def _airflow_lock_fingerprint() -> str:
    return hashlib.sha256((PROJECT_ROOT / "requirements/airflow.lock").read_bytes()).hexdigest()[:12]
