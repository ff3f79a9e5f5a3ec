"""Runs inside an image's environment: loads plugins and parses DAG files as MWAA's processes do, and looks.

One JSON request per line on standard input, one JSON answer per line on standard output. Airflow is imported
once; every request is handled in a forked child with a sys.path of its own, as the DAG processor does it.
Only the standard library and Airflow are imported here.

Request: {"dags": folder or null, "plugins": folder, "file": one DAG file or null, "seconds": time limit
of the whole request}.
Without `dags` the child is what the web server is: plugins alone. Nothing reaches the network, AWS or the
metadata database: whoever tries is named in `reached_out`.
"""

import json
import os
import select
import signal
import socket
import sys
import time
import traceback
from collections.abc import Callable
from functools import cache
from importlib.metadata import packages_distributions
from pathlib import Path
from typing import Any

# What no DAG file may load: not in the image, or seconds of import that the DAG processor pays each time.
HEAVY = ("numpy", "pandas", "scipy", "sklearn", "tensorflow", "pyarrow", "matplotlib", "joblib", "sagemaker")


def handle(request: dict[str, Any]) -> dict[str, Any]:
    """Answer one request in this process, which is changed for good by it."""
    plugins, dags = Path(request["plugins"]), request["dags"]
    sys.path += [str(plugins)] if dags is None else [str(dags), str(plugins)]
    before = {name: getattr(module, "__file__", None) for name, module in sys.modules.items()}
    reached_out: list[str] = []
    _refuse_to_reach_out(reached_out)
    answer = {"plugins": _load_plugins(plugins), "reached_out": reached_out}
    if request["file"]:
        began = time.perf_counter()
        answer |= _parse(Path(request["file"]))
        answer["seconds"] = round(time.perf_counter() - began, 3)
    loaded = {
        name: str(module.__file__)
        for name, module in sorted(sys.modules.items())
        if getattr(module, "__file__", None) and before.get(name) != module.__file__
    }
    ours = (str(plugins), *([] if dags is None else [str(dags)]))
    own = {name: file for name, file in loaded.items() if file.startswith(ours)}
    return {
        **answer,
        "own_modules": own,
        "shadowed_packages": sorted(set(own) & _installed_packages()),
        "heavy": sorted({name.split(".")[0] for name in loaded} & set(HEAVY)),
    }


@cache
def _installed_packages() -> frozenset[str]:
    """Return the names under which installed packages are imported; read once, before the first child."""
    return frozenset(packages_distributions())


def _refuse_to_reach_out(reached_out: list[str]) -> None:
    """Make every way out of this process raise, and note who took it: a file may swallow the exception."""

    def refuse(what: str) -> Callable[..., Any]:
        def refused(*_arguments: Any, **_named: Any) -> Any:
            reached_out.append(f"{what} at {_place_of_caller()}")
            raise RuntimeError(f"{what} while a file is parsed")

        return refused

    import boto3
    import boto3.session
    import botocore.session
    from airflow.models import Connection
    from airflow.models import Variable as CoreVariable
    from airflow.sdk import BaseHook, Variable

    for name in ("connect", "connect_ex", "sendto"):
        setattr(socket.socket, name, refuse("a network connection"))
    socket.getaddrinfo = socket.create_connection = refuse("a network connection")
    for owner in (boto3, boto3.session.Session):
        owner.client = owner.resource = refuse("an AWS client")
    botocore.session.Session.create_client = refuse("an AWS client")
    # The old ways in (airflow.models) still work, so they are refused too.
    for variable in (Variable, CoreVariable):  # noqa: AIR311
        variable.get = variable.set = refuse("an Airflow Variable")
    BaseHook.get_connection = Connection.get_connection_from_secrets = refuse("an Airflow Connection")  # noqa: AIR311


def _place_of_caller() -> str:
    """Return file and line of the innermost frame that is neither this module's nor a library's."""
    for frame in reversed(traceback.extract_stack()):
        if (
            "site-packages" not in frame.filename
            and frame.filename != __file__
            and "/lib/python" not in frame.filename
        ):
            return f"{Path(frame.filename).name}:{frame.lineno}"
    return "an unknown place"


def _load_plugins(folder: Path) -> dict[str, Any]:
    from airflow import plugins_manager, settings

    settings.PLUGINS_FOLDER = str(folder)
    plugins_manager.ensure_plugins_loaded()
    info = plugins_manager.get_plugin_info(["name", "source"])
    return {
        "names": sorted(
            str(plugin["name"])
            for plugin in info
            if str(folder) in str(plugin.get("source")) or "$PLUGINS_FOLDER" in str(plugin.get("source"))
        ),
        "errors": {str(source): str(error) for source, error in plugins_manager.get_import_errors().items()},
    }


def _parse(file: Path) -> dict[str, Any]:
    """Parse one file and serialize its DAGs: that form is what the DAG processor writes to the database."""
    from airflow.dag_processing.dagbag import DagBag
    from airflow.serialization.serialized_objects import DagSerialization

    bag = DagBag(dag_folder=str(file), collect_dags=False, bundle_path=file.parent, bundle_name="preflight")
    bag.process_file(str(file), only_if_updated=False, safe_mode=False)
    errors = dict(bag.import_errors)
    for dag_id, dag in bag.dags.items():
        try:
            json.dumps(DagSerialization.to_dict(dag))
        except Exception as error:  # whatever a DAG's values raise is the finding  # noqa: BLE001
            errors[f"{file.name}: {dag_id}"] = f"cannot be serialized: {error}"
    return {"dag_ids": sorted(bag.dags), "errors": {name: _last_line(text) for name, text in errors.items()}}


def _last_line(text: str) -> str:
    return text.strip().splitlines()[-1] if text.strip() else text


def _in_child(request: dict[str, Any]) -> str:
    """Handle a request in a forked child, which is ended when its time is over; return its answer line."""
    reading, writing = os.pipe()
    child = os.fork()
    if child == 0:
        os.close(reading)
        try:
            answer = handle(request)
        except BaseException:  # the child must never fall back into the loop  # noqa: BLE001
            answer = {"crashed": traceback.format_exc().strip().splitlines()[-1]}
        with os.fdopen(writing, "w") as pipe:
            pipe.write(json.dumps(answer))
        os._exit(0)
    os.close(writing)
    # Watched from here: Airflow takes the alarm clock of the child for its own limit.
    in_time = bool(select.select([reading], [], [], request["seconds"])[0])
    if not in_time:
        os.kill(child, signal.SIGKILL)
    with os.fdopen(reading) as pipe:
        text = pipe.read()
    _, status = os.waitpid(child, 0)
    if not in_time:
        return json.dumps({"too_slow": request["seconds"]})
    return text or json.dumps({"crashed": f"the process ended with status {status}"})


def main() -> None:
    """Import what every process of Airflow has imported, then answer requests until the input ends."""
    # Libraries print to standard output too; it is kept for answers.
    answers = os.fdopen(os.dup(sys.stdout.fileno()), "w")
    os.dup2(sys.stderr.fileno(), sys.stdout.fileno())
    import airflow.dag_processing.dagbag
    import airflow.plugins_manager
    import airflow.sdk
    import airflow.serialization.serialized_objects  # noqa: F401

    _installed_packages()
    for line in sys.stdin:
        print(_in_child(json.loads(line)), file=answers, flush=True)
    os._exit(0)  # nothing is left to be done; taking Airflow apart takes a second


if __name__ == "__main__":
    main()
