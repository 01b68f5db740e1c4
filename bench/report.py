"""The report: ratios first, then what they were computed from. `report.py RESULTS.json PAGE` writes it anew."""

import json
import sys
from pathlib import Path

import facets_report
import live_report
import plot
from queries import queries
from searching import disagreements
from targets import Targets, geometric_mean, ratios
from text import number, table, times

MB = 1_000_000


def write(results, page):
    n = results["n"]
    all_queries = {query.name: query for query in queries(n)}
    results["fixed"] = [query.name for query in all_queries.values() if query.fixed]
    titles = {name: query.title for name, query in all_queries.items()}
    classes = results["search"].get(str(n), {})
    measured = {name for systems in classes.values() for name, result in systems.items() if "ms" in result}
    systems = {name: title for name, title in results["systems"].items() if name in measured}
    page.parent.mkdir(parents=True, exist_ok=True)

    lines = ["# Benchmarks", ""]
    lines += introduction(results)
    wrong = [(f"{size} documents", *found) for size, search in results["search"].items() for found in disagreements(search)]
    wrong += results.get("live", {}).get("wrong", [])
    if wrong:
        lines += ["**The systems do not agree on how many documents match; these times cannot be compared:**", ""]
        lines += [f"- {where}, {titles[name]}: {counts}" for where, name, counts in wrong] + [""]
    if classes:
        plotted = {name: title for name, title in systems.items() if name != "operator"}
        lines += speedups(classes, titles, plotted)
        svg = page.with_name(f"{page.stem}-classes.svg")
        svg.write_text(plot.bars(classes, titles, plotted))
        lines += [f"![Milliseconds by class and system]({svg.name})", ""]
        lines += milliseconds(classes, all_queries, plotted)
        lines += operator(classes, titles, systems)
    if len(results["search"]) > 1:
        plotted = {name: title for name, title in systems.items() if name != "operator"}
        svg = page.with_name(f"{page.stem}-growth.svg")
        svg.write_text(plot.lines(results["search"], results["fixed"], titles, plotted))
        lines += growth(results["search"], all_queries, systems)
        lines += [f"![Milliseconds by number of documents]({svg.name})", ""]
    if "live" in results:
        svg = page.with_name(f"{page.stem}-live.svg")
        svg.write_text(plot.shares(results["live"]["shares"], titles, {name: results["systems"][name] for name in live_report.systems(results["live"])}))
        lines += live_report.sections(results, titles, svg.name)
    lines += facets_report.section(results)
    for part in (first, order, building, loading, updating, matching, memory, sizes):
        lines += part(results, titles)
    lines += targets(results)
    lines += conditions(results, all_queries, classes)
    page.write_text("\n".join(lines).rstrip() + "\n")


def introduction(results):
    machine = results["machine"]
    versions = ", ".join(f"{name} {version}" for name, version in machine["versions"].items())
    return [
        f"{results['n']:,} session documents of {results.get('average', 0):,.0f} bytes, the same in every system; the exact count of the "
        "matches and the first ten documents, from one client. "
        f"{machine['cpu']}, {machine['cores']} cores, {machine['memory_gib']} GiB, {machine['system']}; {versions}. "
        "Made by `make bench`; what is timed and how to repeat it is told [below](#conditions).", ""]  # fmt: skip


def speedups(classes, titles, systems):
    others = {name: title for name, title in systems.items() if name != "session_store"}
    found = {name: ratios(classes, name) for name in others}
    lines = ["## How many times faster is session_store?", "", "The median time of the other system by that of `session_query`.", ""]
    rows = []
    for name, results in classes.items():
        hits = next((f"{result['count']:,}" for result in results.values() if "count" in result), "–")
        rows.append([titles[name], hits, *(times(found[other].get(name)) for other in others)])
    means = {other: geometric_mean(list(found[other].values())) if found[other] else None for other in others}
    rows.append(["**geometric mean**", "", *(f"**{times(mean)}**" for mean in means.values())])
    return lines + table(["query", "hits", *others.values()], rows)


def milliseconds(classes, all_queries, systems):
    rows = []
    for name, results in classes.items():
        cells = []
        for system in systems:
            result = results.get(system, {})
            cells.append(number(result.get("ms")) + (" (scan)" if result.get("scans") and system != "session_store" else ""))
        rows.append([all_queries[name].title, f"`{shortened(all_queries[name])}`", *cells])
    lines = ["## Milliseconds", "", "Medians, for the count and ten documents. (scan): PostgreSQL has no use for the index and reads the table.", ""]
    lines += table(["query", "in Solr's language", *systems.values()], rows)
    unable = sorted({(system, all_queries[name].title, result["unable"]) for name, results in classes.items()
        for system, result in results.items() if "unable" in result and system in systems})  # fmt: skip
    if unable:
        lines += ["–: not measured, because"] + [""] + [f"- {systems[system]}, {title}: {reason}" for system, title, reason in unable] + [""]
    return lines


