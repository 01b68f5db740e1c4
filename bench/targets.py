"""What session_store wants to reach, and whether it does. A target whose part was not measured says so."""

from math import exp, log

# How many times faster than Lucene in process 0.4.0 was at 1,000,000 documents at rest.
BEFORE = {
    "rare": 1.1, "common": 0.95, "and": 0.909, "or": 1.29, "narrow": 1, "wide": 1.75, "distinct": 1.53, "prefix": 2.02, "wildcard": 1.02,
    "regexp": 1.18, "fuzzy": 1.74, "not": 2.79, "exists": 0.768, "negative": 0.783, "bare": 0.936, "sorted": 4.14, "filtered": 1.56, "deep": 52.3,
}  # fmt: skip


def geometric_mean(values):
    return exp(sum(map(log, values)) / len(values))


def ratios(classes, slower, faster="session_store", figure="ms"):
    """{class: how many times faster}, where both were measured."""
    return {
        name: systems[slower][figure] / systems[faster][figure]
        for name, systems in classes.items()
        if figure in systems.get(slower, {}) and figure in systems.get(faster, {})
    }


class Targets:
    def __init__(self, results):
        self.results = results
        self.searches = results["search"]
        self.classes = self.searches.get(str(results["n"]), {})
        self.rows = []  # (what, wanted, measured, "PASS" | "FAIL" | "not measured")

    def all(self):
        self.against_sql()
        self.against_lucene_and_solr()
        self.order()
        self.growth()
        self.loading()
        self.operator()
        self.at_rest()
        self.changed()
        self.writing()
        self.facets()
        return self.rows

    def check(self, what, wanted, measured, passed, shown=None):
        if measured is None:
            self.rows.append((what, wanted, "–", "not measured"))
        else:
            self.rows.append((what, wanted, shown or f"{measured:.3g}×", "PASS" if passed(measured) else "FAIL"))

    def least(self, what, figures, bound, ratio="faster"):
        """Every one of the figures, which are times faster, must reach the bound."""
        worst = min(figures, key=figures.get, default=None)
        measured = figures[worst] if worst else None
        self.check(what, f"≥ {bound}× {ratio}", measured, lambda x: x >= bound, f"{measured:.3g}× ({worst})" if worst else None)

    def most(self, what, wanted, measured, bound):
        self.check(what, wanted, measured, lambda x: x <= bound)

    def against_sql(self):
        found = ratios(self.classes, "jsonb_path_ops")
        scanned = [ratio for name, ratio in found.items() if self.classes[name]["jsonb_path_ops"].get("scans")]
        mean = geometric_mean(scanned) if scanned else None
        self.check("SQL on jsonb_path_ops, classes that it scans the table for, geometric mean", "≥ 100× faster", mean, lambda x: x >= 100)
        self.least("… common term, AND, wide range", pick(found, "common and wide"), 30)
        self.least("… every class", found, 1)

    def against_lucene_and_solr(self):
        found = ratios(self.classes, "lucene")
        counted = {name: ratio for name, ratio in found.items() if name not in ("common", "sorted")}
        slowest = min(counted, key=counted.get, default=None)
        self.check("Lucene in process, every class but the bare common term and `*:*`", "≤ 1.5× its time",
            1 / counted[slowest] if slowest else None, lambda x: x <= 1.5,
            f"{1 / counted[slowest]:.3g}× ({slowest})" if slowest else None)  # fmt: skip
        faster = sum(ratio > 1 for ratio in found.values())
        self.check("… faster in", "≥ half of the classes", faster if found else None, lambda x: 2 * x >= len(found), f"{faster} of {len(found)}")
        self.least("Solr over HTTP, every class", ratios(self.classes, "solr"), 1)

    def order(self):
        order = self.results.get("order")
        measured = order["session_stream"] / order["B-tree index scan"] if order else None
        self.most("session_stream, `*:*` sorted descending, first 10, to a B-tree index scan", "≤ 5× its time", measured, 5)

    def growth(self):
        sizes = sorted(map(int, self.searches))
        small, large = (self.searches[str(size)] for size in (sizes[0], sizes[-1])) if len(sizes) > 1 else ({}, {})
        grown = {
            name: large[name]["session_store"]["ms"] / small[name]["session_store"]["ms"]
            for name in self.results["fixed"]
            if "ms" in large.get(name, {}).get("session_store", {}) and "ms" in small.get(name, {}).get("session_store", {})
        }
        worst = max(grown, key=grown.get, default=None)
        span = f"{sizes[0]:,} to {sizes[-1]:,}" if grown else "10,000 to 1,000,000"
        self.check(f"queries of a fixed number of hits, growth from {span} documents", "< 2×",
            grown[worst] if worst else None, lambda x: x < 2, f"{grown[worst]:.3g}× ({worst})" if worst else None)  # fmt: skip

    def loading(self):
        rates = self.results.get("load", {}).get("per_second", {})
        for clients in ("1", "4"):
            rate = rates.get(clients)
            measured = rate["session_store"] / rate["jsonb_path_ops"] if rate else None
            name = f"loading with {clients} client{'s' * (clients != '1')}, documents a second, to jsonb_path_ops"
            self.check(name, "≥ 0.9×", measured, lambda x: x >= 0.9)
        updates = self.results.get("update", {}).get("ms")
        mode = "as created"
        measured = updates["session_store"][mode]["median"] / updates["jsonb_path_ops"][mode]["median"] if updates else None
        self.most("a single update to `INSERT … ON CONFLICT` of jsonb_path_ops, medians", "≤ 1.3× its time", measured, 1.3)

    def operator(self):
        found = ratios(self.classes, "jsonb_path_ops", "operator", "count_ms")
        self.least("operator `@@@`, counts: narrow range, prefix, wildcard", pick(found, "narrow prefix wildcard"), 50)
        self.least("… common term, AND, wide range", pick(found, "common and wide"), 1.5)
        self.most("… rare term", "≤ 1.2× the time", 1 / found["rare"] if "rare" in found else None, 1.2)
        classes = self.results.get("build", {}).get("opclasses", {})
        ours, theirs = classes.get("operator"), classes.get("jsonb_path_ops")
        both = bool(ours and theirs)
        self.most("`jsonb_lucene_ops` to `jsonb_path_ops`: size", "≤ 1.5×", ours["bytes"] / theirs["bytes"] if both else None, 1.5)
        self.most("… build", "≤ 2.5×", min(ours["build_s"]) / min(theirs["build_s"]) if both else None, 2.5)
        for mode in ("on", "off"):
            key = f"insert_s, fastupdate {mode}"
            self.most(f"… insert, fastupdate {mode}", "≤ 2×", ours[key] / theirs[key] if both else None, 2)
        match = self.results.get("match", {}).get("microseconds", {})
        slower = {name: times["@@@"] / times["@?"] for name, times in match.items() if {"@@@", "@?"} <= times.keys()}
        worst = max(slower, key=slower.get, default=None)
        self.check("matching one document after the other, `@@@` to `@?`", "≤ 1×", slower[worst] if worst else None, lambda x: x <= 1,
            f"{slower[worst]:.3g}× ({worst})" if worst else None)  # fmt: skip


    def at_rest(self):
        """Nothing is slower than it was. What it took then, of Lucene's time, was measured on the same machine."""
        found = ratios(self.classes, "lucene")
        if self.results["n"] != 1_000_000:
            found = {}
        slower = {name: BEFORE[name] / found[name] for name in found if name in BEFORE}
        mean = geometric_mean(list(slower.values())) if slower else None
        worst = max(slower, key=slower.get, default=None)
        self.check("at rest, time by Lucene's to what it was in 0.4.0, geometric mean", "≤ 1.05×", mean, lambda x: x <= 1.05,
            f"{mean:.3g}× (at most {slower[worst]:.3g}×, {worst})" if mean else None)  # fmt: skip

    def worst(self, what, wanted, figures, bound):
        """None of the figures may exceed the bound."""
        name = max(figures, key=figures.get, default=None)
        self.check(what, wanted, figures.get(name), lambda x: x <= bound, f"{figures[name]:.3g}× ({name})" if name else None)

    def changed(self):
        """At the largest share of documents changed, from the second question on."""
        shares = self.results.get("live", {}).get("shares", {})
        share = max(shares, key=float, default="10")
        rest, found = ({name: systems.get("session_store") for name, systems in shares.get(key, {}).get("classes", {}).items()} for key in ("0", share))
        both = {name: (rest[name], found[name]) for name in found if found[name] and rest.get(name)}
        slower = {name: max(now[turn] / then[turn] for turn in ("second", "later")) for name, (then, now) in both.items()}
        self.worst(f"after {share} % of the documents were changed, every class from the second question on, to its time at rest", "≤ 3×", slower, 3)
        self.worst("… rare terms and narrow ranges", "≤ 1.5×", pick(slower, "rare or bare narrow"), 1.5)
        pages = shares.get(share, {})
        # A session's first question is compared with a scan that is one, too, and with one that finds the buffers mapped.
        for scan, where in (("first_scan_ms", ", the first scan of a session"), ("scan_ms", ", a later one")):
            reading = pages[scan] * pages["open"] / pages["pages"] if pages.get("open") and scan in pages else None
            first = {name: (now["first"] - then["first"]) / reading for name, (then, now) in both.items()} if reading else {}
            self.worst(f"… the first question, beyond its time at rest, to a sequential scan of the open pages{where}", "≤ 1×", first, 1)

    def writing(self):
        """While another client writes."""
        systems = self.results.get("live", {}).get("writing", {})
        ours, lucene = (systems.get(name, {}).get("classes", {}) for name in ("session_store", "lucene"))
        slower = {name: ours[name]["median"] / lucene[name]["median"] for name in ours if name in lucene}
        self.worst("while documents are changed, every class, median to Lucene's", "≤ 1×", slower, 1)
        spread = {name: found["p99"] / found["median"] for name, found in ours.items()}
        self.worst("… 99th percentile to the median", "≤ 3×", spread, 3)
        most = systems.get("session_store", {}).get("writer", {}).get("max")
        self.check("… the writer's worst case", "< 50 ms", most, lambda x: x < 50, f"{most:.3g} ms" if most else None)


    def facets(self):
        """How many of each, at rest."""
        found = self.results.get("facets", {}).get("rest", {})

        def faster(than, names=lambda name: True):
            return {name: one[than]["later"] / one["session_store"]["later"] for name, one in found.items()
                if {than, "session_store"} <= one.keys() and names(name)}  # fmt: skip

        slower = {name: 1 / ratio for name, ratio in faster("lucene").items()}
        self.worst("facets and the like, every question from the third on, to Lucene's time", "≤ 1.5×", slower, 1.5)
        self.least("… to Solr over HTTP", faster("solr"), 1)
        self.least("… to GROUP BY, all documents and a common term", faster("sql", lambda name: "rare" not in name and "suggest" not in name), 50)
        for name, title, bound in (("suggest-ip", "session_suggest, every value of a path distinct", 1), ("paths", "session_paths", 5)):
            ms = found.get(name, {}).get("session_store", {}).get("later")
            self.check(title, f"< {bound} ms", ms, lambda x, bound=bound: x < bound, f"{ms:.3g} ms" if ms else None)


def pick(figures, names):
    return {name: figures[name] for name in names.split() if name in figures}
