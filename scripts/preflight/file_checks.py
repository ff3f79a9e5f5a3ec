"""Checks of a bundle that need no image: manifest, sizes, layout of plugins.zip, names, startup.sh."""

import hashlib
import subprocess
import sys
import zipfile
from collections.abc import Iterator
from pathlib import Path, PurePosixPath

from scripts.build_mwaa_bundle import PLUGINS_ARCHIVE, PREFLIGHT_RECORD, STARTUP_SCRIPT
from scripts.bundle_manifest import MANIFEST_FILE, BundleManifest
from scripts.preflight import limits
from scripts.preflight.findings import Finding, failed, passed

_IGNORE_FILE = ".airflowignore"
_AGAIN = "make the bundle anew with `make bundle`"


def check_manifest(bundle: Path, manifest: BundleManifest) -> Iterator[Finding]:
    """Compare every file with the manifest: what was changed by hand afterwards is not what gets reviewed."""
    known = {file.path for file in manifest.files} | {MANIFEST_FILE, PREFLIGHT_RECORD}
    found = {path.relative_to(bundle).as_posix() for path in bundle.rglob("*") if path.is_file()}
    problems = [f"{name} is missing" for name in sorted(known - found - {MANIFEST_FILE, PREFLIGHT_RECORD})]
    problems += [f"{name} is not in the manifest" for name in sorted(found - known)]
    problems += [
        f"{file.path} was changed after the build"
        for file in manifest.files
        if file.path in found and _sha256(bundle / file.path) != file.sha256
    ]
    for problem in problems:
        yield failed("manifest", f"{problem}; {_AGAIN}")
    if not problems:
        yield passed("manifest", f"bundle {manifest.bundle_id}: {len(manifest.files)} files, each as built")


def _sha256(path: Path) -> str:
    return hashlib.sha256(path.read_bytes()).hexdigest()


def check_sizes(bundle: Path) -> Iterator[Finding]:
    """Hold every file to its limit (scripts/preflight/limits.py)."""
    most = {
        bundle / PLUGINS_ARCHIVE: limits.MOST_PLUGINS_BYTES,
        bundle / STARTUP_SCRIPT: limits.MOST_STARTUP_BYTES,
        **dict.fromkeys(bundle.glob("requirements*.txt"), limits.MOST_REQUIREMENTS_BYTES),
        **dict.fromkeys(bundle.glob("dags/**/*.py"), limits.MOST_DAG_FILE_BYTES),
    }
    sizes = {
        path.relative_to(bundle).as_posix(): (path.stat().st_size, most[path])
        for path in most
        if path.is_file()
    }
    if (bundle / PLUGINS_ARCHIVE).is_file():
        with zipfile.ZipFile(bundle / PLUGINS_ARCHIVE) as archive:
            unpacked = sum(entry.file_size for entry in archive.infolist())
        sizes[f"{PLUGINS_ARCHIVE}, unpacked,"] = (unpacked, limits.MOST_UNPACKED_PLUGINS_BYTES)
    too_large = {name: pair for name, pair in sizes.items() if pair[0] > pair[1]}
    for name, (size, limit) in too_large.items():
        yield failed(
            "sizes",
            f"{name} has {size:,} bytes, more than {limit:,}: data, models and libraries do not belong "
            "there; find the large file and keep it in S3 or in a job image",
        )
    if not too_large:
        size = sizes[PLUGINS_ARCHIVE][0] if PLUGINS_ARCHIVE in sizes else 0
        yield passed(
            "sizes", f"plugins.zip {size:,} of {limits.MOST_PLUGINS_BYTES:,} bytes, the others far below"
        )


def check_layout(names: list[str], read: dict[str, bytes]) -> Iterator[Finding]:
    """Check the paths inside plugins.zip, and that no file of `include` would be taken for a plugin."""
    problems = list(_layout_problems(names, read))
    for problem in problems:
        yield failed("plugins.zip", problem)
    if not problems:
        count = sum(name.endswith(".py") for name in names)
        yield passed(
            "plugins.zip", f"{count} modules; include/ is a package that the plugin loader leaves alone"
        )


