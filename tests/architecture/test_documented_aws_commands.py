"""Each `aws`, `terraform output` and tfvars line of the documents, held against AWS's models and the code."""

import re
from pathlib import Path

import botocore.session
import pytest
from botocore import xform_name

ROOT = Path(__file__).resolve().parents[2]
DOCUMENTS = sorted([ROOT / "README.md", ROOT / "infrastructure/README.md", *(ROOT / "docs").rglob("*.md")])
# The command line's own: options of every command, and commands that are no operation of a service.
EVERYWHERE = {"output", "query", "region", "profile", "endpoint-url", "max-items", "cli-binary-format"}
OWN_COMMANDS = {("s3", "cp"), ("s3", "ls"), ("s3", "rm"), ("s3", "sync"), ("logs", "tail")}
SERVICE_NAMES = {"s3api": "s3"}
COMMAND = re.compile(r"(?<![\w/-])aws ([a-z][a-z0-9-]+) ([a-z][a-z0-9-]+)((?:(?!\baws [a-z]|[|\n`]).)*)")
SESSION = botocore.session.get_session()


def commands(document: Path) -> list[tuple[str, str, set[str]]]:
    """Service, operation and options of each command in a document's code."""
    code = "\n".join(re.findall(r"```.*?```|`[^`]+`", document.read_text(), flags=re.DOTALL))
    joined = re.sub(r"\\\n\s*", " ", code)
    return [
        (service, operation, set(re.findall(r"(?<=\s)--([a-z][a-z0-9-]*)", rest)))
        for service, operation, rest in COMMAND.findall(joined)
    ]


def faults_of(service: str, operation: str, options: set[str]) -> list[str]:
    if (service, operation) in OWN_COMMANDS:
        return []
    try:
        model = SESSION.get_service_model(SERVICE_NAMES.get(service, service))
    except botocore.exceptions.UnknownServiceError:
        return [f"aws {service}: there is no such service"]
    operations = {xform_name(name, "-"): name for name in model.operation_names}
    if operation not in operations:
        return [f"aws {service} {operation}: there is no such operation"]
    shape = model.operation_model(operations[operation]).input_shape
    members = {xform_name(name, "-"): name for name in (shape.members if shape else {})}
    required = {xform_name(name, "-") for name in (shape.required_members if shape else [])}
    unknown, missing = options - members.keys() - EVERYWHERE, required - options
    return [
        *(f"aws {service} {operation}: unknown --{option}" for option in sorted(unknown)),
        *(f"aws {service} {operation}: --{option} is missing" for option in sorted(missing)),
    ]


# Decisions speak of Airflow's settings in the same form.
OF_OPERATION = [document for document in DOCUMENTS if document.parent.name != "decisions"]
DOCUMENTED = [
    pytest.param(*command, id=f"{document.relative_to(ROOT)}: {command[0]} {command[1]}")
    for document in DOCUMENTS
    for command in commands(document)
]


@pytest.mark.parametrize(("service", "operation", "options"), DOCUMENTED)
def test_documents_when_they_give_an_aws_command_then_the_service_takes_it(service, operation, options):
    assert faults_of(service, operation, options) == []


def test_aws_commands_when_a_word_is_wrong_then_it_is_named():
    assert faults_of("sagemaker", "aprove-model-package", set()) == [
        "aws sagemaker aprove-model-package: there is no such operation"
    ]
    assert faults_of("sagemaker", "update-model-package", {"model-package"}) == [
        "aws sagemaker update-model-package: unknown --model-package",
        "aws sagemaker update-model-package: --model-package-arn is missing",
    ]
    assert len(commands(ROOT / "docs/deploying.md")) >= 12


def defined(kind: str, folder: str) -> set[str]:
    texts = [path.read_text() for path in (ROOT / "infrastructure" / folder).rglob("*.tf")]
    return set(re.findall(rf'^{kind} "(\w+)"', "\n".join(texts), flags=re.MULTILINE))


@pytest.mark.parametrize("document", DOCUMENTS, ids=lambda path: str(path.relative_to(ROOT)))
def test_documents_when_they_read_an_output_of_terraform_then_both_environments_have_it(document):
    named = set(re.findall(r"\bterraform(?: -\S+)* output(?: -\w+)* ([a-z]\w+)", document.read_text()))
    for environment in ("development", "production"):
        assert named <= defined("output", f"environments/{environment}")


@pytest.mark.parametrize("document", OF_OPERATION, ids=lambda path: str(path.relative_to(ROOT)))
def test_documents_when_they_set_a_terraform_variable_then_it_exists(document):
    named = set(re.findall(r"`([a-z]+(?:_[a-z]+)+) = ", document.read_text()))
    assert named <= defined("variable", ".")
