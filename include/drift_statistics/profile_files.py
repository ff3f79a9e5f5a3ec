"""Profiles as portable files: a JSON header and plain integer and float arrays in one zip, no pickle."""

import io
import json
import math
import os
import zipfile
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from include.drift_statistics.column_layouts import (
    LARGEST_SCORE,
    SCORE_BINS,
    CategoricalLayout,
    Layout,
    NumericLayout,
)
from include.drift_statistics.joint_moments import JointMoments
from include.drift_statistics.level_counts import LevelCounts
from include.drift_statistics.moment_sums import MomentSums
from include.drift_statistics.numeric_counts import NumericCounts
from include.drift_statistics.profiles import Counts, Profile

PROFILE_VERSION = 1
HEADER = "header.json"
LARGEST_FILE_BYTES = 256 * 1024 * 1024
Arrays = dict[str, npt.NDArray[Any]]


class ProfileFileError(ValueError):
    """A file that is no profile this version can read; the message is one line and names the file."""


def save_profile(profile: Profile, path: Path | str, *, notes: Mapping[str, Any] | None = None) -> None:
    """Write a profile; equal profiles give equal bytes. `notes` is strict JSON (origin, schema)."""
    target = Path(path)
    temporary = target.with_name(f".{target.name}.{os.getpid()}.partial")
    try:
        temporary.write_bytes(profile_bytes(profile, notes=notes))
        temporary.replace(target)
    finally:
        temporary.unlink(missing_ok=True)


def profile_bytes(profile: Profile, *, notes: Mapping[str, Any] | None = None) -> bytes:
    """Content of a profile file."""
    arrays: Arrays = {}
    columns = [_pack(position, name, profile, arrays) for position, name in enumerate(profile.layout)]
    joint = None
    if profile.joint is not None:
        joint = {"rows": profile.joint.rows, "fourth_moments": profile.joint.squares is not None}
        arrays |= {"joint.sums": profile.joint.sums, "joint.products": profile.joint.products}
        if profile.joint.squares is not None and profile.joint.cubes is not None:
            arrays |= {"joint.squares": profile.joint.squares, "joint.cubes": profile.joint.cubes}
    header = {
        "contract": "drift_profile",
        "version": PROFILE_VERSION,
        "rows": profile.rows,
        "new_columns": list(profile.new_columns),
        "joint": joint,
        "notes": dict(notes or {}),
        "columns": columns,
    }
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", zipfile.ZIP_DEFLATED) as archive:
        _write(archive, HEADER, json.dumps(header, allow_nan=False, ensure_ascii=False).encode())
        for key, array in arrays.items():
            part = io.BytesIO()
            np.lib.format.write_array(part, np.ascontiguousarray(array), allow_pickle=False)
            _write(archive, f"{key}.npy", part.getvalue())
    return buffer.getvalue()


def _write(archive: zipfile.ZipFile, name: str, content: bytes) -> None:
    """A fixed time stamp keeps the bytes equal from run to run."""
    entry = zipfile.ZipInfo(name, date_time=(1980, 1, 1, 0, 0, 0))
    entry.compress_type = zipfile.ZIP_DEFLATED
    archive.writestr(entry, content)


def _pack(position: int, name: str, profile: Profile, arrays: Arrays) -> dict[str, Any]:
    layout, counts = profile.layout[name], profile.counts.get(name)
    if isinstance(layout, CategoricalLayout):
        levels = counts.levels if isinstance(counts, LevelCounts) else None
        missing = counts.missing if isinstance(counts, LevelCounts) else None
        scores = dict(layout.level_scores)
        return {"name": name, "kind": "categorical", "scores": scores, "levels": levels, "missing": missing}
    arrays[f"{position}.knots"] = layout.knots
    arrays[f"{position}.scores"] = layout.score_table
    packed: dict[str, Any] = {
        "name": name,
        "kind": "numeric",
        "guards": [layout.guard_low, layout.guard_high],
        "valid": [layout.valid_minimum, layout.valid_maximum],
        "centre": layout.centre,
        "limit_exponent": layout.limit_exponent,
        "score_low": layout.score_low,
        "score_step": layout.score_step,
        "counts": None,
    }
    if layout.unit:  # left out otherwise: profiles without units keep the bytes, and the name, they had
        packed["unit"] = layout.unit
    if isinstance(counts, NumericCounts):
        arrays[f"{position}.cells"] = counts.cells
        packed["counts"] = {
            "missing": counts.missing,
            "unreadable": counts.unreadable,
            "extremes": [counts.minimum, counts.maximum],
            "sums": [str(counts.sums.first), str(counts.sums.second)],  # beyond what JSON readers hold
        }
    return packed


def load_profile(path: Path | str) -> Profile:
    """Read a profile.

    Raises:
        ProfileFileError: the file is missing, no profile, of another version, or damaged.

    """
    source = Path(path)
    try:
        content = source.read_bytes()
    except OSError as error:
        raise ProfileFileError(
            f"{source}: cannot be read ({error.strerror}); give the path of a profile"
        ) from error
    return read_profile(content, str(source))


