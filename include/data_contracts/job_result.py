"""The contract between the tasks of a run: what a finished SageMaker job left, and where."""

from collections.abc import Mapping
from dataclasses import asdict, dataclass
from typing import Any

from include.data_contracts.mapping_reader import MappingReader

KINDS = ("processing", "training")


@dataclass(frozen=True)
class JobResult:
    """One completed job; `outputs` maps a processing output's name to the S3 folder that holds it.

    `model_artifact_uri` (model.tar.gz) and `training_output_uri` (output.tar.gz, with the digests of the
    model's files) belong to training jobs only. `seconds` is how long its container ran.
    """

    job_name: str
    job_arn: str
    kind: str
    outputs: Mapping[str, str]
    model_artifact_uri: str | None = None
    training_output_uri: str | None = None
    seconds: float = 0.0

    def output(self, name: str) -> str:
        """Return the S3 folder of one output, no closing slash; raises KeyError naming what there is."""
        try:
            return self.outputs[name].rstrip("/")
        except KeyError:
            known = ", ".join(sorted(self.outputs)) or "none"
            raise KeyError(f"job {self.job_name} has no output named {name!r}; it has: {known}") from None

    def to_mapping(self) -> dict[str, Any]:
        """Return the JSON form: `from_mapping(result.to_mapping()) == result`."""
        return {**asdict(self), "outputs": dict(self.outputs)}

    @classmethod
    def from_mapping(cls, mapping: object, place: str = "job_result") -> "JobResult":
        """Read and check the JSON form; raises ContractError naming the key."""
        reader = MappingReader.of(mapping, place)
        reader.refuse_unknown_keys(tuple(cls.__dataclass_fields__))
        kind = reader.text("kind")
        if kind not in KINDS:
            raise reader.fail("kind", f"expected processing or training, found {kind!r:.40}")
        outputs = MappingReader.of(reader.content.get("outputs"), f"{place}, outputs")
        return cls(
            job_name=reader.text("job_name"),
            job_arn=reader.text("job_arn"),
            kind=kind,
            outputs={name: outputs.text(name) for name in outputs.content},
            model_artifact_uri=_optional_text(reader, "model_artifact_uri"),
            training_output_uri=_optional_text(reader, "training_output_uri"),
            seconds=reader.number("seconds", 0.0),
        )


def _optional_text(reader: MappingReader, key: str) -> str | None:
    return None if reader.content.get(key) is None else reader.text(key)
