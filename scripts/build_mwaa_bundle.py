"""Build what goes to Amazon MWAA into one folder, whole or not at all; the same input gives the same bytes.

    python -m scripts.build_mwaa_bundle [--output-dir DIR]

`dags/`, `plugins.zip` (the plugins, and beside them the part of `include/` that DAGs and plugins import),
one requirements file per image, `startup.sh`, the job code, the Lambda functions, and `manifest.json`.
"""

import argparse
import json
import sys
import tempfile
from pathlib import Path

from scripts.build_function_archives import build_function_archives
from scripts.build_job_bundle import BundleError, build_job_bundle, git_revision
from scripts.bundle_manifest import MANIFEST_FILE, BundleManifest, describe_file
from scripts.import_closure import files_of_module, imported_modules
from scripts.mwaa_images import (
    AIRFLOW_VERSIONS,
    PYTHON_VERSION,
    ImageError,
    lock_file,
    read_pins,
    requirements_for_image,
    requirements_name,
)
from scripts.reproducible_archives import zip_bytes

PROJECT_ROOT = Path(__file__).resolve().parent.parent
DEFAULT_OUTPUT_DIR = PROJECT_ROOT / "dist"
JOB_BUNDLE_FOLDER = "job-bundle"
FUNCTIONS_FOLDER = "functions"
PLUGINS_ARCHIVE = "plugins.zip"
STARTUP_SCRIPT = "startup.sh"
PREFLIGHT_RECORD = "preflight.json"

_INCLUDE = frozenset({"include"})
_IGNORE_FILE = ".airflowignore"
# What a folder may hold and still be replaced: a bundle, and what builds of its parts leave there.
_KNOWN_NAMES = frozenset(
    {
        "dags",
        PLUGINS_ARCHIVE,
        STARTUP_SCRIPT,
        JOB_BUNDLE_FOLDER,
        FUNCTIONS_FOLDER,
        MANIFEST_FILE,
        PREFLIGHT_RECORD,
        *(requirements_name(version) for version in AIRFLOW_VERSIONS),
    }
)


def build_mwaa_bundle(output_dir: Path, project_root: Path = PROJECT_ROOT) -> BundleManifest:
    """Write the bundle in place of `output_dir`; raises BundleError, and leaves the folder as it was then."""
    _refuse_foreign_folder(output_dir)
    revision = git_revision(project_root)  # asked before the folder below makes the working tree differ
    output_dir.parent.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(prefix=f".{output_dir.name}.", dir=output_dir.parent) as temporary:
        built = Path(temporary) / "new"
        manifest = _build_into(built, project_root, revision)
        if output_dir.exists():
            output_dir.rename(Path(temporary) / "old")
        built.rename(output_dir)
    return manifest


def _build_into(folder: Path, project_root: Path, revision: str) -> BundleManifest:
    job_bundle = build_job_bundle(folder / JOB_BUNDLE_FOLDER, project_root)
    build_function_archives(folder / FUNCTIONS_FOLDER)
    files = {
        PLUGINS_ARCHIVE: zip_bytes(plugin_files(project_root)),
        STARTUP_SCRIPT: (project_root / STARTUP_SCRIPT).read_bytes(),
        **_dag_files(project_root),
        **_requirements_files(project_root),
    }
    for name, content in files.items():
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_bytes(content)
    written = [path for path in sorted(folder.rglob("*")) if path.is_file()]
    described = [describe_file(path.relative_to(folder).as_posix(), path.read_bytes()) for path in written]
    manifest = BundleManifest(
        git_revision=revision,
        airflow_versions=AIRFLOW_VERSIONS,
        python_version=PYTHON_VERSION,
        job_bundle=job_bundle.sha256,
        files=tuple(sorted(described, key=lambda file: file.path)),
    )
    (folder / MANIFEST_FILE).write_text(json.dumps(manifest.to_mapping(), indent=2) + "\n")
    return manifest


