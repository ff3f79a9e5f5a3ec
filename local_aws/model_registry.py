"""SageMaker's model registry: groups, versions, approval."""

import hashlib
import json
import time
from collections.abc import Callable
from typing import Any

from local_aws import ACCOUNT_ID
from local_aws.api_error import ApiError, validation_error
from local_aws.list_pages import page_of
from local_aws.resource_tags import ResourceTags
from local_aws.state_store import AlreadyExistsError, StateStore

Parameters = dict[str, Any]
Operation = Callable[[str, Parameters], Parameters]
CREATED_BY = {"UserProfileName": "local", "DomainId": "local"}
# The tag that the shipped approver policy denies approval for; here the stand-in does.
SYNTHETIC_TAG = ("churn:data-origin", "synthetic")
MOST_CUSTOMER_PROPERTIES = 50
NOT_DESCRIBED = ("ClientToken", "Tags")
NOT_CHANGED_BY_UPDATE = (
    "ModelPackageArn",
    "CustomerMetadataProperties",
    "CustomerMetadataPropertiesToRemove",
    "AdditionalInferenceSpecificationsToAdd",
    "ClientToken",
)


class ModelRegistry:
    """Groups and packages of every region, kept in the state."""

    def __init__(self, state: StateStore, tags: ResourceTags):
        self._state = state
        self._tags = tags

    def operations(self) -> dict[str, Operation]:
        """Return what this part of SageMaker answers."""
        return {
            "CreateModelPackageGroup": self.create_group,
            "DescribeModelPackageGroup": self.describe_group,
            "ListModelPackageGroups": self.list_groups,
            "DeleteModelPackageGroup": self.delete_group,
            "CreateModelPackage": self.create_package,
            "DescribeModelPackage": self.describe_package,
            "UpdateModelPackage": self.update_package,
            "ListModelPackages": self.list_packages,
            "DeleteModelPackage": self.delete_package,
        }

    # --- groups --------------------------------------------------------------------------------------
    def create_group(self, region: str, parameters: Parameters) -> Parameters:
        """Add a group; a name that is taken is refused with the message the Airflow provider looks for."""
        name = parameters["ModelPackageGroupName"]
        arn = f"arn:aws:sagemaker:{region}:{ACCOUNT_ID}:model-package-group/{name}"
        body = {
            "Name": name,
            "Arn": arn,
            "Description": parameters.get("ModelPackageGroupDescription"),
            "CreationTime": time.time(),
            "LastVersion": 0,
        }
        try:
            with self._state.transaction():
                self._state.insert(_groups(region), name, body)
                self._tags.put(arn, parameters.get("Tags", []))
        except AlreadyExistsError as error:
            raise validation_error(f"Model Package Group already exists: {arn}") from error
        return {"ModelPackageGroupArn": arn}

    def _group(self, region: str, name_or_arn: str) -> Parameters:
        name = name_or_arn.rpartition("/")[2]
        group = self._state.get(_groups(region), name)
        if group is None:
            arn = f"arn:aws:sagemaker:{region}:{ACCOUNT_ID}:model-package-group/{name}"
            raise validation_error(f"ModelPackageGroup {arn} does not exist.")
        return group

    def describe_group(self, region: str, parameters: Parameters) -> Parameters:
        """Return a group by name or ARN."""
        group = self._group(region, parameters["ModelPackageGroupName"])
        return {**_group_summary(group), "CreatedBy": CREATED_BY}

    def list_groups(self, region: str, parameters: Parameters) -> Parameters:
        """Return one page of groups."""
        chosen, token = page_of(
            self._state.all(_groups(region)),
            parameters,
            status_of=lambda _: "Completed",
            sort_keys={"Name": "Name"},
        )
        result: Parameters = {"ModelPackageGroupSummaryList": [_group_summary(group) for group in chosen]}
        return {**result, "NextToken": token} if token else result

    def delete_group(self, region: str, parameters: Parameters) -> Parameters:
        """Remove a group that holds no package."""
        with self._state.transaction():
            group = self._group(region, parameters["ModelPackageGroupName"])
            if any(
                package.get("ModelPackageGroupName") == group["Name"] for package in self._packages(region)
            ):
                raise ApiError(
                    "ConflictException",
                    f"Model Package Group {group['Arn']} cannot be deleted: it contains Model Packages",
                )
            self._state.delete(_groups(region), group["Name"])
            self._tags.forget(group["Arn"])
        return {}

    # --- packages ------------------------------------------------------------------------------------
    def create_package(self, region: str, parameters: Parameters) -> Parameters:
        """Add a version to a group, or a package without a group; a ClientToken makes it idempotent."""
        with self._state.transaction():
            known = self._known_token(region, parameters)
            if known is not None:
                return {"ModelPackageArn": known}
            body = self._new_package(region, parameters)
            self._state.insert(_package_collection(region), body["ModelPackageArn"], body)
            self._tags.put(body["ModelPackageArn"], parameters.get("Tags", []))
            if body.get("ModelApprovalStatus") == "Approved":
                self._refuse_synthetic(body, "CreateModelPackage")
            self._remember_token(region, parameters, body["ModelPackageArn"])
        return {"ModelPackageArn": body["ModelPackageArn"]}

    def _new_package(self, region: str, parameters: Parameters) -> Parameters:
        now = time.time()
        group_name = parameters.get("ModelPackageGroupName")
        if bool(group_name) == bool(parameters.get("ModelPackageName")):
            raise validation_error("Exactly one of ModelPackageName and ModelPackageGroupName must be given")
        sent = {key: value for key, value in parameters.items() if key not in NOT_DESCRIBED}
        body = {
            **sent,
            "CreationTime": now,
            "LastModifiedTime": now,
            "ModelPackageStatus": "Completed",
            "ModelPackageStatusDetails": {"ValidationStatuses": [], "ImageScanStatuses": []},
            "CertifyForMarketplace": parameters.get("CertifyForMarketplace", False),
            "CreatedBy": CREATED_BY,
        }
        base = f"arn:aws:sagemaker:{region}:{ACCOUNT_ID}:model-package"
        if not group_name:
            return {**body, "ModelPackageArn": f"{base}/{parameters['ModelPackageName']}"}
        if parameters.get("Tags"):
            raise validation_error(
                "Tags cannot be given for a versioned model package: it uses the tags of its group; tag the "
                "version afterwards with AddTags"
            )
        group = self._group(region, group_name)
        version = group["LastVersion"] + 1  # never used twice, deleted versions included
        self._state.put(_groups(region), group["Name"], {**group, "LastVersion": version})
        return {
            "ModelApprovalStatus": "PendingManualApproval",
            **body,
            "ModelPackageGroupName": group["Name"],
            "ModelPackageVersion": version,
            "ModelPackageArn": f"{base}/{group['Name']}/{version}",
        }

    def _known_token(self, region: str, parameters: Parameters) -> str | None:
        token = parameters.get("ClientToken")
        known = self._state.get(f"client-token/{region}", token) if token else None
        if known is None:
            return None
        if known["Fingerprint"] != _fingerprint(parameters):
            raise ApiError("ConflictException", f"ClientToken {token} was used before with other parameters")
        return known["Arn"]

    def _remember_token(self, region: str, parameters: Parameters, arn: str) -> None:
        if parameters.get("ClientToken"):
            body = {"Arn": arn, "Fingerprint": _fingerprint(parameters)}
            self._state.put(f"client-token/{region}", parameters["ClientToken"], body)

    def _packages(self, region: str) -> list[Parameters]:
        return self._state.all(_package_collection(region))

    def _package(self, region: str, name_or_arn: str) -> Parameters:
        arn = name_or_arn
        if not arn.startswith("arn:"):
            arn = f"arn:aws:sagemaker:{region}:{ACCOUNT_ID}:model-package/{name_or_arn}"
        package = self._state.get(_package_collection(region), arn)
        if package is None:
            raise validation_error(f"ModelPackage {arn} does not exist.")
        return package

    def describe_package(self, region: str, parameters: Parameters) -> Parameters:
        """Return everything of a package, by ARN (or by name when it has no group)."""
        return self._package(region, parameters["ModelPackageName"])

    def update_package(self, region: str, parameters: Parameters) -> Parameters:
        """Change what the request names and keep the rest; customer properties are merged."""
        with self._state.transaction():
            package = self._package(region, parameters["ModelPackageArn"])
            changed = _updated(package, parameters)
            if parameters.get("ModelApprovalStatus") == "Approved":
                self._refuse_synthetic(package, "UpdateModelPackage")
            self._state.put(_package_collection(region), package["ModelPackageArn"], changed)
        return {"ModelPackageArn": package["ModelPackageArn"]}

    def _refuse_synthetic(self, package: Parameters, operation: str) -> None:
        """Deny approval of what was made from synthetic data, as the shipped approver policy does on AWS."""
        tags = self._tags.of(package["ModelPackageArn"])
        if "ModelPackageGroupName" in package:
            group_arn = package["ModelPackageArn"].rpartition("/")[0]
            tags = {**self._tags.of(group_arn.replace(":model-package/", ":model-package-group/")), **tags}
        key, value = SYNTHETIC_TAG
        if tags.get(key) == value:
            raise ApiError(
                "AccessDeniedException",
                f"User: arn:aws:iam::{ACCOUNT_ID}:user/local is not authorized to perform: "
                f"sagemaker:{operation} on resource: {package['ModelPackageArn']} with an explicit deny in "
                f"an identity-based policy (the package carries the tag {key}={value})",
            )

    def list_packages(self, region: str, parameters: Parameters) -> Parameters:
        """Return one page of packages; without a group and a type, those that have no group, as on AWS."""
        group = parameters.get("ModelPackageGroupName")
        kind = parameters.get("ModelPackageType", "Versioned" if group else "Unversioned")
        approval = parameters.get("ModelApprovalStatus")
        if group:
            group = self._group(region, group)["Name"]
        records = [
            {**package, "Name": _display_name(package)}
            for package in self._packages(region)
            if (group is None or package.get("ModelPackageGroupName") == group)
            and (approval is None or package.get("ModelApprovalStatus") == approval)
            and (kind == "Both" or (kind == "Versioned") == ("ModelPackageGroupName" in package))
        ]
        chosen, token = page_of(
            records,
            parameters,
            status_of=lambda package: package["ModelPackageStatus"],
            sort_keys={"Name": "Name"},
        )
        result: Parameters = {"ModelPackageSummaryList": [_package_summary(package) for package in chosen]}
        return {**result, "NextToken": token} if token else result

    def delete_package(self, region: str, parameters: Parameters) -> Parameters:
        """Remove a package."""
        with self._state.transaction():
            package = self._package(region, parameters["ModelPackageName"])
            self._state.delete(_package_collection(region), package["ModelPackageArn"])
            self._tags.forget(package["ModelPackageArn"])
        return {}


