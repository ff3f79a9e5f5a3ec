"""Write `include/sagemaker_requests/images.json` with the SageMaker SDK, or check it: --check.

Runs in an environment of its own (`make image-table`), because the SDK and Airflow exclude each other. The
accounts are AWS's public image registries, one per region.
"""

import argparse
import json
import os
import re
import sys
from pathlib import Path
from typing import Any

TABLE = Path(__file__).resolve().parent.parent / "include" / "sagemaker_requests" / "images.json"

# name in the table → what the SDK is asked; versions as the SDK knows them
IMAGES: dict[str, dict[str, str]] = {
    "sklearn": {"framework": "sklearn", "version": "1.9-0", "image_scope": "training", "py_version": "py3"},
    "tensorflow-training": {
        "framework": "tensorflow", "version": "2.21", "image_scope": "training", "py_version": "py312",
    },
    "tensorflow-inference": {"framework": "tensorflow", "version": "2.20", "image_scope": "inference"},
}  # fmt: skip
# Only the choice between CPU and GPU builds depends on it.
CPU_INSTANCE_TYPE = "ml.m5.large"
_URI = re.compile(
    r"(?P<account>\d{12})\.dkr\.ecr\.(?P<region>[a-z0-9-]+)\.(?P<domain>[a-z0-9.-]+)"
    r"/(?P<repository>[a-z0-9-]+):(?P<tag>\S+)"
)


class ImageTableError(Exception):
    """The table cannot be written or does not agree with the SDK; the message is one line."""


def build_table() -> dict[str, Any]:
    """Ask the SDK for every image in every region it knows; raises ImageTableError."""
    from sagemaker.core import image_uris

    domains: dict[str, str] = {}
    images: dict[str, Any] = {}
    for name, asked in IMAGES.items():
        parts = [
            _split(image_uris.retrieve(region=region, instance_type=CPU_INSTANCE_TYPE, **asked), region)
            for region in _regions(image_uris, asked)
        ]
        repositories = {(part["repository"], part["tag"]) for part in parts}
        if len(repositories) != 1:
            raise ImageTableError(
                f"{name}: the SDK names several repositories or tags: {sorted(repositories)}"
            )
        repository, tag = repositories.pop()
        domains |= {part["region"]: part["domain"] for part in parts}
        accounts = {part["region"]: part["account"] for part in parts}
        images[name] = {asked["version"]: {"repository": repository, "tag": tag, "accounts": accounts}}
    return {
        "comment": "Written by scripts/write_image_table.py with the SageMaker SDK; do not edit.",
        "registry_domains": dict(sorted(domains.items())),
        "images": images,
    }


def _regions(image_uris: Any, asked: dict[str, str]) -> list[str]:
    """Return every region in which the SDK's own table has this image."""
    scope = image_uris.config_for_framework(asked["framework"])[asked["image_scope"]]
    full = scope.get("version_aliases", {}).get(asked["version"], asked["version"])
    if full not in scope["versions"]:
        raise ImageTableError(f"the SDK does not know {asked['framework']} {asked['version']}")
    return sorted(scope["versions"][full]["registries"])


def _split(uri: str, region: str) -> dict[str, str]:
    match = _URI.fullmatch(uri)
    if match is None or match["region"] != region:
        raise ImageTableError(f"the SDK's URI {uri!r} does not have the expected form")
    return match.groupdict()


def render(table: dict[str, Any]) -> str:
    """Return the table as it is committed."""
    return json.dumps(table, indent=2) + "\n"


def check_table(path: Path, table: dict[str, Any]) -> None:
    """Raise ImageTableError unless the file at `path` is exactly what the SDK says today."""
    try:
        committed = path.read_text(encoding="utf-8")
    except OSError as error:
        raise ImageTableError(
            f"{path.name} cannot be read ({error}); write it with: make image-table"
        ) from None
    if committed != render(table):
        raise ImageTableError(
            f"{path.name} differs from the SageMaker SDK; write it anew with: make image-table"
        )


def main(arguments: list[str] | None = None) -> int:
    """Write or check the table; returns the exit code."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--check", action="store_true", help="compare the committed table with the SDK")
    options = parser.parse_args(arguments)
    try:
        table = build_table()
        if options.check:
            check_table(TABLE, table)
            print(f"{TABLE.name} agrees with the SageMaker SDK: {len(table['registry_domains'])} regions")
            return 0
        temporary = TABLE.with_suffix(".new")
        temporary.write_text(render(table), encoding="utf-8")
        temporary.replace(TABLE)
    except ImageTableError as error:
        print(f"error: {error}", file=sys.stderr)
        return 2
    print(f"{TABLE.name} written: {len(table['registry_domains'])} regions")
    return 0


if __name__ == "__main__":
    os.environ.setdefault("AWS_DEFAULT_REGION", "us-east-1")  # the SDK looks for one; nothing is called
    sys.exit(main())
