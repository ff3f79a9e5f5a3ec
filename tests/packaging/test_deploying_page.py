"""The commands of docs/deploying.md in their order, against the stand-ins; `make` says what it would run."""

import json
import re
import shlex
import subprocess
import textwrap

import boto3
import pytest
from botocore.config import Config

from tests.packaging.deployment_command import ROOT, prove
from tests.packaging.mwaa_stand_in import ENVIRONMENT

PAGE = (ROOT / "docs/deploying.md").read_text()
BLOCKS = [
    textwrap.dedent(block)
    for block in re.findall(r"^ *```\n(.*?)^ *```$", PAGE, flags=re.DOTALL | re.MULTILINE)
]
COMMANDS = [block for block in BLOCKS if not block.startswith("[")]  # the others show what was printed
LINES = re.sub(r"\\\n\s*", " ", "\n".join(BLOCKS)).splitlines()
MADE = [line.split("#")[0].split() for line in LINES if line.startswith("make ")]
DEPLOYMENTS = [words for words in MADE if words[1] == "deploy"]
ASKED = [shlex.split(line) for line in LINES if line.startswith("aws mwaa invoke-rest-api ")]


def recipe(words):
    """The commands of a make target, not run; its environment passes for made."""
    ready = "--old-file=.venvs/airflow/.ready-airflow"
    clean = ["env", "-u", "MAKEFLAGS", "make", "--dry-run", ready, *words[1:]]
    return subprocess.run(clean, cwd=ROOT, capture_output=True, text=True, check=True).stdout.splitlines()


@pytest.mark.parametrize("words", MADE, ids=" ".join)
def test_page_when_it_names_a_make_command_then_make_uses_every_word_of_it(words):
    assert recipe(words)
    makefile = (ROOT / "Makefile").read_text()
    assert all(f"$({word.split('=')[0]})" in makefile for word in words[2:])


@pytest.mark.parametrize("variable", sorted(set(re.findall(r"`(?:make deploy )?([A-Z_]+)=", PAGE))))
def test_page_when_it_names_a_variable_then_the_code_reads_it(variable):
    files = (ROOT / "Makefile", ROOT / "scripts/preflight/constraint_checks.py")
    texts = "\n".join(path.read_text() for path in files)
    assert f"$({variable})" in texts or f'"{variable}"' in texts


@pytest.mark.parametrize("block", COMMANDS, ids=lambda block: block.splitlines()[0])
def test_page_when_a_block_is_pasted_then_bash_can_read_it(block):
    done = subprocess.run(["bash", "-n", "-c", block], capture_output=True, text=True, check=False)
    assert (done.returncode, done.stderr) == (0, "")


def test_page_when_followed_then_deploys_unpauses_and_starts_a_run(commanded_account):
    stand_in, command, bundle = commanded_account
    prove(bundle)
    assert DEPLOYMENTS == [
        ["make", "deploy", "ENV=development", "DRY_RUN=1"],
        ["make", "deploy", "ENV=development"],
    ]
    for words in DEPLOYMENTS:
        (line,) = [line for line in recipe(words) if "scripts.deploy_mwaa" in line]
        _, options = line.split(" -m scripts.deploy_mwaa ")
        code, shown, told = command.run(*shlex.split(options))
        assert (code, told) == (0, "")
    assert "recorded as deployment 1" in shown

    url = command.variables["AWS_ENDPOINT_URL_MWAA"]
    keys = {"aws_access_key_id": "test", "aws_secret_access_key": "test"}
    config = Config(inject_host_prefix=False)
    mwaa = boto3.client("mwaa", region_name="eu-west-1", endpoint_url=url, config=config, **keys)
    answers = []
    for _, _, _, *options in ASKED:
        given = dict(zip(options[::2], options[1::2], strict=True))
        asked = {"Name": given["--name"], "Method": given["--method"], "Path": given["--path"]}
        assert asked["Name"] == "$ENVIRONMENT"
        body = {"Body": json.loads(given["--body"])} if "--body" in given else {}
        answers.append(mwaa.invoke_rest_api(**{**asked, "Name": ENVIRONMENT}, **body)["RestApiResponse"])
    assert stand_in.paused == {"churn_retraining": False, "churn_drift_monitoring": False}
    assert [run["conf"] for run in stand_in.runs] == [{"reason": "first run"}]
    assert answers[2]["dag_runs"][0]["state"] == "queued"
