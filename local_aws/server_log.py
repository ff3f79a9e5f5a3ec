"""The stand-in's own log: its standard output."""

from contextlib import suppress


def say(line: str) -> None:
    """Write one line; a reader that has gone away must not break the server."""
    with suppress(OSError):
        print(f"local_aws: {line}", flush=True)
