"""What session_store wants to reach, and whether it does. A target whose part was not measured says so."""

from math import exp, log


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
            self.check(name, "≥ 0.5×", measured, lambda x: x >= 0.5)

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


def pick(figures, names):
    return {name: figures[name] for name in names.split() if name in figures}
