"""Numbers and tables as the report writes them, and text as SQL does."""


def number(x):
    """Three digits, never as a power of ten."""
    if x is None:
        return "–"
    return f"{x:,.0f}" if x >= 100 else f"{x:.3g}"


def times(x):
    return "–" if x is None else f"{number(x)}×"


def table(head, rows):
    """The first column is words, the others are numbers."""
    lines = ["| " + " | ".join(head) + " |", "| --- |" + " ---: |" * (len(head) - 1)]
    return lines + ["| " + " | ".join(map(str, row)) + " |" for row in rows] + [""]


def quote(text):
    return "'" + text.replace("'", "''") + "'"
