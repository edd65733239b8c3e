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


PANEL, GAP = 260, 60
COLORS = {"lancer": "#3b7dd8", "pylance": "#c98b2b"}


def growth_svg(result: dict) -> str:
    """Seconds against size, both logarithmic, a panel for each task and a line for each side."""
    sizes = {int(size): sides for size, sides in result["sizes"].items()}
    tasks = list(next(iter(sizes.values()))["lancer"])
    width = len(tasks) * (PANEL + GAP) + GAP
    lines = [
        f'<svg xmlns="http://www.w3.org/2000/svg" width="{width}" height="{PANEL + 110}" font-family="sans-serif" font-size="11">',
        '<rect width="100%" height="100%" fill="white"/>',
        f'<text x="8" y="16" font-size="13">Time against {escape(result["unit"])}, both logarithmic; '
        f'{result["processors"]} cores, {escape(result["commit"])}</text>',
    ]
    for number, task in enumerate(tasks):
        left, top = GAP + number * (PANEL + GAP), 50
        times = [sides[who][task] for sides in sizes.values() for who in sides]
        low, high = math.floor(math.log10(min(times))), math.ceil(math.log10(max(times)))
        high = max(high, low + 1)
        first, last = math.log10(min(sizes)), math.log10(max(sizes))

        def place(size: int, seconds: float) -> tuple[float, float]:
            x = left + PANEL * ((math.log10(size) - first) / (last - first) if last > first else 0.5)
            return x, top + PANEL * (high - math.log10(seconds)) / (high - low)

        lines.append(f'<text x="{left}" y="{top - 10}" font-weight="bold">{escape(task)}</text>')
        for power in range(low, high + 1):
            y = top + PANEL * (high - power) / (high - low)
            lines.append(f'<line x1="{left}" x2="{left + PANEL}" y1="{y:.1f}" y2="{y:.1f}" stroke="#ddd"/>')
            lines.append(f'<text x="{left - 4}" y="{y + 4:.1f}" text-anchor="end">{tick(power)}</text>')
        for size in sizes:
            x = place(size, 10.0**high)[0]
            lines.append(f'<text x="{x:.1f}" y="{top + PANEL + 16}" text-anchor="middle">{size:,}</text>')
        for row, (who, color) in enumerate(COLORS.items()):
            points = [place(size, sides[who][task]) for size, sides in sizes.items()]
            path = " ".join(f"{x:.1f},{y:.1f}" for x, y in points)
            lines.append(f'<polyline points="{path}" fill="none" stroke="{color}" stroke-width="2"/>')
            lines += [f'<circle cx="{x:.1f}" cy="{y:.1f}" r="3" fill="{color}"/>' for x, y in points]
            lines.append(f'<text x="{left + 90 * row}" y="{top + PANEL + 36}" fill="{color}">{who}</text>')
    return "\n".join(lines + ["</svg>"]) + "\n"


def tick(power: int) -> str:
    """A power of ten seconds."""
    for unit, name in ((0, "s"), (-3, "ms"), (-6, "µs"), (-9, "ns")):
        if power >= unit:
            return f"{10 ** (power - unit)} {name}"
    return f"1e{power} s"


if __name__ == "__main__":
    source, target = map(Path, sys.argv[1:3])
    result = json.loads(source.read_text())
    target.write_text(growth_svg(result) if "sizes" in result else svg(result))
