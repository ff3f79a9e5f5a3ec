"""What the drift page adds to the style sheet of the report pages: verdict colours and small multiples."""

STYLE_SHEET = """
:root { --calm: #1a7f4b; --calm-ground: #e8f6ee; --alarm: #b4540a; --alarm-ground: #fff2e3;
  --broken: #b3261e; --broken-ground: #fdecea; --unsure: #55606f; --unsure-ground: #eef1f5; --then: #b9c2d0; }
@media (prefers-color-scheme: dark) { :root { --calm: #6fd39b; --calm-ground: #12291d; --alarm: #ffb168;
  --alarm-ground: #33230f; --broken: #ff9b94; --broken-ground: #3a1715; --unsure: #a9b4c4;
  --unsure-ground: #232b37; --then: #465468; } }
.verdict { border-radius: 12px; padding: 18px 20px; margin: 0 0 18px; border: 1px solid currentColor; }
.verdict h1 { margin: 0 0 6px; }
.verdict p, .verdict li { color: var(--ink); }
.verdict p { margin: 6px 0 0; }
.verdict ul { margin: 8px 0 0; padding: 0 0 0 1.1em; }
.no_drift, .quiet { --tone: var(--calm); --tone-ground: var(--calm-ground); }
.drift { --tone: var(--alarm); --tone-ground: var(--alarm-ground); }
.data_break { --tone: var(--broken); --tone-ground: var(--broken-ground); }
.insufficient_data { --tone: var(--unsure); --tone-ground: var(--unsure-ground); }
.verdict, .chip { color: var(--tone); background: var(--tone-ground); }
.chip { display: inline-block; border-radius: 999px; padding: 1px 10px; font-size: .8rem; font-weight: 600;
  white-space: nowrap; }
h2 .chip { margin-left: 6px; }
.steps { margin: 0; padding: 0 0 0 1.2em; }
.steps li { margin: 0 0 6px; }
.multiples { display: grid; gap: 18px; margin: 0 0 18px;
  grid-template-columns: repeat(auto-fill, minmax(min(300px, 100%), 1fr)); }
.multiples .card { margin: 0; }
.card > svg.chart { max-width: 460px; }
.multiples h3 { display: flex; flex-wrap: wrap; gap: 4px 10px; justify-content: space-between;
  align-items: baseline;
  font-size: .98rem; margin: 0 0 8px; overflow-wrap: anywhere; }
.section-title { font-size: 1.15rem; margin: 26px 0 10px; }
.key { color: var(--soft); font-size: .86rem; margin: 0 0 12px; }
.key i { display: inline-block; width: 22px; height: 9px; border-radius: 2px; margin: 0 6px 0 14px; }
.key i:first-child { margin-left: 0; }
.key .before { background: var(--then); }
.key .now { background: var(--accent); }
.chart .before { fill: var(--then); }
.chart .now { fill: var(--accent); }
.chart .outline { fill: none; stroke: var(--accent); stroke-width: 2; stroke-linejoin: round; }
.chart .label { fill: var(--ink); font-size: 12px; }
.chart .label.new { fill: var(--alarm); font-weight: 600; }
.chart .alarm { fill: var(--alarm); }
.chart .day { fill: var(--tone); }
.history { border-top: 1px solid var(--line); margin-top: 10px; padding-top: 6px; }
.card p.empty { margin: 0; }
.verdict p.detail { color: var(--soft); font-size: .88rem; }
td.reason { min-width: 240px; }
td.test { white-space: nowrap; }
dl.facts { display: grid; grid-template-columns: max-content 1fr; gap: 4px 18px; margin: 0 0 8px;
  font-size: .92rem; }
dl.facts dt { color: var(--soft); }
dl.facts dd { margin: 0; overflow-wrap: anywhere; }
details summary { cursor: pointer; font-weight: 600; }
details[open] summary { margin-bottom: 10px; }
@media print { :root { --then: #ccc; } }
"""
