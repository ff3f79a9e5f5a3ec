"""What the drift page adds to the style sheet of the report pages: verdict colours, small multiples, days."""

STYLE_SHEET = """
:root { --calm: #17703f; --calm-ground: #e7f5ed; --calm-line: #a9d9bd; --alarm: #96480a; --alarm-ground:
  #fff3e4;
  --alarm-line: #efc795; --broken: #a8201a; --broken-ground: #fdecea; --broken-line: #efb3ae; --unsure:
  #4a5564;
  --unsure-ground: #eef1f5; --unsure-line: #c9d1db; --then: #b6c0cf; --track: #eef1f5; }
@media (prefers-color-scheme: dark) { :root { --calm: #7bdca6; --calm-ground: #11271b; --calm-line: #2c5c42;
  --alarm: #ffb877; --alarm-ground: #2f210f; --alarm-line: #6d4a20; --broken: #ff9d96; --broken-ground:
  #361615;
  --broken-line: #7a322d; --unsure: #b3bdcb; --unsure-ground: #222a35; --unsure-line: #434f5f; --then:
  #56647a;
  --track: #222a35; } }
main { max-width: 1160px; }
.no_drift { --tone: var(--calm); --tone-ground: var(--calm-ground); --tone-line: var(--calm-line); }
.drift { --tone: var(--alarm); --tone-ground: var(--alarm-ground); --tone-line: var(--alarm-line); }
.data_break { --tone: var(--broken); --tone-ground: var(--broken-ground); --tone-line: var(--broken-line); }
.insufficient_data { --tone: var(--unsure); --tone-ground: var(--unsure-ground); --tone-line:
  var(--unsure-line); }
.verdict { background: var(--tone-ground); border: 1px solid var(--tone-line); border-left: 6px solid
  var(--tone);
  border-radius: 12px; padding: 18px 22px 20px; margin: 0 0 18px; overflow-wrap: anywhere; }
.verdict .where { color: var(--soft); font-size: .88rem; margin: 0 0 6px; }
.verdict h1 { color: var(--tone); display: flex; gap: 12px; align-items: center; margin: 0 0 8px;
  font-size: 1.8rem; }
.verdict h1 .icon { width: 30px; height: 30px; flex: none; }
.verdict .lead { font-size: 1.08rem; margin: 0; }
.verdict ul { margin: 10px 0 0; padding: 0 0 0 1.15em; }
.verdict li { margin: 0 0 4px; }
.verdict dl { display: grid; grid-template-columns: max-content 1fr; gap: 4px 18px; margin: 14px 0 0;
  border-top: 1px solid var(--tone-line); padding-top: 12px; font-size: .94rem; }
.verdict dl div { display: contents; }
.verdict dt { font-weight: 600; }
.verdict dd { margin: 0; }
.icon { width: 1em; height: 1em; fill: none; stroke: currentColor; stroke-width: 2; stroke-linecap: round;
  stroke-linejoin: round; }
.chip { display: inline-flex; gap: 5px; align-items: center; color: var(--tone); background:
  var(--tone-ground);
  border: 1px solid var(--tone-line); border-radius: 999px; padding: 0 9px; font-size: .78rem;
  font-weight: 600;
  line-height: 1.7; white-space: nowrap; }
.steps { margin: 0; padding: 0 0 0 1.3em; }
.steps li { margin: 0 0 7px; }
.steps li:last-child { margin: 0; }
.standing { display: flex; flex-wrap: wrap; gap: 4px 12px; align-items: baseline; margin: 0 0 6px; }
.card p.standing, .card p.plain { color: var(--ink); font-size: .96rem; }
.standing b { color: var(--tone); }
.band { margin: 26px 0 0; }
.band > h2, .band > summary { font-size: 1.15rem; margin: 0 0 6px; }
.band > summary { margin: 0 0 14px; }
.band > p { color: var(--soft); font-size: .9rem; margin: 0 0 10px; max-width: 74ch; }
.band + .card { margin-top: 26px; }
.multiples { display: grid; grid-template-columns: repeat(auto-fill, minmax(min(320px, 100%), 1fr)); gap:
  18px;
  margin: 0 0 18px; }
.pair { display: grid; grid-template-columns: repeat(auto-fit, minmax(min(420px, 100%), 1fr)); gap: 18px;
  margin: 0 0 18px; align-items: start; }
.multiples .card, .pair .card { margin: 0; }
.pair svg.chart { max-width: 380px; }
.pair .scroll { margin-top: 12px; }
.multiples .card { display: flex; flex-direction: column; }
.multiples .card > details { margin-top: auto; padding-top: 12px; }
.multiples .card > details[open] { margin-top: 0; }
.card > p + .scroll { margin-top: 12px; }
.card h3 { display: flex; gap: 10px; justify-content: space-between; align-items: baseline; font-size: .98rem;
  margin: 0 0 12px; }
.card h3 > span:first-child { overflow-wrap: anywhere; min-width: 0; }
.card h4 { font-size: .9rem; margin: 16px 0 6px; }
.card h2 + ul { margin: 0; padding: 0 0 0 1.15em; }
.card ul + h2, .card dl + h2 { margin-top: 20px; }
.card ul li { margin: 0 0 4px; overflow-wrap: anywhere; }
.card p { overflow-wrap: anywhere; }
.empty { font-style: italic; }
.legend { display: flex; flex-wrap: wrap; gap: 4px 20px; color: var(--soft);
  font-size: .86rem;
  margin: 0 0 12px; }
.legend > span { display: inline-flex; gap: 8px; align-items: center; }
.key { display: inline-block; width: 22px; height: 9px; flex: none; font-style: normal; }
.before-key { background: var(--then); border-radius: 2px; }
.now-key { background: var(--accent); border-radius: 2px; height: 5px; }
.line-key { height: 0; border-top: 2.4px solid var(--accent); }
.dash-key { height: 0; border-top: 2px dashed var(--soft); }
.alert-key { height: 5px; background: var(--alarm); }
.break-key { width: auto; height: auto; color: var(--broken); font-weight: 700; line-height: 1; }
.chart .before { fill: var(--then); }
.chart .now { fill: var(--accent); }
.chart .now-outline { fill: var(--area); stroke: var(--accent); stroke-width: 2; stroke-linejoin: round; }
.chart .track { stroke: var(--track); stroke-width: 5.5; }
.chart .tick { font-size: 11.5px; }
.chart .level { fill: var(--ink); font-size: 12.5px; }
.chart .marked { fill: var(--alarm); font-weight: 600; }
.chart .curve { stroke-width: 1.9; }
.chart .threshold { stroke: var(--soft); stroke-width: 1.6; stroke-dasharray: 5 4; fill: none; }
.chart .reference-line { stroke: var(--soft); stroke-width: 2.4; fill: none; }
.chart .interval { stroke: var(--accent); stroke-width: 3; opacity: .5; fill: none; }
.chart .alert-mark { stroke: var(--alarm); stroke-width: 5; fill: none; }
.chart .break-mark { stroke: var(--broken); stroke-width: 1.8; fill: none; }
.days { margin: 14px 0 0; }
.days svg { display: block; width: 100%; max-width: 720px; height: auto; }
.days figcaption { color: var(--soft); font-size: .84rem; margin-top: 4px; }
.strip .day { fill: var(--tone); }
table.features { min-width: 980px; font-size: .88rem; }
table.features th, table.features td { padding-right: 16px; }
table.features tbody th { min-width: 156px; max-width: 220px; overflow-wrap: anywhere; }
table.features .name { display: block; font-weight: 600; }
table.features .chip { margin-top: 4px; }
td.statistic { white-space: nowrap; }
td.reason { min-width: 220px; max-width: 320px; overflow-wrap: anywhere; }
td.reason span { display: block; }
td.reason span + span { color: var(--soft); font-size: .92em; margin-top: 3px; }
th small, td small { display: block; color: var(--soft); font-weight: 400; font-size: .86em; }
table.compact { font-size: .87rem; }
table.compact th, table.compact td { padding: 5px 12px 5px 0; }
tr.found > * { font-weight: 600; }
.card details .scroll + .scroll { margin-top: 14px; }
table.effects td small { white-space: normal; }
dl.facts { display: grid; grid-template-columns: max-content 1fr; gap: 4px 18px; margin: 0; font-size:
  .92rem; }
dl.settings { grid-template-columns: repeat(auto-fill, minmax(190px, max-content) minmax(60px,
  max-content)); }
dl.facts dt { color: var(--soft); }
dl.facts dd { margin: 0; overflow-wrap: anywhere; }
details > summary { cursor: pointer; font-weight: 600; color: var(--soft); }
.card > details { margin-top: 12px; font-size: .92rem; }
details[open] > summary { margin-bottom: 10px; }
details.band { margin-bottom: 18px; }
@media (max-width: 720px) { .verdict { padding: 14px 16px 16px; } .verdict h1 { font-size: 1.4rem; }
  .verdict dl { grid-template-columns: 1fr; gap: 0; } .verdict dd { margin: 0 0 8px; }
  table.compact th small { display: none; } }
@media print { :root { --then: #c4c4c4; --track: #fff; --calm: #0b4d29; --alarm: #7a3a06; --broken: #7d1410;
  --unsure: #333; --calm-ground: #fff; --alarm-ground: #fff; --broken-ground: #fff; --unsure-ground: #fff;
  --calm-line: #999; --alarm-line: #999; --broken-line: #999; --unsure-line: #999; }
  .verdict, .chip, .before-key, .now-key, svg { print-color-adjust: exact; -webkit-print-color-adjust:
  exact; }
  .verdict { break-inside: avoid; } .multiples { grid-template-columns: repeat(3, 1fr); gap: 10px; }
  .multiples .card { padding: 10px; } .multiples h3 { font-size: 9pt; }
  .chip { font-size: 7pt; padding: 0 5px; }
  .card p, .legend, .band > p, table.compact { font-size: 8.5pt; } .scroll { overflow: visible; }
  table.features { min-width: 0; font-size: 7.5pt; } table.features th, table.features td {
  padding-right: 6px; }
  table.features tbody th, td.reason { min-width: 0; } details:not([open]) { display: none; } }
"""
