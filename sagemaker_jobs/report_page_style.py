"""The style sheet of the report pages: light and dark, phone and print. A module, so it ships like code."""

STYLE_SHEET = """
:root { color-scheme: light dark; --ground: #f6f7f9; --card: #ffffff; --ink: #17202e; --soft: #5b6677;
  --line: #dfe3ea; --accent: #2458d3; --area: rgba(36, 88, 211, .10); --warm: #c2410c;
  --warn-ground: #fff4e0; --warn-ink: #7a4a00; --warn-line: #f0c27a; }
@media (prefers-color-scheme: dark) { :root { --ground: #10141b; --card: #181e28; --ink: #e7ebf2;
  --soft: #9aa6b8;  --line: #2c3542; --accent: #86a8ff; --area: rgba(134, 168, 255, .14); --warm: #ff9d6b;
  --warn-ground: #362810; --warn-ink: #ffd893; --warn-line: #6d5120; } }
* { box-sizing: border-box; }
body { margin: 0; background: var(--ground); color: var(--ink); -webkit-text-size-adjust: 100%;
  font: 16px/1.55 system-ui, -apple-system, "Segoe UI", Roboto, "Helvetica Neue", Arial, sans-serif; }
main { max-width: 1040px; margin: 0 auto; padding: 28px 20px 48px; }
h1 { font-size: 1.65rem; line-height: 1.2; margin: 0 0 4px; letter-spacing: -.01em; }
h2 { font-size: 1.05rem; margin: 0 0 10px; }
.subtitle { color: var(--soft); margin: 0 0 20px; overflow-wrap: anywhere; }
.banner { background: var(--warn-ground); color: var(--warn-ink); border: 1px solid var(--warn-line);
  border-radius: 10px; padding: 12px 16px; margin: 0 0 18px; font-weight: 600; }
.card { background: var(--card); border: 1px solid var(--line); border-radius: 12px; padding: 18px 20px;
  margin: 0 0 18px; }
.figures { display: grid; grid-template-columns: repeat(4, 1fr); gap: 14px; margin: 0 0 18px; }
.figure { background: var(--card); border: 1px solid var(--line); border-radius: 12px; padding: 14px 16px; }
.figure b { display: block; font-size: 1.7rem; line-height: 1.2; font-variant-numeric: tabular-nums; }
.figure span { color: var(--soft); font-size: .84rem; display: block; }
.sentences { margin: 0; padding: 0 0 0 1.1em; }
.sentences li { margin: 0 0 6px; }
.sentences li:last-child { margin: 0; }
.grid { display: grid; grid-template-columns: repeat(2, minmax(0, 1fr)); gap: 18px; }
.grid .card { margin: 0; }
.grid + .grid, .after-grid { margin-top: 18px; }
.card p { color: var(--soft); font-size: .88rem; margin: 8px 0 0; }
.scroll { overflow-x: auto; }
table { border-collapse: collapse; width: 100%; font-size: .93rem; }
th, td { text-align: left; padding: 7px 18px 7px 0;
  border-bottom: 1px solid var(--line); vertical-align: top; }
th:last-child, td:last-child { padding-right: 0; }
tr:last-child > * { border-bottom: 0; }
thead th { color: var(--soft); font-weight: 600; font-size: .82rem; }
tbody th { font-weight: 500; }
td.number, th.number { text-align: right; font-variant-numeric: tabular-nums; white-space: nowrap; }
td small { color: var(--soft); font-size: .84rem; }
td.wide { overflow-wrap: anywhere; }
.matrix td { font-size: 1.15rem; }
.matrix td small { display: block; }
svg.chart { display: block; width: 100%; height: auto; font-family: inherit; }
.chart .grid { stroke: var(--line); stroke-width: 1; fill: none; }
.chart .axis { stroke: var(--soft); stroke-width: 1; fill: none; }
.chart .tick { fill: var(--soft); font-size: 11.5px; }
.chart .label { fill: var(--soft); font-size: 12.5px; }
.chart .reference { stroke: var(--soft); stroke-width: 1.3; stroke-dasharray: 5 5; fill: none; }
.chart .curve { stroke: var(--accent); stroke-width: 2.4; fill: none; stroke-linejoin: round; }
.chart .area { fill: var(--area); }
.chart .bar { stroke: var(--accent); stroke-width: 2; opacity: .45; }
.chart .dot { fill: var(--accent); }
.chart .marker { fill: var(--card); stroke: var(--warm); stroke-width: 2.6; }
.chart .note { fill: var(--warm); font-size: 12.5px; font-weight: 600;
  paint-order: stroke; stroke: var(--card); stroke-width: 4px; stroke-linejoin: round; }
footer { color: var(--soft); font-size: .82rem; margin: 18px 0 0; overflow-wrap: anywhere; }
@media (max-width: 720px) { main { padding: 18px 12px 32px; } .grid { grid-template-columns: minmax(0, 1fr); }
  .figures { grid-template-columns: repeat(2, 1fr); gap: 10px; } .card { padding: 14px; }
  .meaning { display: none; } th, td { padding-right: 10px; } }
@media print { :root { --ground: #fff; --card: #fff; --ink: #000; --soft: #444; --line: #ccc;
  --accent: #1d47ab;  --area: rgba(29, 71, 171, .08); --warm: #a33408;
  --warn-ground: #fff; --warn-ink: #000; --warn-line: #000; }
  body { font-size: 11pt; } main { max-width: none; padding: 0; }
  .card, .figure, .banner { break-inside: avoid; }
  @page { margin: 14mm; } }
"""
