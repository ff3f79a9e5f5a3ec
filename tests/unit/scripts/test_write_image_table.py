"""The parts of the image table's tool that need no SDK; `--check` runs in the SDK's own environment."""

import json
import re

import pytest

from include.sagemaker_requests import container_images as images
from scripts.write_image_table import IMAGES, TABLE, ImageTableError, check_table, render


@pytest.fixture
def table():
    return json.loads(TABLE.read_text())


def test_table_when_committed_then_is_as_the_tool_renders_it(table):
    assert check_table(TABLE, table) is None


def test_check_when_one_account_differs_then_says_what_to_do(table):
    table["images"]["sklearn"]["1.9-0"]["accounts"]["eu-west-1"] = "123456789012"
    with pytest.raises(ImageTableError, match=r"differs from the SageMaker SDK.*make image-table"):
        check_table(TABLE, table)


def test_check_when_the_file_is_absent_then_says_what_to_do(table, tmp_path):
    with pytest.raises(ImageTableError, match="make image-table"):
        check_table(tmp_path / "images.json", table)


def test_check_when_the_file_was_edited_by_hand_then_is_refused(table, tmp_path):
    edited = tmp_path / "images.json"
    edited.write_text(render(table).replace("\n", "\n ", 1))
    with pytest.raises(ImageTableError):
        check_table(edited, table)


def test_table_when_read_then_has_the_images_and_versions_the_requests_use(table):
    asked = {name: options["version"] for name, options in IMAGES.items()}
    assert asked == {
        images.SKLEARN: images.SKLEARN_VERSION,
        images.TENSORFLOW_TRAINING: images.TENSORFLOW_TRAINING_VERSION,
        images.TENSORFLOW_INFERENCE: images.TENSORFLOW_INFERENCE_VERSION,
    }
    assert {name: list(versions) for name, versions in table["images"].items()} == {
        name: [version] for name, version in asked.items()
    }


def test_table_when_read_then_every_account_is_one_and_every_region_has_a_domain(table):
    for versions in table["images"].values():
        for entry in versions.values():
            assert all(re.fullmatch(r"\d{12}", account) for account in entry["accounts"].values())
            assert set(entry["accounts"]) <= set(table["registry_domains"])
