"""What a person gives to a make command as NAME=value; every error names the variable and what to do."""

import contextlib
import json
import os
import re
from collections.abc import Callable
from datetime import date
from pathlib import Path
from typing import Any

from include.settings.run_parameters import ParameterError
from local_airflow.stack_settings import StackError


def read_text(name: str) -> str | None:
    """Return the variable, or None when it is empty or not given."""
    return os.environ.get(name, "").strip() or None


def read_path(name: str) -> Path | None:
    """Return an existing file or folder, looked for from where the person called make."""
    text = read_text(name)
    if text is None:
        return None
    path = path_of_caller(text)
    if not path.exists():
        raise StackError(f"{name}={text}: no such file or directory")
    return path


def path_of_caller(text: str) -> Path:
    """Return a path as the person meant it: seen from where they called make."""
    return Path(os.environ.get("CHURN_CALLER_DIR", "."), text).resolve()


def read_conf(example: str, read_parameters: Callable[..., object]) -> dict[str, Any]:
    """Return CONF, a JSON object of DAG parameters; `example` shows how one is written.

    `read_parameters` is the reader of the DAG that will get it: what the DAG would refuse is refused here, by
    name, before anything starts.
    """
    text = read_text("CONF")
    try:
        conf = json.loads(text) if text else {}
    except json.JSONDecodeError as error:
        raise StackError(f"CONF is not JSON ({error}); write it like CONF='{example}'") from None
    if not isinstance(conf, dict):
        raise StackError(f"CONF must be a JSON object of DAG parameters, like CONF='{example}'")
    try:
        read_parameters(conf=conf)
    except ParameterError as error:
        raise StackError(f"CONF: {error}") from None
    return conf


def read_date(name: str) -> date | None:
    """Return a calendar date written as YYYY-MM-DD."""
    text = read_text(name)
    if text is None:
        return None
    if re.fullmatch(r"\d{4}-\d{2}-\d{2}", text):
        with contextlib.suppress(ValueError):
            return date.fromisoformat(text)
    raise StackError(f"{name}={text} is not a date; write it like {name}=2026-11-24")


def read_version(name: str) -> str | None:
    """Return a model package version: a whole number from 1."""
    text = read_text(name)
    if text is not None and not re.fullmatch(r"[1-9][0-9]{0,8}", text):
        raise StackError(f"{name}={text} is not a version number; write it like {name}=3")
    return text