def _refuse_foreign_folder(output_dir: Path) -> None:
    if not output_dir.exists():
        return
    if not output_dir.is_dir():
        raise BundleError(f"{output_dir} is a file; name a folder with --output-dir")
    foreign = sorted(path.name for path in output_dir.iterdir() if path.name not in _KNOWN_NAMES)
    if foreign:
        raise BundleError(
            f"{output_dir} holds {foreign[0]!r}, which no bundle wrote; move it away or name another folder "
            "with --output-dir: the folder is replaced as a whole"
        )


def plugin_files(project_root: Path) -> dict[str, bytes]:
    """Return path → content of plugins.zip: the contents of plugins/, and the `include` packages in use.

    MWAA has plugins on sys.path in every process and DAGs in some only, so `include` ships here. A package
    that nothing on the Airflow side imports stays out: its libraries are not in the image.
    """
    plugins = project_root / "plugins"
    files = {
        path.relative_to(plugins).as_posix(): path.read_bytes()
        for path in sorted(plugins.rglob("*"))
        if _ships(path, plugins) or path == plugins / _IGNORE_FILE
    }
    files["include/__init__.py"] = (project_root / "include" / "__init__.py").read_bytes()
    for package in _include_packages_in_use(project_root):
        folder = project_root / "include" / package
        files |= {
            path.relative_to(project_root).as_posix(): path.read_bytes()
            for path in sorted(folder.rglob("*"))
            if _ships(path, folder)
        }
    return files


def _ships(path: Path, folder: Path) -> bool:
    parts = path.relative_to(folder).parts
    left_out = any(part.startswith(".") or part in {"__pycache__", "tests"} for part in parts)
    return path.is_file() and not left_out and path.suffix not in {".pyc", ".md"}


def _include_packages_in_use(project_root: Path) -> list[str]:
    """Return the packages of `include` that DAGs and plugins reach by importing, at whatever depth."""
    waiting = [*_python_files(project_root / "dags"), *_python_files(project_root / "plugins")]
    seen: set[Path] = set()
    while waiting:
        path = waiting.pop()
        if path in seen:
            continue
        seen.add(path)
        try:
            modules = list(imported_modules(path.read_bytes()))
        except SyntaxError as error:
            name = path.relative_to(project_root)
            raise BundleError(f"{name}, line {error.lineno}: {error.msg}") from None
        for module in modules:
            waiting += files_of_module(project_root, module, _INCLUDE)
    include = project_root / "include"
    parts = [path.relative_to(include).parts for path in seen if path.is_relative_to(include)]
    return sorted({part[0] for part in parts if len(part) > 1})


def _python_files(folder: Path) -> list[Path]:
    return [path for path in sorted(folder.rglob("*.py")) if _ships(path, folder)]


def _dag_files(project_root: Path) -> dict[str, bytes]:
    files = {
        path.relative_to(project_root).as_posix(): path.read_bytes()
        for path in _python_files(project_root / "dags")
    }
    if not files:
        raise BundleError("no DAG file found in dags/")
    return files


def _requirements_files(project_root: Path) -> dict[str, bytes]:
    """Return one requirements file per image: the first is the committed one, the others are derived."""
    text = (project_root / "requirements.txt").read_text()
    files = {requirements_name(AIRFLOW_VERSIONS[0]): text.encode()}
    for version in AIRFLOW_VERSIONS[1:]:
        pins = read_pins(lock_file(project_root, version).read_text())
        files[requirements_name(version)] = requirements_for_image(text, version, pins).encode()
    return files


def main(arguments: list[str] | None = None) -> int:
    """Build the bundle and say what it holds; returns the exit code."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--output-dir", type=Path, default=DEFAULT_OUTPUT_DIR, help="default: dist")
    output_dir = parser.parse_args(arguments).output_dir
    try:
        manifest = build_mwaa_bundle(output_dir)
    except (BundleError, ImageError, OSError) as error:
        print(f"error: {error}", file=sys.stderr)
        return 2
    for file in manifest.files:
        print(f"{file.size:>9,} bytes  {file.sha256[:12]}  {file.path}")
    print(f"bundle {manifest.bundle_id} of revision {manifest.git_revision} in {output_dir}")
    return 0


if __name__ == "__main__":
    sys.exit(main())
