"""Deployments against a versioned bucket and an MWAA stand-in: order, resuming, nothing twice, going back."""

import json

import pytest

from scripts.deployment.errors import DeploymentError, TargetError
from scripts.mwaa_images import ImageError
from tests.packaging.deployment_account import KilledError, changed
from tests.packaging.mwaa_stand_in import BUCKET, ENVIRONMENT

FIRST_DEPLOYMENT = [
    "deployments/pending.json",
    "job-bundles/<sha256>/sourcedir.tar.gz",
    "job-bundles/<sha256>/churn_jobs.pyz",
    "job-bundles/current.json",
    "mwaa/plugins.zip",
    "mwaa/requirements.txt",
    "mwaa/startup.sh",
    "UpdateEnvironment",
    "dags/churn_drift_monitoring.py",
    "dags/churn_retraining.py",
    "deployments/000001/manifest.json",
    "deployments/current.json",
    "delete deployments/pending.json",
]


# --- order, and nothing twice ----------------------------------------------------------------------
def test_deploy_when_first_then_writes_in_the_order_in_which_each_needs_the_other(account, built_bundle):
    account.deploy(built_bundle)
    assert account.writes == FIRST_DEPLOYMENT
    assert account.running("Plugins") == (built_bundle / "plugins.zip").read_bytes()
    assert account.running("Requirements") == (built_bundle / "requirements.txt").read_bytes()
    assert account.lines[-1].startswith("verified: Airflow 3.3.1 is healthy and runs churn_drift_monitoring")


def test_deploy_when_nothing_changed_then_writes_nothing_and_verifies(account, built_bundle):
    account.deploy(built_bundle)
    account.stand_in.calls.clear()
    account.deploy(built_bundle)
    assert account.writes == []
    assert "UpdateEnvironment" not in account.stand_in.calls
    assert "GET /dagSources/churn_retraining" in account.stand_in.calls
    assert "deployed already; nothing to change" in account.lines[0]


def test_deploy_when_only_a_dag_changed_then_the_environment_is_not_updated(account, built_bundle, tmp_path):
    account.deploy(built_bundle)
    account.deploy(changed(built_bundle, tmp_path / "next", **{"dags__churn_retraining.py": "# changed\n"}))
    assert account.writes == [
        "deployments/pending.json",
        "dags/churn_retraining.py",
        "deployments/000002/manifest.json",
        "deployments/current.json",
        "delete deployments/pending.json",
    ]


def test_deploy_when_a_setting_changed_then_only_the_startup_script_is_new(account, built_bundle):
    account.deploy(built_bundle)
    account.deploy(built_bundle, CHURN_DRIFT_SCHEDULE="none")
    assert account.writes[1:3] == ["mwaa/startup.sh", "UpdateEnvironment"]
    assert b"export CHURN_DRIFT_SCHEDULE='none'\n" in account.running("StartupScript")


def test_deploy_when_terraform_made_the_first_start_then_the_environment_is_not_updated(
    account, built_bundle
):
    target = account.deployer().target
    contents = {
        "Plugins": ("mwaa/plugins.zip", (built_bundle / "plugins.zip").read_bytes()),
        "Requirements": ("mwaa/requirements.txt", (built_bundle / "requirements.txt").read_bytes()),
        "StartupScript": (
            "mwaa/startup.sh",
            target.render_startup((built_bundle / "startup.sh").read_bytes()),
        ),
    }
    for kind, (key, body) in contents.items():
        version = account.s3.put_object(Bucket=BUCKET, Key=key, Body=body)["VersionId"]
        account.stand_in.environment |= {f"{kind}S3Path": key, f"{kind}S3ObjectVersion": version}
    account.deploy(built_bundle)
    assert account.writes == [
        write for write in FIRST_DEPLOYMENT if not write.startswith("mwaa/") and write != "UpdateEnvironment"
    ]


def test_deploy_when_a_dag_is_gone_from_the_bundle_then_is_deleted_and_foreign_ones_stay(
    account, built_bundle, next_bundle
):
    account.deploy(built_bundle)
    account.s3.put_object(Bucket=BUCKET, Key="dags/somebody_elses.py", Body=b"")
    account.deploy(next_bundle)
    assert "delete dags/churn_drift_monitoring.py" in account.writes
    assert "delete dags/somebody_elses.py" not in account.writes
    assert "dags/somebody_elses.py was not put there by a deployment; it stays" in account.lines


def test_deploy_when_dry_then_says_what_it_would_do_and_writes_nothing(account, built_bundle, next_bundle):
    account.deploy(built_bundle)
    account.deploy(next_bundle, dry_run=True)
    assert account.writes == []
    assert account.lines == [
        "would: make job bundle ffffffffffff the current one",
        "would: upload mwaa/plugins.zip",
        f"would: update environment {ENVIRONMENT}: plugins",
        "would: upload dags/churn_new.py",
        "would: upload dags/churn_retraining.py",
        "would: delete dags/churn_drift_monitoring.py",
        "would: record the deployment",
    ]


def test_deploy_when_the_environment_runs_3_2_1_then_gets_that_images_requirements(account, built_bundle):
    account.stand_in.environment["AirflowVersion"] = "3.2.1"
    account.deploy(built_bundle)
    assert b"constraints-3.2.1" in account.running("Requirements")


def test_deploy_when_an_update_is_running_then_waits_before_it_begins(account, built_bundle):
    account.stand_in.environment["Status"] = "UPDATING"
    account.stand_in._looks_left = 3
    account.deploy(built_bundle)
    assert account.lines[0] == f"environment {ENVIRONMENT}: UPDATING"
    assert account.writes == FIRST_DEPLOYMENT


