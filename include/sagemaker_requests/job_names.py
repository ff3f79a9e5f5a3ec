"""Job names that say which run, stage, generation and attempt a job belongs to.

Why they are all that is kept of what was started: docs/decisions/0002-job-names-make-retries-safe.md.
"""

from include.data_contracts.run_plan import RunPlan

STAGES = ("preprocess", "train", "evaluate", "detect_drift")
_MOST_CHARACTERS = 63


def job_name(stage: str, plan: RunPlan, generation: int, attempt: int) -> str:
    """Return `churn-<stage>-<run slug>-<run hash>-g<generation>-a<attempt>`, at most 63 characters.

    The slug is cut to fit; everything that makes the name unique stays whole. Raises ValueError for an
    unknown stage or a negative number.
    """
    if stage not in STAGES:
        raise ValueError(f"unknown stage {stage!r}; one of {', '.join(STAGES)}")
    if generation < 0 or attempt < 0:
        raise ValueError(f"generation {generation} and attempt {attempt} must not be negative")
    head, tail = f"churn-{stage.replace('_', '-')}", f"{plan.run_hash}-g{generation}-a{attempt}"
    slug = plan.run_slug[: _MOST_CHARACTERS - len(head) - len(tail) - 2].strip("-")
    return "-".join(part for part in (head, slug, tail) if part)
