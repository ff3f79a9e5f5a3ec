import io
import json
import os
import subprocess
import sys
import tarfile
import zipfile

import boto3
import pytest
from moto import mock_aws

from include.data_contracts.feature_schema import FeatureSchema, list_bundled_schema_names, load_schema
from include.data_contracts.run_plan import JobBundle
from scripts.build_job_bundle import (
    BundleError,
    build_job_bundle,
    git_revision,
    main,
    upload_job_bundle,
)

BUCKET = "churn-artifacts"


@pytest.fixture(scope="module")
def bundle(tmp_path_factory):
    return build_job_bundle(tmp_path_factory.mktemp("bundle"))


def tar_files(path):
    with tarfile.open(path) as archive:
        return {member.name: archive.extractfile(member).read() for member in archive.getmembers()}


def zip_files(path):
    with zipfile.ZipFile(path) as archive:
        assert archive.testzip() is None
        return {name: archive.read(name) for name in archive.namelist()}


def plain_python(*arguments, cwd):
    """Run Python without this project, its environment variables or its packages on the path."""
    return subprocess.run(
        [sys.executable, "-I", *arguments], cwd=cwd, capture_output=True, text=True, check=False, env={}
    )


def small_project(root, files):
    for name, text in files.items():
        (root / name).parent.mkdir(parents=True, exist_ok=True)
        (root / name).write_text(text)
    return root


PROJECT = {
    "sagemaker_jobs/__init__.py": "",
    "sagemaker_jobs/job.py": "from include.shapes import circle\n\ndef run():\n    import include.late\n",
    "include/__init__.py": "",
    "include/shapes/__init__.py": "",
    "include/shapes/circle.py": "import math\nfrom include.base import PI\n",
    "include/shapes/square.py": "",
    "include/base.py": "PI = 3\n",
    "include/late.py": "",
    "include/unused.py": "import airflow\n",
    "include/shapes/notes.yaml": "a: 1\n",
}


# --- what is inside ---------------------------------------------------------------------------------------


def test_bundle_when_built_then_both_archives_hold_the_same_tree_beside_their_entry(bundle):
    training, processing = tar_files(bundle.training_source), zip_files(bundle.processing_source)
    assert set(training) - set(processing) == {"train.py"}
    assert set(processing) - set(training) == {"__main__.py"}
    assert all(training[name] == processing[name] for name in set(training) & set(processing))


def test_bundle_when_built_then_holds_the_jobs_and_nothing_that_airflow_or_yaml_needs(bundle):
    names = set(tar_files(bundle.training_source))
    jobs = {"sagemaker_jobs/preprocess.py", "sagemaker_jobs/train.py", "sagemaker_jobs/evaluate.py"}
    assert jobs | {"sagemaker_jobs/inference.py", "include/data_contracts/feature_schema.py"} <= names
    assert {name.rpartition(".")[2] for name in names} == {"py", "json"}
    foreign = ("include/airflow_tasks", "include/settings", "include/sagemaker_requests", "tests", "dags")
    assert not [name for name in names if name.startswith(foreign)]


def test_bundle_when_built_then_schemas_are_compiled_to_equal_json(bundle):
    files = zip_files(bundle.processing_source)
    for name in list_bundled_schema_names():
        content = json.loads(files[f"include/data_contracts/schemas/{name}.json"])
        assert FeatureSchema.from_mapping(content) == load_schema(name)


def test_bundle_when_job_code_imports_a_module_then_it_and_what_it_imports_are_there_and_no_more(tmp_path):
    project = small_project(tmp_path / "project", PROJECT)
    names = set(tar_files(build_job_bundle(tmp_path / "out", project).training_source))
    code = {name for name in names if name.endswith(".py")}
    assert code == {
        "train.py", "sagemaker_jobs/__init__.py", "sagemaker_jobs/job.py", "include/__init__.py",
        "include/shapes/__init__.py", "include/shapes/circle.py", "include/base.py", "include/late.py",
    }  # fmt: skip


@pytest.mark.parametrize(
    "line", ["import airflow", "from airflow.sdk import task", "def f():\n    from include.settings import x"]
)
def test_bundle_when_job_code_imports_what_the_images_lack_then_is_refused_by_name(tmp_path, line):
    project = small_project(tmp_path / "project", {**PROJECT, "include/base.py": f"{line}\n"})
    with pytest.raises(BundleError, match=r"include/base\.py imports (airflow|include\.settings)"):
        build_job_bundle(tmp_path / "out", project)
    assert not (tmp_path / "out").exists()


