"""What a check came to: passed, failed or skipped, and a sentence that says what to do."""

from dataclasses import dataclass
from enum import Enum


class Verdict(Enum):
    """How a check ended; only FAILED makes the preflight fail."""

    PASSED = "ok"
    FAILED = "FAIL"
    SKIPPED = "skip"


@dataclass(frozen=True)
class Finding:
    """One line of the preflight. `image` is empty for what holds on every image."""

    check: str
    verdict: Verdict
    sentence: str
    image: str = ""

    def line(self) -> str:
        """Return the line a person reads."""
        return f"{self.verdict.value:<5} {self.image or 'all':<6} {self.check:<13} {self.sentence}"


def passed(check: str, sentence: str, image: str = "") -> Finding:
    """Return a finding that is in order."""
    return Finding(check, Verdict.PASSED, sentence, image)


def failed(check: str, sentence: str, image: str = "") -> Finding:
    """Return a finding that must be mended; the sentence says how."""
    return Finding(check, Verdict.FAILED, sentence, image)


def skipped(check: str, sentence: str, image: str = "") -> Finding:
    """Return a check that could not be made; the sentence says what it needs."""
    return Finding(check, Verdict.SKIPPED, sentence, image)
