"""The contract `gate_decision.json`: whether a candidate may be registered, rule by rule, and why.

Standard library only.
"""

import json
from dataclasses import asdict, dataclass
from typing import Any

from include.data_contracts.mapping_reader import MappingReader

CONTRACT = "gate_decision"
VERSION = 1
COMPARISONS = (">=", "<=")


@dataclass(frozen=True)
class RuleResult:
    """One rule applied: `value` compared with `threshold`; the threshold itself passes.

    `name` identifies the rule, `metric` what was measured, `sentence` says it to a person.
    """

    name: str
    metric: str
    value: float
    comparison: str
    threshold: float
    passed: bool
    sentence: str


@dataclass(frozen=True)
class GateDecision:
    """All rules and the verdict: passed when every rule passed.

    `reasons` are the sentences of the rules that were not met, `sentence` the whole verdict for a person.
    """

    passed: bool
    rules: tuple[RuleResult, ...]
    reasons: tuple[str, ...]
    sentence: str
    data_origin: str

    def rule(self, name: str) -> RuleResult:
        """Return the result of the rule of this name; raises KeyError."""
        return {rule.name: rule for rule in self.rules}[name]

    def to_mapping(self) -> dict[str, Any]:
        """Return the JSON form: `from_mapping(decision.to_mapping()) == decision`."""
        return {
            "contract": CONTRACT,
            "version": VERSION,
            "passed": self.passed,
            "sentence": self.sentence,
            "reasons": list(self.reasons),
            "data_origin": self.data_origin,
            "rules": [asdict(rule) for rule in self.rules],
        }

    def to_json(self) -> str:
        """Return indented strict JSON (no NaN), ending in a newline."""
        return json.dumps(self.to_mapping(), indent=2, allow_nan=False, ensure_ascii=False) + "\n"

    @classmethod
    def from_mapping(cls, mapping: object, place: str = CONTRACT) -> "GateDecision":
        """Read and check the JSON form; raises ContractError naming the key."""
        reader = MappingReader.of(mapping, place)
        if reader.text("contract") != CONTRACT or reader.integer("version") != VERSION:
            raise reader.fail("contract", f"expected {CONTRACT} version {VERSION}")
        decision = cls(
            passed=_flag(reader, "passed"),
            rules=tuple(_read_rule(entry) for entry in reader.readers("rules")),
            reasons=reader.texts("reasons"),
            sentence=reader.text("sentence"),
            data_origin=reader.text("data_origin"),
        )
        if not decision.rules or decision.passed != all(rule.passed for rule in decision.rules):
            raise reader.fail(
                "passed", "does not follow from the rules: a gate is open when every rule is met"
            )
        return decision


def _read_rule(reader: MappingReader) -> RuleResult:
    comparison = reader.text("comparison")
    if comparison not in COMPARISONS:
        raise reader.fail("comparison", f"expected one of {', '.join(COMPARISONS)}")
    return RuleResult(
        name=reader.text("name"),
        metric=reader.text("metric"),
        value=reader.number("value"),
        comparison=comparison,
        threshold=reader.number("threshold"),
        passed=_flag(reader, "passed"),
        sentence=reader.text("sentence"),
    )


def _flag(reader: MappingReader, key: str) -> bool:
    if key not in reader.content:
        raise reader.fail(key, "is missing")
    return reader.flag(key, default=False)
