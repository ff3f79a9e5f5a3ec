"""Hyperparameters as a training job gets them: `--name value` pairs, and the JSON of SM_HPS."""

import json

from sagemaker_jobs.job_entry import InvalidInputError


def read_hyperparameter_tokens(tokens: list[str]) -> dict[str, str]:
    """Read `--name value` pairs (also `--name=value`, and the toolkit's `-n value`) into a mapping.

    Raises InvalidInputError for a value without a name, a name without a value, or a name given twice.
    """
    values: dict[str, str] = {}
    remaining = list(tokens)
    while remaining:
        token = remaining.pop(0)
        name, has_value, value = token.lstrip("-").partition("=")
        if not token.startswith("-") or not name:
            raise InvalidInputError(f"argument {token!r:.80} has no name; write --name value")
        if not has_value:
            if not remaining:
                raise InvalidInputError(f"hyperparameter {name} has no value; write --{name} value")
            value = remaining.pop(0)
        if name in values:
            raise InvalidInputError(f"hyperparameter {name} is given twice")
        values[name] = value
    return values


def read_sagemaker_hyperparameters(text: str | None) -> dict[str, object]:
    """Read the JSON of the SM_HPS variable; empty when it is not set. Raises InvalidInputError."""
    try:
        content = json.loads(text or "{}")
    except json.JSONDecodeError as error:
        raise InvalidInputError(f"environment variable SM_HPS is not JSON: {error}") from None
    if not isinstance(content, dict):
        raise InvalidInputError(f"environment variable SM_HPS: expected a JSON object, found {text!r:.80}")
    return content
