"""The report's section on facets."""

from facets import FLOOR, questions
from text import number, table, times

STEPS = {"rest": "At rest", "changed": "After 10 % of the documents were changed since VACUUM"}


def section(results):
    found = results.get("facets")
    if not found:
        return []
    n = results["n"]
    titles = {question.name: question.title for question in questions(n)}
    lines = ["## How many of each", "", f"Facets, statistics, suggestions and paths over {n:,} documents; milliseconds, and how many times "
        "session_store is faster. session_store and SQL: the first question of a session that has asked something else before, and the median "
        "of the third and later ones; Lucene and Solr only the latter, after they were warmed. Both steps read the same store; SQL groups the documents "
        "that `@@@` finds in its table. Lucene: `SortedSetDocValuesFacetCounts`, `LongValueFacetCounts`, `LongRangeFacetCounts`, its reader "
        "reopened before each question; statistics by hand over its doc values, suggestions over its terms. Solr: JSON facets. Without the statement: "
        f"the third time, less that of a statement that asks nothing (`{FLOOR.ours('')}`), which every question to a server takes.", ""]  # fmt: skip
    for step, title in STEPS.items():
        if step not in found:
            continue
        others = [system for system in found["titles"] if system != "session_store" and any(system in one for one in found[step].values())]
        floor = found[step].get(FLOOR.name, {}).get("session_store", {}).get("later")
        rows = []
        for question, systems in found[step].items():
            ours = systems.get("session_store")
            if ours is None:
                continue
            ratio = [times(systems[other]["later"] / ours["later"] if other in systems else None) for other in others]
            taken = [number(systems[other]["later"]) if other in systems else "–" for other in others]
            rest = number(max(ours["later"] - floor, 0)) if floor is not None and question != FLOOR.name else "–"
            rows.append([titles[question], *ratio, number(ours["first"]), number(ours["later"]), rest, *taken])
        names = [found["titles"][other] for other in others]
        lines += [f"### {title}", ""]
        lines += table(["question", *(f"faster than {name}" for name in names), "first", "third", "without the statement", *names], rows)
    return lines
