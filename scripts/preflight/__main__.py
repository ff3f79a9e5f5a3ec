"""Prove a bundle for MWAA, line by line: python -m scripts.preflight [--bundle DIR] [--image VERSION ...].

The exit code is 0 when nothing failed. What passed is noted in the bundle's preflight.json, which
`make deploy` asks for; it counts for these very bytes only.
"""

import argparse
import json
import sys
from collections.abc import Sequence
from pathlib import Path

from scripts.build_mwaa_bundle import DEFAULT_OUTPUT_DIR, PREFLIGHT_RECORD, PROJECT_ROOT
from scripts.bundle_manifest import read_manifest
from scripts.mwaa_images import AIRFLOW_VERSIONS
from scripts.preflight.constraint_checks import CONSTRAINTS_VARIABLE, constraints_folder
from scripts.preflight.findings import Verdict
from scripts.preflight.run import run_preflight


def main(arguments: list[str] | None = None) -> int:
    """Run all checks; returns the exit code."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--bundle", type=Path, default=DEFAULT_OUTPUT_DIR, help="default: dist")
    parser.add_argument("--image", action="append", choices=AIRFLOW_VERSIONS, help="default: all")
    parser.add_argument(
        "--constraints",
        type=Path,
        default=constraints_folder(PROJECT_ROOT),
        help=f"folder of MWAA's own constraints-VERSION.txt, also {CONSTRAINTS_VARIABLE}",
    )
    options = parser.parse_args(arguments)
    images = tuple(options.image or AIRFLOW_VERSIONS)
    record = options.bundle / PREFLIGHT_RECORD
    record.unlink(missing_ok=True)
    findings = []
    for finding in run_preflight(options.bundle, images, PROJECT_ROOT, options.constraints):
        print(finding.line(), flush=True)
        findings.append(finding)
    verdicts = [finding.verdict for finding in findings]
    compared = [
        image
        for image in images
        if any(
            (finding.image, finding.check, finding.verdict) == (image, "constraints", Verdict.PASSED)
            for finding in findings
        )
    ]
    print(
        f"preflight: {verdicts.count(Verdict.PASSED)} checks passed, {verdicts.count(Verdict.FAILED)} "
        f"failed; {comparison(images, compared)}"
    )
    if Verdict.FAILED in verdicts:
        return 1
    passed = {
        "bundle_id": read_manifest(options.bundle).bundle_id,
        "airflow_versions": list(images),
        "compared_with_constraints": compared,
    }
    record.write_text(json.dumps(passed, indent=2) + "\n")
    return 0


def comparison(images: Sequence[str], compared: Sequence[str]) -> str:
    """Return the words that say which images' locks were compared with MWAA's own constraints."""
    others = [image for image in images if image not in compared]
    said = [
        f"{word} with MWAA's constraints: {', '.join(names)}"
        for word, names in (("compared", compared), ("NOT compared", others))
        if names
    ]
    return ", ".join(said)


if __name__ == "__main__":
    sys.exit(main())