def _groups(region: str) -> str:
    return f"model-package-group/{region}"


def _package_collection(region: str) -> str:
    return f"model-package/{region}"


def _fingerprint(parameters: Parameters) -> str:
    return hashlib.sha256(json.dumps(parameters, sort_keys=True).encode()).hexdigest()


def _updated(package: Parameters, parameters: Parameters) -> Parameters:
    properties = {**package.get("CustomerMetadataProperties", {})}
    for name in parameters.get("CustomerMetadataPropertiesToRemove", []):
        properties.pop(name, None)
    properties |= parameters.get("CustomerMetadataProperties", {})
    if len(properties) > MOST_CUSTOMER_PROPERTIES:
        raise validation_error(
            f"A model package has at most {MOST_CUSTOMER_PROPERTIES} customer metadata properties"
        )
    added = parameters.get("AdditionalInferenceSpecificationsToAdd", [])
    changes = {key: value for key, value in parameters.items() if key not in NOT_CHANGED_BY_UPDATE}
    changed = {**package, **changes, "LastModifiedTime": time.time(), "LastModifiedBy": CREATED_BY}
    changed["CustomerMetadataProperties"] = properties
    if added:
        changed["AdditionalInferenceSpecifications"] = [
            *package.get("AdditionalInferenceSpecifications", []),
            *added,
        ]
    if not properties:
        del changed["CustomerMetadataProperties"]
    return changed


def _display_name(package: Parameters) -> str:
    return package.get("ModelPackageGroupName") or package["ModelPackageName"]


def _group_summary(group: Parameters) -> Parameters:
    summary = {
        "ModelPackageGroupName": group["Name"],
        "ModelPackageGroupArn": group["Arn"],
        "CreationTime": group["CreationTime"],
        "ModelPackageGroupStatus": "Completed",
    }
    return (
        {**summary, "ModelPackageGroupDescription": group["Description"]} if group["Description"] else summary
    )


def _package_summary(package: Parameters) -> Parameters:
    names = (
        "ModelPackageName",
        "ModelPackageGroupName",
        "ModelPackageVersion",
        "ModelPackageArn",
        "ModelPackageDescription",
        "CreationTime",
        "ModelPackageStatus",
        "ModelApprovalStatus",
        "ModelLifeCycle",
        "ModelPackageRegistrationType",
    )
    return {name: package[name] for name in names if name in package}
