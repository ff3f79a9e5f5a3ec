"""All checks of a bundle, in order; a generator, so that each line is shown when it is known."""

import zipfile
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory

from scripts.build_mwaa_bundle import PLUGINS_ARCHIVE, STARTUP_SCRIPT
from scripts.bundle_manifest import ManifestError, read_manifest
from scripts.mwaa_images import lock_file, read_pins, requirements_name
from scripts.preflight import limits
from scripts.preflight.constraint_checks import check_constraints, read_constraints
from scripts.preflight.file_checks import (
    check_layout,
    check_manifest,
    check_names,
    check_sizes,
    check_startup,
)
from scripts.preflight.findings import Finding, failed
from scripts.preflight.image_environment import EnvironmentMissingError, ImageEnvironment, Probe
from scripts.preflight.process_checks import check_dag_file, check_web_server
from scripts.preflight.requirement_checks import (
    AIRFLOW_HOME,
    check_dry_run,
    check_environment,
    check_requirements,
)


@dataclass(frozen=True)
class UnpackedBundle:
    """A bundle as MWAA lays it out: DAGs in one folder, plugins.zip unpacked in another."""

    folder: Path
    plugins: Path
    plugin_names: tuple[str, ...]

    @property
    def dags(self) -> Path:
        """Return the folder of DAG files."""
        return self.folder / "dags"

    def dag_files(self) -> list[str]:
        """Return the DAG files, relative to the bundle."""
        return sorted(path.relative_to(self.folder).as_posix() for path in self.dags.rglob("*.py"))

    def shipped_texts(self) -> dict[str, str]:
        """Return the bundle's text files: where MWAA puts them → text."""
        return {
            f"{AIRFLOW_HOME}/{name}/{path.relative_to(folder).as_posix()}": path.read_text(errors="replace")
            for name, folder in (("plugins", self.plugins), ("dags", self.dags))
            for path in sorted(folder.rglob("*.txt"))
        }


def run_preflight(
    bundle: Path, images: tuple[str, ...], project_root: Path, constraints: Path
) -> Iterator[Finding]:
    """Check the bundle by itself, then in each image's environment."""
    try:
        manifest = read_manifest(bundle)
        missing = [name for name in (PLUGINS_ARCHIVE, STARTUP_SCRIPT) if not (bundle / name).is_file()]
        if missing:
            yield failed(
                "manifest", f"{bundle / missing[0]} is missing; make the bundle anew with `make bundle`"
            )
            return
        with TemporaryDirectory(prefix="preflight-plugins-") as plugins:
            unpacked = _unpack(bundle, Path(plugins))
            yield from check_manifest(bundle, manifest)
            yield from check_bundle_files(unpacked)
            for image in images:
                yield from _check_image(unpacked, image, project_root, constraints)
    except (ManifestError, zipfile.BadZipFile) as error:
        yield failed("manifest", str(error))


def _unpack(bundle: Path, plugins: Path) -> UnpackedBundle:
    with zipfile.ZipFile(bundle / PLUGINS_ARCHIVE) as archive:
        names = tuple(name for name in archive.namelist() if not name.endswith("/"))
        archive.extractall(plugins)  # zipfile takes `..` and a leading slash out of names
    return UnpackedBundle(folder=bundle, plugins=plugins, plugin_names=names)


def check_bundle_files(bundle: UnpackedBundle) -> Iterator[Finding]:
    """Check what needs no image."""
    ignore = bundle.plugins / ".airflowignore"
    read = {".airflowignore": ignore.read_bytes()} if ignore.is_file() else {}
    names = list(bundle.plugin_names)
    yield from check_sizes(bundle.folder)
    yield from check_layout(names, read)
    yield from check_names(names, read, bundle.dag_files())
    yield from check_startup(bundle.folder / STARTUP_SCRIPT)


def _check_image(
    bundle: UnpackedBundle, image: str, project_root: Path, constraints: Path
) -> Iterator[Finding]:
    try:
        environment = ImageEnvironment.of_image(project_root, image)
        pins = read_pins(lock_file(project_root, image).read_text())
        yield from check_environment(image, environment.installed(), pins)
        yield from check_constraints(image, pins, constraints)
        named = read_constraints(constraints, image) or {}
        yield from check_image_requirements(bundle, environment, {**named, **pins})
        with Probe(environment) as probe:
            yield from check_image_processes(bundle, image, probe)
    except EnvironmentMissingError as error:
        yield failed("environment", str(error), image)


def check_image_requirements(
    bundle: UnpackedBundle, environment: ImageEnvironment, pins: dict[str, str]
) -> Iterator[Finding]:
    """Check the image's requirements file, and let uv say what it would do unless that is known already."""
    image = environment.airflow_version
    name = requirements_name(image)
    if not (bundle.folder / name).is_file():
        yield failed("requirements", f"{name} is missing; make the bundle anew with `make bundle`", image)
        return
    text = (bundle.folder / name).read_text()
    findings = list(check_requirements(name, text, image, pins, bundle.shipped_texts()))
    yield from findings
    if all(finding.verdict.value == "ok" for finding in findings):
        succeeded, output = environment.dry_run(text, pins)
        yield from check_dry_run(name, output, succeeded, image, pins)


def check_image_processes(
    bundle: UnpackedBundle, image: str, probe: Probe, seconds: float = limits.DAG_IMPORT_SECONDS
) -> Iterator[Finding]:
    """Load the plugins as the web server does, and parse every DAG file as the DAG processor does."""
    modules = frozenset(Path(file).stem for file in bundle.dag_files())
    yield from check_web_server(image, probe.ask(bundle.plugins), bundle.plugins, modules | {"dags"})
    files = bundle.dag_files()
    if not files:
        yield failed("dag", "the bundle has no DAG file; make it anew with `make bundle`", image)
    for file in files:
        answer = probe.ask(bundle.plugins, bundle.dags, bundle.folder / file, seconds)
        yield from check_dag_file(image, file, answer, bundle.plugins)
