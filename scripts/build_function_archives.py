"""Zip the Lambda functions of infrastructure/functions, one archive each; same input, same bytes.

python -m scripts.build_function_archives [--output-dir DIR]
"""

import argparse
from pathlib import Path

from scripts.reproducible_archives import zip_bytes

PROJECT_ROOT = Path(__file__).resolve().parent.parent
FUNCTIONS = PROJECT_ROOT / "infrastructure" / "functions"
DEFAULT_OUTPUT_DIR = PROJECT_ROOT / "dist" / "functions"


def build_function_archives(output_dir: Path) -> list[Path]:
    """Write `<function>.zip` for every module of the functions folder; returns their paths, sorted."""
    output_dir.mkdir(parents=True, exist_ok=True)
    archives = []
    for source in sorted(FUNCTIONS.glob("*.py")):
        archive = output_dir / f"{source.stem}.zip"
        archive.write_bytes(zip_bytes({source.name: source.read_bytes()}))
        archives.append(archive)
    return archives


def main(arguments: list[str] | None = None) -> int:
    """Build all archives and name them."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--output-dir", type=Path, default=DEFAULT_OUTPUT_DIR)
    for archive in build_function_archives(parser.parse_args(arguments).output_dir):
        print(archive)
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
