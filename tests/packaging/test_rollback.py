"""Going back: to the deployment before, or from a half-finished one to the last that was finished."""

import pytest

from scripts.deployment.errors import DeploymentError, TargetError
from tests.packaging.mwaa_stand_in import BUCKET


def test_roll_back_when_an_update_failed_then_the_last_finished_deployment_is_whole_again(
    account, built_bundle, next_bundle
):
    account.deploy(built_bundle)
    good, _ = account.state()
    account.stand_in.fail_next_update = True
    with pytest.raises(DeploymentError):
        account.deploy(next_bundle)
    account.roll_back()
    found, _ = account.state()
    assert found["job-bundles/current.json"] == good["job-bundles/current.json"]
    assert account.running("Plugins") == (built_bundle / "plugins.zip").read_bytes()
    assert account.stand_in.calls.count("UpdateEnvironment") == 2


def test_roll_back_when_two_deployments_were_made_then_everything_is_as_after_the_first(
    account, built_bundle, next_bundle
):
    account.deploy(built_bundle)
    objects, running = account.state()
    account.deploy(next_bundle)
    account.roll_back()
    found, found_running = account.state()
    assert found_running == running
    for key in ("job-bundles/current.json", "dags/churn_retraining.py", "dags/churn_drift_monitoring.py"):
        assert found[key] == objects[key]
    assert "dags/churn_new.py" not in found
    assert not [write for write in account.writes if write.startswith("mwaa/")]
    assert account.writes.index("UpdateEnvironment") < account.writes.index("dags/churn_retraining.py")


def test_roll_back_when_asked_twice_then_does_not_go_forward_again(account, built_bundle, next_bundle):
    account.deploy(built_bundle)
    account.deploy(next_bundle)
    account.roll_back()
    with pytest.raises(TargetError, match="deployment 3 is the first; there is none before it"):
        account.roll_back()


def test_roll_back_when_nothing_was_deployed_then_says_so(account):
    with pytest.raises(TargetError, match="no deployment is recorded yet"):
        account.roll_back()


def test_roll_back_when_a_version_is_gone_then_names_the_revision_to_deploy(
    account, built_bundle, next_bundle
):
    account.deploy(built_bundle)
    version = account.stand_in.environment["PluginsS3ObjectVersion"]
    account.deploy(next_bundle)
    account.s3.delete_object(Bucket=BUCKET, Key="mwaa/plugins.zip", VersionId=version)
    with pytest.raises(
        TargetError, match=r"no longer keeps mwaa/plugins\.zip of deployment 1; check out revision"
    ):
        account.roll_back()
    assert account.writes == []


def test_roll_back_when_the_environment_was_upgraded_then_refuses(account, built_bundle, next_bundle):
    account.stand_in.environment["AirflowVersion"] = "3.2.1"
    account.deploy(built_bundle)
    account.stand_in.environment["AirflowVersion"] = "3.3.1"
    account.deploy(next_bundle)
    with pytest.raises(TargetError, match=r"made for Airflow 3\.2\.1, the environment runs 3\.3\.1"):
        account.roll_back()
