"""The contract that freezes a monitoring run: which day, which batch, which model, decided once."""

from collections.abc import Mapping
from dataclasses import asdict, dataclass
from typing import Any

from include.data_contracts.mapping_reader import ContractError, MappingReader
from include.data_contracts.run_plan import JobBundle
from include.settings.environment import MonitoringEnvironment
from include.settings.monitoring_parameters import MonitoringParameters
from include.settings.run_parameters import ParameterError
from include.settings.s3_layout import group_prefix, monitoring_prefix

CONTRACT = "monitoring_plan"
VERSION = 1
DATA_ORIGINS = ("real", "synthetic")
APPROVED = "Approved"


@dataclass(frozen=True)
class ModelReference:
    """The model package that a batch is compared with, and where what travels with it lies.

    `reference_uri` is the folder of reference.profile; `reference_scores_uri` is None for a package that was
    registered without stored scores. `version` is the package's number as text.
    """

    group: str
    version: str
    arn: str
    approval_status: str
    data_origin: str
    algorithm: str
    image: str
    model_uri: str
    model_sha256: str
    reference_uri: str
    evaluation_uri: str
    reference_scores_uri: str | None
    schema_name: str
    schema_uri: str

    def __post_init__(self) -> None:
        """Refuse an unknown data origin."""
        if self.data_origin not in DATA_ORIGINS:
            raise ContractError(
                f"model package {self.arn}, property 'data_origin': expected real or synthetic, "
                f"found {self.data_origin!r:.40}"
            )

    @property
    def name(self) -> str:
        """What reports call the model: telecom-churn/3."""
        return f"{self.group}/{self.version}"

    @property
    def is_approved(self) -> bool:
        """Whether a person approved it; anything else is a trial."""
        return self.approval_status == APPROVED

    def to_mapping(self) -> dict[str, Any]:
        """Return the JSON form."""
        return asdict(self)

    @classmethod
    def from_mapping(cls, mapping: object, place: str = "model") -> "ModelReference":
        """Read and check the JSON form; raises ContractError naming the key."""
        reader = MappingReader.of(mapping, place)
        reader.refuse_unknown_keys(tuple(cls.__dataclass_fields__))
        values = {
            name: reader.text(name) for name in cls.__dataclass_fields__ if name != "reference_scores_uri"
        }
        scores = reader.content.get("reference_scores_uri")
        return cls(
            **values, reference_scores_uri=None if scores is None else reader.text("reference_scores_uri")
        )


@dataclass(frozen=True)
class MonitoringPlan:
    """One run, prepared. `run_after` and `deadline` are ISO 8601 times, dates are YYYY-MM-DD.

    After `deadline` a batch that has not come is missing. `schema_uri` is the run's own copy of the schema
    that the batch is read with. `labels_uri` is where outcomes of the customers of `labelled_date` are looked
    for; whether there are any is seen when the batch is there.
    """

    dag_id: str
    run_id: str
    run_slug: str
    run_hash: str
    run_after: str
    parameters: MonitoringParameters
    environment: MonitoringEnvironment
    job_bundle: JobBundle
    model: ModelReference
    batch_date: str
    batch_uri: str
    deadline: str
    labels_uri: str
    labelled_date: str
    schema_uri: str
    run_prefix: str

    @property
    def data_origin(self) -> str:
        """Either real or synthetic, as the model's training data was."""
        return self.model.data_origin

    @property
    def monitoring_prefix(self) -> str:
        """S3 URI of what is known of this model version's days, whichever run found it out."""
        return monitoring_prefix(self.environment.artifact_bucket, self.model.group, self.model.version)

    @property
    def is_trial(self) -> bool:
        """Whether the run names its version: it then says nothing of the model that is in charge."""
        return bool(self.parameters.reference_version) or not self.model.is_approved

    @property
    def delivery_prefix(self) -> str:
        """S3 URI of what is known of deliveries, which no model changes: the group's, or a trial's own."""
        if self.is_trial:
            return self.monitoring_prefix
        return group_prefix(self.environment.artifact_bucket, self.model.group)

    def to_mapping(self) -> dict[str, Any]:
        """Return the JSON form: `from_mapping(plan.to_mapping()) == plan`; at most 48 KB."""
        return {
            "contract": CONTRACT,
            "version": VERSION,
            **{name: getattr(self, name) for name in self.__dataclass_fields__ if name not in _PARTS},
            **{name: getattr(self, name).to_mapping() for name in _PARTS},
        }

    @classmethod
    def from_mapping(cls, mapping: object, place: str = CONTRACT) -> "MonitoringPlan":
        """Read and check the JSON form; raises ContractError naming the key."""
        reader = MappingReader.of(mapping, place)
        if reader.text("contract") != CONTRACT or reader.integer("version") != VERSION:
            raise reader.fail("contract", f"expected {CONTRACT} version {VERSION}")
        reader.refuse_unknown_keys(("contract", "version", *cls.__dataclass_fields__))
        texts = {name: reader.text(name) for name in cls.__dataclass_fields__ if name not in _PARTS}
        return cls(
            **texts,
            parameters=_read_parameters(reader),
            environment=_read_environment(reader),
            job_bundle=JobBundle.from_mapping(reader.content.get("job_bundle"), f"{place}, job_bundle"),
            model=ModelReference.from_mapping(reader.content.get("model"), f"{place}, model"),
        )


_PARTS = ("parameters", "environment", "job_bundle", "model")


def _read_parameters(reader: MappingReader) -> MonitoringParameters:
    content: Mapping[str, Any] = MappingReader.of(reader.content.get("parameters"), reader.place).content
    try:
        return MonitoringParameters.from_mapping(content)
    except ParameterError as error:
        raise reader.fail("parameters", str(error)) from error


def _read_environment(reader: MappingReader) -> MonitoringEnvironment:
    content: Mapping[str, Any] = MappingReader.of(reader.content.get("environment"), reader.place).content
    try:
        return MonitoringEnvironment.from_json_mapping(content)
    except (KeyError, TypeError) as error:
        raise reader.fail("environment", f"not of the expected form: {error}") from error
