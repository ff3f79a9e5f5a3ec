"""Terraform as found on this machine, and one environment applied once, while the other tests run."""

from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import ExitStack

import pytest

from scripts.terraform_runs import (
    TerraformAbsentError,
    copy_infrastructure,
    find_terraform,
    running_provider,
)
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
def attached(terraform, copied):
    """Terraform with the provider running already, for what configures no provider: validate and test."""
    environment = copied / "environments/development"
    terraform.initialise(environment)
    with running_provider(terraform, environment) as attached_terraform:
        yield attached_terraform


@pytest.fixture(scope="session")
def account_in_the_making(terraform, tmp_path_factory):
    """The apply as a future: most of its minute is the provider's own waiting, in which others can work."""
    if not STAND_IN_PYTHON.exists():
        pytest.skip("the stand-in's environment .venvs/local_aws is missing: make environments")
    folder = tmp_path_factory.mktemp("account")
    process, port = start_stand_in(folder)

    with ExitStack() as stack:
        stack.callback(process.wait, timeout=20)
        stack.callback(process.terminate)

        def apply() -> AppliedAccount:
            environment = prepare_environment(terraform, folder / "checkout", port, "development")
            attached = stack.enter_context(running_provider(terraform, environment))
            return AppliedAccount(attached, environment, port, plan_and_apply(attached, environment))

        with ThreadPoolExecutor(max_workers=1) as pool:
            future: Future[AppliedAccount] = pool.submit(apply)
            yield future
            future.cancel()


@pytest.fixture(scope="session")
def account(account_in_the_making):
    return account_in_the_making.result(timeout=300)


def pytest_collection_modifyitems(items):
    """Tests that need the applied account come last, those that only begin it first."""
    items.sort(key=lambda item: "account" in getattr(item, "fixturenames", ()))
