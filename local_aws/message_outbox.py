"""The outbox: one readable file per message that was published to an SNS topic.

Nothing is mailed from a laptop; what subscribers would have got is here instead. A FIFO topic's second
message of the same deduplication id within five minutes reaches no subscriber, and no file.
"""

import json
import re
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs

MESSAGE_ID = re.compile(rb"<MessageId>([^<]+)</MessageId>")
DEDUPLICATION_TIME = timedelta(minutes=5)
_STAMP = "%Y%m%dT%H%M%S"


class MessageOutbox:
    """A directory of messages, named by time, topic and message id."""

    def __init__(self, directory: Path):
        self._directory = directory

    def take(self, action: str, body: bytes, answer: bytes) -> None:
        """Keep the messages of a Publish or PublishBatch request that was accepted."""
        if action not in {"Publish", "PublishBatch"}:
            return
        fields = {name: values[0] for name, values in parse_qs(body.decode(), keep_blank_values=True).items()}
        topic = fields.get("TopicArn") or fields.get("TargetArn") or fields.get("PhoneNumber", "")
        message_ids = [found.decode() for found in MESSAGE_ID.findall(answer)]
        # PublishBatch answers with ids in the order of its entries.
        prefixes = [""] if action == "Publish" else _entry_prefixes(fields)
        for message_id, prefix in zip(message_ids, prefixes, strict=False):
            self._write(topic, message_id, _message(fields, prefix))

    def _write(self, topic: str, message_id: str, message: dict[str, Any]) -> None:
        stamp = datetime.now(UTC)
        place = topic.rpartition(":")[2]
        if "deduplication_id" in message and self._is_known(place, message["deduplication_id"], stamp):
            return
        content = {"message_id": message_id, "topic_arn": topic, "published_at": stamp.isoformat(), **message}
        name = f"{stamp:{_STAMP}}.{stamp.microsecond // 1000:03d}Z-{place}-{message_id}.json"
        self._directory.mkdir(parents=True, exist_ok=True)
        temporary = self._directory / f".{name}.tmp"
        temporary.write_text(json.dumps(content, indent=2, ensure_ascii=False) + "\n", encoding="utf-8")
        temporary.replace(self._directory / name)

    def _is_known(self, place: str, deduplication_id: str, now: datetime) -> bool:
        """Look into the files themselves: they outlive this process."""
        oldest = f"{now - DEDUPLICATION_TIME:{_STAMP}}"
        for path in self._directory.glob(f"*Z-{place}-*.json"):
            if path.name >= oldest:
                known = json.loads(path.read_text(encoding="utf-8"))
                if known.get("deduplication_id") == deduplication_id:
                    return True
        return False


def _entry_prefixes(fields: dict[str, str]) -> list[str]:
    pattern = re.compile(r"(PublishBatchRequestEntries\.member\.(\d+)\.)Id")
    found = [match for name in fields if (match := pattern.fullmatch(name))]
    return [match.group(1) for match in sorted(found, key=lambda match: int(match.group(2)))]


def _message(fields: dict[str, str], prefix: str) -> dict[str, Any]:
    """Return what a subscriber would get; `lines` is the message once more, for reading."""
    attributes = {}
    for name, value in fields.items():
        match = re.fullmatch(re.escape(prefix) + r"MessageAttributes\.entry\.(\d+)\.Name", name)
        if match:
            base = f"{prefix}MessageAttributes.entry.{match.group(1)}.Value."
            attributes[value] = fields.get(f"{base}StringValue", fields.get(f"{base}BinaryValue", ""))
    text = fields.get(f"{prefix}Message", "")
    message: dict[str, Any] = {
        "subject": fields.get(f"{prefix}Subject"),
        "lines": text.splitlines(),
        "attributes": attributes,
        "message": text,
    }
    deduplication_id = fields.get(f"{prefix}MessageDeduplicationId")
    return message | ({} if deduplication_id is None else {"deduplication_id": deduplication_id})
