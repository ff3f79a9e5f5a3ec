"""MWAA's limits on a bundle, and the narrower ones this project sets itself.

MWAA documents no size in bytes that it enforces. It advises a plugins.zip of less than 1 GB, and a container
that has not installed everything within ten minutes is started anew (User Guide, "Installing custom plugins",
section "Custom plugins directory and size limits":
https://docs.aws.amazon.com/mwaa/latest/userguide/configuring-dag-import-plugins.html). The images' own code
(github.com/aws/amazon-mwaa-docker-images, images/airflow/*/python/mwaa) gives requirements nine minutes, the
startup script five. A bundle of this project is a few hundred kilobytes: what is ten times larger holds
something that does not belong on MWAA, and is refused long before MWAA would mind.
"""

MEBIBYTE = 1024 * 1024

MWAA_ADVISED_PLUGINS_BYTES = 1_000_000_000
MOST_PLUGINS_BYTES = 10 * MEBIBYTE
MOST_UNPACKED_PLUGINS_BYTES = 40 * MEBIBYTE
MOST_REQUIREMENTS_BYTES = 64 * 1024
MOST_STARTUP_BYTES = 64 * 1024
# The source of every DAG version is kept in the metadata database, and sent over the REST API (6 MB at most).
MOST_DAG_FILE_BYTES = MEBIBYTE

STARTUP_SECONDS_ON_MWAA = 300
MOST_STARTUP_SECONDS = 10

# Airflow's default [core] dagbag_import_timeout; [dag_processor] dag_file_processor_timeout is 50 s.
DAG_IMPORT_SECONDS = 30.0
# MWAA's smallest class has a fraction of a processor: a file that takes this long here may time out there.
MOST_PARSE_SECONDS = 10.0

# InvokeRestApi takes paths of 64 characters (botocore, RestApiPath); the longest in use: /dags/<id>/dagRuns.
MOST_DAG_ID_CHARACTERS = 64 - len("/dags/") - len("/dagRuns")

# What MWAA sets itself and a startup script cannot or must not change (User Guide, "Using a startup script";
# images/airflow/*/python/mwaa/config/setup_environment.py).
RESERVED_VARIABLES = frozenset(
    {
        "AIRFLOW_ENV_ID",
        "AIRFLOW_ENV_NAME",
        "AIRFLOW_HOME",
        "AIRFLOW_TASK_REVISION_ID",
        "AIRFLOW_VERSION",
        "AIRFLOW__API__BASE_URL",
        "AIRFLOW__AWS_MWAA__REDIRECT_URL",
        "AIRFLOW__CORE__DATABASE_ACCESS_ISOLATION",
        "AIRFLOW__WEBSERVER__BASE_URL",
        "AWS_CONTAINER_CREDENTIALS_RELATIVE_URI",
        "AWS_DEFAULT_REGION",
        "AWS_EXECUTION_ENV",
        "AWS_REGION",
        "CUSTOMER_ACCOUNT_ID",
        "ECS_AGENT_URI",
        "ECS_CONTAINER_METADATA_URI",
        "ECS_CONTAINER_METADATA_URI_V4",
        "JWT_PUBLIC_KEY",
        "PYTHONPATH",
        "PYTHONUNBUFFERED",
        "USE_NON_CRITICAL_LOGGING",
        "WATCHTOWER_VERSION",
    }
)
