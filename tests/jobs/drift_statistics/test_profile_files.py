"""Profile files: portable, exact, small, and refused in one line when they are not what they should be."""

import dataclasses
import io
import zipfile

import numpy as np
import pytest

from include.drift_statistics.column_layouts import CategoricalLayout, ColumnSpec
from include.drift_statistics.comparison import compare_profiles
from include.drift_statistics.profile_files import (
    ProfileFileError,
    load_profile,
    profile_bytes,
    read_notes,
    read_profile,
    save_profile,
)
from include.drift_statistics.profiles import build_profile, count_rows

SPECS = {
    "number": ColumnSpec("numeric", valid_minimum=-50.0),
    "huge": ColumnSpec("numeric"),
    "level": ColumnSpec("categorical"),
}


def table(rows, seed):
    generator = np.random.default_rng(seed)
    return {
        "number": generator.lognormal(size=rows),
        "huge": generator.integers(2**53, 2**53 + 9, rows),
        "level": generator.choice(np.array(["ä", "b\n", None], dtype=object), rows),
    }


@pytest.fixture(scope="module")
def profile():
    return build_profile(table(20_000, 0), SPECS)


def test_save_profile_when_loaded_then_comparisons_are_identical(profile, tmp_path):
    save_profile(profile, tmp_path / "reference.profile", notes={"origin": "test"})
    loaded = load_profile(tmp_path / "reference.profile")
    current = table(2000, 1)
    expected = compare_profiles(profile, count_rows(profile.layout, current))
    found = compare_profiles(loaded, count_rows(loaded.layout, current))
    assert found.to_mapping() == expected.to_mapping()
    assert loaded.counts["huge"].maximum == profile.counts["huge"].maximum
    assert [path.name for path in tmp_path.iterdir()] == ["reference.profile"]


def test_save_profile_when_loaded_then_it_still_merges_with_the_original(profile):
    loaded = read_profile(profile_bytes(profile))
    merged = loaded.merge(profile)
    assert merged.rows == 2 * profile.rows
    assert merged.joint.squares is not None


def test_profile_bytes_when_profiles_are_equal_then_bytes_are_equal(profile):
    again = build_profile(table(20_000, 0), SPECS)
    assert profile_bytes(profile) == profile_bytes(again)
    assert len(profile_bytes(profile)) < 1_000_000


def test_read_notes_when_stored_then_returned(profile):
    assert read_notes(profile_bytes(profile, notes={"schema": "ibm"})) == {"schema": "ibm"}


def test_read_profile_when_any_byte_is_lost_then_refused_not_misread(profile):
    content = profile_bytes(profile)
    for length in range(0, len(content), len(content) // 40):
        with pytest.raises(ProfileFileError, match="cannot be read"):
            read_profile(content[:length], "short.profile")


def _with_pickle():
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w") as archive:
        array = io.BytesIO()
        np.save(array, np.array([{}], dtype=object), allow_pickle=True)
        archive.writestr("header.json", '{"contract": "drift_profile", "version": 1}')
        archive.writestr("0.knots.npy", array.getvalue())
    return buffer.getvalue()


def _of_version_9():
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w") as archive:
        archive.writestr("header.json", '{"contract": "drift_profile", "version": 9}')
    return buffer.getvalue()


@pytest.mark.parametrize(
    ("content", "message"),
    [(b"a,b\n1,2\n", "zip"), (_with_pickle(), "pickle"), (_of_version_9(), "version 9")],
)
def test_read_profile_when_content_is_foreign_then_one_line_says_why(content, message):
    with pytest.raises(ProfileFileError, match=message) as caught:
        read_profile(content, "foreign.profile")
    assert str(caught.value).startswith("foreign.profile: ")
    assert "\n" not in str(caught.value)


def test_load_profile_when_absent_then_one_line_names_the_path(tmp_path):
    with pytest.raises(ProfileFileError, match=r"absent\.profile"):
        load_profile(tmp_path / "absent.profile")


@pytest.mark.parametrize("column", ["number", "level"])
def test_read_profile_when_a_joint_score_is_too_large_then_refused_with_the_column(profile, column):
    layout = dict(profile.layout)
    if column == "number":
        layout[column] = dataclasses.replace(layout[column], score_table=layout[column].score_table * 2)
    else:
        layout[column] = CategoricalLayout({"a": 300})
    content = profile_bytes(dataclasses.replace(profile, layout=layout))
    with pytest.raises(ProfileFileError, match=f"a joint score of {column} lies beyond 255"):
        read_profile(content)
