"""The report's sections of searching while documents change: ratios first, then what they were computed from."""

from live import ALONE, BESIDE
from targets import geometric_mean, ratios
from text import number, table, times


def systems(part):
    """Those that were measured, in their order."""
    return list(dict.fromkeys(name for share in part["shares"].values() for found in share["classes"].values() for name in found))


def sections(results, titles, svg):
    part, names = results["live"], results["systems"]
    lines = after_changes(part, titles, names)
    lines += [f"![Milliseconds by share of documents changed]({svg})", ""]
    lines += first_questions(part, titles)
    if "writing" in part:
        lines += while_writing(part, titles, names)
    if "clients" in part:
        lines += several_clients(part, names)
    return lines


def after_changes(part, titles, names):
    shares = part["shares"]
    others = [name for name in systems(part) if name not in ("session_store", "operator")]
    found = {(other, share): ratios(shares[share]["classes"], other, figure="later") for other in others for share in shares}
    queries = list(next(iter(shares.values()))["classes"])
    lines = ["## While documents change", "", "### Milliseconds by share of documents changed", "",
        "So many documents, chosen at random, were changed since VACUUM, in transactions of 100; no autovacuum, the pending list as that "
        "leaves it. Lucene's writer made the same changes, over its NRTCachingDirectory; its reader is reopened before each question. Medians of what a session asks from its "
        "third question on.", "", "How many times faster session_store is:", ""]  # fmt: skip
    rows = [[titles[query], *(times(figures.get(query)) for figures in found.values())] for query in queries]
    means = [geometric_mean(list(figures.values())) if figures else None for figures in found.values()]
    rows.append(["**geometric mean**", *(f"**{times(mean)}**" for mean in means)])
    lines += table(["query", *(f"{names[other]}, {share} %" for other, share in found)], rows)
    for system in systems(part):
        lines += [f"{names[system]}, milliseconds (to its time at rest):", ""]
        rows = []
        for query in queries:
            ms = [share["classes"][query].get(system, {}).get("later") for share in shares.values()]
            if all(ms):
                rows.append([titles[query], number(ms[0]), *(f"{number(x)} ({times(x / ms[0])})" for x in ms[1:])])
        lines += table(["query", *(f"{share} %" for share in shares)], rows)
    reopened = [number(share.get("reopened_ms")) for share in shares.values()]
    if any(share.get("reopened_ms") for share in shares.values()):
        lines += ["The first question after the changes also waits for Lucene to reopen its reader (which Java has not done often enough to compile it): " + ", ".join(
            f"{ms} ms after {share} %" for share, ms in list(zip(shares, reopened))[1:]) + ".", ""]  # fmt: skip
    return lines


def first_questions(part, titles):
    shares = {share: found["classes"] for share, found in part["shares"].items()}
    if not all("session_store" in found for classes in shares.values() for found in classes.values()):
        return []
    lines = ["### The first questions after documents changed", "", "Milliseconds of the first and the second time that a new session of session_store "
        "asks, after it has searched another store.", ""]  # fmt: skip
    rows = []
    for query in next(iter(shares.values())):
        found = [classes[query]["session_store"] for classes in shares.values()]
        rows.append([titles[query], *(number(times[turn]) for turn in ("first", "second") for times in found)])
    lines += table(["query", *(f"{turn}, {share} %" for turn in ("first", "second") for share in shares)], rows)
    read = [
        f"{found['open']:,} of {found['pages']:,} after {share} %, {number(scan_of_open(found))} ms"
        + (f", the first time in a new session {number(scan_of_open(found, 'first_scan_ms'))}" if "first_scan_ms" in found else "")
        for share, found in part["shares"].items() if found.get("open")
    ]  # fmt: skip
    if read:
        lines += [f"Pages that are not all-visible, and what a sequential scan takes for as many: {'; '.join(read)}.", ""]
    return lines


def scan_of_open(found, turn="scan_ms"):
    """Milliseconds to read each page that is not all-visible once."""
    return found[turn] * found["open"] / found["pages"] if found.get("pages") else None


def while_writing(part, titles, names):
    found = part["writing"]
    lines = ["### While another client writes", "", f"{part['rate']:,} documents a second, chosen at random, are changed one by one, "
        f"`session_update` for session_store and `INSERT … ON CONFLICT` for SQL, with autovacuum as the table was born, while one session asks all classes in turn for "
        f"{part['seconds']:g} seconds. Lucene's writer does not commit: what it writes would not outlive its process. Milliseconds.", ""]  # fmt: skip
    others = [name for name in found if name != "session_store"]
    rows = []
    for query in next(iter(found.values()))["classes"]:
        of = {system: result["classes"][query] for system, result in found.items()}
        faster = [times(of[other]["median"] / of["session_store"]["median"]) for other in others if "session_store" in of]
        rows.append([titles[query], *faster, *(number(of[system][figure]) for system in found for figure in ("median", "p99"))])
    head = ["query", *(f"times faster than {names[other]}" for other in others if "session_store" in found)]
    lines += table([*head, *(f"{names[system]}, {figure}" for system in found for figure in ("median", "99th percentile"))], rows)
    lines += ["The writer:", ""]
    rows = [[names[system], *writer(result["writer"])] for system, result in found.items()]
    return lines + table(["system", "median", "99th percentile", "at most", "changes", "a second"], rows)


def writer(found):
    return [*(number(found[figure]) for figure in ("median", "p99", "max")), f"{found['updates']:,}", number(found["rate"])]


def several_clients(part, names):
    found = part["clients"]
    lines = ["### Several clients", "", f"Questions answered in a second, of all classes by chance, {part['seconds'] / 4:g} seconds each: pgbench, and threads for "
        f"Lucene. Alone, and beside the writer of {part['rate']:,} documents a second.", ""]  # fmt: skip
    modes = [(system, mode) for system in found for mode in (ALONE, BESIDE)]
    counts = list(next(iter(found.values()))[ALONE])
    rows = [[clients, *(number(found[system][mode][clients]) for system, mode in modes)] for clients in counts]
    lines += table(["clients", *(f"{names[system]}, {mode}" for system, mode in modes)], rows)
    lines += ["The writer beside them, milliseconds:", ""]
    rows = [[names[system], clients, *writer(found[system]["writers"][clients])] for system in found for clients in counts]
    return lines + table(["system", "clients", "median", "99th percentile", "at most", "changes", "a second"], rows)
