"""ListObjects: keys of a bucket in order, in pages, with common prefixes folded."""

from dataclasses import dataclass

from local_aws.object_store import ObjectStore, StoredObject

HIGHEST_CHARACTER = "\U0010ffff"


@dataclass(frozen=True)
class Listing:
    """One page: objects and folded prefixes, and where the next page begins (None at the end)."""

    objects: list[StoredObject]
    common_prefixes: list[str]
    next_after: str | None


def list_objects(
    store: ObjectStore,
    bucket: str,
    *,
    prefix: str = "",
    delimiter: str = "",
    after: str = "",
    max_keys: int = 1000,
) -> Listing:
    """Return up to `max_keys` objects and common prefixes that come after the key `after`."""
    store.bucket(bucket)
    objects: list[StoredObject] = []
    folded: list[str] = []
    position = after
    while max_keys > 0:
        skip_to: str | None = None
        for stored in store.keys_from(bucket, prefix, position):
            if len(objects) + len(folded) >= max_keys:
                return Listing(objects, folded, position)
            cut = stored.key.find(delimiter, len(prefix)) if delimiter else -1
            if cut < 0:
                objects.append(stored)
                position = stored.key
                continue
            common = stored.key[: cut + len(delimiter)]
            # A continuation token may point into a prefix that the page before has given already.
            if not after.startswith(common) or after == common:
                folded.append(common)
            skip_to = common + HIGHEST_CHARACTER
            break
        if skip_to is None:
            break
        position = skip_to
    return Listing(objects, folded, None)
