"""Finding Terraform and its provider on a machine, and saying which of them is absent."""

import pytest

from scripts import terraform_runs
from scripts.terraform_runs import TerraformAbsentError, copy_infrastructure, find_terraform

PROVIDER = "registry.terraform.io/hashicorp/aws/5.100.0/linux_amd64/terraform-provider-aws_v5.100.0_x5"


@pytest.fixture
def machine(tmp_path, monkeypatch):
    """A machine with a terraform on its path and no provider anywhere."""
    binary = tmp_path / "bin/terraform"
    binary.parent.mkdir()
    binary.write_text("#!/bin/sh\n")
    binary.chmod(0o755)
    monkeypatch.setenv("PATH", str(binary.parent))
    monkeypatch.delenv(terraform_runs.MIRROR_VARIABLE, raising=False)
    monkeypatch.setattr(terraform_runs, "_MIRROR_PLACES", (f"{tmp_path}/places/*",))
    return tmp_path


def test_find_terraform_when_it_is_not_installed_then_says_so(machine, monkeypatch):
    monkeypatch.setenv("PATH", str(machine))
    with pytest.raises(TerraformAbsentError, match="not installed"):
        find_terraform(machine / "work")


def test_find_terraform_when_the_provider_is_absent_then_says_how_to_get_it(machine):
    with pytest.raises(TerraformAbsentError, match="terraform providers mirror"):
        find_terraform(machine / "work")


@pytest.mark.parametrize("is_named", [True, False], ids=["named", "found"])
def test_find_terraform_when_the_provider_is_there_then_configures_it_alone(machine, monkeypatch, is_named):
    mirror = machine / ("elsewhere" if is_named else "places/plugins")
    (mirror / PROVIDER).parent.mkdir(parents=True)
    (mirror / PROVIDER).write_text("")
    if is_named:
        monkeypatch.setenv(terraform_runs.MIRROR_VARIABLE, str(mirror))
    terraform = find_terraform(machine / "work")
    assert f'path = "{mirror}"' in terraform.cli_config.read_text()
    assert "direct" not in terraform.cli_config.read_text()


def test_copy_when_made_then_holds_code_and_functions_but_no_state(tmp_path):
    copied = copy_infrastructure(tmp_path)
    assert (copied / "modules/platform/main.tf").is_file()
    assert {path.name for path in (tmp_path / "dist/functions").iterdir()} == {
        "job_costs.zip",
        "start_retraining.zip",
    }
    assert not [
        path for path in copied.rglob("*") if path.name.startswith(".terraform") or ".tfstate" in path.name
    ]
