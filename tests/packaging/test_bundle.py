"""The bundle for MWAA: what it holds, that it is reproducible, and that it is written whole or not at all."""

import hashlib
import io
import json
import subprocess
import zipfile
from pathlib import Path

import pytest

from scripts.build_job_bundle import BundleError
from scripts.build_mwaa_bundle import build_mwaa_bundle, main, plugin_files
from scripts.bundle_manifest import BundleManifest, ManifestError, read_manifest
from scripts.mwaa_images import ImageError, read_pins, requirements_for_image, requirements_name

ROOT = Path(__file__).resolve().parents[2]


@pytest.fixture(scope="module")
def bundle(tmp_path_factory):
    folder = tmp_path_factory.mktemp("bundle") / "dist"
    build_mwaa_bundle(folder)
    return folder


def contents(folder):
    return {
        path.relative_to(folder).as_posix(): path.read_bytes() for path in folder.rglob("*") if path.is_file()
    }


def plugin_names(folder):
    with zipfile.ZipFile(folder / "plugins.zip") as archive:
        return archive.namelist()


def small_project(root, **files):
    base = {
        "dags/one.py": "from include.tasks import run\n",
        "plugins/notes.py": "",
        "plugins/.airflowignore": "include\n",
        "include/__init__.py": "",
        "include/tasks/__init__.py": "",
        "include/tasks/run.py": "def go():\n    from include.settings import table\n",
        "include/settings/__init__.py": "",
        "include/settings/table.py": "",
        "include/settings/table.yaml": "a: 1\n",
        "include/statistics_of_jobs/__init__.py": "",
        "include/statistics_of_jobs/heavy.py": "import numpy\n",
    }
    for name, text in {**base, **files}.items():
        (root / name).parent.mkdir(parents=True, exist_ok=True)
        (root / name).write_text(text)
    return root


def test_bundle_when_built_twice_then_the_bytes_are_the_same(bundle, tmp_path):
    build_mwaa_bundle(tmp_path / "again")
    assert contents(tmp_path / "again") == contents(bundle)


def test_bundle_when_built_over_an_older_one_then_nothing_of_it_is_left(bundle, tmp_path):
    folder = tmp_path / "dist"
    (folder / "dags").mkdir(parents=True)
    (folder / "dags" / "removed_since.py").write_text("")
    (folder / "preflight.json").write_text("{}")
    build_mwaa_bundle(folder)
    assert contents(folder) == contents(bundle)
    assert [path.name for path in tmp_path.iterdir()] == ["dist"]


def test_revision_when_a_clean_checkout_is_bundled_into_itself_then_is_the_commit(tmp_path):
    if not (ROOT / ".git").exists():
        pytest.skip("this copy of the project is no git checkout")
    checkout = tmp_path / "checkout"
    subprocess.run(["git", "clone", "--quiet", "--depth", "1", ROOT.as_uri(), checkout], check=True)
    head = subprocess.run(
        ["git", "-C", checkout, "rev-parse", "HEAD"], check=True, capture_output=True, text=True
    )
    assert build_mwaa_bundle(checkout / "dist", checkout).git_revision == head.stdout.strip()


def test_bundle_when_the_folder_is_somebody_elses_then_it_is_left_alone(tmp_path, capsys):
    (tmp_path / "thesis.txt").write_text("years of work")
    assert main(["--output-dir", str(tmp_path)]) == 2
    assert "'thesis.txt', which no bundle wrote" in capsys.readouterr().err
    assert contents(tmp_path) == {"thesis.txt": b"years of work"}


def test_bundle_when_a_dag_cannot_be_read_then_the_old_bundle_stays(tmp_path, monkeypatch):
    project = small_project(tmp_path / "project", **{"dags/broken.py": "def (:\n"})
    old = tmp_path / "dist"
    (old / "dags").mkdir(parents=True)
    (old / "dags" / "old.py").write_text("old")
    monkeypatch.setattr("scripts.build_mwaa_bundle.build_job_bundle", lambda *_: None)
    with pytest.raises(BundleError, match=r"dags/broken\.py, line 1"):
        build_mwaa_bundle(old, project)
    assert contents(old) == {"dags/old.py": b"old"}
    assert sorted(path.name for path in tmp_path.iterdir()) == ["dist", "project"]


