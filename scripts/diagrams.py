"""Draw docs/images/diagrams from docs/diagrams/*.toml: boxes, arrows and bars as SVG, for day and night.

    python scripts/diagrams.py            draw them
    python scripts/diagrams.py --check    exit 1 and name the picture that is out of date

Names in braces in the text are numbers from the code (:func:`numbers`), so that no picture can contradict it.
"""

from __future__ import annotations

import sys
import tomllib
from collections.abc import Iterator, Mapping
from html import escape
from pathlib import Path
from typing import Any

from smallhours.domain.settings import EvaluateSettings, GenerationSettings, TrainSettings
from smallhours.llm.catalog import EMBEDDED

ROOT = Path(__file__).resolve().parent.parent
SOURCES = ROOT / "docs" / "diagrams"
PICTURES = ROOT / "docs" / "images" / "diagrams"

LINE, SUB_LINE = 19, 17  # pixels from one line of text to the next: the first line of a box, the others
CUT = 16  # how far a hexagon's points stand out
EDGE = 20  # an arrow keeps this far from a corner

STYLE = """
svg{--paper:#fdfaf4;--ink:#24263a;--soft:#55566a;--edge:#6f6a5e;--plain:#fffdf9;--data:#e2e3f2;--held:#ece7dc;
--ask:#fbeedb;--stop:#f7dcd5;--stop-edge:#a3211f;--good:#d9ecdf;--good-edge:#2d6a45;--lamp:#c98f3f}
@media (prefers-color-scheme:dark){svg{--paper:#171a2a;--ink:#ece7dc;--soft:#b9b7c4;--edge:#8a8eae;
--plain:#1f2336;--data:#2e3353;--held:#262a3c;--ask:#3a2f22;--stop:#43211f;--stop-edge:#f0978a;
--good:#1d3a2a;--good-edge:#7fc79a;--lamp:#f0c684}}
text{fill:var(--ink);text-anchor:middle;
font:13px -apple-system,"Segoe UI",Roboto,"Noto Sans","Helvetica Neue",Arial,sans-serif}
.head{font-size:15px;font-weight:600}.soft{fill:var(--soft)}.start{text-anchor:start}
.paper{fill:var(--paper)}.box{fill:var(--plain);stroke:var(--edge);stroke-width:1.5}
.data{fill:var(--data)}.frozen{fill:var(--held);stroke-dasharray:5 4}
.choice,.narrow,.widen{fill:var(--ask);stroke:var(--lamp)}
.stop{fill:var(--stop);stroke:var(--stop-edge);stroke-width:2}
.good{fill:var(--good);stroke:var(--good-edge);stroke-width:2}
.arrow{fill:none;stroke:var(--edge);stroke-width:1.75;marker-end:url(#tip)}.dashed{stroke-dasharray:5 4}
.tip{fill:var(--edge)}.lamp{fill:var(--lamp)}
""".replace("\n", "")
TIP = (
    '<marker id="tip" viewBox="0 0 8 8" refX="7" refY="4" markerWidth="8" markerHeight="8" '
    'markerUnits="userSpaceOnUse" orient="auto"><path class="tip" d="M0 0 8 4 0 8z"/></marker>'
)


def numbers() -> dict[str, Any]:
    """What the text may name: sizes of the embedded base and its adapter, and defaults of the settings."""
    shape, train = EMBEDDED.shape, TrainSettings()
    query = next(linear for linear in shape.linears if linear.name == "q_proj")
    trained = shape.lora_parameters(train.rank, EMBEDDED.lora_targets)
    return {
        "total": shape.parameters,
        "total_short": f"{shape.parameters / 1e6:.1f} million",
        "trained": trained,
        "trained_short": f"{trained / 1e6:.1f} million",
        "trained_share": trained / shape.parameters,
        "trained_percent": f"{trained / shape.parameters:.1%}".replace("%", " %"),
        "layers": shape.layers,
        "linears": len(shape.linears),
        "inputs": query.inputs,
        "outputs": query.outputs,
        "weights": query.inputs * query.outputs,
        "rank": train.rank,
        "alpha": train.alpha,
        "scale": train.alpha / train.rank,
        "a": train.rank * query.inputs,
        "b": train.rank * query.outputs,
        "ab": train.rank * (query.inputs + query.outputs),
        **{f"evaluate_{name}": value for name, value in EvaluateSettings().model_dump().items()},
        **{f"generation_{name}": value for name, value in GenerationSettings().model_dump().items()},
    }


def outline(kind: str, x: float, y: float, width: float, height: float) -> str:
    """The shape of a box: its kind shows in its form, too, not in its colour alone."""
    look = f'class="box {kind}"'
    left, right, middle = CUT, width - CUT, height / 2
    points = {
        "choice": [(left, 0), (right, 0), (width, middle), (right, height), (left, height), (0, middle)],
        "narrow": [(0, 0), (width, 0), (width * 0.7, height), (width * 0.3, height)],
        "widen": [(width * 0.3, 0), (width * 0.7, 0), (width, height), (0, height)],
    }.get(kind)
    if points:
        drawn = " ".join(f"{x + across:g},{y + down:g}" for across, down in points)
        return f'<polygon {look} points="{drawn}"/>'
    round_ = {"data": height / 2, "circle": height / 2}.get(kind, 8)
    return f'<rect {look} x="{x:g}" y="{y:g}" width="{width:g}" height="{height:g}" rx="{round_:g}"/>'


