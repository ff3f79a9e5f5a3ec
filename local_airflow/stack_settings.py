"""Where the laptop stack lives, which ports it takes, and the environment its processes get."""

import contextlib
import json
import os
import secrets
import tempfile
from dataclasses import dataclass
from pathlib import Path

PROJECT_ROOT = Path(__file__).resolve().parent.parent
LOOPBACK = "127.0.0.1"
REGION = "eu-west-1"
ACCOUNT_ID = "123456789012"  # AWS's documentation account; nothing real is reached
ARTIFACT_BUCKET = "churn-artifacts"
DATA_BUCKET = "churn-data"
RETRAINING_DAG_ID = "churn_retraining"
DRIFT_DAG_ID = "churn_drift_monitoring"
ALERT_TOPIC = "churn-drift-alerts"
ALERT_TOPIC_ARN = f"arn:aws:sns:{REGION}:{ACCOUNT_ID}:{ALERT_TOPIC}"
METRIC_NAMESPACE = "TelecomChurn"
ADMIN_USER = "admin"
# Access key of Airflow's processes: in the stand-in's request log, what MWAA's execution role would do.
AIRFLOW_CALLER = "airflow"
# The laptop's own tools may do anything; a person who approves has a role of their own, here in name only.
LAPTOP_CALLER, APPROVER_CALLER = "laptop", "approver"
REQUEST_LOG_VARIABLE = "CHURN_AWS_REQUEST_LOG"
STACK_MARK = "CHURN_LAPTOP_STACK"  # in every process's environment, so that `make down` finds them all
COMPONENT_MARK = "CHURN_LAPTOP_COMPONENT"
JOBS_COMPONENT = "aws"  # jobs belong to the stand-in that started them


class StackError(Exception):
    """The laptop stack cannot do what was asked; the message is one line that says what to do."""


@dataclass(frozen=True)
class StackSettings:
    """Folders and ports of one stack; two stacks with other folders and ports do not meet."""

    state_dir: Path
    airflow_port: int
    aws_port: int
    deferrable: bool = False

    @property
    def airflow_home(self) -> Path:
        """Airflow's own folder: database, generated password, task logs."""
        return self.state_dir / "airflow"

    @property
    def aws_state_dir(self) -> Path:
        """State of the AWS stand-in."""
        return self.state_dir / "aws"

    @property
    def outbox_dir(self) -> Path:
        """Where the stand-in puts what is published to SNS, one readable file per message."""
        return self.state_dir / "outbox"

    @property
    def log_dir(self) -> Path:
        """One log file per component."""
        return self.state_dir / "logs"

    @property
    def airflow_url(self) -> str:
        """Where the Airflow UI and REST API answer."""
        return f"http://{LOOPBACK}:{self.airflow_port}"

    @property
    def aws_url(self) -> str:
        """Where the AWS stand-in answers."""
        return f"http://{LOOPBACK}:{self.aws_port}"


def load_secrets(settings: StackSettings) -> dict[str, str]:
    """Secrets of this laptop stack, made on first use and readable by the owner only."""
    path = settings.state_dir / "secrets.json"
    if not path.exists():
        path.parent.mkdir(parents=True, exist_ok=True)
        made = {
            "admin_password": secrets.token_urlsafe(12),
            "jwt_secret": secrets.token_urlsafe(48),
            "api_secret_key": secrets.token_urlsafe(32),
        }
        # Two threads or two commands may be first at once: whoever links first decides, nobody reads a half.
        descriptor, temporary = tempfile.mkstemp(dir=path.parent)  # readable by the owner only
        with os.fdopen(descriptor, "w") as stream:
            json.dump(made, stream)
        with contextlib.suppress(FileExistsError):
            os.link(temporary, path)
        Path(temporary).unlink()
    return dict(json.loads(path.read_text()))


def write_admin_password(settings: StackSettings) -> None:
    """Give Airflow's simple auth manager the password we print, instead of one in a log."""
    settings.airflow_home.mkdir(parents=True, exist_ok=True)
    path = settings.airflow_home / "simple_auth_manager_passwords.json"
    path.touch(mode=0o600)
    path.write_text(json.dumps({ADMIN_USER: load_secrets(settings)["admin_password"]}) + "\n")


def aws_client_environment(settings: StackSettings) -> dict[str, str]:
    """What any AWS client needs to talk to the stand-in; the credentials are not secrets."""
    return {
        "AWS_ENDPOINT_URL": settings.aws_url,
        "AWS_ACCESS_KEY_ID": LAPTOP_CALLER,
        "AWS_SECRET_ACCESS_KEY": "laptop",
        "AWS_DEFAULT_REGION": REGION,
        "AWS_EC2_METADATA_DISABLED": "true",
        "NO_PROXY": "127.0.0.1,localhost",
        "no_proxy": "127.0.0.1,localhost",
    }