def test_bundle_when_job_code_does_not_parse_then_names_file_and_line(tmp_path):
    project = small_project(tmp_path / "project", {**PROJECT, "sagemaker_jobs/job.py": "x = 1\nx = = 2\n"})
    with pytest.raises(BundleError, match=r"sagemaker_jobs/job\.py, line 2"):
        build_job_bundle(tmp_path / "out", project)


def test_bundle_when_there_is_no_job_code_then_says_so(tmp_path):
    with pytest.raises(BundleError, match="no job code"):
        build_job_bundle(tmp_path / "out", tmp_path)


# --- same input, same bytes ---------------------------------------------------------------------------------


def test_bundle_when_built_twice_then_is_identical_to_the_byte(bundle, tmp_path):
    again = build_job_bundle(tmp_path)
    assert again.sha256 == bundle.sha256
    assert again.training_source.read_bytes() == bundle.training_source.read_bytes()
    assert again.processing_source.read_bytes() == bundle.processing_source.read_bytes()


def test_bundle_when_only_times_and_modes_of_files_change_then_is_the_same(tmp_path):
    project = small_project(tmp_path / "project", PROJECT)
    before = build_job_bundle(tmp_path / "before", project)
    for path in project.rglob("*.py"):
        os.utime(path, (1, 1))
        path.chmod(0o600)
    assert build_job_bundle(tmp_path / "after", project).sha256 == before.sha256


def test_bundle_when_one_character_changes_then_has_another_name(tmp_path):
    project = small_project(tmp_path / "project", PROJECT)
    before = build_job_bundle(tmp_path / "before", project)
    (project / "include/base.py").write_text("PI = 4\n")
    assert build_job_bundle(tmp_path / "after", project).sha256 != before.sha256


# --- it runs -----------------------------------------------------------------------------------------------


def test_zipapp_when_run_by_a_plain_python_then_lists_the_jobs(bundle, tmp_path):
    shown = plain_python(str(bundle.processing_source), "--help", cwd=tmp_path)
    assert shown.returncode == 0
    assert all(job in shown.stdout for job in ("preprocess", "train", "evaluate"))


def test_zipapp_when_the_job_is_unknown_then_one_line_and_exit_code_2(bundle, tmp_path):
    shown = plain_python(str(bundle.processing_source), "fly", cwd=tmp_path)
    assert shown.returncode == 2
    assert shown.stderr.startswith("error: unknown job 'fly'")
    assert len(shown.stderr.splitlines()) == 1


def test_train_script_when_unpacked_and_run_by_a_plain_python_then_reads_its_arguments(bundle, tmp_path):
    with tarfile.open(bundle.training_source) as archive:
        archive.extractall(tmp_path, filter="data")
    # Without -I: SageMaker runs the script with its folder on the path.
    shown = subprocess.run(
        [sys.executable, "train.py", "--algorithm", "magic"],
        cwd=tmp_path, capture_output=True, text=True, check=False, env={},
    )  # fmt: skip
    assert shown.returncode == 2
    assert "unknown algorithm 'magic'" in shown.stderr


def test_schemas_when_read_from_inside_the_zipapp_then_are_those_of_the_project(bundle, tmp_path):
    code = (
        f"import sys; sys.path.insert(0, {str(bundle.processing_source)!r})\n"
        "from include.data_contracts.feature_schema import list_bundled_schema_names, load_schema\n"
        "print({name: load_schema(name).fingerprint() for name in list_bundled_schema_names()})"
    )
    shown = plain_python("-S", "-c", code, cwd=tmp_path)  # -S: no site packages, so no PyYAML
    assert shown.stderr == ""
    expected = {name: load_schema(name).fingerprint() for name in list_bundled_schema_names()}
    assert shown.stdout.strip() == repr(expected)


# --- upload ------------------------------------------------------------------------------------------------


@pytest.fixture
def s3(monkeypatch):
    for name in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY"):
        monkeypatch.setenv(name, "test")
    monkeypatch.setenv("AWS_DEFAULT_REGION", "us-east-1")
    for name in ("AWS_PROFILE", "AWS_ENDPOINT_URL"):
        monkeypatch.delenv(name, raising=False)
    with mock_aws():
        client = boto3.client("s3")
        client.create_bucket(Bucket=BUCKET)
        yield client


@pytest.fixture
def written_keys(s3):
    keys = []
    s3.meta.events.register(
        "provide-client-params.s3.PutObject", lambda params, **_: keys.append(params["Key"])
    )
    return keys


def read_pointer(s3):
    return json.load(s3.get_object(Bucket=BUCKET, Key="job-bundles/current.json")["Body"])


