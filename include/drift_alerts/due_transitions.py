"""Which message a day calls for: where things stand, against what people have been told. Pure.

The job says how a day changed against the day before. People are told how things changed against the *last
message*: a day that comes late, is judged again or whose message was switched off changes what the day before
it was, and not what people know.
"""

from dataclasses import dataclass

from include.data_contracts.told_alert import ToldAlert

NONE, NEW, WORSE, CLEARED = "none", "new", "worse", "cleared"
DATA_BREAK = "data_break"


@dataclass(frozen=True)
class Standing:
    """Where one thing stands after a day: `kind` of what is open, with all `columns` that it names.

    `job_says` is the transition against the day before.
    """

    date: str
    kind: str
    is_open: bool
    columns: tuple[str, ...] = ()
    job_says: str = NONE


def due_transition(
    standing: Standing, told: ToldAlert | None, following: ToldAlert | None, *, is_followed: bool
) -> str:
    """Return new, worse, cleared, or none when people know.

    `told` is the last message about the same thing up to the standing's date, `following` the first one of a
    later date. `is_followed` says whether a later day has been judged: that day, not this one, can say that
    it, or a break, is over.
    """
    was_open = told is not None and told.is_open
    if not standing.is_open:
        return CLEARED if was_open and not is_followed else NONE
    if following is not None and following.is_open and _covers(following, standing):
        return NONE
    if told is None or not was_open:
        return NEW
    return _change_of_what_is_open(standing, told, is_followed=is_followed)


def _change_of_what_is_open(standing: Standing, told: ToldAlert, *, is_followed: bool) -> str:
    has_broken = standing.kind == DATA_BREAK and told.kind != DATA_BREAK
    if has_broken or not set(standing.columns) <= set(told.columns):
        return WORSE
    if told.kind == DATA_BREAK and standing.kind != DATA_BREAK:
        return NONE if is_followed else CLEARED  # of the break: what had drifted before is still open
    # A column that came back to its baseline and left again: not on the day that said so itself.
    return WORSE if standing.job_says == WORSE and told.date < standing.date else NONE


def _covers(message: ToldAlert, standing: Standing) -> bool:
    return message.kind == standing.kind and set(standing.columns) <= set(message.columns)
