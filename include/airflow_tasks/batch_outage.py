"""When the delivery of batches itself is worth a message: a pure function of the days recorded before."""

from include.data_contracts.batch_delivery import BatchDelivery
from include.data_contracts.day_inputs import ARRIVED, STALE
from include.data_contracts.monitoring_day import BatchAlert


def decide_batch_alert(
    date: str, status: str, *, previous: BatchDelivery | None, recorded: BatchDelivery | None
) -> BatchAlert:
    """Return where the delivery stands on `date`, and whether a message is due.

    new on the first day of an outage, cleared on the first day with a batch again. `previous` is the last
    delivery recorded before; `recorded` is what an earlier run recorded for the same date: judging the day
    again repeats its decision, and a batch that came after all ends the outage that its absence began.
    """
    has_come = status == ARRIVED
    if recorded is not None and recorded.is_outage != has_come:
        return recorded.batch_alert
    before = recorded if recorded is not None and recorded.is_outage else previous
    since = before.batch_alert.since if before is not None and before.is_outage else None
    if has_come:
        if since is None:
            return BatchAlert("none", None, f"the batch of {date} has come")
        return BatchAlert(
            "cleared", since, f"batches come again: {date} is there, none had come since {since}"
        )
    what = "is the one of an earlier day once more" if status == STALE else "has not come"
    if since is not None:
        return BatchAlert("none", since, f"the batch of {date} {what}; no new one since {since}")
    return BatchAlert("new", date, f"the batch of {date} {what}")
