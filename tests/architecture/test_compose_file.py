"""What docker-compose.yaml promises, read from the file: no engine is needed."""

import json
import re
from pathlib import Path

import pytest
import yaml
from jsonschema import Draft7Validator

ROOT = Path(__file__).resolve().parents[2]
TEXT = (ROOT / "docker-compose.yaml").read_text()
SERVICES = yaml.safe_load(TEXT)["services"]
ENDING = {"init", "aws-setup"}
RUNNING = {name: service for name, service in SERVICES.items() if name not in ENDING}
GIGABYTE = 1024**3
UNITS = {"m": 1024**2, "g": GIGABYTE}
SCHEMA = json.loads((Path(__file__).parent / "compose_schema/compose_spec.json").read_text())
DOCKERFILES = sorted((ROOT / "docker").rglob("Dockerfile"))


def bytes_of(limit: str) -> int:
    return int(limit[:-1]) * UNITS[limit[-1]]


def faults_of(compose_file: str) -> list[str]:
    found = Draft7Validator(SCHEMA).iter_errors(yaml.safe_load(compose_file))
    return [f"{'.'.join(str(part) for part in error.absolute_path)}: {error.message}" for error in found]


def test_compose_file_when_held_against_the_compose_schema_then_has_no_fault():
    assert faults_of(TEXT) == []


@pytest.mark.parametrize(
    ("right", "wrong", "where"),
    [
        ("    mem_limit: 64m", "    mem_limt: 64m", "services.redis: 'mem_limt' does not match"),
        ('    restart: "no"', "    restart: [no]", "services.aws-setup.restart: "),
        ("condition: service_healthy", "conditon: service_healthy", "services.aws-setup.depends_on: "),
        ("      timeout: 5s", "      time_out: 5s", "services.postgres.healthcheck: "),
        ("\nvolumes:\n", "\nvolume:\n", ": 'volume' does not match"),
    ],
)
def test_compose_file_when_a_key_is_misspelt_then_the_schema_names_the_service(right, wrong, where):
    assert right in TEXT
    told = faults_of(TEXT.replace(right, wrong))
    assert any(fault.startswith(where) for fault in told), told


def test_services_when_listed_then_are_those_of_mwaa_and_the_stand_in():
    assert set(SERVICES) == {
        "postgres", "redis", "local-aws", "aws-setup", "init",
        "api-server", "scheduler", "dag-processor", "worker", "triggerer",
    }  # fmt: skip


@pytest.mark.parametrize("name", SERVICES)
def test_service_when_it_runs_then_has_a_user_other_than_root_and_no_capabilities(name):
    assert SERVICES[name]["user"].split(":")[0] not in {"0", "root", ""}
    assert SERVICES[name]["cap_drop"] == ["ALL"]
    assert SERVICES[name]["security_opt"] == ["no-new-privileges:true"]


def test_ports_when_published_then_are_on_the_loopback_only():
    ports = [port for service in SERVICES.values() for port in service.get("ports", [])]
    assert len(ports) == 2
    assert all(port.startswith("127.0.0.1:") for port in ports)


@pytest.mark.parametrize("name", RUNNING)
def test_service_when_it_keeps_running_then_has_a_health_check_and_comes_back(name):
    assert RUNNING[name]["healthcheck"]["test"]
    assert RUNNING[name]["restart"] == "unless-stopped"


def test_start_order_when_a_service_needs_another_then_waits_until_it_works():
    waits = {
        (name, other): condition["condition"]
        for name, service in SERVICES.items()
        for other, condition in service.get("depends_on", {}).items()
    }
    assert waits
    for (name, other), condition in waits.items():
        wanted = "service_completed_successfully" if other in ENDING else "service_healthy"
        assert condition == wanted, f"{name} waits for {other}"


def test_memory_when_all_services_take_what_they_may_then_two_of_eight_gigabytes_are_left():
    assert sum(bytes_of(service["mem_limit"]) for service in RUNNING.values()) <= 6 * GIGABYTE
    assert all("mem_limit" in service for service in SERVICES.values())


def test_volumes_when_something_is_kept_then_are_named_and_the_checkout_is_read_only():
    named = set(yaml.safe_load(TEXT)["volumes"])
    for service in SERVICES.values():
        for volume in service.get("volumes", []):
            source, _, target = volume.partition(":")
            assert source in named or target.endswith(":ro"), volume


def test_secrets_when_the_file_is_read_then_all_come_from_the_environment_file(tmp_path):
    needed = set(re.findall(r"\$\{(STACK_\w+(?:PASSWORD|KEY|SECRET))", TEXT))
    made = (ROOT / "scripts/make_stack_secrets").read_text()
    assert needed == set(re.findall(r'"(STACK_\w+)":', made))
    assert ".env" in (ROOT / ".gitignore").read_text().splitlines()


def test_secrets_when_there_is_no_environment_file_then_compose_stops_and_names_the_command():
    uses = re.findall(r"\$\{(STACK_\w+(?:PASSWORD|KEY|SECRET))([^}]*)\}", TEXT)
    assert {advice for _, advice in uses} == {":?run scripts/make_stack_secrets first"}
    # docker-compose shows the whole environment of the first service that lacks one: a short one comes first.
    assert next(iter(SERVICES)) == "postgres"
    assert "STACK_POSTGRES_PASSWORD" in str(SERVICES["postgres"]["environment"])


def test_base_images_when_dockerfiles_name_them_then_a_stand_in_exists_for_each():
    built = (ROOT / "docker/stand_in_images/build").read_text()
    of_dockerfiles = {
        image
        for path in DOCKERFILES
        for image, stage in re.findall(r"^FROM (\S+)(?: AS (\S+))?", path.read_text(), flags=re.MULTILINE)
        if ":" in image
    }
    of_compose = {service["image"] for service in SERVICES.values() if "build" not in service}
    assert of_dockerfiles
    assert {image for image in of_dockerfiles | of_compose if image not in built} == set()
