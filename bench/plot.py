"""Bars of a results file as an SVG.

    python3 bench/plot.py bench/results/X.json X.svg
"""

from __future__ import annotations

import json
import math
import sys
from html import escape
from pathlib import Path

ROW, LEFT, WIDTH = 16, 300, 420


def svg(result: dict) -> str:
    rows = result["tasks"]
    most = max(max(row["ratio"] for row in rows), 2)
    least = min(min(row["ratio"] for row in rows), 0.5)

    def place(ratio: float) -> float:
        return LEFT + WIDTH * (math.log(ratio) - math.log(least)) / (math.log(most) - math.log(least))

    height = ROW * len(rows) + 60
    lines = [
        f'<svg xmlns="http://www.w3.org/2000/svg" width="{LEFT + WIDTH + 80}" height="{height}" '
        'font-family="sans-serif" font-size="11">',
        '<rect width="100%" height="100%" fill="white"/>',
        f'<text x="8" y="16" font-size="13">Times faster than the peer; {result["rows"]:,} rows, '
        f'{result["processors"]} cores, {escape(result["commit"])}, logarithmic</text>',
    ]
    for tick in (0.25, 0.5, 1, 2, 5, 10, 20, 50, 100, 500, 1000):
        if least <= tick <= most:
            x = place(tick)
            color = "#444" if tick == 1 else "#ddd"
            lines.append(f'<line x1="{x:.1f}" x2="{x:.1f}" y1="24" y2="{height - 24}" stroke="{color}"/>')
            lines.append(f'<text x="{x:.1f}" y="{height - 10}" text-anchor="middle">{tick:g}×</text>')
    for index, row in enumerate(rows):
        y = 30 + index * ROW
        one, x = place(1), place(row["ratio"])
        color = {"pylance": "#3b7dd8"}.get(row["peer"], "#c98b2b") if row["ratio"] >= 1 else "#c0392b"
        lines.append(f'<text x="{LEFT - 8}" y="{y + 10}" text-anchor="end">{escape(row["task"])}</text>')
        lines.append(f'<rect x="{min(one, x):.1f}" y="{y}" width="{abs(x - one):.1f}" height="{ROW - 4}" fill="{color}"/>')
        lines.append(f'<text x="{max(one, x) + 4:.1f}" y="{y + 10}">{row["ratio"]:.1f}</text>')
    return "\n".join(lines + ["</svg>"]) + "\n"


if __name__ == "__main__":
    source, target = map(Path, sys.argv[1:3])
    target.write_text(svg(json.loads(source.read_text())))
