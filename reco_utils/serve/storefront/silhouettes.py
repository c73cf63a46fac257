# ruff: noqa: E501
"""The things that pictures are made of: about fifty flat shapes, and the words of a title that call for each.

A shape is SVG inside a square of 100 by 100, standing on the line y = 90. {a} is the product's colour, {d} darker, {l}
lighter, {w} nearly white, {k} nearly black. Drawings only; `pictures` puts them on a coloured ground.
"""

SHAPES = {
    "mug": '<path d="M66 42h10c12 0 12 28-2 28h-8v-8h6c6 0 6-12 1-12h-7z" fill="{d}"/>'
    '<path d="M24 32h46v46c0 8-5 12-12 12H36c-7 0-12-4-12-12z" fill="{a}"/>'
    '<ellipse cx="47" cy="32" rx="23" ry="5" fill="{d}"/><path d="M31 44v30c0 5 2 8 5 9V44z" fill="{l}" opacity=".6"/>',
    "flask": '<rect x="39" y="12" width="22" height="16" rx="3" fill="{d}"/>'
    '<path d="M36 30h28c4 4 5 8 5 14v38c0 5-3 8-8 8H39c-5 0-8-3-8-8V44c0-6 1-10 5-14z" fill="{a}"/>'
    '<rect x="31" y="70" width="38" height="5" fill="{d}"/>'
    '<path d="M38 42c0-3 1-5 3-7h3v49h-3c-2 0-3-1-3-4z" fill="{l}" opacity=".6"/>',
    "carafe": '<path d="M40 14h20l-3 26c12 6 17 16 17 28 0 14-8 22-24 22s-24-8-24-22c0-12 5-22 17-28z" fill="{l}"/>'
    '<path d="M28 62h44c2 18-6 28-22 28s-24-10-22-28z" fill="{a}"/>'
    '<rect x="36" y="10" width="28" height="6" rx="3" fill="{d}"/>',
    "teapot": '<path d="M24 50C8 40 12 74 28 74l2-6c-8 0-12-16-5-10zM72 54c10 0 8-14 18-16l-4 10c-6 4-4 16-14 22z"'
    ' fill="{d}"/><path d="M22 64c0-18 12-28 28-28s28 10 28 28c0 16-8 26-28 26S22 80 22 64z" fill="{a}"/>'
    '<path d="M32 40c6-6 30-6 36 0z" fill="{d}"/><circle cx="50" cy="32" r="5" fill="{d}"/>'
    '<path d="M30 62c0-9 4-15 10-18-3 12-3 24 1 36-7-3-11-9-11-18z" fill="{l}" opacity=".6"/>',
    "pan": '<rect x="62" y="54" width="36" height="8" rx="4" fill="{k}"/><ellipse cx="38" cy="62" rx="33" ry="26"'
    ' fill="{d}"/><ellipse cx="38" cy="58" rx="33" ry="26" fill="{a}"/><ellipse cx="38" cy="58" rx="25" ry="19"'
    ' fill="{d}"/><path d="M20 52c5-8 16-12 26-9-10 0-18 3-26 9z" fill="{l}" opacity=".7"/>',
    "pot": '<rect x="10" y="52" width="80" height="8" rx="4" fill="{d}"/><path d="M20 46h60v32c0 8-4 12-12 12H32c-8'
    ' 0-12-4-12-12z" fill="{a}"/><path d="M18 46c2-14 62-14 64 0z" fill="{d}"/><circle cx="50" cy="31" r="5" fill="{k}"/>'
    '<path d="M27 52h6v32c-4 0-6-2-6-6z" fill="{l}" opacity=".6"/>',
    "dish": '<path d="M10 52h80l-8 30c-1 5-4 8-9 8H27c-5 0-8-3-9-8z" fill="{a}"/><rect x="6" y="46" width="88" height="9"'
    ' rx="4" fill="{d}"/><path d="M22 60h8l6 24h-6c-2 0-3-1-4-4z" fill="{l}" opacity=".6"/>',
    "knife": '<path d="M14 78 66 26c6-6 20-14 24-14 0 8-6 20-14 28L44 72z" fill="{w}"/>'
    '<path d="M66 26c6-6 20-14 24-14L38 66l-6-6z" fill="{l}"/>'
    '<path d="m36 56 12 12-20 20c-4 4-9 3-12 0s-4-8 0-12z" fill="{a}"/>'
    '<circle cx="34" cy="70" r="2" fill="{w}"/><circle cx="26" cy="78" r="2" fill="{w}"/>',
    "board": '<rect x="22" y="22" width="56" height="68" rx="9" fill="{a}"/><circle cx="50" cy="33" r="5" fill="{w}"/>'
    '<path d="M32 46v38M44 46v38M58 46v38M69 46v38" stroke="{d}" stroke-width="2" opacity=".6"/>',
    "plate": '<circle cx="50" cy="52" r="38" fill="{a}"/><circle cx="50" cy="52" r="38" fill="none" stroke="{d}"'
    ' stroke-width="3"/><circle cx="50" cy="52" r="25" fill="{l}"/><path d="M30 40c5-9 14-13 23-12-9 2-17 6-23 12z"'
    ' fill="{w}" opacity=".8"/>',
    "bowl": '<path d="M10 46h80c0 24-14 40-30 42v2H40v-2C24 86 10 70 10 46z" fill="{a}"/><ellipse cx="50" cy="46" rx="40"'
    ' ry="9" fill="{d}"/><path d="M19 56c4 14 11 23 19 28-11-3-19-14-21-28z" fill="{l}" opacity=".8"/>',
    "cutlery": '<g fill="{a}"><path d="M26 10v22c0 6 3 9 6 10v44a4 4 0 0 0 8 0V42c3-1 6-4 6-10V10h-3v20h-3V10h-3v20h-3V10'
    'h-3v20h-2V10z"/><path d="M68 10c12 6 12 30 3 40v36a4 4 0 0 1-8 0V14c0-3 2-5 5-4z"/></g>',
    "pouch": '<path d="M26 16h48l3 6c3 22 3 44 0 64-1 3-3 4-6 4H29c-3 0-5-1-6-4-3-20-3-42 0-64z" fill="{a}"/>'
    '<rect x="24" y="13" width="52" height="9" rx="2" fill="{d}"/><rect x="32" y="38" width="36" height="34" rx="4"'
    ' fill="{w}"/><path d="M38 48h24M38 56h24M38 64h14" stroke="{a}" stroke-width="3" stroke-linecap="round"/>',
    "sweets": '<rect x="20" y="30" width="60" height="60" rx="4" fill="{d}"/><g fill="{a}"><rect x="25" y="35" width="23"'
    ' height="15" rx="2"/><rect x="52" y="35" width="23" height="15" rx="2"/></g><path d="M16 54c8-4 12 4 20 0s12 4 20 0'
    ' 12 4 20 0 6 2 8 0v32c0 3-1 4-4 4H20c-3 0-4-1-4-4z" fill="{w}"/><rect x="28" y="64" width="44" height="14" rx="3"'
    ' fill="{a}"/>',
    "bottle": '<rect x="43" y="8" width="14" height="10" rx="2" fill="{k}"/><path d="M44 18h12v14c8 5 12 10 12 20v32c0'
    ' 4-2 6-6 6H38c-4 0-6-2-6-6V52c0-10 4-15 12-20z" fill="{a}"/><rect x="32" y="56" width="36" height="22" fill="{w}"/>'
    '<path d="M38 63h24M38 70h14" stroke="{d}" stroke-width="3" stroke-linecap="round"/>',
    "jar": '<rect x="24" y="20" width="52" height="14" rx="4" fill="{d}"/><path d="M26 34h48c5 3 6 7 6 12v34c0 7-4 10-10'
    ' 10H30c-6 0-10-3-10-10V46c0-5 1-9 6-12z" fill="{a}"/><rect x="20" y="50" width="60" height="26" fill="{w}"/>'
    '<path d="M32 59h36M32 67h20" stroke="{d}" stroke-width="3" stroke-linecap="round"/>',
    "tent": '<path d="M50 18 94 90H6z" fill="{a}"/><path d="M50 18 94 90H66z" fill="{d}"/><path d="M50 40 66 90H36z"'
    ' fill="{k}" opacity=".75"/><path d="M50 40 36 90h10z" fill="{l}"/>',
    "roll": '<path d="M30 40h46a25 25 0 0 1 0 50H30z" fill="{a}"/><circle cx="30" cy="65" r="25" fill="{d}"/>'
    '<path d="M30 47a18 18 0 1 0 18 18 13 13 0 1 0-13 13 8 8 0 1 0-8-8" fill="none" stroke="{l}" stroke-width="3"/>'
    '<rect x="60" y="40" width="6" height="50" fill="{k}" opacity=".5"/><rect x="78" y="40" width="6" height="50"'
    ' fill="{k}" opacity=".5"/>',
    "hammock": '<path d="M6 34c14 60 74 60 88 0l-8 4C76 66 24 66 14 38z" fill="{a}"/><path d="M14 38c10 28 62 28 72 0'
    '-12 20-60 20-72 0z" fill="{d}"/><path d="M6 20v70M94 20v70" stroke="{k}" stroke-width="5" stroke-linecap="round"/>',
    "backpack": '<path d="M38 24c0-16 24-16 24 0" fill="none" stroke="{d}" stroke-width="5"/><path d="M26 44c0-14 10-22'
    ' 24-22s24 8 24 22v38c0 5-3 8-8 8H34c-5 0-8-3-8-8z" fill="{a}"/><path d="M20 52h6v30h-6c-3-8-3-22 0-30zM80 52h-6v30h6'
    'c3-8 3-22 0-30z" fill="{d}"/><rect x="33" y="56" width="34" height="26" rx="5" fill="{d}"/><path d="M33 64h34"'
    ' stroke="{l}" stroke-width="3"/><rect x="44" y="34" width="12" height="8" rx="2" fill="{l}"/>',
    "bag": '<path d="M34 44V30c0-20 32-20 32 0v14" fill="none" stroke="{d}" stroke-width="5"/><path d="M20 38h60l6 46c0 4'
    '-2 6-6 6H20c-4 0-6-2-6-6z" fill="{a}"/><path d="M20 38h60l1 8H19z" fill="{d}"/><path d="M26 52h6l-2 32h-7z"'
    ' fill="{l}" opacity=".7"/>',
    "stove": '<path d="M50 18c8 10 14 14 14 22a14 14 0 0 1-28 0c0-6 5-8 6-14 4 2 6 4 6 8 3-4 3-9 2-16z" fill="{a}"/>'
    '<path d="M18 58h64l-8 8H26z" fill="{d}"/><path d="M28 66 16 90M72 66l12 24M50 66v8" stroke="{k}" stroke-width="5"'
    ' stroke-linecap="round"/><rect x="34" y="72" width="32" height="18" rx="6" fill="{d}"/>',
    "lantern": '<path d="M32 30c0-26 36-26 36 0" fill="none" stroke="{k}" stroke-width="4"/><path d="M32 28h36l6 10H26z'
    'M26 78h48v12H26z" fill="{a}"/><rect x="30" y="38" width="40" height="40" fill="{w}"/><path d="M50 46c8 10 8 12 8 17'
    'a8 8 0 0 1-16 0c0-5 3-9 8-17z" fill="{l}"/><path d="M30 38v40M70 38v40" stroke="{d}" stroke-width="4"/>',
    "lamp": '<path d="M34 16h32l14 34H20z" fill="{a}"/><path d="M34 16h10l-6 34H20z" fill="{l}" opacity=".7"/>'
    '<path d="M50 50v34" stroke="{d}" stroke-width="6"/><path d="M30 90c0-10 40-10 40 0z" fill="{d}"/>',
    "pendant": '<path d="M50 4v28" stroke="{k}" stroke-width="3"/><path d="M16 68c0-26 14-38 34-38s34 12 34 38z"'
    ' fill="{a}"/><path d="M24 62c2-16 8-24 18-27-6 9-8 17-8 27z" fill="{l}" opacity=".7"/><path d="M36 68a14 14 0 0 0'
    ' 28 0z" fill="{w}"/>',
    "torch": '<path d="M12 48c0-24 76-24 76 0" fill="none" stroke="{d}" stroke-width="9"/><rect x="28" y="40" width="44"'
    ' height="34" rx="9" fill="{a}"/><circle cx="50" cy="57" r="13" fill="{k}"/><circle cx="50" cy="57" r="9" fill="{w}"/>'
    '<path d="M50 78v10M34 78l-5 8M66 78l5 8" stroke="{l}" stroke-width="4" stroke-linecap="round"/>',
    "poles": '<path d="M34 18 22 88M66 18l12 70" stroke="{a}" stroke-width="5" stroke-linecap="round"/><path d="M36 10 33'
    ' 30M64 10l3 20" stroke="{k}" stroke-width="9" stroke-linecap="round"/><path d="M18 80h12M70 80h12" stroke="{d}"'
    ' stroke-width="5" stroke-linecap="round"/>',
    "jumper": '<path d="M36 18c6 6 22 6 28 0l14 8 16 48-14 6-8-22v28c0 3-1 4-4 4H32c-3 0-4-1-4-4V58l-8 22-14-6 16-48z"'
    ' fill="{a}"/><path d="M36 18c6 6 22 6 28 0l4 3c-8 10-28 10-36 0z" fill="{d}"/><path d="M28 82h44v8H28z" fill="{d}"/>'
    '<path d="m6 74 3-8 14 6-3 8zM94 74l-3-8-14 6 3 8z" fill="{d}"/>',
    "jacket": '<path d="M36 16h28l14 9 16 49-14 6-8-22v28c0 3-1 4-4 4H32c-3 0-4-1-4-4V58l-8 22-14-6 16-49z" fill="{a}"/>'
    '<path d="M36 16h28l-4 12-10 4-10-4z" fill="{d}"/><path d="M50 30v60" stroke="{w}" stroke-width="3"/>'
    '<path d="M34 66h9M57 66h9" stroke="{d}" stroke-width="4" stroke-linecap="round"/>',
    "tee": '<path d="M34 20c6 8 26 8 32 0l14 6 14 22-14 8-8-8v40c0 2-1 2-3 2H31c-2 0-3 0-3-2V48l-8 8-14-8 14-22z"'
    ' fill="{a}"/><path d="M34 20c6 8 26 8 32 0l4 2c-8 12-32 12-40 0z" fill="{d}"/><path d="M34 56v26" stroke="{l}"'
    ' stroke-width="4" stroke-linecap="round" opacity=".7"/>',
    "shirt": '<path d="M34 20h32l14 7 14 23-14 8-8-9v39c0 2-1 2-3 2H31c-2 0-3 0-3-2V49l-8 9-14-8 14-23z" fill="{a}"/>'
    '<path d="m34 20 16 16-10 8-10-20zM66 20 50 36l10 8 10-20z" fill="{l}"/><path d="M50 38v52" stroke="{d}"'
    ' stroke-width="2"/><g fill="{d}"><circle cx="50" cy="50" r="2"/><circle cx="50" cy="62" r="2"/><circle cx="50" cy="74"'
    ' r="2"/></g>',
    "trousers": '<path d="M28 12h44l8 78H60l-8-46h-4l-8 46H20z" fill="{a}"/><path d="M28 12h44l1 9H27z" fill="{d}"/>'
    '<path d="M50 21v20M30 26c0 7-2 10-5 11M70 26c0 7 2 10 5 11" stroke="{d}" stroke-width="3" fill="none"/>',
    "shorts": '<path d="M22 30h56l10 46H58l-6-22h-4l-6 22H12z" fill="{a}"/><path d="M22 30h56l2 9H20z" fill="{d}"/>'
    '<path d="m46 39-4 14M54 39l4 14" stroke="{w}" stroke-width="3" stroke-linecap="round"/>',
    "skirt": '<path d="M34 18h32l18 66c-20 8-48 8-68 0z" fill="{a}"/><path d="M34 18h32l2 9H32z" fill="{d}"/>'
    '<path d="m40 30-8 54M60 30l8 54M50 30v57" stroke="{d}" stroke-width="2.5" opacity=".7"/>',
    "socks": '<path d="M40 12h26v40c0 4 2 7 6 10l12 9c8 8 2 19-8 19H62c-4 0-8-2-11-4L44 80c-4-4-4-8-4-12z" fill="{d}"/>'
    '<path d="M18 12h26v40c0 4 2 7 6 10l12 9c8 8 2 19-8 19H40c-4 0-8-2-11-4L22 80c-4-4-4-8-4-12z" fill="{a}"/>'
    '<path d="M18 20h26v8H18zM49 90h8c8-2 11-9 6-17-8 2-13 8-14 17z" fill="{l}"/>',
    "hat": '<path d="M18 66c0-32 14-46 32-46s32 14 32 46z" fill="{a}"/><circle cx="50" cy="17" r="8" fill="{l}"/>'
    '<rect x="13" y="62" width="74" height="20" rx="8" fill="{d}"/><path d="M26 65v14M38 65v14M50 65v14M62 65v14M74 65v14"'
    ' stroke="{a}" stroke-width="3"/>',
    "cap": '<path d="M14 64c0-26 14-38 32-38s32 12 32 38z" fill="{a}"/><path d="M46 58h30c14 2 20 8 20 14-16-4-34-6-50-6z"'
    ' fill="{d}"/><path d="M46 26c-6 8-8 22-8 38" stroke="{d}" stroke-width="2.5" fill="none"/><circle cx="46" cy="26"'
    ' r="4" fill="{d}"/>',
    "helmet": '<path d="M10 66c0-28 18-44 42-44 22 0 38 14 38 38v6z" fill="{a}"/><path d="M10 66h80c0 6-4 9-10 9H22c-8'
    ' 0-12-3-12-9z" fill="{d}"/><path d="M26 54c3-12 10-19 20-22M44 56c2-10 8-18 18-22M64 56c2-8 5-12 12-16" stroke="{k}"'
    ' stroke-width="6" stroke-linecap="round" fill="none" opacity=".8"/><path d="M30 75l8 15h8" fill="none" stroke="{k}"'
    ' stroke-width="3"/>',
    "scarf": '<path d="M30 20c12-8 28-8 40 0l4 14c-14 8-34 8-48 0z" fill="{d}"/><path d="M28 30c14 8 30 8 44-4l6 10c-6 6'
    '-12 8-20 10l8 40H50l-6-40c-8 0-14-2-18-6z" fill="{a}"/><path d="M51 86v6M57 86v6M63 86v6" stroke="{a}"'
    ' stroke-width="3"/><path d="M48 62l14-2M50 72l14-2" stroke="{l}" stroke-width="4"/>',
    "shoe": '<path d="M8 46c10 4 18 0 24-6 8 16 22 20 40 24 14 3 20 8 20 18H8z" fill="{a}"/><path d="M6 80h88c0 7-3 10-8'
    ' 10H14c-5 0-8-3-8-10z" fill="{w}"/><path d="m38 48 8-6M45 54l8-6M53 58l8-6" stroke="{w}" stroke-width="3.5"'
    ' stroke-linecap="round"/><path d="M12 62c14 0 26 4 36 12H10z" fill="{d}"/>',
    "boot": '<path d="M26 14h34v38c0 6 4 9 12 12 14 5 18 10 18 18H26z" fill="{a}"/><path d="M24 80h68c0 7-2 10-6 10H24z"'
    ' fill="{k}"/><path d="M36 14h12v30c-4 4-8 4-12 0z" fill="{d}"/>',
    "sandal": '<path d="M8 78c20-6 30-4 44-8 14-4 26-4 34 0 8 5 6 14-2 16H14c-8 0-10-6-6-8z" fill="{d}"/><path d="M24 76c2'
    '-20 10-28 18-28 6 8 8 16 8 24l-8 2c0-8-2-13-4-16-4 4-6 10-7 18zM58 70c2-12 10-18 18-18 6 6 8 12 6 18l-8-1c0-3-1-6-2-8'
    '-4 2-6 5-7 9z" fill="{a}"/>',
    "belt": '<path d="M50 26a32 30 0 1 0 0 60 32 30 0 1 0 0-60zm0 12a21 18 0 1 1 0 36 21 18 0 1 1 0-36z" fill="{a}"'
    ' fill-rule="evenodd"/><rect x="38" y="22" width="24" height="20" rx="4" fill="none" stroke="{w}" stroke-width="5"/>'
    '<path d="M50 24v16" stroke="{w}" stroke-width="4"/>',
    "wallet": '<rect x="14" y="34" width="72" height="52" rx="8" fill="{d}"/><rect x="22" y="26" width="56" height="24"'
    ' rx="4" fill="{w}"/><rect x="14" y="40" width="72" height="48" rx="8" fill="{a}"/><path d="M62 56h24v16H62c-10 0-10'
    '-16 0-16z" fill="{d}"/><circle cx="66" cy="64" r="3.5" fill="{w}"/>',
    "glasses": '<path d="M8 40h36l-2 18c-1 10-28 12-30-2zM56 40h36l-4 16c-2 14-29 12-30 2z" fill="{k}"/>'
    '<path d="M8 40h84M44 46c3-4 9-4 12 0" stroke="{a}" stroke-width="7" fill="none" stroke-linecap="round"/>'
    '<path d="m18 60 12-16M64 60l12-16" stroke="{w}" stroke-width="3" opacity=".6"/>',
    "textile": '<path d="M14 62h72c5 0 6 6 6 14s-1 14-6 14H14z" fill="{d}"/><path d="M14 42h72c5 0 6 5 6 11s-1 11-6 11H14z"'
    ' fill="{a}"/><path d="M14 24h72c5 0 6 4 6 9s-1 9-6 9H14z" fill="{l}"/><path d="M14 24c-8 2-8 18 0 18M14 42c-8 2-8 22 0'
    ' 22M14 64c-8 2-8 26 0 26" fill="none" stroke="{d}" stroke-width="4"/><path d="M30 24v18M30 42v22M30 64v26" stroke="{w}"'
    ' stroke-width="3" opacity=".6"/>',
    "cushion": '<path d="M16 20c22 6 46 6 68 0 6 0 8 4 7 8-5 18-5 34 0 54 1 5-2 8-7 8-22-6-46-6-68 0-5 0-8-3-7-8 5-20 5-36'
    ' 0-54-1-4 1-8 7-8z" fill="{a}"/><path d="M24 32c18 4 34 4 52 0M24 78c18-4 34-4 52 0" stroke="{l}" stroke-width="3"'
    ' fill="none"/><circle cx="50" cy="55" r="6" fill="{d}"/>',
    "candle": '<path d="M50 8c7 9 8 12 8 16a8 8 0 0 1-16 0c0-4 2-7 8-16z" fill="#f2a93b"/><path d="M50 30v12" stroke="{k}"'
    ' stroke-width="3"/><path d="M24 42h52v40c0 5-3 8-8 8H32c-5 0-8-3-8-8z" fill="{a}"/><ellipse cx="50" cy="42" rx="26"'
    ' ry="5" fill="{l}"/><rect x="33" y="56" width="34" height="20" rx="3" fill="{w}"/><path d="M40 66h20" stroke="{d}"'
    ' stroke-width="3" stroke-linecap="round"/>',
    "diffuser": '<path d="M44 44 30 6M50 44V2M56 44 70 6M53 44l8-40" stroke="{d}" stroke-width="3" stroke-linecap="round"/>'
    '<rect x="40" y="36" width="20" height="12" fill="{k}"/><path d="M34 48h32c8 6 10 12 10 20v14c0 5-3 8-8 8H32c-5 0-8-3'
    '-8-8V68c0-8 2-14 10-20z" fill="{a}"/><rect x="32" y="62" width="36" height="18" rx="3" fill="{w}"/>',
    "basket": '<path d="M26 50c0-40 48-40 48 0" fill="none" stroke="{d}" stroke-width="5"/><path d="M12 46h76l-8 38c-1 4-3'
    ' 6-7 6H27c-4 0-6-2-7-6z" fill="{a}"/><path d="M14 56h72M16 68h68M19 80h62" stroke="{d}" stroke-width="3"/>'
    '<path d="M32 46l4 44M50 46v44M68 46l-4 44" stroke="{l}" stroke-width="3"/>',
    "shelf": '<rect x="6" y="54" width="88" height="9" rx="2" fill="{a}"/><path d="M20 63v14l10-14M80 63v14L70 63" fill="{d}"'
    '/><rect x="20" y="24" width="9" height="30" fill="{d}"/><rect x="31" y="30" width="8" height="24" fill="{l}"/>'
    '<rect x="41" y="20" width="10" height="34" fill="{k}" opacity=".7"/><path d="M66 38h18l-3 16H69z" fill="{d}"/>'
    '<path d="M75 38c-8-4-8-14-4-18 2 8 4 8 4 18 0-8 4-12 10-14-1 8-4 12-10 14z" fill="#6f9b62"/>',
    "frame": '<rect x="20" y="10" width="60" height="80" rx="3" fill="{a}"/><rect x="28" y="18" width="44" height="64"'
    ' fill="{w}"/><path d="m32 70 12-20 8 10 8-14 8 24z" fill="{d}"/><circle cx="42" cy="36" r="6" fill="{l}"/>',
    "round": '<circle cx="50" cy="52" r="38" fill="{a}"/><circle cx="50" cy="52" r="30" fill="{w}"/><path d="M34 74 70 38'
    'M30 60l24-24" stroke="{l}" stroke-width="6" stroke-linecap="round"/>',
    "clock": '<circle cx="50" cy="52" r="38" fill="{a}"/><circle cx="50" cy="52" r="31" fill="{w}"/><path d="M50 52V32M50 52'
    'l14 9" stroke="{k}" stroke-width="5" stroke-linecap="round"/><path d="M50 25v4M50 75v4M23 52h4M73 52h4" stroke="{d}"'
    ' stroke-width="3"/>',
    "tube": '<path d="M26 10h48l-6 60H32z" fill="{a}"/><rect x="25" y="8" width="50" height="8" rx="2" fill="{d}"/>'
    '<rect x="36" y="70" width="28" height="20" rx="4" fill="{d}"/><path d="M38 30h24M39 38h22M40 46h14" stroke="{w}"'
    ' stroke-width="4" stroke-linecap="round"/>',
    "pump": '<path d="M50 34V16M36 14h22c5 0 7 2 8 6" stroke="{k}" stroke-width="6" fill="none" stroke-linecap="round"/>'
    '<rect x="39" y="26" width="22" height="12" rx="3" fill="{k}"/><path d="M34 38h32c6 3 8 7 8 13v31c0 5-3 8-8 8H34c-5 0-8'
    '-3-8-8V51c0-6 2-10 8-13z" fill="{a}"/><rect x="33" y="54" width="34" height="26" rx="4" fill="{w}"/>'
    '<path d="M40 63h20M40 71h12" stroke="{d}" stroke-width="3" stroke-linecap="round"/>',
    "soap": '<rect x="12" y="48" width="76" height="38" rx="15" fill="{a}"/><rect x="24" y="57" width="52" height="20" rx="9"'
    ' fill="{l}"/><g fill="{w}"><circle cx="34" cy="36" r="9"/><circle cx="52" cy="28" r="6"/><circle cx="62" cy="40"'
    ' r="5"/></g>',
    "dropper": '<path d="M44 8h12v16H44z" fill="{k}"/><rect x="38" y="22" width="24" height="14" rx="3" fill="{d}"/>'
    '<path d="M34 38h32c5 4 6 8 6 13v31c0 5-3 8-8 8H36c-5 0-8-3-8-8V51c0-5 1-9 6-13z" fill="{a}"/><rect x="28" y="56"'
    ' width="44" height="22" fill="{w}"/><path d="M36 67h20" stroke="{d}" stroke-width="3" stroke-linecap="round"/>',
    "perfume": '<rect x="38" y="10" width="24" height="18" rx="3" fill="{k}"/><rect x="43" y="28" width="14" height="8"'
    ' fill="{d}"/><rect x="20" y="36" width="60" height="54" rx="9" fill="{a}"/><rect x="27" y="43" width="46" height="40"'
    ' rx="5" fill="{l}"/><path d="M27 60h46v18c0 3-2 5-5 5H32c-3 0-5-2-5-5z" fill="{a}"/><rect x="38" y="58" width="24"'
    ' height="14" fill="{w}"/>',
    "balm": '<rect x="36" y="44" width="28" height="46" rx="4" fill="{a}"/><path d="M40 44V28c0-6 14-12 20-12v28z"'
    ' fill="{l}"/><rect x="36" y="54" width="28" height="10" fill="{w}"/><rect x="34" y="78" width="32" height="12" rx="3"'
    ' fill="{d}"/>',
    "dumbbell": '<rect x="30" y="49" width="40" height="9" fill="{k}"/><g fill="{a}"><rect x="18" y="34" width="14" height="39"'
    ' rx="4"/><rect x="68" y="34" width="14" height="39" rx="4"/></g><g fill="{d}"><rect x="8" y="41" width="11" height="25"'
    ' rx="4"/><rect x="81" y="41" width="11" height="25" rx="4"/></g>',
    "bands": '<g fill="none" stroke-width="9"><ellipse cx="38" cy="56" rx="26" ry="32" stroke="{a}"/><ellipse cx="52" cy="56"'
    ' rx="26" ry="32" stroke="{l}"/><ellipse cx="65" cy="56" rx="26" ry="32" stroke="{d}"/></g>',
    "light": '<rect x="36" y="70" width="28" height="20" rx="4" fill="{k}"/><path d="M22 30c0-8 6-14 14-14h28c8 0 14 6 14 14v22'
    'c0 12-10 20-28 20S22 64 22 52z" fill="{a}"/><circle cx="50" cy="42" r="19" fill="{k}"/><circle cx="50" cy="42" r="14"'
    ' fill="{w}"/><circle cx="50" cy="42" r="6" fill="{l}"/>',
    "gloves": '<path d="M30 90V62L20 48c-4-8 6-12 10-6l6 8V18c0-7 10-7 10 0v22-28c0-7 10-7 10 0v28-24c0-7 10-7 10 0v26-16c0-7'
    ' 9-7 9 0v38c0 8-3 12-5 16v10z" fill="{a}"/><path d="M28 78h44v12H28z" fill="{d}"/>',
    "ball": '<circle cx="50" cy="52" r="38" fill="{a}"/><path d="M50 14v76M12 52h76M22 26c16 14 16 38 0 52M78 26c-16 14-16 38 0'
    ' 52" stroke="{d}" stroke-width="4" fill="none"/><path d="M26 34c6-8 12-12 20-13-6 4-12 8-20 13z" fill="{w}"'
    ' opacity=".6"/>',
    "racket": '<g transform="rotate(35 50 50)"><ellipse cx="50" cy="34" rx="24" ry="29" fill="{w}"/><path d="M34 14v40M42 8v52M50'
    ' 6v56M58 8v52M66 14v40M27 26h46M26 36h48M29 46h42" stroke="{l}" stroke-width="1.5"/><ellipse cx="50" cy="34" rx="24"'
    ' ry="29" fill="none" stroke="{a}" stroke-width="6"/><rect x="46" y="62" width="8" height="36" rx="4" fill="{k}"/></g>',
    "bat": '<g transform="rotate(35 50 50)"><circle cx="50" cy="38" r="30" fill="{a}"/><path d="M24 54h52c-6 10-14 15-26 15S30 64'
    ' 24 54z" fill="{d}"/><rect x="44" y="66" width="12" height="30" rx="4" fill="{k}"/></g><circle cx="82" cy="80" r="9"'
    ' fill="{w}"/>',
    "paddle": '<path d="M50 6c16 10 20 30 20 50s-6 30-20 34c-14-4-20-14-20-34S34 16 50 6z" fill="{a}"/><path d="M50 16v62"'
    ' stroke="{w}" stroke-width="3"/><path d="M37 44c8 4 18 4 26 0v22c-8 6-18 6-26 0z" fill="{d}"/>',
    "headphones": '<path d="M16 62c-4-64 72-64 68 0" fill="none" stroke="{d}" stroke-width="8"/><rect x="10" y="54" width="20"'
    ' height="34" rx="9" fill="{a}"/><rect x="70" y="54" width="20" height="34" rx="9" fill="{a}"/><rect x="26" y="58"'
    ' width="7" height="26" rx="3" fill="{k}"/><rect x="67" y="58" width="7" height="26" rx="3" fill="{k}"/>',
    "earbuds": '<path d="M26 44v34c0 14 48 14 48 0V44" fill="none" stroke="{d}" stroke-width="3.5"/><circle cx="26" cy="38" r="15"'
    ' fill="{a}"/><circle cx="74" cy="38" r="15" fill="{a}"/><circle cx="24" cy="36" r="7" fill="{k}"/><circle cx="76" cy="36"'
    ' r="7" fill="{k}"/><rect x="22" y="48" width="8" height="22" rx="4" fill="{a}"/><rect x="70" y="48" width="8" height="22"'
    ' rx="4" fill="{a}"/>',
    "speaker": '<rect x="24" y="10" width="52" height="80" rx="9" fill="{a}"/><circle cx="50" cy="34" r="11" fill="{k}"/><circle'
    ' cx="50" cy="34" r="5" fill="{d}"/><circle cx="50" cy="66" r="18" fill="{k}"/><circle cx="50" cy="66" r="9" fill="{d}"/>',
    "radio": '<path d="M66 32 80 8" stroke="{k}" stroke-width="3.5"/><rect x="8" y="32" width="84" height="58" rx="9" fill="{a}"/>'
    '<rect x="16" y="42" width="40" height="38" rx="4" fill="{d}"/><path d="M22 50h28M22 58h28M22 66h28M22 74h28" stroke="{l}"'
    ' stroke-width="3"/><circle cx="74" cy="54" r="11" fill="{w}"/><path d="m74 54 5-7" stroke="{k}" stroke-width="3"/><circle'
    ' cx="68" cy="76" r="4" fill="{k}"/><circle cx="81" cy="76" r="4" fill="{k}"/>',
    "turntable": '<rect x="8" y="26" width="84" height="62" rx="6" fill="{a}"/><circle cx="42" cy="57" r="26" fill="{k}"/><circle'
    ' cx="42" cy="57" r="17" fill="none" stroke="{d}" stroke-width="1.5"/><circle cx="42" cy="57" r="8" fill="{l}"/><path d="M82'
    ' 36v24l-16 14" stroke="{w}" stroke-width="4" fill="none"/><circle cx="82" cy="36" r="5" fill="{d}"/>',
    "keyboard": '<rect x="4" y="38" width="92" height="46" rx="7" fill="{a}"/><g fill="{w}">'
    + "".join(f'<rect x="{x}" y="{y}" width="9" height="8" rx="2"/>' for y in (45, 57) for x in range(11, 84, 11))
    + '</g><rect x="30" y="69" width="40" height="8" rx="2" fill="{l}"/>',
    "mouse": '<path d="M50 26C48 10 60 14 58 4" fill="none" stroke="{d}" stroke-width="3"/><rect x="26" y="24" width="48"'
    ' height="66" rx="24" fill="{a}"/><path d="M26 52h48M50 24v28" stroke="{d}" stroke-width="3"/><rect x="46" y="34" width="8"'
    ' height="14" rx="4" fill="{k}"/>',
    "stand": '<path d="M16 30h68l6 30H10z" fill="{k}"/><path d="M20 34h60l4 22H16z" fill="{w}"/><path d="M8 60h84v6H8z" fill="{d}"/>'
    '<path d="M30 66h10L28 90H16zM70 66H60l12 24h12z" fill="{a}"/>',
    "power": '<rect x="28" y="14" width="44" height="76" rx="9" fill="{a}"/><path d="M54 32 40 56h10l-4 18 15-25H51z" fill="{w}"/>'
    '<rect x="42" y="18" width="16" height="4" rx="2" fill="{d}"/>',
    "puck": '<path d="M50 60c30 0 20 30 44 24" fill="none" stroke="{k}" stroke-width="4"/><ellipse cx="46" cy="62" rx="38" ry="22"'
    ' fill="{d}"/><ellipse cx="46" cy="56" rx="38" ry="22" fill="{a}"/><path d="M50 40 36 58h9l-4 13 15-19h-9z" fill="{w}"/>',
    "cable": '<path d="M30 70a24 24 0 1 1 40 0M36 66a16 16 0 1 1 28 0" fill="none" stroke="{a}" stroke-width="5"/><path d="M30 70v14'
    'M70 70v14" stroke="{a}" stroke-width="5"/><rect x="23" y="74" width="14" height="16" rx="3" fill="{k}"/><rect x="63" y="74"'
    ' width="14" height="16" rx="3" fill="{k}"/>',
    "plug": '<path d="M38 12v22M62 12v22" stroke="{k}" stroke-width="6" stroke-linecap="round"/><rect x="24" y="30" width="52"'
    ' height="56" rx="12" fill="{a}"/><circle cx="50" cy="58" r="15" fill="{d}"/><circle cx="44" cy="58" r="3" fill="{w}"/><circle'
    ' cx="56" cy="58" r="3" fill="{w}"/>',
    "bulb": '<path d="M50 10c18 0 28 13 28 28 0 14-10 20-14 32H36C32 58 22 52 22 38c0-15 10-28 28-28z" fill="{l}"/><path d="M42 68 38'
    ' 44l8 6 4-8 4 8 8-6-4 24" fill="none" stroke="#f2a93b" stroke-width="3"/><rect x="36" y="70" width="28" height="14" rx="3"'
    ' fill="{d}"/><rect x="42" y="84" width="16" height="6" rx="3" fill="{k}"/>',
    "camera": '<rect x="44" y="66" width="12" height="16" fill="{d}"/><path d="M26 90c0-12 48-12 48 0z" fill="{d}"/><circle cx="50"'
    ' cy="42" r="30" fill="{a}"/><circle cx="50" cy="42" r="18" fill="{k}"/><circle cx="50" cy="42" r="9" fill="{d}"/><circle cx="45"'
    ' cy="37" r="4" fill="{w}"/>',
    "station": '<rect x="12" y="22" width="76" height="62" rx="8" fill="{a}"/><rect x="20" y="30" width="60" height="46" rx="4"'
    ' fill="{w}"/><circle cx="38" cy="46" r="8" fill="#f2a93b"/><path d="M48 62a8 8 0 0 1 2-15 10 10 0 0 1 19 4 6 6 0 0 1 1 11z"'
    ' fill="{l}"/><path d="M28 70h34" stroke="{d}" stroke-width="4"/>',
    "box": '<path d="M10 36 50 22l40 14v42L50 92 10 78z" fill="{a}"/><path d="M10 36 50 50v42L10 78z" fill="{d}"/><path d="M50 22 90 36'
    ' 50 50 10 36z" fill="{l}"/><circle cx="70" cy="64" r="8" fill="{w}"/><path d="m22 56 16 6v10l-16-6z" fill="{w}"/>',
    "cards": '<rect x="40" y="20" width="42" height="62" rx="6" fill="{d}" transform="rotate(12 61 51)"/><rect x="20" y="20" width="44"'
    ' height="64" rx="6" fill="{w}" transform="rotate(-8 42 52)"/><path d="M42 36c12 10 16 16 10 22-4 4-8 2-10-2-2 4-6 6-10 2-6-6-2'
    '-12 10-22z" fill="{a}"/>',
    "dice": '<rect x="12" y="40" width="46" height="46" rx="9" fill="{a}"/><rect x="50" y="18" width="38" height="38" rx="8" fill="{d}"'
    ' transform="rotate(18 69 37)"/><g fill="{w}"><circle cx="24" cy="52" r="4"/><circle cx="46" cy="74" r="4"/><circle cx="35" cy="63"'
    ' r="4"/><circle cx="63" cy="30" r="4"/><circle cx="75" cy="44" r="4"/></g>',
    "blocks": '<rect x="12" y="56" width="34" height="34" rx="3" fill="{a}"/><rect x="52" y="56" width="34" height="34" rx="3"'
    ' fill="{d}"/><path d="M49 14 72 54H28z" fill="{l}"/><circle cx="29" cy="73" r="8" fill="{w}"/><path d="M62 66h14v14H62z"'
    ' fill="{w}"/>',
    "marble": '<path d="M10 30h56c24 0 24 26 0 26H34c-20 0-20 26 0 26h56" fill="none" stroke="{a}" stroke-width="10"/><path d="M10 34'
    'h56M34 60h32M34 86h56" stroke="{d}" stroke-width="3"/><circle cx="20" cy="18" r="8" fill="{k}"/><circle cx="78" cy="72" r="8"'
    ' fill="{l}"/>',
    "puzzle": '<path d="M18 32h20c-6-18 24-18 18 0h20v20c18-6 18 24 0 18v20H56c6-16-24-16-18 0H18V70c16 6 16-24 0-18z" fill="{a}"/>'
    '<path d="M24 38h10" stroke="{l}" stroke-width="5" stroke-linecap="round"/>',
    "bear": '<g fill="{d}"><circle cx="28" cy="22" r="11"/><circle cx="72" cy="22" r="11"/></g><circle cx="50" cy="36" r="27" fill="{a}"/>'
    '<path d="M22 90c-4-22 10-30 28-30s32 8 28 30z" fill="{a}"/><ellipse cx="50" cy="80" rx="14" ry="12" fill="{l}"/><ellipse cx="50"'
    ' cy="45" rx="12" ry="9" fill="{l}"/><g fill="{k}"><circle cx="40" cy="33" r="3"/><circle cx="60" cy="33" r="3"/><ellipse cx="50"'
    ' cy="41" rx="5" ry="3.5"/></g>',
    "rabbit": '<g fill="{a}"><ellipse cx="38" cy="22" rx="8" ry="20"/><ellipse cx="62" cy="22" rx="8" ry="20"/></g><g fill="{l}">'
    '<ellipse cx="38" cy="24" rx="4" ry="14"/><ellipse cx="62" cy="24" rx="4" ry="14"/></g><circle cx="50" cy="50" r="22" fill="{a}"/>'
    '<path d="M24 90c-2-16 10-24 26-24s28 8 26 24z" fill="{a}"/><g fill="{k}"><circle cx="42" cy="47" r="3"/><circle cx="58" cy="47"'
    ' r="3"/></g><path d="m46 55 4 4 4-4z" fill="{d}"/>',
    "doll": '<path d="M22 40c0-42 56-42 56 0v16H22z" fill="{d}"/><circle cx="50" cy="38" r="20" fill="#f1c9a5"/><path d="M50 56c18 0 24 12'
    ' 28 34H22c4-22 10-34 28-34z" fill="{a}"/><g fill="{k}"><circle cx="43" cy="38" r="2.5"/><circle cx="57" cy="38" r="2.5"/></g>'
    '<path d="M44 46c4 4 8 4 12 0" stroke="{k}" stroke-width="2" fill="none"/><g fill="{w}"><circle cx="50" cy="70" r="3"/><circle'
    ' cx="50" cy="80" r="3"/></g>',
    "paints": '<path d="M50 18c26 0 42 14 42 34 0 12-8 16-18 14-10-1-14 4-11 12 2 7-3 11-13 11C26 89 8 74 8 52s18-34 42-34z" fill="{a}"/>'
    '<circle cx="30" cy="44" r="7" fill="#d9534a"/><circle cx="48" cy="33" r="7" fill="#f2b63b"/><circle cx="69" cy="39" r="7"'
    ' fill="#4f8fc0"/><circle cx="28" cy="64" r="7" fill="#5a9e6a"/>',
    "pencils": '<g><path d="M20 40 28 18l8 22v50H20z" fill="{a}"/><path d="m24 28 4-10 4 10z" fill="{k}"/><path d="M42 34l8-22 8 22v56H42z"'
    ' fill="{d}"/><path d="m46 22 4-10 4 10z" fill="{k}"/><path d="M64 40l8-22 8 22v50H64z" fill="{l}"/><path d="m68 28 4-10 4 10z"'
    ' fill="{k}"/></g><path d="M14 70h72v20H14z" fill="{w}"/>',
    "hoop": '<circle cx="50" cy="54" r="36" fill="{w}"/><circle cx="50" cy="54" r="36" fill="none" stroke="{a}" stroke-width="7"/><rect'
    ' x="45" y="8" width="10" height="12" rx="2" fill="{d}"/><path d="M50 76c0-18-2-22 0-34" stroke="#6f9b62" stroke-width="3"'
    ' fill="none"/><g fill="{a}"><circle cx="50" cy="36" r="6"/><circle cx="42" cy="42" r="6"/><circle cx="58" cy="42" r="6"/></g>'
    '<circle cx="50" cy="42" r="5" fill="{d}"/>',
    "plant": '<path d="M50 56C30 52 22 36 24 16c18 4 26 18 26 40zM50 56c0-22 6-34 26-38 2 20-8 34-26 38z" fill="#6f9b62"/><path d="M50 58'
    'C44 40 44 22 50 8c8 14 8 32 0 50z" fill="#86b277"/><path d="M24 54h52l-6 32c-1 3-2 4-5 4H35c-3 0-4-1-5-4z" fill="{a}"/><rect x="20"'
    ' y="50" width="60" height="11" rx="3" fill="{d}"/>',
    "trowel": '<path d="M50 92c-14-10-18-24-16-40h32c2 16-2 30-16 40z" fill="{w}"/><path d="M50 92V52h16c2 16-2 30-16 40z" fill="{l}"/>'
    '<rect x="46" y="36" width="8" height="18" fill="{k}"/><rect x="42" y="6" width="16" height="34" rx="7" fill="{a}"/>',
    "shears": '<path d="M34 10c14 10 22 24 22 40l-8 4C38 40 32 26 34 10z" fill="{w}"/><path d="M66 10C52 20 44 34 44 50l8 4c10-14 16-28'
    ' 14-44z" fill="{l}"/><path d="m46 50-18 36M54 50l18 36" stroke="{a}" stroke-width="9" stroke-linecap="round"/><circle cx="50"'
    ' cy="48" r="4" fill="{k}"/>',
    "can": '<path d="M64 54 90 30l6 6-30 36z" fill="{d}"/><path d="M24 40C8 40 6 74 24 76v-7c-9-2-8-21 0-22z" fill="{d}"/><path d="M22 36'
    'h44v46c0 5-3 8-8 8H30c-5 0-8-3-8-8z" fill="{a}"/><path d="M26 36c0-18 36-18 36 0" fill="none" stroke="{d}" stroke-width="5"/>'
    '<path d="M30 46v36" stroke="{l}" stroke-width="5" stroke-linecap="round"/>',
    "petfood": '<path d="M20 30h60v52c0 5-3 8-8 8H28c-5 0-8-3-8-8z" fill="{a}"/><ellipse cx="50" cy="30" rx="30" ry="8" fill="{d}"/><g'
    ' fill="{w}"><ellipse cx="50" cy="68" rx="12" ry="10"/><circle cx="36" cy="54" r="5"/><circle cx="46" cy="48" r="5"/><circle cx="56"'
    ' cy="48" r="5"/><circle cx="65" cy="54" r="5"/></g>',
    "bone": '<path d="M26 44c-14-2-14-20-2-20 2-12 20-10 18 4l24 24c12-4 18 12 6 18-2 14-20 12-20-2z" fill="{a}" transform="rotate(6 50'
    ' 50)"/><path d="m40 44 18 18" stroke="{l}" stroke-width="5" stroke-linecap="round"/>',
    "film": '<rect x="18" y="10" width="64" height="80" rx="5" fill="{d}"/><rect x="24" y="16" width="52" height="68" rx="3" fill="{a}"/>'
    '<circle cx="50" cy="44" r="17" fill="{w}"/><path d="m45 35 14 9-14 9z" fill="{d}"/><path d="M32 72h36" stroke="{w}"'
    ' stroke-width="5" stroke-linecap="round"/>',
    "book": '<path d="M18 18c0-5 3-8 8-8h54v70H26c-5 0-8 3-8 6z" fill="{a}"/><path d="M18 84c0-4 3-6 8-6h54v12H26c-5 0-8-2-8-6z"'
    ' fill="{w}"/><path d="M36 30h30M36 40h20" stroke="{w}" stroke-width="4" stroke-linecap="round"/><path d="M28 10v68" stroke="{d}"'
    ' stroke-width="4"/>',
}  # fmt: skip

