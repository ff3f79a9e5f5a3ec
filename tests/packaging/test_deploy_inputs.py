"""What a deployment begins with: a proven bundle, Terraform's outputs, and the startup script."""

import json
import re
import subprocess

import pytest

from scripts.bundle_manifest import read_manifest
from scripts.deploy_mwaa import read_proven_bundle
from scripts.deployment.errors import TargetError
from scripts.deployment.target import DeploymentTarget, read_target
from tests.packaging.mwaa_stand_in import ENVIRONMENT, OUTPUT


def prove(bundle, versions=("3.3.1",)):
    record = {"bundle_id": read_manifest(bundle).bundle_id, "airflow_versions": list(versions)}
    (bundle / "preflight.json").write_text(json.dumps(record))


def test_bundle_when_it_passed_the_preflight_then_may_be_deployed(bundle_copy):
    prove(bundle_copy)
    assert read_proven_bundle(bundle_copy, "3.3.1") == read_manifest(bundle_copy)


@pytest.mark.parametrize("record", [None, "{}", '{"bundle_id": "0", "airflow_versions": ["3.3.1"]}'])
def test_bundle_when_the_preflight_did_not_pass_then_run_it(bundle_copy, record):
    if record:
        (bundle_copy / "preflight.json").write_text(record)
    with pytest.raises(
        TargetError, match=r"has not passed the preflight for Airflow 3\.3\.1; run make preflight"
    ):
        read_proven_bundle(bundle_copy, "3.3.1")


def test_bundle_when_proven_on_another_image_only_then_run_the_preflight(bundle_copy):
    prove(bundle_copy, ["3.3.1"])
    with pytest.raises(TargetError, match=r"for Airflow 3\.2\.1"):
        read_proven_bundle(bundle_copy, "3.2.1")


def test_bundle_when_changed_after_the_preflight_then_is_refused(bundle_copy):
    prove(bundle_copy)
    (bundle_copy / "dags/churn_retraining.py").write_text("# quick fix\n")
    with pytest.raises(TargetError, match=r"churn_retraining\.py was changed after the build"):
        read_proven_bundle(bundle_copy, "3.3.1")


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("{", "is not the JSON of `terraform output -json deployment`"),
        ("{}", "has no region, environment_name, artifact_bucket"),
        (json.dumps({**OUTPUT, "settings": {"CHURN_X": "it's"}}), "text without a quote or a line break"),
        (json.dumps({**OUTPUT, "settings": {"PATH": "/"}}), "setting 'PATH' must be a CHURN_ variable"),
        (
            json.dumps({**OUTPUT, "settings": {"CHURN_X": "1"}}),
            "missing: CHURN_ARTIFACT_BUCKET, CHURN_DATA_BUCKET",
        ),
        (
            json.dumps(
                {**OUTPUT, "settings": {**OUTPUT["settings"], "CHURN_DRIFT_PARAMETERS": '{"alpha": 7}'}}
            ),
            "CHURN_DRIFT_PARAMETERS: alpha must lie",
        ),
        (
            json.dumps({**OUTPUT, "artifact_bucket": "other-bucket"}),
            "both name the bucket that jobs and Airflow share",
        ),
    ],
)
def test_target_when_the_outputs_are_unusable_then_says_what_is_wrong(tmp_path, text, told):
    (tmp_path / "outputs.json").write_text(text)
    with pytest.raises(TargetError, match=re.escape(told)):
        read_target("development", tmp_path / "outputs.json", tmp_path)


@pytest.mark.parametrize(
    "form", [OUTPUT, {"deployment": {"value": OUTPUT, "type": "object", "sensitive": False}}]
)
def test_target_when_all_outputs_or_one_are_given_then_reads_both(tmp_path, form):
    (tmp_path / "outputs.json").write_text(json.dumps(form))
    assert read_target("development", tmp_path / "outputs.json", tmp_path).environment_name == ENVIRONMENT


def test_target_when_the_environment_is_unknown_then_lists_the_known_ones(tmp_path):
    (tmp_path / "infrastructure/environments/development").mkdir(parents=True)
    with pytest.raises(TargetError, match="no environment 'staging'; there are: development"):
        read_target("staging", None, tmp_path)


def test_startup_script_when_rendered_then_its_settings_reach_the_process(built_bundle):
    target = DeploymentTarget.from_mapping(OUTPUT, "test")
    script = target.render_startup((built_bundle / "startup.sh").read_bytes()).decode()
    done = subprocess.run(["sh", "-c", f"{script}\nenv"], capture_output=True, text=True, check=True, env={})
    assert {f"{name}={value}" for name, value in OUTPUT["settings"].items()} <= set(done.stdout.splitlines())
