"""What tests of the preflight look for in its findings."""

import pytest

from scripts.mwaa_images import AIRFLOW_VERSIONS
from scripts.preflight.findings import Verdict
from scripts.preflight.image_environment import ImageEnvironment
from tests.packaging.deployment_command import ROOT

IMAGE = AIRFLOW_VERSIONS[0]


def environment_of(image):
    if not (ROOT / f".venvs/preflight-{image}/bin/python").exists():
        pytest.skip(f"no environment of image {image}; `make preflight` makes it")
    return ImageEnvironment.of_image(ROOT, image)


def failures(findings):
    return [finding.sentence for finding in findings if finding.verdict is Verdict.FAILED]


def only(findings):
    told = failures(findings)
    assert len(told) == 1, told
    return told[0]