def lines_of_text(text: list[str], x: float, middle: float) -> Iterator[str]:
    """The lines of a box around its middle, the first one in bold."""
    height = LINE + SUB_LINE * (len(text) - 1)
    for number, line in enumerate(text):
        y = middle - height / 2 + 14 + (LINE + SUB_LINE * (number - 1) if number else 0)
        look = ' class="head"' if number == 0 else ""
        yield f'<text{look} x="{x:g}" y="{y:g}">{escape(line)}</text>'


def box(spec: Mapping[str, Any]) -> Iterator[str]:
    """A box and its text."""
    x, y, width, height = spec["at"]
    yield outline(spec["kind"], x, y, width, height)
    yield from lines_of_text(spec["text"], x + width / 2, y + height / 2)


def arrow(spec: Mapping[str, Any], boxes: Mapping[str, Mapping[str, Any]]) -> Iterator[str]:
    """From one box to another: straight where they face each other, else with one bend each way."""
    (ax, ay, aw, ah), (bx, by, bw, _) = (boxes[name]["at"] for name in spec["path"])
    middle_a, middle_b = ax + aw / 2, bx + bw / 2
    if ay + ah <= by:  # downwards, at the middle of the narrower box if the other one is there, too
        straight = middle_a if aw < bw else middle_b
        middle = (ay + ah + by) / 2
        if max(ax, bx) + EDGE <= straight <= min(ax + aw, bx + bw) - EDGE:
            path = f"M{straight:g} {ay + ah:g}V{by:g}"
            label = (straight + 8, middle + 4)
        else:
            path = f"M{middle_a:g} {ay + ah:g}V{middle:g}H{middle_b:g}V{by:g}"
            label = (middle_b + 8, middle + 14)
    else:  # sideways
        right = bx > ax
        start, end = (ax + aw, bx) if right else (ax, bx + bw)
        y = ay + ah / 2
        path = f"M{start:g} {y:g}H{end:g}"
        label = (min(start, end) + 6, y - 6)
    dashed = " dashed" if spec.get("dashed") else ""
    yield f'<path class="arrow{dashed}" d="{path}"/>'
    if "label" in spec:
        yield f'<text class="soft start" x="{label[0]:g}" y="{label[1]:g}">{escape(spec["label"])}</text>'


def bar(spec: Mapping[str, Any], known: Mapping[str, Any]) -> Iterator[str]:
    """A share of a whole, to scale."""
    x, y, width, height = spec["at"]
    yield f'<rect class="box frozen" x="{x}" y="{y}" width="{width}" height="{height}"/>'
    yield f'<rect class="lamp" x="{x}" y="{y}" width="{width * known[spec["share"]]:.1f}" height="{height}"/>'


def filled(value: Any, known: Mapping[str, Any]) -> Any:
    """The same table with every ``{name}`` in its texts replaced."""
    if isinstance(value, str):
        return value.format_map(known)
    if isinstance(value, dict):
        return {key: filled(item, known) for key, item in value.items()}
    return [filled(item, known) for item in value] if isinstance(value, list) else value


def draw(source: str) -> str:
    """The SVG of one description."""
    known = numbers()
    spec = filled(tomllib.loads(source), known)
    width, height = spec["size"]
    boxes = {one["id"]: one for one in spec["box"]}
    parts = [
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {width} {height}" '
        f'width="{width}" height="{height}" role="img" aria-labelledby="title desc">',
        f'<title id="title">{escape(spec["title"])}</title>',
        f'<desc id="desc">{escape(" ".join(spec["description"].split()))}</desc>',
        f"<style>{STYLE}</style><defs>{TIP}</defs>",
        f'<rect class="paper" width="{width}" height="{height}" rx="14"/>',
    ]
    for one in spec.get("arrow", ()):
        parts += arrow(one, boxes)
    for one in spec["box"]:
        parts += box(one)
    for one in spec.get("bar", ()):
        parts += bar(one, known)
    for one in spec.get("note", ()):
        look = f"soft {one.get('look', '')}".strip()
        parts.append(
            f'<text class="{look}" x="{one["at"][0]}" y="{one["at"][1]}">{escape(one["text"])}</text>'
        )
    return "\n".join([*parts, "</svg>", ""])


def pictures() -> dict[Path, str]:
    """Each picture as it should be."""
    return {
        PICTURES / f"{path.stem}.svg": draw(path.read_text(encoding="utf-8"))
        for path in sorted(SOURCES.glob("*.toml"))
    }


def main(arguments: list[str]) -> int:
    """Draw them, or with ``--check`` say which are out of date."""
    wanted = pictures()
    stale = [path for path, text in wanted.items() if not path.is_file() or path.read_text("utf-8") != text]
    if arguments == ["--check"]:
        for path in stale:
            print(f"{path.relative_to(ROOT)}: out of date; run 'make docs'", file=sys.stderr)
        return 1 if stale else 0
    PICTURES.mkdir(parents=True, exist_ok=True)
    for path in stale:
        path.write_text(wanted[path], encoding="utf-8")
    print(f"diagrams: {len(wanted)}, {len(stale)} of them changed")
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
