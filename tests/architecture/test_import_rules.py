"""Who may import whom (docs/architecture.md), read from the source of every module."""

import ast
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
HEAVY = {"pandas", "numpy", "scipy", "sklearn", "tensorflow", "keras", "pyarrow", "joblib", "matplotlib"}
FORBIDDEN_NAMES = {"utils", "common", "helpers", "core", "misc"}

# package → what of this project it may import
ALLOWED = {
    "dags": {"include.airflow_tasks", "include.settings"},
    "include.airflow_tasks": {
        "include.airflow_tasks",
        "include.sagemaker_requests",
        "include.drift_alerts",
        "include.model_quality_gate",
        "include.settings",
        "include.data_contracts",
    },
    "include.sagemaker_requests": {
        "include.sagemaker_requests",
        "include.settings",
        "include.data_contracts",
    },
    "include.model_quality_gate": {
        "include.model_quality_gate",
        "include.settings",
        "include.data_contracts",
    },
    "include.drift_alerts": {
        "include.drift_alerts",
        "include.settings",
        "include.data_contracts",
    },
    "include.settings": {"include.settings"},
    "include.data_contracts": {"include.data_contracts", "include.settings"},
    "include.drift_statistics": {"include.drift_statistics", "include.data_contracts"},
    "sagemaker_jobs": {
        "sagemaker_jobs",
        "include.drift_statistics",
        "include.data_contracts",
        "include.model_quality_gate",
    },
    "local_aws": {"local_aws"},
    "local_airflow": {
        "local_airflow",
        "include.data_contracts",
        "include.settings",
        "scripts.build_job_bundle",
    },
    "scripts": {"scripts", "include.data_contracts", "include.sagemaker_requests", "include.settings"},
}
# The laptop's supervisor imports Airflow once, for the components it forks.
# The preflight's probe runs inside the environments that stand for MWAA's images.
MAY_IMPORT_AIRFLOW = (
    "dags",
    "include.airflow_tasks",
    "plugins",
    "local_airflow.airflow_processes",
    "scripts.preflight.probe",
)
OURS = ("dags", "include", "sagemaker_jobs", "local_aws", "local_airflow", "plugins", "scripts", "tests")


def source_files() -> list[Path]:
    return sorted(
        path
        for folder in (
            "dags",
            "include",
            "sagemaker_jobs",
            "local_aws",
            "local_airflow",
            "plugins",
            "scripts",
        )
        for path in (ROOT / folder).rglob("*.py")
    )


def module_name(path: Path) -> str:
    return ".".join(path.relative_to(ROOT).with_suffix("").parts).removesuffix(".__init__")


def rule_for(module: str) -> set[str]:
    matches = [package for package in ALLOWED if module == package or module.startswith(package + ".")]
    return ALLOWED[max(matches, key=len)] if matches else set()


def imported_modules(tree: ast.AST) -> list[tuple[int, str]]:
    found = []
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            found += [(node.lineno, alias.name) for alias in node.names]
        elif isinstance(node, ast.ImportFrom) and node.level == 0 and node.module:
            found.append((node.lineno, node.module))
    return found


def module_level_imports(tree: ast.Module) -> list[tuple[int, str]]:
    outside_functions = [
        node
        for node in tree.body
        if not isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef)
    ]
    return imported_modules(ast.Module(body=outside_functions, type_ignores=[]))


def test_source_files_when_collected_then_every_package_is_there():
    packages = {module_name(path).split(".")[0] for path in source_files()}
    assert packages >= {"dags", "include", "sagemaker_jobs", "local_aws", "local_airflow", "scripts"}


@pytest.mark.parametrize("path", source_files(), ids=module_name)
def test_imports_when_read_then_follow_the_architecture(path):
    module = module_name(path)
    allowed = rule_for(module)
    broken = [
        f"line {line}: {name}"
        for line, name in imported_modules(ast.parse(path.read_text()))
        if name.split(".")[0] in OURS
        and name != "include"
        and not any(name == package or name.startswith(package + ".") for package in allowed)
    ]
    assert not broken, f"{module} may import {sorted(allowed)} only; it imports {broken}"


@pytest.mark.parametrize("path", source_files(), ids=module_name)
def test_airflow_when_imported_then_only_where_it_may_be(path):
    module = module_name(path)
    imports = [
        name for _, name in imported_modules(ast.parse(path.read_text())) if name.split(".")[0] == "airflow"
    ]
    assert not imports or module.startswith(MAY_IMPORT_AIRFLOW), f"{module} imports {imports}"


@pytest.mark.parametrize(
    "path",
    [
        path
        for path in source_files()
        if not module_name(path).startswith(("sagemaker_jobs", "include.drift_statistics"))
    ],
    ids=module_name,
)
def test_heavy_libraries_when_outside_the_jobs_then_never_at_module_level(path):
    imports = {name.split(".")[0] for _, name in module_level_imports(ast.parse(path.read_text()))}
    assert not imports & HEAVY


@pytest.mark.parametrize(
    "path",
    [
        path
        for path in source_files()
        if module_name(path).startswith(("include.settings", "include.data_con", "include.drift_alerts"))
    ],
    ids=module_name,
)
def test_settings_contracts_and_alerts_when_imported_then_need_the_standard_library_only(path):
    outside = {
        name
        for _, name in module_level_imports(ast.parse(path.read_text()))
        if name.split(".")[0] not in {*sys.stdlib_module_names, "include"}
    }
    assert not outside


@pytest.mark.parametrize("path", source_files(), ids=module_name)
def test_module_when_written_then_is_short_and_named_for_what_it_does(path):
    lines = len(path.read_text().splitlines())
    assert lines <= 400, f"{path.relative_to(ROOT)} has {lines} lines; split what has two reasons to change"
    assert not {part.removesuffix(".py") for part in path.relative_to(ROOT).parts} & FORBIDDEN_NAMES


def test_tests_when_laid_out_then_none_shadows_the_include_package():
    assert not (ROOT / "tests" / "include").exists()
    assert not list((ROOT / "tests").rglob("__init__.py"))