def shortened(query):
    text = query.q if len(query.q) <= 60 else query.q[:57] + "…"
    return (text + (f", sort {query.sort}" if query.sort else "") + (f", start {query.start:,}" if query.start else "")).replace("|", "\\|")


def operator(classes, titles, systems):
    """The operator's own table, since what it answers is the count."""
    if "operator" not in systems:
        return []
    others = [name for name in ("jsonb_path_ops", "jsquery") if name in systems]
    rows = []
    for name, results in classes.items():
        mine = results.get("operator", {}).get("count_ms")
        if mine is None:
            continue
        theirs = [results.get(other, {}).get("count_ms") for other in others]
        ratio = [times(ms and ms / mine) for ms in theirs]
        rows.append([titles[name], f"{results['operator']['count']:,}", *ratio, number(mine), *map(number, theirs)])
    lines = ["## The operator in plain SQL", "", "`SELECT count(*) … WHERE doc @@@ '…'` through PostgreSQL's planner, beside the count by hand; milliseconds.", ""]
    head = ["query", "hits", *(f"times faster than {other}" for other in others), "`@@@`", *others]
    return lines + table(head, rows)


def growth(searches, all_queries, systems):
    sizes = sorted(map(int, searches))
    rows = []
    for name, query in all_queries.items():
        for system, title in systems.items():
            found = [searches[str(n)].get(name, {}).get(system, {}).get("ms") for n in sizes]
            if query.fixed and all(found):
                hits = searches[str(sizes[-1])][name][system]["count"]
                rows.append([query.title, f"{hits:,}", title, *map(number, found), f"**{times(found[-1] / found[0])}**"])
    lines = ["## Growth", "", "Queries that find as many documents in a small collection as in a large one; milliseconds.", ""]
    lines += table(["query", "hits", "system", *(f"{n:,}" for n in sizes), "growth"], rows)
    rows = []
    for name, query in all_queries.items():
        found = [searches[str(n)].get(name, {}).get("session_store", {}) for n in sizes]
        if not query.fixed and all("ms" in result for result in found):
            rows.append([query.title, *(f"{number(result['ms'])} ({result['count']:,})" for result in found), times(found[-1]["ms"] / found[0]["ms"])])
    return lines + ["session_store where the hits grow with the collection; milliseconds (hits):", ""] + table(
        ["query", *(f"{n:,}" for n in sizes), "growth"], rows)  # fmt: skip


def first(results, titles):
    if "first" not in results:
        return []
    part = results["first"]
    lines = ["## The first times that a session asks", "", "Milliseconds of `session_query` in a new session: as its very first statement, for which "
        "PostgreSQL loads the library, and in one that has asked something else before. "
        "A session remembers of the index's leaves how many postings they have, for as long as they do not change: it counts "
        "them at its second look. All other tables are of sessions that have asked before.", ""]  # fmt: skip
    often = max(len(found["asked"]) for found in part.values())
    head = ["query", "very first", *"first second third fourth fifth sixth".split()[:often]]
    return lines + table(head, [[titles[name], number(found["loading"]), *map(number, found["asked"])] for name, found in part.items()])


def order(results, titles):
    if "order" not in results:
        return []
    found = results["order"]
    base = found["B-tree index scan"]
    lines = ["## The first ten of everything, sorted", "", "No index was made for session_store's sort; the B-tree was made for this one.", ""]
    return lines + table(["way", "to the B-tree", "ms"], [[way, times(ms / base), number(ms)] for way, ms in found.items()])


def building(results, titles):
    if "build" not in results:
        return []
    part = results["build"]
    base = part["opclasses"].get("jsonb_path_ops")
    rows = []
    for result in part["opclasses"].values():
        row = [f"`{result['opclass']}`" if result["opclass"] else "no index"]
        if result["opclass"]:
            row.append(f"{times(min(result['build_s']) / min(base['build_s']))} ({number(min(result['build_s']))} s)")
            row.append(f"{times(result['bytes'] / base['bytes'])} ({number(result['bytes'] / MB)} MB)")
        else:
            row += ["–", "–"]
        for mode in ("on", "off"):
            key = f"insert_s, fastupdate {mode}"
            row.append(f"{times(result[key] / base[key])} ({number(result[key])} s)" if key in result else "–")
        rows.append(row)
    lines = ["## Building and inserting", "", f"To `jsonb_path_ops`; maintenance_work_mem {part['settings']}; inserting "
        f"{part['inserted']:,} documents under the index.", ""]  # fmt: skip
    return lines + table(["index", "CREATE INDEX", "size", "insert, fastupdate on", "insert, fastupdate off"], rows)


def loading(results, titles):
    if "load" not in results:
        return []
    part = results["load"]
    rows = []
    for clients, rate in part["per_second"].items():
        ours, theirs = rate["session_store"], rate["jsonb_path_ops"]
        rows.append([clients, times(ours / theirs), f"{ours:,.0f}", f"{theirs:,.0f}"])
    lines = ["## Loading", "", f"Documents a second, {part['documents']:,} in batches of {part['batch']:,}: `session_update`, and "
        "`INSERT … ON CONFLICT` into a table with `jsonb_path_ops`.", ""]  # fmt: skip
    return lines + table(["clients", "session_store to SQL", "session_store", "SQL"], rows)


