"""One stand-in per test module, as a process of its own, with tiny real jobs run by its own Python."""

import os
import signal
from collections.abc import Iterator

import pytest

from tests.local_aws.stand_in import BUCKET, REGION, Server, write_environments


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    directory = tmp_path_factory.mktemp("stand-in")
    running = Server(
        directory / "state",
        ["--environments", str(write_environments(directory)), "--stop-grace-seconds", "1"],
    )
    running.start()
    try:
        running.client("s3").create_bucket(
            Bucket=BUCKET, CreateBucketConfiguration={"LocationConstraint": REGION}
        )
        yield running
    finally:
        if running.process.poll() is None:
            running.end(signal.SIGTERM)


@pytest.fixture(autouse=True)
def _no_account_of_the_user(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in [name for name in os.environ if name.startswith("AWS_")]:
        monkeypatch.delenv(name)