def test_upload_when_the_content_is_new_then_archives_come_first_and_the_pointer_last(
    bundle, s3, written_keys
):
    pointer = upload_job_bundle(bundle, BUCKET, "abc-dirty", s3)
    folder = f"job-bundles/{bundle.sha256}"
    assert written_keys == [
        f"{folder}/sourcedir.tar.gz",
        f"{folder}/churn_jobs.pyz",
        "job-bundles/current.json",
    ]
    assert pointer == JobBundle(f"s3://{BUCKET}/{folder}", bundle.sha256, "abc-dirty")
    assert JobBundle.from_mapping(read_pointer(s3)) == pointer
    stored = s3.get_object(Bucket=BUCKET, Key=f"{folder}/churn_jobs.pyz")["Body"].read()
    assert zip_files(io.BytesIO(stored)) == zip_files(bundle.processing_source)


def test_upload_when_the_content_is_known_then_only_the_pointer_is_written(bundle, s3, written_keys):
    upload_job_bundle(bundle, BUCKET, "abc", s3)
    written_keys.clear()
    upload_job_bundle(bundle, BUCKET, "def", s3)
    assert written_keys == ["job-bundles/current.json"]
    assert read_pointer(s3)["git_revision"] == "def"


def test_upload_when_the_content_changes_then_the_old_bundle_stays_and_the_pointer_moves(
    bundle, s3, tmp_path
):
    upload_job_bundle(bundle, BUCKET, "abc", s3)
    other = build_job_bundle(tmp_path / "out", small_project(tmp_path / "project", PROJECT))
    upload_job_bundle(other, BUCKET, "def", s3)
    keys = {entry["Key"] for entry in s3.list_objects_v2(Bucket=BUCKET)["Contents"]}
    assert len(keys) == 5
    assert read_pointer(s3)["sha256"] == other.sha256


def test_upload_when_an_earlier_one_was_cut_short_then_is_completed(bundle, s3, written_keys):
    s3.put_object(Bucket=BUCKET, Key=f"job-bundles/{bundle.sha256}/sourcedir.tar.gz", Body=b"x")
    written_keys.clear()
    upload_job_bundle(bundle, BUCKET, "abc", s3)
    assert written_keys == [f"job-bundles/{bundle.sha256}/churn_jobs.pyz", "job-bundles/current.json"]


def test_command_when_asked_to_upload_then_tells_the_address(s3, capsys):
    assert main(["--upload", f"s3://{BUCKET}"]) == 0
    assert f"job bundle s3://{BUCKET}/job-bundles/{read_pointer(s3)['sha256']}" in capsys.readouterr().out


def test_command_when_given_a_folder_then_writes_both_archives_there(tmp_path, capsys):
    assert main(["--output-dir", str(tmp_path)]) == 0
    assert {path.name for path in tmp_path.iterdir()} == {"sourcedir.tar.gz", "churn_jobs.pyz"}
    assert str(tmp_path) in capsys.readouterr().out


@pytest.mark.parametrize(
    ("target", "told"),
    [
        ("churn-artifacts", "not an S3 address"),
        ("s3://churn-artifacts/folder", "give the bucket only"),
        ("s3://no-such-bucket", "no-such-bucket"),
    ],
)
def test_command_when_the_target_is_wrong_then_one_line_and_exit_code_2(s3, capsys, target, told):
    assert main(["--upload", target]) == 2
    error = capsys.readouterr().err
    assert error.startswith("error: ")
    assert told in error
    assert len(error.splitlines()) == 1


# --- revision ----------------------------------------------------------------------------------------------


@pytest.fixture
def repository(tmp_path, monkeypatch):
    for role in ("AUTHOR", "COMMITTER"):
        monkeypatch.setenv(f"GIT_{role}_NAME", "test")
        monkeypatch.setenv(f"GIT_{role}_EMAIL", "test@example.invalid")
    (tmp_path / "file").write_text("1")
    for arguments in (["init", "-q"], ["add", "file"], ["commit", "-q", "-m", "first"]):
        subprocess.run(["git", "-C", str(tmp_path), *arguments], check=True)
    return tmp_path


def test_git_revision_when_the_tree_is_clean_then_is_the_commit(repository):
    head = subprocess.run(
        ["git", "-C", str(repository), "rev-parse", "HEAD"], capture_output=True, text=True, check=True
    ).stdout
    assert git_revision(repository) == head.strip()
    assert len(head.strip()) == 40


@pytest.mark.parametrize("name", ["file", "new_file"])
def test_git_revision_when_the_tree_differs_then_is_marked_dirty(repository, name):
    (repository / name).write_text("2")
    assert git_revision(repository).endswith("-dirty")


def test_git_revision_when_outside_git_or_inside_anothers_repository_then_is_unknown(
    repository, tmp_path_factory
):
    assert git_revision(tmp_path_factory.mktemp("plain")) == "unknown"
    (repository / "unpacked").mkdir()
    assert git_revision(repository / "unpacked") == "unknown"
