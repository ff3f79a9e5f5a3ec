"""Outputs of a job appear whole or not at all."""

import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path


@contextmanager
def staged_outputs(output_dir: Path, last_name: str) -> Iterator[Path]:
    """Yield a private directory; on success the files of its `outputs` move to `output_dir`, same places.

    Every file is complete before the first one moves; the one named `last_name` moves last, so that where it
    is, all are. On failure nothing of this run is left.
    """
    output_dir.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(prefix=".staged-", dir=output_dir) as temporary:
        staging = Path(temporary) / "outputs"
        staging.mkdir()
        yield Path(temporary)
        files = sorted(path for path in staging.rglob("*") if path.is_file())
        for path in sorted(files, key=lambda path: path.name == last_name):
            target = output_dir / path.relative_to(staging)
            target.parent.mkdir(parents=True, exist_ok=True)
            path.replace(target)
