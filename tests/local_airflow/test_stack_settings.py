import json
import stat
from concurrent.futures import ThreadPoolExecutor

import pytest

from local_airflow.stack_settings import (
    STACK_MARK,
    StackSettings,
    load_secrets,
    process_environment,
    write_admin_password,
)


@pytest.fixture
def settings(tmp_path):
    return StackSettings(state_dir=tmp_path, airflow_port=8080, aws_port=5566)


def test_load_secrets_when_called_twice_then_gives_the_same_and_only_the_owner_reads_them(settings):
    assert load_secrets(settings) == load_secrets(settings)
    mode = (settings.state_dir / "secrets.json").stat().st_mode
    assert stat.S_IMODE(mode) == 0o600


def test_load_secrets_when_many_are_first_at_once_then_all_get_the_same(tmp_path):
    for attempt in range(20):
        fresh = StackSettings(state_dir=tmp_path / str(attempt), airflow_port=1, aws_port=2)
        with ThreadPoolExecutor(8) as pool:
            made = list(pool.map(lambda _, fresh=fresh: load_secrets(fresh), range(8)))
        assert all(entry == made[0] for entry in made)
        assert [path.name for path in fresh.state_dir.iterdir()] == ["secrets.json"]


def test_load_secrets_when_two_stacks_then_they_differ(tmp_path):
    first, second = (
        load_secrets(StackSettings(state_dir=tmp_path / name, airflow_port=1, aws_port=2)) for name in "ab"
    )
    assert not set(first.values()) & set(second.values())


def test_write_admin_password_when_written_then_airflow_reads_our_password(settings):
    write_admin_password(settings)
    path = settings.airflow_home / "simple_auth_manager_passwords.json"
    assert json.loads(path.read_text()) == {"admin": load_secrets(settings)["admin_password"]}


def test_process_environment_when_the_caller_has_aws_settings_then_none_leaks_in(settings, monkeypatch):
    monkeypatch.setenv("AWS_PROFILE", "production")
    monkeypatch.setenv("AWS_SESSION_TOKEN", "secret")
    monkeypatch.setenv("AIRFLOW__CORE__EXECUTOR", "CeleryExecutor")
    environment = process_environment(settings)
    assert "AWS_PROFILE" not in environment
    assert "AWS_SESSION_TOKEN" not in environment
    assert environment["AIRFLOW__CORE__EXECUTOR"] == "LocalExecutor"
    assert environment["AWS_ENDPOINT_URL"] == "http://127.0.0.1:5566"
    assert environment[STACK_MARK] == str(settings.state_dir)


def test_process_environment_when_composed_then_everything_listens_on_the_loopback_only(settings):
    environment = process_environment(settings)
    assert environment["AIRFLOW__API__HOST"] == "127.0.0.1"
