"""Models in the stand-in's registry: which one drift is measured against, and a person's approval."""

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

from local_airflow.stack_settings import StackError

DEFAULT_GROUP = "telecom-churn"
SYNTHETIC_SUFFIX = "-synthetic"
APPROVED, PENDING = "Approved", "PendingManualApproval"
_METRICS = ("accuracy", "roc_auc", "pr_auc", "brier_score")


@dataclass(frozen=True)
class RegisteredModel:
    """One model package, as far as a person needs it to decide."""

    arn: str
    group: str
    version: int
    approval_status: str
    data_origin: str
    facts: dict[str, str]

    @property
    def name(self) -> str:
        """Group and version, as reports call the model."""
        return f"{self.group}/{self.version}"

    @property
    def is_synthetic(self) -> bool:
        """Whether it was made from invented customers; such a model is never approved."""
        return self.data_origin == "synthetic" or self.group.endswith(SYNTHETIC_SUFFIX)


def list_models(sagemaker: Any, group: str) -> list[RegisteredModel]:
    """Every version of the group, newest first; none when there is no such group."""
    try:
        pages = list(sagemaker.get_paginator("list_model_packages").paginate(ModelPackageGroupName=group))
    except sagemaker.exceptions.ClientError as error:
        if "does not exist" in str(error):
            return []
        raise
    arns = [package["ModelPackageArn"] for page in pages for package in page["ModelPackageSummaryList"]]
    models = [_read_model(sagemaker.describe_model_package(ModelPackageName=arn)) for arn in arns]
    return sorted(models, key=lambda model: model.version, reverse=True)


def choose_model(models: Iterable[RegisteredModel]) -> RegisteredModel | None:
    """The latest approved model, else the latest that nobody has decided on, else None."""
    ordered = sorted(models, key=lambda model: model.version, reverse=True)
    for status in (APPROVED, PENDING):
        for model in ordered:
            if model.approval_status == status:
                return model
    return None


def choose_for_approval(models: list[RegisteredModel], version: str | None) -> RegisteredModel:
    """The named version, else the newest pending one; StackError says why none can be approved."""
    if not models:
        raise StackError("no model yet: make run DATA=… trains and registers one")
    if version is not None:
        for model in models:
            if str(model.version) == version:
                return _approvable(model)
        known = ", ".join(str(model.version) for model in models)
        raise StackError(f"VERSION={version}: {models[0].group} has no such version; it has {known}")
    for model in sorted(models, key=lambda model: model.version, reverse=True):
        if model.approval_status == PENDING:
            return _approvable(model)
        if model.approval_status == APPROVED:
            raise StackError(f"{model.name} is approved and nothing newer waits; VERSION=n names another one")
    raise StackError(f"every model of {models[0].group} was rejected; VERSION=n names one all the same")


def approve_model(sagemaker: Any, model: RegisteredModel) -> list[str]:
    """Approve it, and return lines that tell what was approved."""
    sagemaker.update_model_package(
        ModelPackageArn=model.arn,
        ModelApprovalStatus=APPROVED,
        ApprovalDescription="approved by hand with `make approve`",
    )
    what = (
        f"{model.facts.get('algorithm', 'a model')} for {model.facts.get('schema_name', 'an unknown schema')}"
    )
    lines = [f"approved  {model.name}: {what}"]
    for name in _METRICS:
        if name in model.facts:
            interval = model.facts.get(f"{name}_interval_95", "?")
            lines.append(f"metric    {name:20} {float(model.facts[name]):.4f}   95 % interval {interval}")
    lines.append(f"package   {model.arn}  (was {model.approval_status})")
    return lines


def _approvable(model: RegisteredModel) -> RegisteredModel:
    if model.is_synthetic:
        raise StackError(
            f"{model.name} was made from SYNTHETIC customers and can never be approved; make run DATA=… "
            "trains a model on real ones"
        )
    if model.approval_status == APPROVED:
        raise StackError(f"{model.name} is approved already")
    return model


def _read_model(package: dict[str, Any]) -> RegisteredModel:
    facts = dict(package.get("CustomerMetadataProperties") or {})
    return RegisteredModel(
        arn=package["ModelPackageArn"],
        group=package["ModelPackageGroupName"],
        version=int(package["ModelPackageVersion"]),
        approval_status=package["ModelApprovalStatus"],
        data_origin=facts.get("data_origin", "unknown"),
        facts=facts,
    )