def test_manifest_when_read_then_every_file_is_there_with_its_digest(bundle):
    manifest = read_manifest(bundle)
    found = contents(bundle)
    del found["manifest.json"]
    assert {file.path: (file.sha256, file.size) for file in manifest.files} == {
        name: (hashlib.sha256(content).hexdigest(), len(content)) for name, content in found.items()
    }
    assert manifest.dag_ids() == ("churn_drift_monitoring", "churn_retraining")
    assert BundleManifest.from_mapping(manifest.to_mapping()) == manifest


def test_manifest_when_of_another_contract_then_says_so(bundle, tmp_path):
    mapping = json.loads((bundle / "manifest.json").read_text()) | {"version": 9}
    (tmp_path / "manifest.json").write_text(json.dumps(mapping))
    with pytest.raises(ManifestError, match="mwaa_bundle version 9, wanted mwaa_bundle version 1"):
        read_manifest(tmp_path)


def test_plugins_archive_when_opened_then_its_root_is_the_plugins_folder(bundle):
    names = plugin_names(bundle)
    assert {".airflowignore", "run_notes.py", "include/__init__.py"} <= set(names)
    assert not [name for name in names if name.startswith(("plugins/", "/")) or ".." in name]


def test_plugins_archive_when_opened_then_holds_no_caches_and_nothing_that_only_jobs_import(bundle):
    names = plugin_names(bundle)
    assert not [name for name in names if "__pycache__" in name or name.endswith((".pyc", ".md"))]
    assert not [name for name in names if name.startswith("include/drift_statistics/")]
    assert "include/data_contracts/schemas/ibm_telco.yaml" in names
    assert "include/sagemaker_requests/images.json" in names


def test_plugins_archive_when_a_package_is_imported_inside_a_function_then_it_ships(tmp_path):
    files = plugin_files(small_project(tmp_path))
    assert set(files) == {
        ".airflowignore",
        "notes.py",
        "include/__init__.py",
        "include/tasks/__init__.py",
        "include/tasks/run.py",
        "include/settings/__init__.py",
        "include/settings/table.py",
        "include/settings/table.yaml",
    }


def test_job_bundle_when_in_the_bundle_then_its_archives_open(bundle):
    manifest = read_manifest(bundle)
    with zipfile.ZipFile(io.BytesIO((bundle / "job-bundle/churn_jobs.pyz").read_bytes())) as archive:
        assert "__main__.py" in archive.namelist()
    assert len(manifest.job_bundle) == 64


@pytest.mark.parametrize("version", ["3.3.1", "3.2.1"])
def test_requirements_when_for_an_image_then_constraint_and_pins_are_that_images(bundle, version):
    text = (bundle / requirements_name(version)).read_text()
    lock = read_pins((ROOT / f"requirements/preflight/{version}.lock").read_text())
    assert f"/constraints-{version}/constraints-3.12.txt" in text
    pins = read_pins(text)
    assert pins
    assert pins == {name: lock[name] for name in pins}


def test_requirements_when_an_image_lacks_a_package_then_says_where_it_belongs():
    with pytest.raises(
        ImageError, match=r"line 2: MWAA's image 3\.2\.1 has no pandas; ship what needs it in a job"
    ):
        requirements_for_image(
            '--constraint "https://x/constraints-3.3.1/c.txt"\npandas\n', "3.2.1", {"boto3": "1"}
        )


def test_requirements_when_an_image_is_not_proven_then_says_what_to_do():
    with pytest.raises(ImageError, match=r"no bundle is proven on Airflow 3\.4\.0 .* run make preflight"):
        requirements_name("3.4.0")


def test_startup_script_when_run_with_settings_then_leaves_them_and_does_not_exit():
    script = f"export CHURN_ARTIFACT_BUCKET='b'\n{(ROOT / 'startup.sh').read_text()}\necho after"
    done = subprocess.run(["sh", "-euc", script], capture_output=True, text=True, check=True, env={})
    assert done.stdout.splitlines() == ["churn: settings are there, artifacts go to b", "after"]


def test_startup_script_when_run_without_settings_then_warns_and_goes_on():
    script = f"{(ROOT / 'startup.sh').read_text()}\necho after"
    done = subprocess.run(["sh", "-euc", script], capture_output=True, text=True, check=True, env={})
    assert done.stdout == "after\n"
    assert "CHURN_ARTIFACT_BUCKET is not set" in done.stderr
