"""Tags of SageMaker resources, by ARN."""

from typing import Any

from local_aws.api_error import ApiError, validation_error
from local_aws.state_store import StateStore

TAGS = "tags"
MOST_TAGS = 50


class ResourceTags:
    """Tags of what the stand-in itself keeps; a resource has an entry, however empty, while it exists."""

    def __init__(self, state: StateStore):
        self._state = state

    def put(self, arn: str, tags: list[dict[str, str]]) -> None:
        """Give a new resource its tags."""
        self._state.put(TAGS, arn, {tag["Key"]: tag["Value"] for tag in tags})

    def of(self, arn: str) -> dict[str, str]:
        """Return the tags of a resource."""
        return self._state.get(TAGS, arn) or {}

    def forget(self, arn: str) -> None:
        """Drop the tags of a deleted resource."""
        self._state.delete(TAGS, arn)

    def knows(self, arn: str) -> bool:
        """Say whether the ARN belongs to a resource kept here."""
        return self._state.get(TAGS, arn) is not None

    def operations(self) -> dict[str, Any]:
        """Return the operations on tags."""
        return {"AddTags": self._add, "DeleteTags": self._delete, "ListTags": self._list}

    def _add(self, _region: str, parameters: dict[str, Any]) -> dict[str, Any]:
        def change(tags: dict[str, str]) -> dict[str, str]:
            changed = {**tags, **{tag["Key"]: tag["Value"] for tag in parameters["Tags"]}}
            if len(changed) > MOST_TAGS:
                raise ApiError("ResourceLimitExceeded", f"A resource can have at most {MOST_TAGS} tags")
            return changed

        return {"Tags": _as_list(self._change(parameters["ResourceArn"], change))}

    def _delete(self, _region: str, parameters: dict[str, Any]) -> dict[str, Any]:
        gone = set(parameters["TagKeys"])
        self._change(parameters["ResourceArn"], lambda tags: {k: v for k, v in tags.items() if k not in gone})
        return {}

    def _list(self, _region: str, parameters: dict[str, Any]) -> dict[str, Any]:
        arn = parameters["ResourceArn"]
        if not self.knows(arn):
            raise _unknown(arn)
        return {"Tags": _as_list(self.of(arn))}

    def _change(self, arn: str, change: Any) -> dict[str, str]:
        try:
            return self._state.update(TAGS, arn, change)
        except KeyError as error:
            raise _unknown(arn) from error


def _unknown(arn: str) -> ApiError:
    return validation_error(f"The resource {arn} does not exist.")


def _as_list(tags: dict[str, str]) -> list[dict[str, str]]:
    return [{"Key": key, "Value": value} for key, value in sorted(tags.items())]