def process_environment(settings: StackSettings) -> dict[str, str]:
    """Complete environment of every stack process: nothing of the caller's AWS or Airflow leaks in."""
    inherited = {
        name: value
        for name, value in os.environ.items()
        if not name.startswith(("AIRFLOW", "AWS_", "CHURN_", "PYTHON"))
    }
    return {
        **inherited,
        **aws_client_environment(settings),
        **_airflow_environment(settings),
        "AWS_ACCESS_KEY_ID": AIRFLOW_CALLER,
        STACK_MARK: str(settings.state_dir),
        "SPT_NOENV": "1",  # a process that gives itself a title must not overwrite the mark
        "PYTHONPATH": str(PROJECT_ROOT),
        "PYTHONUNBUFFERED": "1",
        "CHURN_ARTIFACT_BUCKET": ARTIFACT_BUCKET,
        "CHURN_DATA_BUCKET": DATA_BUCKET,
        "CHURN_SAGEMAKER_ROLE_ARN": f"arn:aws:iam::{ACCOUNT_ID}:role/churn-sagemaker-job",
        "CHURN_DEFERRABLE": str(settings.deferrable).lower(),
        "CHURN_POLL_INTERVAL_SECONDS": "0.1",
        "CHURN_BATCH_POLL_INTERVAL_SECONDS": "1",
        "CHURN_RETRY_DELAY_SECONDS": "2",
        "CHURN_RETRAINING_SCHEDULE": "none",  # a laptop runs when asked, not every midnight
        # Airflow backfills only what has a schedule; USE_JOB_SCHEDULE below keeps it from running by itself.
        "CHURN_DRIFT_SCHEDULE": "@daily",
        "CHURN_ALERT_TOPIC_ARN": ALERT_TOPIC_ARN,
        "CHURN_METRIC_NAMESPACE": METRIC_NAMESPACE,
    }


def _airflow_environment(settings: StackSettings) -> dict[str, str]:
    made = load_secrets(settings)
    home = settings.airflow_home
    options = {
        "AIRFLOW__CORE__DAGS_FOLDER": PROJECT_ROOT / "dags",
        "AIRFLOW__CORE__PLUGINS_FOLDER": PROJECT_ROOT / "plugins",
        "AIRFLOW__CORE__EXECUTOR": "LocalExecutor",
        "AIRFLOW__CORE__PARALLELISM": 4,  # workers are forked at start-up, all of them
        "AIRFLOW__CORE__LOAD_EXAMPLES": False,
        "AIRFLOW__CORE__DAGS_ARE_PAUSED_AT_CREATION": False,
        "AIRFLOW__CORE__EXECUTION_API_SERVER_URL": f"{settings.airflow_url}/execution/",
        "AIRFLOW__CORE__SIMPLE_AUTH_MANAGER_USERS": f"{ADMIN_USER}:admin",
        "AIRFLOW__CORE__SIMPLE_AUTH_MANAGER_PASSWORDS_FILE": home / "simple_auth_manager_passwords.json",
        # A person who kills a run wants it to be over: 5 s to stop the job, not 60.
        "AIRFLOW__CORE__KILLED_TASK_CLEANUP_TIME": 10,
        "AIRFLOW__DATABASE__SQL_ALCHEMY_CONN": f"sqlite:///{home / 'airflow.db'}?timeout=60",
        "AIRFLOW__API__HOST": LOOPBACK,
        "AIRFLOW__API__PORT": settings.airflow_port,
        "AIRFLOW__API__WORKERS": 1,
        "AIRFLOW__API__SECRET_KEY": made["api_secret_key"],
        "AIRFLOW__API__BASE_URL": settings.airflow_url,
        "AIRFLOW__API_AUTH__JWT_SECRET": made["jwt_secret"],
        # A process that ends a moment after its last output is noticed after so many seconds (else 5).
        "AIRFLOW__WORKERS__MIN_HEARTBEAT_INTERVAL": 1,
        # A worker that was killed is noticed in seconds; MWAA keeps Airflow's own 300 s.
        "AIRFLOW__SCHEDULER__TASK_INSTANCE_HEARTBEAT_SEC": 4,
        "AIRFLOW__SCHEDULER__TASK_INSTANCE_HEARTBEAT_TIMEOUT": 20,
        "AIRFLOW__SCHEDULER__TASK_INSTANCE_HEARTBEAT_TIMEOUT_DETECTION_INTERVAL": 1,
        "AIRFLOW__SCHEDULER__SCHEDULER_HEALTH_CHECK_THRESHOLD": 15,
        "AIRFLOW__SCHEDULER__TRIGGER_TIMEOUT_CHECK_INTERVAL": 5,
        "AIRFLOW__SCHEDULER__ORPHANED_TASKS_CHECK_INTERVAL": 10,
        "AIRFLOW__SCHEDULER__TASK_QUEUED_TIMEOUT": 30,
        "AIRFLOW__SCHEDULER__TASK_QUEUED_TIMEOUT_CHECK_INTERVAL": 10,
        "AIRFLOW__SCHEDULER__SCHEDULER_IDLE_SLEEP_TIME": 0.1,
        "AIRFLOW__SCHEDULER__USE_JOB_SCHEDULE": False,  # runs are triggered or backfilled, never scheduled
        "AIRFLOW__DAG_PROCESSOR__REFRESH_INTERVAL": 30,
        "AIRFLOW__DAG_PROCESSOR__PARSING_PROCESSES": 1,
        "AIRFLOW__TRIGGERER__TRIGGERER_HEALTH_CHECK_THRESHOLD": 10,
        "AIRFLOW__USAGE_DATA_COLLECTION__ENABLED": False,
        "AIRFLOW__LOGGING__BASE_LOG_FOLDER": home / "task_logs",
        "AIRFLOW__LOGGING__DAG_PROCESSOR_CHILD_PROCESS_LOG_DIRECTORY": home / "dag_processor_logs",
        # No connection is configured on a laptop: boto3's own environment variables lead to the stand-in.
        "AIRFLOW_CONN_AWS_DEFAULT": "aws://",
    }
    return {"AIRFLOW_HOME": str(home)} | {name: str(value) for name, value in options.items()}
