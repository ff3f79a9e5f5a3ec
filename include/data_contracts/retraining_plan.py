"""The contract that freezes a run: everything its tasks need to know, decided once and never read again."""

from collections.abc import Mapping
from dataclasses import asdict, dataclass
from typing import Any

from include.data_contracts.mapping_reader import ContractError, MappingReader
from include.data_contracts.run_plan import JobBundle
from include.settings.environment import Environment
from include.settings.retraining_parameters import RetrainingParameters
from include.settings.run_parameters import ParameterError

CONTRACT = "retraining_plan"
VERSION = 1
DATA_ORIGINS = ("real", "synthetic")


@dataclass(frozen=True)
class StageImages:
    """Image URI of each job and of the endpoint that would serve the model."""

    preprocess: str
    train: str
    evaluate: str
    inference: str


@dataclass(frozen=True)
class RetrainingPlan:
    """One run, prepared; `include.sagemaker_requests.plan_freezing` fills in what follows from the rest.

    `run_after` is an ISO 8601 time. `input_data_uri` is where raw data was found, or was looked for in vain
    when the run `invents_customers`. `data_origin` is synthetic for these, and for raw data that carry the
    generator's marker. `dataset_fingerprint` identifies the raw objects that were found.
    """

    dag_id: str
    run_id: str
    run_slug: str
    run_hash: str
    run_after: str
    parameters: RetrainingParameters
    environment: Environment
    images: StageImages
    job_bundle: JobBundle
    input_data_uri: str
    data_origin: str
    invents_customers: bool
    dataset_fingerprint: str
    schema_uri: str
    run_prefix: str

    def __post_init__(self) -> None:
        """Refuse an unknown data origin, and invented customers that pass for real ones."""
        if self.data_origin not in DATA_ORIGINS:
            raise ContractError(
                f"{CONTRACT}, key 'data_origin': expected real or synthetic, found {self.data_origin!r}"
            )
        if self.invents_customers and not self.is_synthetic:
            raise ContractError(f"{CONTRACT}, key 'data_origin': invented customers cannot be real")

    @property
    def is_synthetic(self) -> bool:
        """Whether what is made from this run's data must never be approved."""
        return self.data_origin == "synthetic"

    def to_mapping(self) -> dict[str, Any]:
        """Return the JSON form: `from_mapping(plan.to_mapping()) == plan`; at most 48 KB."""
        return {
            "contract": CONTRACT,
            "version": VERSION,
            "dag_id": self.dag_id,
            "run_id": self.run_id,
            "run_slug": self.run_slug,
            "run_hash": self.run_hash,
            "run_after": self.run_after,
            "parameters": self.parameters.to_mapping(),
            "environment": self.environment.to_mapping(),
            "images": asdict(self.images),
            "job_bundle": self.job_bundle.to_mapping(),
            "input_data_uri": self.input_data_uri,
            "data_origin": self.data_origin,
            "invents_customers": self.invents_customers,
            "dataset_fingerprint": self.dataset_fingerprint,
            "schema_uri": self.schema_uri,
            "run_prefix": self.run_prefix,
        }

    @classmethod
    def from_mapping(cls, mapping: object, place: str = CONTRACT) -> "RetrainingPlan":
        """Read and check the JSON form; raises ContractError naming the key."""
        reader = MappingReader.of(mapping, place)
        if reader.text("contract") != CONTRACT or reader.integer("version") != VERSION:
            raise reader.fail("contract", f"expected {CONTRACT} version {VERSION}")
        reader.refuse_unknown_keys(("contract", "version", *cls.__dataclass_fields__))
        images = MappingReader.of(reader.content.get("images"), f"{place}, images")
        return cls(
            dag_id=reader.text("dag_id"),
            run_id=reader.text("run_id"),
            run_slug=reader.text("run_slug"),
            run_hash=reader.text("run_hash"),
            run_after=reader.text("run_after"),
            parameters=_read_parameters(reader),
            environment=_read_environment(reader),
            images=StageImages(**{name: images.text(name) for name in StageImages.__dataclass_fields__}),
            job_bundle=JobBundle.from_mapping(reader.content.get("job_bundle"), f"{place}, job_bundle"),
            input_data_uri=reader.text("input_data_uri"),
            data_origin=reader.text("data_origin"),
            invents_customers=reader.flag("invents_customers", default=False),
            dataset_fingerprint=reader.text("dataset_fingerprint"),
            schema_uri=reader.text("schema_uri"),
            run_prefix=reader.text("run_prefix"),
        )


def _read_parameters(reader: MappingReader) -> RetrainingParameters:
    content: Mapping[str, Any] = MappingReader.of(reader.content.get("parameters"), reader.place).content
    try:
        return RetrainingParameters.from_mapping(content)
    except ParameterError as error:
        raise reader.fail("parameters", str(error)) from error


def _read_environment(reader: MappingReader) -> Environment:
    content: Mapping[str, Any] = MappingReader.of(reader.content.get("environment"), reader.place).content
    try:
        return Environment.from_json_mapping(content)
    except (KeyError, TypeError) as error:
        raise reader.fail("environment", f"not of the expected form: {error}") from error
