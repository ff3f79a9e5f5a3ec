"""Prove a bundle for MWAA, line by line: python -m scripts.preflight [--bundle DIR] [--image VERSION ...].

The exit code is 0 when nothing failed. What passed is noted in the bundle's preflight.json, which
`make deploy` asks for; it counts for these very bytes only.
"""

import argparse
import json
import os
import sys
from pathlib import Path

from scripts.build_mwaa_bundle import DEFAULT_OUTPUT_DIR, PREFLIGHT_RECORD, PROJECT_ROOT
from scripts.bundle_manifest import read_manifest
from scripts.mwaa_images import AIRFLOW_VERSIONS
from scripts.preflight.findings import Verdict
from scripts.preflight.run import run_preflight

CONSTRAINTS_VARIABLE = "CHURN_MWAA_CONSTRAINTS"


def main(arguments: list[str] | None = None) -> int:
    """Run all checks; returns the exit code."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--bundle", type=Path, default=DEFAULT_OUTPUT_DIR, help="default: dist")
    parser.add_argument("--image", action="append", choices=AIRFLOW_VERSIONS, help="default: all")
    parser.add_argument(
        "--constraints",
        type=Path,
        default=Path(os.environ.get(CONSTRAINTS_VARIABLE) or PROJECT_ROOT.parent / "shared" / "mwaa"),
        help=f"folder of MWAA's own constraints-VERSION.txt, also {CONSTRAINTS_VARIABLE}",
    )
    options = parser.parse_args(arguments)
    images = tuple(options.image or AIRFLOW_VERSIONS)
    record = options.bundle / PREFLIGHT_RECORD
    record.unlink(missing_ok=True)
    verdicts = []
    for finding in run_preflight(options.bundle, images, PROJECT_ROOT, options.constraints):
        print(finding.line(), flush=True)
        verdicts.append(finding.verdict)
    counts = {verdict: verdicts.count(verdict) for verdict in Verdict}
    print(
        f"preflight: {counts[Verdict.PASSED]} checks passed, {counts[Verdict.FAILED]} failed, "
        f"{counts[Verdict.SKIPPED]} skipped"
    )
    if counts[Verdict.FAILED]:
        return 1
    passed = {"bundle_id": read_manifest(options.bundle).bundle_id, "airflow_versions": list(images)}
    record.write_text(json.dumps(passed, indent=2) + "\n")
    return 0


if __name__ == "__main__":
    sys.exit(main())