# words of a title, the first that is found decides; of two in one line, too
CALLS = (
    ("headphones", "over-ear headphones, headphones, headset"), ("earbuds", "in-ear headphones, earbuds, earphones"),
    ("rabbit", "soft rabbit, rabbit"), ("bear", "teddy bear, teddy, plush"), ("doll", "knitted doll, hand puppet, doll"),
    ("soap", "bar soap, solid shampoo bar, soap bar"), ("petfood", "dog food, cat food, cat litter"),
    ("bone", "dog biscuits, cat treats, dental chews, treats"), ("pouch", "salt bath soak, plant food, potting soil"),
    ("pouch", "wildflower seeds, seeds, tea bags, bag of sweets"), ("pump", "dog shampoo, shampoo, hand soap, body lotion"),
    ("shoe", "running shoes, sneakers, trainers, shoes, shoe"), ("boot", "boots, boot"), ("sandal", "sandals, slippers, slipper"),
    ("torch", "headlamp, torch"), ("pendant", "pendant lamp, ceiling lamp"), ("lamp", "table lamp, floor lamp, desk lamp, lamp"),
    ("lantern", "camp lantern, lantern"), ("light", "bike light, light set"), ("bulb", "smart bulb, bulb, fairy lights"),
    ("plug", "smart plug, wall charger, charger plug"), ("puck", "wireless charger"), ("power", "power bank"),
    ("cable", "cable"), ("camera", "camera"), ("station", "weather station"), ("speaker", "speaker"), ("radio", "radio"),
    ("turntable", "record player, turntable, vinyl"), ("keyboard", "keyboard"), ("mouse", "mouse"),
    ("stand", "laptop stand, laptop, notebook"), ("teapot", "teapot, kettle"),
    ("carafe", "carafe, French press, pour-over dripper, dripper, decanter"),
    ("mug", "mug, espresso cup, cup pair, cup"), ("flask", "tumbler, vacuum flask, cold brew, flask"),
    ("pan", "frying pan, wok, skillet"), ("pot", "casserole, saucepan, cook set"), ("dish", "baking tin, tray"),
    ("shears", "shears, scissors"), ("knife", "knife"), ("board", "chopping board, serving platter"), ("plate", "plate"),
    ("bowl", "bowl"), ("cutlery", "cutlery, spork, fork, spoon"), ("jar", "coffee grinder, grinder"),
    ("sweets", "chocolate bar, pralines, chocolate, biscuits"),
    ("pouch", "bean coffee, ground espresso, coffee, capsules, loose leaf, matcha, chai, gummies, spice, granola, trail mix"),
    ("petfood", "cat, dog"), ("bottle", "olive oil, hot sauce, sauce, wine"),
    ("dropper", "face serum, beard oil, serum"), ("jar", "honey, butter, face cream, cleansing balm, hair mask, styling clay"),
    ("tube", "toothpaste, sun lotion, shaving cream, lotion, cream"), ("balm", "lip balm"),
    ("perfume", "eau de parfum, eau de toilette, solid perfume, perfume, pillow mist, mist"),
    ("candle", "candle, taper candle"), ("diffuser", "reed diffuser, incense"), ("basket", "basket"),
    ("jar", "storage jar, jar"), ("shelf", "wall shelf, coat rack, shelf"), ("round", "mirror"), ("clock", "wall clock, clock"),
    ("frame", "art print, picture frame, frame, poster, print"), ("cushion", "cushion, pillow"),
    ("textile", "blanket, towel, duvet, bedding"), ("tent", "tent"), ("hammock", "hammock"),
    ("roll", "sleeping bag, sleeping mat, yoga mat, foam roller, mat"), ("stove", "stove"), ("poles", "trekking poles, poles"),
    ("backpack", "backpack, day pack, hydration vest, rucksack"), ("bag", "tote bag, dry bag, hip pack, pannier bag, bag"),
    ("jacket", "rain jacket, jacket, coat, blazer"), ("trousers", "jeans, chinos, trousers, tights, leggings"),
    ("jumper", "base layer, fleece pullover, jumper, cardigan, sweater, hoodie"), ("shirt", "Oxford shirt, blouse"),
    ("tee", "T-shirt, polo shirt, shirt, top, vest"), ("shorts", "swim shorts, shorts"), ("skirt", "skirt, dress"),
    ("socks", "socks, sock"), ("hat", "beanie, hat"), ("cap", "cap"), ("helmet", "helmet"), ("scarf", "scarf"),
    ("belt", "belt"), ("wallet", "wallet, purse"), ("glasses", "sunglasses, goggles, glasses"), ("gloves", "gloves"),
    ("dumbbell", "dumbbell"), ("bands", "resistance band"), ("ball", "football, basketball, ball"),
    ("racket", "badminton, racket"), ("bat", "tennis bat, bat"), ("paddle", "paddle board, surfboard"),
    ("cards", "card game, gift card, cards"), ("dice", "dice game, dice"), ("marble", "marble run"),
    ("puzzle", "jigsaw puzzle, puzzle, brain teaser"), ("blocks", "block set, tile set, building"),
    ("box", "strategy game, cooperative game, model kit, game, kit box"), ("paints", "watercolour, paint"),
    ("pencils", "pencils, pencil, crayons"), ("soap", "modelling clay"), ("hoop", "embroidery kit"),
    ("trowel", "trowel"), ("can", "watering can"), ("plant", "plant pot, planter, window box, pot"), ("book", "book, novel"),
)  # fmt: skip

