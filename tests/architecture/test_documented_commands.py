"""What the documents promise exists: make targets, dependency reasons, relative links."""

import re
import subprocess
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
DOCUMENTS = sorted([ROOT / "README.md", *(ROOT / "docs").rglob("*.md"), ROOT / "local_aws/README.md"])


def make_targets() -> set[str]:
    text = (ROOT / "Makefile").read_text()
    return set(re.findall(r"^([a-z][a-z-]*):.*## ", text, flags=re.MULTILINE))


def test_make_help_when_asked_then_lists_every_phony_target_with_one_line():
    shown = subprocess.run(["make", "--silent", "help"], cwd=ROOT, capture_output=True, text=True, check=True)
    phony = set(
        " ".join(re.findall(r"^\.PHONY: (.+)$", (ROOT / "Makefile").read_text(), flags=re.MULTILINE)).split()
    )
    listed = {
        line.split()[0].replace("\x1b[1m", "").replace("\x1b[0m", "") for line in shown.stdout.splitlines()
    }
    assert phony == listed


@pytest.mark.parametrize("document", DOCUMENTS, ids=lambda path: str(path.relative_to(ROOT)))
def test_documents_when_they_name_a_make_target_then_it_exists(document):
    named = set(re.findall(r"\bmake (?:-\S+ )*([a-z][a-z-]+)\b", "\n".join(code_parts(document.read_text()))))
    assert named <= make_targets(), (
        f"{document.name} names targets that do not exist: {named - make_targets()}"
    )


@pytest.mark.parametrize("document", DOCUMENTS, ids=lambda path: str(path.relative_to(ROOT)))
def test_documents_when_they_link_to_a_file_then_it_exists(document):
    links = re.findall(r"\]\((?!https?://|#|mailto:)([^)#]+)", document.read_text())
    missing = [link for link in links if not (document.parent / link).exists()]
    assert not missing


def test_alarms_when_they_name_a_runbook_then_it_exists():
    texts = [path.read_text() for path in (ROOT / "infrastructure/modules").rglob("*.tf")]
    named = set(re.findall(r"\bdocs/[\w./-]+\.md", "\n".join(texts)))
    assert named
    assert not {name for name in named if not (ROOT / name).is_file()}


def test_dependencies_when_required_then_each_has_its_reason_in_the_docs():
    reasons = (ROOT / "docs/dependencies.md").read_text()
    required = {
        re.split(r"[\[=<>~ ]", line)[0]
        for path in (ROOT / "requirements").glob("*.in")
        for line in path.read_text().splitlines()
        if line and not line.startswith(("#", "-"))
    }
    assert required
    assert not {name for name in required if f"`{name}`" not in reasons}


def code_parts(text: str) -> list[str]:
    return re.findall(r"```.*?```|`[^`\n]+`", text, flags=re.DOTALL)
