"""Judges what the probe saw in an image's environment: plugins as in the web server, parsed DAG files."""

import re
import sys
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from scripts.preflight import limits
from scripts.preflight.findings import Finding, failed, passed

Answer = Mapping[str, Any]
_NO_MODULE = re.compile(r"No module named '([\w.]+)'")


def check_web_server(
    image: str, answer: Answer, plugins: Path, dag_modules: frozenset[str]
) -> Iterator[Finding]:
    """Judge the process that has plugins on its path and no DAGs: web server, scheduler, triggerer."""
    problems = list(_plugin_problems(answer, plugins, dag_modules))
    for problem in problems:
        yield failed("web server", problem, image)
    if not problems:
        names = ", ".join(answer["plugins"]["names"]) or "none"
        yield passed("web server", f"plugins load without DAGs on the path: {names}", image)


def _plugin_problems(answer: Answer, plugins: Path, dag_modules: frozenset[str]) -> Iterator[str]:
    if "crashed" in answer:
        yield f"loading plugins ended the process ({answer['crashed']}); mend the plugin"
        return
    if "too_slow" in answer:
        yield f"loading plugins takes longer than {answer['too_slow']:g} s; compute less at module level"
        return
    for file, error in answer["plugins"]["errors"].items():
        missing = _NO_MODULE.search(error)
        if missing and missing[1].split(".")[0] in dag_modules:
            yield (
                f"{Path(file).name} imports {missing[1]} from dags/, which the web server does not have; "
                "move what it needs to include/"
            )
        else:
            name = Path(file).name
            yield f"{name} does not load ({error[:200]}); mend it, or move what it needs to include/"
    for place in answer["reached_out"]:
        yield f"loading plugins makes {place}; do that inside a function that Airflow calls later"
    if not answer["plugins"]["names"] and not answer["plugins"]["errors"]:
        yield "no plugin was found; plugins.zip has them at its root"
    yield from _name_problems(answer, plugins)


def _name_problems(answer: Answer, plugins: Path) -> Iterator[str]:
    for name, file in sorted(answer["own_modules"].items()):
        inside = Path(file).is_relative_to(plugins / "include")
        if inside and name.split(".")[0] != "include":
            yield (
                f"include/{Path(file).relative_to(plugins / 'include')} was imported under the bare name "
                f"{name}; put the line `include` into plugins/.airflowignore"
            )
        elif name.split(".")[0] in sys.stdlib_module_names:
            yield f"{Path(file).name} took the place of the standard library's {name}; rename the file"
    for name in answer["shadowed_packages"]:
        file = Path(answer["own_modules"][name]).name
        yield f"{file} took the place of the installed package {name}; rename the file"


def check_dag_file(image: str, file: str, answer: Answer, plugins: Path) -> Iterator[Finding]:
    """Judge one parse: what it found, what it reached for, how long it took."""
    problems = [f"{file} {problem}" for problem in _dag_problems(file, answer, plugins)]
    for problem in problems:
        yield failed("dag", problem, image)
    if not problems:
        yield passed(
            "dag", f"{file} parses in {answer['seconds']:.1f} s of {limits.DAG_IMPORT_SECONDS:.0f} s", image
        )


def _dag_problems(file: str, answer: Answer, plugins: Path) -> Iterator[str]:
    if "crashed" in answer:
        yield f"ended the process ({answer['crashed']}); mend it"
        return
    if "too_slow" in answer:
        yield (
            f"takes longer than {answer['too_slow']:g} s to parse, and again every time: import and compute "
            "less at module level"
        )
        return
    if answer["seconds"] > limits.MOST_PARSE_SECONDS:
        yield (
            f"takes {answer['seconds']:.1f} s to parse; on MWAA's smallest class it may not end within "
            f"{limits.DAG_IMPORT_SECONDS:.0f} s: import less at module level"
        )
    # Whoever reached out often fails because it was refused: the cause is told, not the consequence.
    for place in answer["reached_out"]:
        yield f"reaches out while it is parsed: {place}; move it into a task"
    if not answer["reached_out"]:
        for error in answer["errors"].values():
            yield f"does not parse: {_advice(error)}"
    if answer["heavy"]:
        yield f"loads {', '.join(answer['heavy'])} at parse time; import it inside the function that needs it"
    yield from _dag_id_problems(file, answer)
    include = answer["own_modules"].get("include")
    if include and not Path(include).is_relative_to(plugins):
        yield "takes include from dags/; include ships in plugins.zip only"


def _advice(error: str) -> str:
    missing = _NO_MODULE.search(error)
    if missing is None:
        return f"{error[:300]}; mend the file"
    if missing[1].split(".")[0] == "include":
        return f"{error[:200]}; it did not ship: keep it in include/ with an __init__.py and build anew"
    return f"{error[:200]}; MWAA's image does not have it: move what needs it into a job"


def _dag_id_problems(file: str, answer: Answer) -> Iterator[str]:
    stem = Path(file).stem
    blamed = answer["errors"] or answer["reached_out"]
    if answer["dag_ids"] != [stem] and not blamed:
        found = ", ".join(answer["dag_ids"]) or "none"
        yield f"holds the DAGs {found}; one file holds one DAG with the file's name ({stem})"
    for dag_id in answer["dag_ids"]:
        if len(dag_id) > limits.MOST_DAG_ID_CHARACTERS:
            yield (
                f"has a DAG id of {len(dag_id)} characters; MWAA's REST API takes "
                f"{limits.MOST_DAG_ID_CHARACTERS}; shorten it"
            )
