"""Terraform as found on this machine, and one environment applied once, while the other tests run."""

from concurrent.futures import Future, ThreadPoolExecutor

import pytest

from scripts.terraform_runs import TerraformAbsentError, copy_infrastructure, find_terraform
from tests.infrastructure.account_terraform import (
    STAND_IN_PYTHON,
    AppliedAccount,
    plan_and_apply,
    prepare_environment,
    start_stand_in,
)


@pytest.fixture(scope="session")
def terraform(tmp_path_factory):
    try:
        return find_terraform(tmp_path_factory.mktemp("terraform"))
    except TerraformAbsentError as absence:
        pytest.skip(str(absence))


@pytest.fixture(scope="session")
def copied(terraform, tmp_path_factory):
    """A copy of infrastructure/ in which nothing was changed."""
    return copy_infrastructure(tmp_path_factory.mktemp("copy"))


@pytest.fixture(scope="session")
def account_in_the_making(terraform, tmp_path_factory):
    """The apply as a future: most of its minute is the provider's own waiting, in which others can work."""
    if not STAND_IN_PYTHON.exists():
        pytest.skip("the stand-in's environment .venvs/local_aws is missing: make environments")
    folder = tmp_path_factory.mktemp("account")
    process, port = start_stand_in(folder)

    def apply() -> AppliedAccount:
        environment = prepare_environment(terraform, folder / "checkout", port, "development")
        return AppliedAccount(terraform, environment, port, plan_and_apply(terraform, environment))

    with ThreadPoolExecutor(max_workers=1) as pool:
        future: Future[AppliedAccount] = pool.submit(apply)
        yield future
        future.cancel()
    process.terminate()
    process.wait(timeout=20)


@pytest.fixture(scope="session")
def account(account_in_the_making):
    return account_in_the_making.result(timeout=300)


def pytest_collection_modifyitems(items):
    """Tests that need the applied account come last, those that only begin it first."""
    items.sort(key=lambda item: "account" in getattr(item, "fixturenames", ()))
