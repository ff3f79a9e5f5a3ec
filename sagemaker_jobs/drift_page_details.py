"""What lies behind the verdict on one column: single tests, effect sizes, range and lost levels."""

from html import escape

from sagemaker_jobs.drift_findings import EFFECT_NAMES, ColumnFinding, Part
from sagemaker_jobs.page_text import counted, figure, listed, plain, probability, share, shown

MOST_LEVELS = 6


def column_details(finding: ColumnFinding) -> str:
    """Return the folded details of a column; nothing when there are none."""
    tests, effects = finding.entry["tests"], finding.entry["effect_sizes"]
    parts = [_tests(tests) if tests else "", _effects(effects) if effects else ""]
    parts += [f"<p>{escape(words)}</p>" for words in range_and_level_words(finding.entry)]
    content = "".join(parts)
    if not content:
        return ""
    kinds = ((len(tests), "test"), (len(effects), "effect size"))
    told = ", ".join(counted(count, kind) for count, kind in kinds if count) or "more"
    return f"<details><summary>{told}</summary>{content}</details>"


def range_and_level_words(entry: Part) -> list[str]:
    """Return what left the reference's range and which levels are gone, in plain text."""
    words = []
    outside = entry["missing"]["out_of_range_share"] if entry["missing"] is not None else None
    if outside is not None:
        words.append(f"Outside the reference's range: {share(outside)} of the batch's numbers.")
    gone = [str(level) for level in entry["vanished_levels"]]
    if gone:
        words.append(f"Levels that are gone: {listed(gone, MOST_LEVELS)}.")
    return words


def effect_interval(entry: Part, name: str) -> str:
    """Return the 95% interval of one effect size in words; empty where it has none."""
    effect = entry["effect_sizes"].get(name)
    return "" if effect is None else _interval(effect)


def _interval(effect: Part) -> str:
    low, high = effect["interval_95"]
    return f"{figure(low)} to {figure(high)}"


def _tests(tests: list[Part]) -> str:
    """Return the single tests of a column, for those who want to know which of them spoke."""
    rows = []
    for test in tests:
        found = ' class="found"' if test["verdict"] == "drift" else ""
        effect = EFFECT_NAMES.get(test["effect_name"], plain(test["effect_name"], 40).replace("_", " "))
        rows.append(
            f'<tr{found}><th scope="row">{shown(test["test"]).replace("_", " ")}'
            f"<small>{escape(effect)}</small></th>"
            f'<td class="number">{probability(test["adjusted_p_value"])}</td>'
            f'<td class="number">{figure(test["effect"])}</td>'
            f'<td class="number">{figure(test["floor"])}</td></tr>'
        )
    return (
        '<div class="scroll"><table class="compact">'
        '<thead><tr><th scope="col">test</th><th scope="col" class="number">adjusted p</th>'
        '<th scope="col" class="number">effect</th><th scope="col" class="number">floor</th></tr></thead>'
        f"<tbody>{''.join(rows)}</tbody></table></div>"
    )


def _effects(effects: Part) -> str:
    """Return all effect sizes with their intervals, in the column's own unit where they have one."""
    rows = []
    for name, effect in effects.items():
        unit = f"<small>{shown(effect['unit'], 60)}</small>" if effect["unit"] else ""
        words = EFFECT_NAMES.get(name, plain(name, 40).replace("_", " "))
        rows.append(
            f'<tr><th scope="row">{escape(words)}</th>'
            f'<td class="number">{figure(effect["value"])}{unit}</td>'
            f'<td class="number">{_interval(effect)}</td></tr>'
        )
    return (
        '<div class="scroll"><table class="compact effects"><thead><tr><th scope="col">effect size</th>'
        '<th scope="col" class="number">value</th><th scope="col" class="number">95% interval</th></tr>'
        f"</thead><tbody>{''.join(rows)}</tbody></table></div>"
    )
