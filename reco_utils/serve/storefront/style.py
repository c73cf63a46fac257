# ruff: noqa: E501
"""How the shop looks, in light and in dark, on a wide screen and on a phone: one sheet of CSS.

Colours come in pairs, light-dark(a, b): the page's own colour scheme decides. No font, picture or script is fetched.
"""

SHEET = """<style>
.stApp { --soft: color-mix(in srgb, currentColor 7%, transparent); --line: light-dark(#e2d8cb, #453d37);
  --ink: light-dark(#8c3b2e, #f0a493); --mute: light-dark(#665a51, #bfb2a6); --paper: light-dark(#ffffff, #221e1b); }
.stMainBlockContainer { max-width: 1280px; padding: 2.4rem 2.4rem 4rem; }
.stHtml p, .stHtml dl, .stHtml dd { margin: 0; padding: 0; }

.brand { font-family: "Source Serif", Georgia, serif; line-height: 1.05; }
.brand b { font-size: 1.55rem; font-weight: 700; letter-spacing: -.01em; }
.brand span { display: block; font-size: .82rem; color: var(--mute); font-family: "Source Sans", sans-serif; }
.st-key-top { border-bottom: 1px solid var(--line); padding-bottom: .7rem; }
.st-key-menu button { padding-inline: .15rem; margin-inline-end: 1.1rem; border-radius: 0; }
.st-key-menu button[kind="tertiary"] { color: inherit; }
.st-key-menu [class*="st-key-now"] button { border-bottom: 2px solid var(--ink); color: var(--ink); }

.head h1, .head h2, .head h3 { font-family: "Source Serif", Georgia, serif; padding: 0; margin: 0; line-height: 1.15;
  font-weight: 600; text-wrap: balance; }
.head h1 { font-size: 2rem; } .head h2 { font-size: 1.45rem; } .head h3 { font-size: 1.15rem; }
.head { margin-top: .6rem; } .head .under { color: var(--mute); margin-top: .25rem; }
.notice { border-inline-start: 3px solid var(--line); padding: .45rem .8rem; border-radius: .25rem; background: var(--soft); }
.notice.news { border-color: light-dark(#2f7d5b, #6cc39a); }
.notice.warn { border-color: light-dark(#b5462f, #f0a493); }

[class*="st-key-grid"] { display: grid !important; grid-template-columns: repeat(auto-fill, minmax(190px, 1fr));
  gap: 1.1rem .95rem; }
[class*="st-key-row"] { display: flex !important; flex-direction: row !important; flex-wrap: nowrap !important;
  overflow-x: auto; gap: .9rem; padding-bottom: .6rem; scroll-snap-type: x proximity; scrollbar-width: thin; }
[class*="st-key-row"] > * { flex: 0 0 196px !important; width: 196px !important; scroll-snap-align: start; }
[class*="st-key-grid"] > *, [class*="st-key-grid"] [class*="st-key-card"], [class*="st-key-row"] [class*="st-key-card"]
  { width: 100% !important; height: 100%; }
[class*="st-key-card"] { position: relative; background: var(--paper); border: 1px solid var(--line); border-radius: .8rem;
  overflow: hidden; gap: .1rem !important; transition: box-shadow .15s, transform .15s; padding-bottom: .55rem; }
[class*="st-key-card"]:hover { box-shadow: 0 8px 22px rgb(0 0 0 / .13); transform: translateY(-2px); }
[class*="st-key-card"]:has(button:focus-visible) { outline: 2px solid var(--ink); outline-offset: 2px; }
.pic { position: relative; } .pic img { display: block; width: 100%; aspect-ratio: 4 / 3; object-fit: cover; }
.pic.large img { border-radius: 1rem; border: 1px solid var(--line); }
.badge { position: absolute; inset-block-start: .5rem; inset-inline-start: .5rem; background: #8c3b2e; color: #fff;
  font-size: .74rem; font-weight: 600; padding: .08rem .5rem; border-radius: 1rem; }
[class*="st-key-open"] { padding: .45rem .7rem 0; }
[class*="st-key-open"] button { min-height: 0; padding: 0; text-align: start; justify-content: flex-start; color: inherit;
  border: 0; width: 100%; }
[class*="st-key-open"] button:hover, [class*="st-key-open"] button:focus-visible { color: var(--ink); box-shadow: none; }
[class*="st-key-open"] button p { font-weight: 600; line-height: 1.28; display: -webkit-box; -webkit-line-clamp: 2;
  -webkit-box-orient: vertical; overflow: hidden; min-height: 2.56em; text-align: start; }
[class*="st-key-open"] button::after { content: ""; position: absolute; inset: 0; z-index: 1; }
[class*="st-key-open"], [class*="st-key-open"] * { position: static !important; }
[class*="st-key-acts"] { position: relative; z-index: 2; padding: .1rem .6rem 0; margin-top: auto;
  flex-wrap: nowrap !important; gap: .35rem !important; }
.st-key-picked [class*="st-key-acts"] span:has(> [data-testid="stIconMaterial"]) { display: none; }
[class*="st-key-acts"] button { min-height: 2.1rem; padding: .1rem .55rem; }
[class*="st-key-like-"] button { color: var(--mute); }
[class*="st-key-card"] > [data-testid="stLayoutWrapper"]:last-child { margin-top: auto; }
.stButtonGroup button[data-selected="true"] { color: var(--ink); border-color: var(--ink); }
.stTextInput [data-testid="stIconMaterial"] { color: var(--mute); }
.facts { padding: .05rem .7rem .2rem; } .facts .line { display: flex; align-items: baseline; gap: .5rem; flex-wrap: wrap; }
.price { font-weight: 700; font-size: 1.05rem; font-variant-numeric: tabular-nums; }
.price:empty { display: none; }
.cat { color: var(--mute); font-size: .84rem; } .out { color: var(--ink); font-weight: 600; font-size: .84rem; }
.why { color: var(--mute); font-size: .84rem; line-height: 1.3; margin-top: .1rem; display: -webkit-box;
  -webkit-line-clamp: 2; -webkit-box-orient: vertical; overflow: hidden; }
.st-key-picked { position: sticky; top: 3.6rem; }

.chip { display: inline-block; border: 1px solid var(--line); background: var(--soft); border-radius: 1rem;
  padding: 0 .55rem; margin: 0 .3rem .25rem 0; font-size: .86rem; }
.profile dt { color: var(--mute); font-size: .82rem; margin-top: .55rem; } .profile dd { margin-inline-start: 0 !important; font-weight: 600; line-height: 1.35; }
.profile dt { font-weight: 400; }
.stMain .profile { display: grid; grid-template-columns: repeat(auto-fill, minmax(210px, 1fr)); gap: .4rem 1.4rem; }
.st-key-picked [class*="st-key-grid"] { grid-template-columns: repeat(auto-fill, minmax(160px, 1fr)); }
.profile small { display: block; font-weight: 400; color: var(--mute); font-size: .8rem; }
.stale { color: light-dark(#8a4b00, #f5c26b); font-weight: 600; }
.detail { display: grid; gap: .7rem; } .detail h1 { font-family: "Source Serif", Georgia, serif; font-size: 1.8rem; margin: 0;
  padding: 0; line-height: 1.15; font-weight: 600; } .detail .price { font-size: 1.6rem; }
.detail p { line-height: 1.55; max-width: 62ch; }
.wide { overflow-x: auto; } .wide table { border-collapse: collapse; width: 100%; }
.wide th, .wide td { text-align: start; padding: .35rem .7rem; border-bottom: 1px solid var(--line); vertical-align: top; }
.wide th { color: var(--mute); font-weight: 600; } .bar { width: 200px; min-width: 120px; vertical-align: middle; }
@media (max-width: 640px) {
  .stMainBlockContainer { padding: 4rem .9rem 3rem; }
  .st-key-top .stHorizontalBlock:has(> .stColumn) { display: grid; grid-template-columns: 1fr auto; gap: .6rem; }
  .st-key-top .stColumn { min-width: 0 !important; width: auto !important; }
  .st-key-top .stColumn:nth-child(2) { grid-column: 1 / -1; order: 3; }
  .st-key-menu { flex-wrap: nowrap !important; overflow-x: auto; }
  .st-key-menu button { margin-inline-end: .3rem; white-space: nowrap; }
  .st-key-grid-tiles { display: flex !important; flex-direction: row !important; overflow-x: auto; flex-wrap: nowrap !important;
    padding-bottom: .5rem; }
  .st-key-grid-tiles > * { flex: 0 0 168px !important; width: 168px !important; }
  [class*="st-key-grid"] { grid-template-columns: repeat(2, minmax(0, 1fr)); gap: .7rem; }
  [class*="st-key-row"] > * { flex-basis: 168px !important; width: 168px !important; }
  [class*="st-key-acts"] span:has(> [data-testid="stIconMaterial"]) { display: none; }
  .head h1 { font-size: 1.6rem; } .detail h1 { font-size: 1.45rem; } .st-key-picked { position: static; }
}
@media (prefers-reduced-motion: reduce) { [class*="st-key-card"] { transition: none; transform: none !important; } }
</style>"""