def _layout_problems(names: list[str], read: dict[str, bytes]) -> Iterator[str]:
    for name in names:
        if name.startswith("/") or ".." in PurePosixPath(name).parts:
            yield f"{name} would be unpacked outside the plugins folder; {_AGAIN}"
        if name.endswith(".pyc") or "__pycache__" in name:
            yield f"{name} is a compiled file, which hides what the source says; {_AGAIN}"
    if names and all(name.startswith("plugins/") for name in names):
        yield "everything lies in a folder plugins/; zip the contents of plugins/, not the folder itself"
        return
    if not _ignores_include(read):
        yield (
            "no .airflowignore with the line `include` at the root, so Airflow would import every file under "
            "include/ under its bare name; keep plugins/.airflowignore and make the bundle anew"
        )
    folders = {
        PurePosixPath(name).parent for name in names if name.startswith("include/") and name.endswith(".py")
    }
    packages = {parent for folder in folders for parent in (folder, *folder.parents) if parent.parts}
    for package in sorted(packages | {PurePosixPath("include")}):
        if f"{package}/__init__.py" not in names:
            name = ".".join(package.parts)
            yield f"{package}/__init__.py is missing, so `{name}` may not be found on MWAA; add it"


def _ignores_include(read: dict[str, bytes]) -> bool:
    lines = read.get(_IGNORE_FILE, b"").decode(errors="replace").splitlines()
    return any(line.strip().strip("/") in {"include", "include/**", "include/*"} for line in lines)


def check_names(
    plugin_names: list[str], plugin_files: dict[str, bytes], dag_names: list[str]
) -> Iterator[Finding]:
    """Check that no module of ours takes the place of one of the standard library.

    Airflow's plugin loader puts every plugin file into sys.modules under its bare name.
    """
    ignored = _ignores_include(plugin_files)
    problems = []
    for name in plugin_names:
        path = PurePosixPath(name)
        if path.suffix == ".py" and not (ignored and path.parts[0] == "include"):
            module_names = {path.stem, path.parts[0].removesuffix(".py")}
            problems += [(f"plugins.zip: {name}", module) for module in module_names]
    problems += [(name, PurePosixPath(name).stem) for name in dag_names]
    shadowing = sorted({(name, module) for name, module in problems if module in sys.stdlib_module_names})
    for name, module in shadowing:
        yield failed(
            "names",
            f"{name} would replace the standard library's {module} in every Airflow process; rename it",
        )
    if not shadowing:
        yield passed("names", "no module of ours is named like one of the standard library")


def check_startup(script: Path) -> Iterator[Finding]:
    """Run startup.sh as MWAA does, sourced by bash before Airflow starts, and look what it leaves."""
    marker = "the script has ended"
    command = f'bash -n "$0" || exit; . "$0" >&2; env -0; printf "%s" "{marker}"'
    before = {"PATH": "/usr/bin:/bin", **dict.fromkeys(limits.RESERVED_VARIABLES, "of-mwaa")}
    try:
        done = subprocess.run(
            ["bash", "-c", command, str(script)],
            env=before,
            capture_output=True,
            text=True,
            check=False,
            timeout=limits.MOST_STARTUP_SECONDS,
        )
    except subprocess.TimeoutExpired:
        yield failed(
            "startup.sh",
            f"ran longer than {limits.MOST_STARTUP_SECONDS} s; MWAA stops it after "
            f"{limits.STARTUP_SECONDS_ON_MWAA} s, in every container: take out what installs or waits",
        )
        return
    *variables, last = done.stdout.split("\0")
    if last != marker:
        reason = (done.stderr.strip().splitlines() or ["it calls exit"])[-1]
        yield failed(
            "startup.sh", f"did not come to its end ({reason[:200]}); MWAA loses every variable; mend it"
        )
        return
    after = dict(variable.split("=", 1) for variable in variables if "=" in variable)
    changed = sorted(name for name in limits.RESERVED_VARIABLES if after.get(name) != before[name])
    changed += sorted(name for name in after if name.startswith("MWAA__"))
    for name in changed:
        yield failed(
            "startup.sh", f"sets {name}, which is MWAA's own and is ignored or harmful; take the line out"
        )
    if not changed:
        yield passed("startup.sh", "runs through, and leaves MWAA's own variables alone")