def updating(results, titles):
    if "update" not in results:
        return []
    part = results["update"]
    rows = []
    for title, modes in part["ms"].items():
        for mode, ms in modes.items():
            base = part["ms"]["jsonb_path_ops"][mode]["median"]
            rows.append([title, mode, times(ms["median"] / base), *(number(ms[figure]) for figure in ("median", "p99", "max"))])
    lines = ["## A single update", "", f"One document replaced and committed, {part['updates']:,} times over {part['documents']:,} "
        "documents, the systems taking turns: `session_update`, and `INSERT … VALUES … ON CONFLICT` into a table with `jsonb_path_ops`, or "
        "the same of a JSON array with one document, as `session_update` is given it. Milliseconds; the ratio is of the medians.", ""]  # fmt: skip
    return lines + table(["system", "fastupdate", "to jsonb_path_ops", "median", "99th percentile", "at most"], rows)


def matching(results, titles):
    if "match" not in results:
        return []
    part = results["match"]
    ways = sorted({way for found in part["microseconds"].values() for way in found if way != "counts"})
    rows = []
    for name, found in part["microseconds"].items():
        ratio = times(found["@?"] / found["@@@"]) if {"@?", "@@@"} <= found.keys() else "–"
        rows.append([titles[name], ratio, *(number(found.get(way)) for way in ways)])
    lines = ["## Matching a document", "", f"Microseconds for a document of {part['bytes']:,.0f} bytes in a sequential scan of "
        f"{part['documents']:,}, less what `WHERE true` takes; no index, no workers.", ""]  # fmt: skip
    return lines + table(["query", "`@@@` faster than `@?`", *(f"`{way}`" for way in ways)], rows)


def memory(results, titles):
    if "memory" not in results:
        return []
    part = results["memory"]
    worst = max(part["queries"], key=part["queries"].get)
    return ["## Memory", "", f"A backend that answers every class in turn takes at most {part['peak']:,.1f} MB of its own on top of the "
        f"{part['start']:,.1f} MB it starts with ({titles[worst]}), and keeps {part['left']:,.1f} MB.", ""]  # fmt: skip


def sizes(results, titles):
    if "sizes" not in results:
        return []
    return ["## On disk", ""] + table(["what", "MB"], [[name, number(size / MB)] for name, size in results["sizes"].items()])


def targets(results):
    rows = Targets(results).all()
    return ["## Targets", "", "| target | wanted | measured | |", "| --- | --- | --- | --- |"] + [
        f"| {what} | {wanted} | {measured} | {verdict} |" for what, wanted, measured, verdict in rows] + [""]  # fmt: skip


def conditions(results, all_queries, classes):
    machine = results["machine"]
    settings = ", ".join(f"`{name} = {value}`" for name, value in machine["settings"].items())
    lines = ["## Conditions", "", "Repeat it with", "", "```sh", f"make bench N={results['n']}", "```", ""]
    lines += [
        f"Warm, everything in memory, the median of at least {results['runs']} runs (5 of what takes longer than 3 s), the systems taking turns. PostgreSQL and "
        "Solr are timed at the client, from sending a request to having its whole answer: libpq over a Unix socket, each statement "
        "parsed and planned anew; HTTP over loopback, connection kept alive. Lucene is timed inside its process by `System.nanoTime`, "
        "parsing included, documents read from the stored field. Lucene and Solr run each query for 2 seconds and 200 times first, over one "
        "merged segment, with a schema that knows every field's type, doc values everywhere, without caches and without scores. SQL is two statements, "
        "`count(*)` and `LIMIT 10`, in the fastest of the forms below, with up to two parallel workers. All systems count the same "
        "documents: a difference ends the benchmark with an error.", "",
        "The fuzzy term is written in SQL as a regular expression of all that is one edit away. SQL returns the first ten documents "
        "that it comes upon, session_store those first in the table.", "",
        f"PostgreSQL's settings: {settings}.", ""]  # fmt: skip
    rows = []
    for name, found in classes.items():
        where = found.get("jsonb_path_ops", {}).get("where")
        if where:
            jsquery = found.get("jsquery", {}).get("where", "–")
            rows.append(f"| {all_queries[name].title} | {code(where)} | {code(jsquery)} |")
    if rows:
        lines += ["| query | SQL, `jsonb_path_ops` | jsquery |", "| --- | --- | --- |", *rows, ""]
    return lines


def code(text):
    if len(text) > 160:
        text = text[:157] + "…"
    return "–" if text == "–" else "`" + text.replace("|", "\\|") + "`"


if __name__ == "__main__":
    write(json.loads(Path(sys.argv[1]).read_text()), Path(sys.argv[2]))
