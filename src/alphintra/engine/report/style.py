"""How a report looks, on light and on dark."""

from __future__ import annotations

from typing import Final

__all__ = ["STYLE"]

STYLE: Final = """
:root { color-scheme: light dark; --ink: #1d2330; --dim: #5c6675; --paper: #fff; --card: #f5f7fa; --edge: #d9dee6;
  --a: #2563c9; --b: #8a6d1d; --up: #1a7f4b; --down: #c0392b; --amber: #9a6700; --fill: #c0392b33;
  font: 15px/1.5 system-ui, sans-serif }
@media (prefers-color-scheme: dark) { :root { --ink: #e4e8ef; --dim: #98a2b3; --paper: #12161d; --card: #1a202a;
  --edge: #2d3644; --a: #6ea8ff; --b: #d8b04a; --up: #4cc38a; --down: #ff7a6b; --amber: #e2a03f; --fill: #ff7a6b33 } }
* { box-sizing: border-box }
body { margin: 0 auto; padding: 1.5rem 1.25rem 4rem; max-width: 1180px; background: var(--paper); color: var(--ink) }
h1 { font-size: 1.6rem; margin: 0 } h2 { font-size: 1.15rem; margin: 2.2rem 0 .6rem }
h3 { font-size: .95rem; margin: 0 0 .35rem }
p { margin: .3rem 0 } .dim { color: var(--dim) } code { font-size: .82em; overflow-wrap: anywhere }
a { color: var(--a) } abbr { text-decoration: underline dotted var(--dim); cursor: help }
.cards { display: grid; grid-template-columns: repeat(auto-fit, minmax(150px, 1fr)); gap: .7rem; margin: 1.2rem 0 }
.card { background: var(--card); border: 1px solid var(--edge); border-radius: 8px; padding: .7rem .9rem }
.card b { display: block; font-size: 1.35rem; font-variant-numeric: tabular-nums }
.grid { display: grid; grid-template-columns: repeat(auto-fit, minmax(min(100%, 500px), 1fr)); gap: 1rem }
.grid > *, figure { background: var(--card); border: 1px solid var(--edge); border-radius: 8px; padding: .9rem;
  margin: 0; min-width: 0 }
.grid svg .tick { font-size: 15px } .thirds { grid-template-columns: repeat(auto-fit, minmax(min(100%, 320px), 1fr)) }
.flow { columns: 2 340px; column-gap: 1rem } .flow > * { break-inside: avoid; background: var(--card); margin: 0 0 1rem;
  border: 1px solid var(--edge); border-radius: 8px; padding: .9rem }
figure { margin: 0 0 1rem } .grid figure { margin: 0 }
figcaption { font-weight: 600; margin-bottom: .3rem } svg { display: block; width: 100%; height: auto }
table { border-collapse: collapse; width: 100%; font-variant-numeric: tabular-nums; font-size: .88rem }
th, td { padding: .22rem .5rem; text-align: right; border-bottom: 1px solid var(--edge) }
th:first-child, td:first-child { text-align: left } td.text, th.text { text-align: left }
td:not(.text), tbody th { white-space: nowrap }
thead th { color: var(--dim); font-weight: 600 }
.wide { overflow-x: auto } .heat td { text-align: center; padding: .25rem .3rem; border: 1px solid var(--paper) }
.heat th { text-align: center } .heat td.best { outline: 2px solid var(--ink); outline-offset: -2px; font-weight: 700 }
.verdict { border-left: 6px solid var(--edge); border-radius: 8px; background: var(--card); padding: .8rem 1.1rem }
.verdict ul { list-style: none; margin: .5rem 0 0; padding: 0 } .verdict li { margin: .2rem 0 }
.mark { display: inline-block; min-width: 4.2rem; font-weight: 700; text-transform: uppercase; font-size: .78rem }
.green { border-color: var(--up) } .amber { border-color: var(--amber) } .red { border-color: var(--down) }
.green > .mark, .mark.green, .plus { color: var(--up) } .amber > .mark, .mark.amber { color: var(--amber) }
.red > .mark, .mark.red, .minus { color: var(--down) }
summary { cursor: pointer; color: var(--dim); margin-top: .5rem; font-size: .85rem }
.line { fill: none; stroke-width: 1.5; stroke-linejoin: round } .line.a { stroke: var(--a) }
.line.b { stroke: var(--b); stroke-dasharray: 4 3 } .line.c { stroke: var(--down) }
.line.solid { stroke-dasharray: none } .area { fill: var(--fill) } .calm { fill: var(--a); fill-opacity: .16 }
.rule { stroke: var(--edge); fill: none } .zero { stroke: var(--dim); fill: none }
.tick { fill: var(--dim); font-size: 11px }
rect.up, circle.up { fill: var(--up) }
rect.down, circle.down, polygon.down { fill: var(--down) } polygon.up { fill: var(--up) }
.zone { fill-opacity: .12 } .zone.insample { fill: var(--dim); fill-opacity: .06 } .zone.holdout { fill: var(--amber) }
.zone.paper { fill: var(--a) } .zone.live { fill: var(--up) } .zonename { fill: var(--dim); font-size: 12px }
.legend { display: flex; flex-wrap: wrap; gap: .2rem 1.2rem; font-size: .85rem; color: var(--dim) }
.legend .key { display: inline-block; width: 24px; height: 8px; margin-right: .4rem }
.after { margin-top: 1rem } .below { margin-bottom: 1rem } .over { margin: 1rem 0 .5rem }
.dot { fill-opacity: .6 } .outer { fill: var(--a); fill-opacity: .13 } .inner { fill: var(--a); fill-opacity: .22 }
.switch input { position: absolute; opacity: 0 } .switch label { display: inline-block; padding: .1rem .7rem;
  border: 1px solid var(--edge); border-radius: 6px; cursor: pointer; font-size: .85rem }
.switch input:checked + label { background: var(--a); color: var(--paper) }
.switch input:focus-visible + label { outline: 2px solid var(--b) } .switch .log { display: none }
.switch:has(#axis-log:checked) .log { display: block } .switch:has(#axis-log:checked) .plain { display: none }
tbody th { font-weight: 400 } .heat tbody th { font-weight: 600 }
@media (max-width: 640px) { body { padding: 1rem .7rem 3rem } .cards { grid-template-columns: 1fr 1fr }
  h1 { font-size: 1.3rem } .card b { font-size: 1.1rem } svg .tick, .grid svg .tick { font-size: 22px }
  .zonename { font-size: 20px } .grid > *, figure, .flow > * { padding: .6rem } }
@media print { :root { color-scheme: light; --ink: #000; --dim: #444; --paper: #fff; --card: #fff; --edge: #bbb;
  --a: #1f4e9e; --b: #7a5f14; --up: #176b40; --down: #a83226; --amber: #805600; --fill: #a8322633 }
  @page { margin: 14mm } body { max-width: none; padding: 0; font-size: 10pt }
  * { print-color-adjust: exact; -webkit-print-color-adjust: exact }
  figure, .card, .grid > *, .flow > *, tr { break-inside: avoid } h2, h3, figcaption { break-after: avoid }
  .wide { overflow: visible } .switch input, .switch label { display: none }
  .grid { grid-template-columns: 1fr 1fr } details.aside { display: none }
  .grid table { font-size: .68rem } .grid th, .grid td { padding: .12rem .22rem } .grid > * { padding: .5rem }
  .cards { grid-template-columns: repeat(7, auto); gap: .3rem } .card b { font-size: 1rem } table { font-size: .78rem }
  details > summary { display: none } details::details-content { content-visibility: visible; display: block } }
"""