# --- killed and resumed ----------------------------------------------------------------------------
@pytest.mark.parametrize("point", range(1, len(FIRST_DEPLOYMENT) + 1), ids=lambda n: f"after-{n}")
def test_deploy_when_killed_after_any_write_then_the_next_one_goes_on(account, built_bundle, point):
    account.kill_after = point
    with pytest.raises(KilledError):
        account.deploy(built_bundle)
    before, account.kill_after = list(account.writes), None
    account.deploy(built_bundle)
    assert account.stand_in.calls.count("UpdateEnvironment") == 1
    repeated = set(before) & set(account.writes)
    assert {write for write in repeated if write.startswith(("mwaa/", "dags/"))} == set()
    assert json.loads(account.read("deployments/current.json")) == {"number": 1}
    assert account.running("Plugins") == (built_bundle / "plugins.zip").read_bytes()
    account.deploy(built_bundle)
    assert account.writes == []


def test_deploy_when_a_killed_one_had_added_a_dag_then_it_is_deleted(account, built_bundle, next_bundle):
    account.deploy(built_bundle)
    account.kill_after = 7  # pending, job archives and pointer, plugins, update, first DAG
    with pytest.raises(KilledError):
        account.deploy(next_bundle)
    assert account.writes[-1] == "dags/churn_new.py"
    account.kill_after = None
    account.deploy(built_bundle)
    assert "delete dags/churn_new.py" in account.writes
    assert (
        account.read("dags/churn_retraining.py") == (built_bundle / "dags/churn_retraining.py").read_bytes()
    )


# --- failures --------------------------------------------------------------------------------------
def test_deploy_when_the_update_fails_then_tells_why_and_leaves_the_dags(account, built_bundle, next_bundle):
    account.deploy(built_bundle)
    account.stand_in.fail_next_update = True
    with pytest.raises(DeploymentError, match=r"INCORRECT_CONFIGURATION: pip\); no DAG was changed"):
        account.deploy(next_bundle)
    assert not [write for write in account.writes if "dags/" in write]
    account.deploy(next_bundle)
    assert account.read("dags/churn_new.py") == b"# new\n"


def test_deploy_when_airflow_cannot_import_a_file_then_fails_when_time_is_up(account, built_bundle):
    account.stand_in.import_errors = [
        {"filename": "churn_x.py", "stack_trace": "Traceback\nImportError: no y"}
    ]
    with pytest.raises(DeploymentError, match=r"DAG file churn_x\.py cannot be imported: ImportError: no y"):
        account.deploy(built_bundle)
    assert account.clock > 1200


@pytest.mark.parametrize(
    ("harm", "told"),
    [
        (lambda s: s.sick.update(triggerer="unhealthy"), "Airflow is not healthy: triggerer is unhealthy"),
        (lambda s: setattr(s, "_read_dags", lambda: None), "does not have the DAG churn_drift_monitoring"),
        (
            lambda s: setattr(s, "_read_dags", lambda: s._parsed.update(churn_drift_monitoring="old")),
            "still runs another version of the DAG churn_drift_monitoring",
        ),
    ],
)
def test_deploy_when_airflow_does_not_run_the_code_then_says_what_is_off(account, built_bundle, harm, told):
    harm(account.stand_in)
    with pytest.raises(DeploymentError, match=told):
        account.deploy(built_bundle)


def test_deploy_when_the_environment_never_gets_ready_then_says_how_to_go_on(account, built_bundle):
    account.stand_in.environment["Status"] = "MAINTENANCE"
    with pytest.raises(DeploymentError, match=r"after 7200 s \(MAINTENANCE\); run the same command again"):
        account.deploy(built_bundle)
    assert account.writes == []


@pytest.mark.parametrize(
    ("change", "told"),
    [
        ({"SourceBucketArn": "arn:aws:s3:::another"}, "give the outputs of this environment"),
        ({"Status": "DELETING"}, "is DELETING and takes no update"),
        ({"AirflowVersion": "3.0.6"}, "no bundle is proven on Airflow 3.0.6"),
    ],
)
def test_deploy_when_the_environment_is_not_usable_then_nothing_is_written(
    account, built_bundle, change, told
):
    account.stand_in.environment |= change
    with pytest.raises((TargetError, ImageError), match=told):
        account.deploy(built_bundle)
    assert account.writes == []


def test_deploy_when_the_bucket_keeps_no_versions_then_nothing_is_written(account, built_bundle):
    account.s3.put_bucket_versioning(Bucket=BUCKET, VersioningConfiguration={"Status": "Suspended"})
    with pytest.raises(TargetError, match="switch versioning on"):
        account.deploy(built_bundle)
    assert account.writes == []


# --- the records and the stand-in ------------------------------------------------------------------
def test_record_when_damaged_then_says_which_object(account, built_bundle):
    account.deploy(built_bundle)
    account.s3.put_object(Bucket=BUCKET, Key="deployments/000001/manifest.json", Body=b"{}")
    with pytest.raises(
        DeploymentError, match=r"deployments/000001/manifest\.json is not a record of a deployment"
    ):
        account.deploy(built_bundle)


def test_stand_in_when_a_request_breaks_mwaas_model_then_refuses_it(account):
    with pytest.raises(account.mwaa.exceptions.ValidationException, match="length"):
        account.mwaa.invoke_rest_api(Name=ENVIRONMENT, Path="/" + "x" * 64, Method="GET")
    with pytest.raises(account.mwaa.exceptions.ValidationException, match="no version nonsense"):
        account.mwaa.update_environment(
            Name=ENVIRONMENT, PluginsS3Path="mwaa/plugins.zip", PluginsS3ObjectVersion="nonsense"
        )
