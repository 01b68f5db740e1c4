"""The plots, as SVG by hand: readable in light and in dark."""

from html import escape
from math import ceil, floor, log10

COLOURS = {"session_store": "#2f81f7", "operator": "#79b8ff", "jsonb_path_ops": "#d9822b", "jsquery": "#d1477a", "lucene": "#3fa34d", "solr": "#a371f7"}
STYLE = """<style>
text { font: 12px system-ui, sans-serif; fill: #24292f; }
.small { font-size: 10px; fill: #57606a; }
.grid { stroke: #d0d7de; stroke-width: 1; }
.line { fill: none; stroke-width: 2; }
@media (prefers-color-scheme: dark) {
  text { fill: #e6edf3; } .small { fill: #9da7b3; } .grid { stroke: #3d444d; }
}
</style>"""


def svg(width, height, parts):
    head = f'<svg xmlns="http://www.w3.org/2000/svg" width="{width}" height="{height}" viewBox="0 0 {width} {height}">'
    return "\n".join([head, STYLE, *parts, "</svg>", ""])


def text(x, y, words, anchor="start", small=False):
    kind = ' class="small"' if small else ""
    return f'<text x="{x:.1f}" y="{y:.1f}" text-anchor="{anchor}"{kind}>{escape(words)}</text>'


def grid(x1, y1, x2, y2):
    return f'<line class="grid" x1="{x1:.1f}" y1="{y1:.1f}" x2="{x2:.1f}" y2="{y2:.1f}"/>'


def legend(systems, x, y):
    parts = []
    for system, title in systems.items():
        parts.append(f'<rect x="{x:.1f}" y="{y - 9}" width="10" height="10" rx="2" fill="{COLOURS[system]}"/>')
        parts.append(text(x + 14, y, title))
        x += 30 + 6.6 * len(title)
    return parts


def decades(values):
    """The powers of ten around all values."""
    return floor(log10(min(values))), max(ceil(log10(max(values))), floor(log10(min(values))) + 1)


def label(ms):
    return f"{ms / 1000:g} s" if ms >= 1000 else f"{ms:g} ms"


def bars(classes, titles, systems):
    """A group for each class of queries, a bar for each system, on a logarithmic scale."""
    left, right, top, bar, gap = 230, 60, 56, 8, 10
    width = 860
    low, high = decades([r["ms"] for c in classes.values() for s, r in c.items() if s in systems and "ms" in r])
    at = lambda ms: left + (log10(ms) - low) / (high - low) * (width - left - right)  # noqa: E731
    height = top + len(classes) * (len(systems) * bar + gap) + 14
    parts = legend(systems, 10, 16)
    for power in range(low, high + 1):
        parts += [grid(at(10**power), top - 8, at(10**power), height - 10), text(at(10**power), top - 14, label(10**power), "middle", True)]
    y = top
    for name, results in classes.items():
        parts.append(text(left - 8, y + len(systems) * bar / 2 + 4, titles[name], "end"))
        for system in systems:
            ms = results.get(system, {}).get("ms")
            if ms:
                wide = max(at(ms) - left, 1)
                parts.append(f'<rect x="{left}" y="{y}" width="{wide:.1f}" height="{bar - 1}" fill="{COLOURS[system]}"/>')
                if system == "session_store":
                    parts.append(text(left + wide + 4, y + bar, f"{ms:.2g}" if ms < 10 else f"{ms:.0f}", small=True))
            y += bar
        y += gap
    return svg(width, height, parts)


def lines(searches, names, titles, systems):
    """A panel for each class of queries with a fixed number of hits: how time grows with the collection."""
    sizes = sorted(map(int, searches))
    panel, top, bottom, left = 270, 60, 240, 54
    values = [searches[str(n)][c][s]["ms"] for n in sizes for c in names for s in systems if "ms" in searches[str(n)].get(c, {}).get(s, {})]
    low, high = decades(values)
    up = lambda ms: bottom - (log10(ms) - low) / (high - low) * (bottom - top)  # noqa: E731
    parts = legend(systems, 10, 16)
    for number, name in enumerate(names):
        x0 = left + number * panel
        across = lambda n: x0 + 8 + (log10(n) - log10(sizes[0])) / (log10(sizes[-1]) - log10(sizes[0])) * (panel - 60)  # noqa: B023, E731
        parts.append(text(x0, top - 14, titles[name]))
        for power in range(low, high + 1):
            parts.append(grid(x0, up(10**power), x0 + panel - 44, up(10**power)))
            if number == 0:
                parts.append(text(x0 - 6, up(10**power) + 4, label(10**power), "end", True))
        for n in sizes:
            parts.append(text(across(n), bottom + 16, f"{n:,}", "middle", True))
        for system in systems:
            points = [(across(n), up(searches[str(n)][name][system]["ms"])) for n in sizes if "ms" in searches[str(n)].get(name, {}).get(system, {})]
            path = " ".join(f"{x:.1f},{y:.1f}" for x, y in points)
            parts.append(f'<polyline class="line" stroke="{COLOURS[system]}" points="{path}"/>')
            parts += [f'<circle cx="{x:.1f}" cy="{y:.1f}" r="3" fill="{COLOURS[system]}"/>' for x, y in points]
    return svg(left + len(names) * panel, bottom + 30, parts)


def shares(found, titles, systems):
    """A panel for each class of queries: time by the share of documents changed."""
    steps = list(found)
    across_panels, wide, high, left, top = 4, 205, 130, 54, 50
    names = list(found[steps[0]]["classes"])
    later = lambda share, name, system: found[share]["classes"][name].get(system, {}).get("later")  # noqa: E731
    values = [ms for share in steps for name in names for system in systems if (ms := later(share, name, system))]
    least, most = decades(values)
    parts = legend(systems, 10, 16)
    for number, name in enumerate(names):
        x0, y0 = left + number % across_panels * wide, top + number // across_panels * (high + 50)
        across = lambda i: x0 + 8 + i * (wide - 46) / max(len(steps) - 1, 1)  # noqa: B023, E731
        up = lambda ms: y0 + high - (log10(ms) - least) / (most - least) * high  # noqa: B023, E731
        parts.append(text(x0, y0 - 8, titles[name]))
        for power in range(least, most + 1):
            parts.append(grid(x0, up(10**power), x0 + wide - 30, up(10**power)))
            if number % across_panels == 0:
                parts.append(text(x0 - 6, up(10**power) + 4, label(10**power), "end", True))
        for i, share in enumerate(steps):
            parts.append(text(across(i), y0 + high + 14, f"{share} %", "middle", True))
        for system in systems:
            points = [(across(i), up(ms)) for i, share in enumerate(steps) if (ms := later(share, name, system))]
            path = " ".join(f"{x:.1f},{y:.1f}" for x, y in points)
            parts.append(f'<polyline class="line" stroke="{COLOURS[system]}" points="{path}"/>')
            parts += [f'<circle cx="{x:.1f}" cy="{y:.1f}" r="3" fill="{COLOURS[system]}"/>' for x, y in points]
    rows = -(-len(names) // across_panels)
    return svg(left + across_panels * wide, top + rows * (high + 50), parts)
