import pytest

from local_airflow.data_upload import SYNTHETIC_MARKER, find_data_files, upload_data
from local_airflow.stack_settings import StackError


class RecordingS3:
    """Remembers under which keys which files would go up."""

    def __init__(self):
        self.keys = []

    def upload_file(self, _path, _bucket, key):
        self.keys.append(key)


@pytest.fixture
def synthetic_folder(tmp_path):
    (tmp_path / "part-0.csv").write_text("a\n1\n")
    (tmp_path / SYNTHETIC_MARKER).write_text("{}")
    return tmp_path


@pytest.mark.parametrize("given", [".", "part-0.csv"], ids=["folder", "file in the folder"])
def test_upload_when_the_data_are_synthetic_then_the_marker_goes_along(synthetic_folder, given):
    s3 = RecordingS3()
    uri = upload_data(s3, synthetic_folder / given)
    prefix = uri.removeprefix("s3://churn-data/")
    assert s3.keys == [f"{prefix}part-0.csv", f"{prefix}{SYNTHETIC_MARKER}"]


def test_upload_when_the_marker_lies_in_a_subfolder_then_it_keeps_its_place(synthetic_folder):
    s3 = RecordingS3()
    (synthetic_folder / "day").mkdir()
    for name in ("part-0.csv", SYNTHETIC_MARKER):
        (synthetic_folder / name).rename(synthetic_folder / "day" / name)
    prefix = upload_data(s3, synthetic_folder).removeprefix("s3://churn-data/")
    assert s3.keys == [f"{prefix}day/part-0.csv", f"{prefix}day/{SYNTHETIC_MARKER}"]


def test_upload_when_the_content_differs_then_it_goes_to_another_folder(tmp_path):
    path = tmp_path / "a.csv"
    path.write_text("a\n1\n")
    first = upload_data(RecordingS3(), path)
    path.write_text("a\n2\n")
    assert upload_data(RecordingS3(), path) != first


def test_find_data_files_when_a_folder_holds_other_kinds_then_leaves_out_other_tools_marks_only(tmp_path):
    data = ["B.CSV", "a.csv", "c.csv.GZ", "d.tsv", "deep/er/e.pq", "f.xlsx", "readme"]
    for name in [*data, "_SUCCESS", ".a.csv.crc", "_temporary/part.csv", ".git/config", "deep/_x.csv"]:
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).touch()
    assert [path.relative_to(tmp_path).as_posix() for path in find_data_files(tmp_path)] == data


def test_find_data_files_when_a_folder_holds_none_then_names_the_variable_and_the_folder(tmp_path):
    (tmp_path / "_SUCCESS").touch()
    (tmp_path / "folder.csv").mkdir()
    with pytest.raises(StackError, match=rf"LABELS={tmp_path.name}: the folder holds no file"):
        find_data_files(tmp_path, "LABELS")