def read_profile(content: bytes, name: str = "profile") -> Profile:
    """Read the content of a profile file; `name` is used in errors."""
    try:
        header, arrays = _open(content)
        _check_contract(header)
        return _profile(header, arrays)
    except (KeyError, TypeError, ValueError, OSError, zipfile.BadZipFile, EOFError, AttributeError) as error:
        raise ProfileFileError(f"{name}: cannot be read as a drift profile: {error}") from error


def _check_contract(header: dict[str, Any]) -> None:
    if header.get("contract") != "drift_profile":
        raise ValueError("its header names another contract")
    if header.get("version") != PROFILE_VERSION:
        raise ValueError(f"version {header.get('version')}, this program reads {PROFILE_VERSION}")


def read_notes(content: bytes) -> dict[str, Any]:
    """Notes stored with a profile."""
    notes: dict[str, Any] = _open(content)[0]["notes"]
    return notes


def _open(content: bytes) -> tuple[dict[str, Any], Arrays]:
    with zipfile.ZipFile(io.BytesIO(content)) as archive:
        if sum(entry.file_size for entry in archive.infolist()) > LARGEST_FILE_BYTES:
            raise ValueError("it unpacks to more than 256 MiB")
        header: dict[str, Any] = json.loads(archive.read(HEADER))
        arrays = {
            entry.removesuffix(".npy"): np.lib.format.read_array(
                io.BytesIO(archive.read(entry)), allow_pickle=False
            )
            for entry in archive.namelist()
            if entry.endswith(".npy")
        }
    return header, arrays


def _profile(header: dict[str, Any], arrays: Arrays) -> Profile:
    layout: dict[str, Layout] = {}
    counts: dict[str, Counts] = {}
    for position, column in enumerate(header["columns"]):
        name = str(column["name"])
        if column["kind"] == "categorical":
            level_scores = {str(k): int(v) for k, v in column["scores"].items()}
            _check_scores(name, min(level_scores.values(), default=0), max(level_scores.values(), default=0))
            layout[name] = CategoricalLayout(level_scores)
            if column["levels"] is not None:
                levels = {str(k): int(v) for k, v in column["levels"].items()}
                counts[name] = LevelCounts(levels, int(column["missing"]))
            continue
        layout[name] = _numeric_layout(position, column, arrays)
        if column["counts"] is not None:
            counts[name] = _numeric_counts(position, column["counts"], arrays)
    joint = None
    if header["joint"] is not None:
        d = len(layout)
        parts = [arrays.get(f"joint.{part}") for part in ("sums", "products", "squares", "cubes")]
        if parts[0] is None or parts[1] is None or parts[0].shape != (d,) or parts[1].shape != (d, d):
            raise ValueError("its joint sums do not fit its columns")
        joint = JointMoments(
            tuple(layout), int(header["joint"]["rows"]), parts[0], parts[1], parts[2], parts[3]
        )
    return Profile(layout, counts, int(header["rows"]), joint, tuple(header["new_columns"]))


def _check_scores(name: str, lowest: int, highest: int) -> None:
    """Larger scores would make the sums of products inexact."""
    if lowest < -LARGEST_SCORE or highest > LARGEST_SCORE:
        raise ValueError(f"a joint score of {name} lies beyond {LARGEST_SCORE}")


def _numeric_layout(position: int, column: dict[str, Any], arrays: Arrays) -> NumericLayout:
    knots = arrays[f"{position}.knots"]
    if knots.ndim != 1 or knots.dtype not in (np.dtype(np.int64), np.dtype(np.float64)):
        raise ValueError(f"the knots of {column['name']} are not a list of numbers")
    if len(knots) > 1 and not bool((knots[1:] > knots[:-1]).all()):
        raise ValueError(f"the knots of {column['name']} are not increasing")
    centre = float(column["centre"])
    if not math.isfinite(centre):
        raise ValueError(f"the centre of {column['name']} is not finite")
    guards, valid = column["guards"], column["valid"]
    scores = arrays[f"{position}.scores"]
    if scores.shape != (SCORE_BINS,) or scores.dtype != np.int64:
        raise ValueError(f"the joint scores of {column['name']} are not {SCORE_BINS} whole numbers")
    _check_scores(column["name"], int(scores.min()), int(scores.max()))
    return NumericLayout(
        knots,
        guards[0],
        guards[1],
        valid[0],
        valid[1],
        centre,
        int(column["limit_exponent"]),
        float(column["score_low"]),
        float(column["score_step"]),
        scores,
        str(column.get("unit", "")),
    )


def _numeric_counts(position: int, packed: dict[str, Any], arrays: Arrays) -> NumericCounts:
    cells = arrays[f"{position}.cells"]
    if (
        cells.dtype != np.int64
        or cells.shape != (2 * len(arrays[f"{position}.knots"]) + 3,)
        or cells.min() < 0
    ):
        raise ValueError("counts do not fit the knots")
    first, second = (int(number) for number in packed["sums"])
    low, high = packed["extremes"]
    return NumericCounts(
        cells, int(packed["missing"]), int(packed["unreadable"]), low, high, MomentSums(first, second)
    )
