import os
import subprocess

import pytest

from local_airflow.stack import job_code_signature


def git(project, *arguments):
    identity = ("-c", "user.name=a", "-c", "user.email=a@b.c")
    subprocess.run(["git", "-C", str(project), *identity, *arguments], check=True, capture_output=True)


@pytest.fixture
def project(tmp_path):
    """A project with one job module, committed."""
    (tmp_path / "sagemaker_jobs").mkdir()
    (tmp_path / "sagemaker_jobs/train.py").write_text("x = 1\n")
    git(tmp_path, "init", "-q")
    git(tmp_path, "add", "-A")
    git(tmp_path, "commit", "-qm", "first")
    return tmp_path


def test_signature_when_a_dirty_tree_is_committed_then_the_code_is_published_anew(project):
    clean = job_code_signature(project)
    assert job_code_signature(project) == clean
    (project / "notes.txt").write_text("not part of the bundle, but the tree is dirty\n")
    dirty = job_code_signature(project)
    git(project, "add", "-A")
    git(project, "commit", "-qm", "second")
    assert len({clean, dirty, job_code_signature(project)}) == 3


def test_signature_when_job_code_is_touched_then_the_code_is_published_anew(project):
    before = job_code_signature(project)
    os.utime(project / "sagemaker_jobs/train.py", (1, 1))
    assert job_code_signature(project) != before