# colours a title may name, and how they look
COLOURS = {
    "white": "#f1efe9", "black": "#3a3a3d", "light grey": "#b9bcc0", "stone": "#b5aa9a", "forest green": "#3f6b4f",
    "charcoal": "#4b4f55", "sand": "#d3b98c", "rust": "#b05c34", "cream": "#ecdfc2", "burgundy": "#7d2f41",
    "mustard": "#d0a02f", "petrol blue": "#2c6674", "sunny yellow": "#efc33b", "coral": "#ec7a63", "turquoise": "#3fb0ac",
    "multicolour": "#d77fa1", "midnight blue": "#2e3f6b", "emerald": "#2a8563", "ivory": "#efe8d6", "olive": "#84874a",
    "clay": "#b5765a", "oat": "#d9c7a3", "moss green": "#6d8251", "graphite": "#53575e", "signal orange": "#ea7a2b",
    "steel blue": "#5883a8", "dusty rose": "#cf9196", "caramel": "#c1864f", "brick red": "#a9483c", "dark grey": "#5a5d62",
    "copper": "#bd7747", "walnut": "#7b563d", "oak": "#c49c6b", "beech": "#d8b487", "ash": "#d6c3a0", "bamboo": "#d6bd7f",
    "terracotta": "#c46b4a", "brass": "#c3a050", "rattan": "#c9a36c", "cork": "#c59a6a", "dark chocolate": "#5a3a2c",
    "milk chocolate": "#8d5d3f", "indigo": "#43507f", "washed blue": "#86a3c0", "chestnut": "#7d4d37", "tan": "#c08f5d",
    "brown": "#815a40", "gold": "#cfa94d", "tortoiseshell": "#8d5f38", "red": "#c8473f", "blue": "#4c7fb3", "green": "#5d9463",
    "pink": "#df8fac", "purple": "#8265a7", "grey": "#8f9499", "silver": "#b9bec4", "orange": "#e4883a", "yellow": "#e5be40",
    "lavender": "#a596c8", "rose": "#d88ea0", "lemon": "#e6cc55", "mint": "#86c3a6", "honey": "#dca33f", "cedar": "#a3694a",
    "navy": "#2f4468", "beige": "#d8c8a8",
}  # fmt: skip
