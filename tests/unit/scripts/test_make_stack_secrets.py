import base64
import stat
import subprocess
import sys
from pathlib import Path

SCRIPT = Path(__file__).resolve().parents[3] / "scripts/make_stack_secrets"


def make(*arguments) -> subprocess.CompletedProcess:
    return subprocess.run([sys.executable, SCRIPT, *arguments], capture_output=True, text=True, check=False)


def values_of(path: Path) -> dict[str, str]:
    return dict(line.split("=", 1) for line in path.read_text().splitlines() if not line.startswith("#"))


def test_secrets_when_there_are_none_then_are_made_for_their_owner_only(tmp_path):
    assert make(tmp_path / ".env").returncode == 0
    assert stat.S_IMODE((tmp_path / ".env").stat().st_mode) == 0o600
    values = values_of(tmp_path / ".env")
    assert len(base64.urlsafe_b64decode(values["STACK_FERNET_KEY"])) == 32
    assert len(set(values.values())) == len(values) == 6
    assert all(len(value) >= 16 for value in values.values())


def test_secrets_when_they_exist_then_stay_and_nothing_else_is_left(tmp_path):
    make(tmp_path / ".env")
    before = (tmp_path / ".env").read_bytes()
    assert make(tmp_path / ".env").returncode == 0
    assert (tmp_path / ".env").read_bytes() == before
    assert [path.name for path in tmp_path.iterdir()] == [".env"]


def test_secrets_when_made_twice_then_differ(tmp_path):
    for name in ("a", "b"):
        make(tmp_path / name)
    first, second = values_of(tmp_path / "a"), values_of(tmp_path / "b")
    assert all(first[name] != second[name] for name in first)


def test_secrets_when_the_folder_is_missing_then_one_line_says_so(tmp_path):
    done = make(tmp_path / "absent/.env")
    assert done.returncode == 2
    assert done.stderr.count("\n") == 1
    assert "absent/.env: No such file" in done.stderr
