"""Drift statistics: mergeable profiles, tests, effect sizes, verdicts and alerts, with numpy and scipy only.

Start at `profiles` (one pass over the data), `comparison` (two profiles to a report) and `sequential_monitor`
(a run of daily reports to alerts). docs/drift-statistics.md explains the choices and says what is measured.
"""
