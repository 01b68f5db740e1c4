"""What is counted: each question in Solr's JSON, by hand in SQL, and for Lucene's facets."""

import json
from dataclasses import dataclass

from queries import user
from text import quote

LIMIT = 10
START, EACH = 1612137600000, 1009  # of session.start in documents.sql: milliseconds
MINUTE = 60_000
PERCENTS = (50, 95, 99)


@dataclass(frozen=True)
class Question:
    name: str
    title: str
    kind: str  # terms nested histogram stats suggest paths, or floor: what any statement takes
    q: str = "*:*"
    path: str = ""
    more: str = ""  # the inner path, the step, the prefix
    start: int = 0

    # what searching.py and live.py want to know
    sort = None

    def facet(self):
        """The request in Solr's language."""
        terms = {"type": "terms", "field": self.path, "limit": LIMIT}
        if self.kind == "nested":
            terms["facet"] = {"inner": {"type": "terms", "field": self.more, "limit": LIMIT}}
        if self.kind == "suggest":
            terms["prefix"] = self.more
        if self.kind == "histogram":
            start, step, buckets = self.bounds()
            return {"facet": {"type": "range", "field": self.path, "start": start, "end": start + step * buckets, "gap": step}}
        if self.kind == "stats":
            percentiles = "".join(f",{percent}" for percent in PERCENTS)
            of = {"min": "min", "max": "max", "sum": "sum", "avg": "avg", "deviation": "stddev"}
            return {name: f"{function}({self.path})" for name, function in of.items()} | {"percentiles": f"percentile({self.path}{percentiles})"}
        return {"facet": terms}

    def bounds(self):
        """Where the first bucket of a histogram starts, milliseconds in each, how many."""
        minutes, documents = map(int, self.more.split())
        step = minutes * MINUTE
        first = START // step * step
        return first, step, (START + documents * EACH - first) // step + 1

    def lucene(self):
        more = " ".join(map(str, self.bounds())) if self.kind == "histogram" else self.more
        return f"{self.kind}\t{self.path}\t{more}\t{self.q}"

    def ours(self, store):
        if self.kind == "floor":
            return "SELECT '{}'::jsonb"
        arguments = f"{quote(store)}, {quote(self.q)}"
        if self.kind in ("terms", "nested"):
            return f"SELECT session_facets({arguments}, {quote(json.dumps(self.facet()))})"
        if self.kind == "histogram":
            step = f"step => '{self.more.split()[0]} minutes'::text"
            return f"SELECT string_agg(count::text, ',' ORDER BY bucket) FROM session_histogram({arguments}, {quote(self.path)}, {step}) WHERE count > 0"
        if self.kind == "stats":
            return f"SELECT session_stats({arguments}, {quote(self.path)}, array[{','.join(map(str, PERCENTS))}])"
        if self.kind == "suggest":
            found = f"session_suggest({quote(store)}, {quote(self.path)}, {quote(self.more)})"
            return f"SELECT string_agg(count::text, ',' ORDER BY count DESC) FROM {found}"
        return f"SELECT count(*) FROM session_paths({quote(store)})"

    def sql(self, table):
        """GROUP BY over the documents; the condition is the operator's, so that an index serves it."""
        value = f"doc #> '{{{self.path.replace('.', ',')}}}'"
        where = "" if self.q == "*:*" else f" WHERE doc @@@ {quote(self.q)}"
        if self.kind == "terms":
            return counted(f"SELECT {value} AS value, count(*) FROM {table}{where} GROUP BY 1 ORDER BY 2 DESC, 1 LIMIT {LIMIT}")
        if self.kind == "suggest":
            text = value.replace("#>", "#>>")
            return counted(f"SELECT {text} AS value, count(*) FROM {table} WHERE {text} LIKE {quote(self.more + '%')} GROUP BY 1 ORDER BY 2 DESC, 1 LIMIT {LIMIT}")
        if self.kind == "nested":
            inner = f"doc #> '{{{self.more.replace('.', ',')}}}'"
            return f"""WITH pair AS MATERIALIZED (SELECT {value} AS value, {inner} AS inner_value, count(*) FROM {table}{where} GROUP BY 1, 2),
                outer_top AS (SELECT value, sum(count) AS count FROM pair GROUP BY 1 ORDER BY 2 DESC, 1 LIMIT {LIMIT})
                SELECT string_agg(o.count || ',' || i.counts, ',' ORDER BY o.count DESC, o.value) FROM outer_top AS o, LATERAL (
                    SELECT string_agg(count::text, ',' ORDER BY count DESC) AS counts
                    FROM (SELECT count FROM pair WHERE value = o.value ORDER BY 1 DESC LIMIT {LIMIT}) AS ten) AS i"""
        if self.kind == "histogram":
            _, step, _ = self.bounds()
            return f"""SELECT string_agg(count::text, ',' ORDER BY bucket) FROM (
                SELECT ({value})::bigint / {step} AS bucket, count(*) FROM {table}{where} GROUP BY 1) AS buckets"""
        if self.kind == "stats":
            parts = ", ".join(str(percent / 100) for percent in PERCENTS)
            return f"""SELECT jsonb_build_object('min', min(x), 'max', max(x), 'sum', sum(x), 'avg', avg(x), 'deviation', stddev_pop(x),
                'percentiles', percentile_disc(array[{parts}]) WITHIN GROUP (ORDER BY x))
                FROM (SELECT ({value})::numeric AS x FROM {table}{where}) AS number"""
        return None


def counted(rows):
    return f"SELECT string_agg(count::text, ',' ORDER BY count DESC) FROM ({rows}) AS top"


def digest(answer):
    """Of a JSON answer, what all systems can be asked to agree on: counts in their order, or figures."""
    if "facets" in answer:
        answer = answer["facets"]
    if "percentiles" in answer:
        percentiles = answer["percentiles"]
        values = percentiles.values() if isinstance(percentiles, dict) else percentiles
        return ",".join(f"{float(x):.2f}" for x in (answer["min"], *values, answer["max"]))
    found = []
    for bucket in answer.get("facet", {}).get("buckets", []):
        if bucket["count"]:
            found += [bucket["count"], *(inner["count"] for inner in bucket.get("inner", {}).get("buckets", []))]
    return ",".join(map(str, found))


# A statement that asks nothing: what parsing, planning and the way there and back take.
FLOOR = Question("floor", "a statement that asks nothing", "floor")


def questions(n):
    """For a collection of n documents."""
    asked = {"all": ("*:*", "all"), "common": ("event.type:click", "a common term"), "rare": (f"user.id:{user(77)}", "a rare term")}
    paths = {"6": "event.type", "5000": "_m1.geo.city", "300000": "_m1.geo.location.lon"}
    found = [
        Question(f"terms-{many}-{name}", f"terms, {int(many):,} values, {title}", "terms", q, path)
        for many, path in paths.items()
        for name, (q, title) in asked.items()
    ]
    nested = [
        Question(f"nested-{name}", f"terms in terms, {title}", "nested", asked[name][0], "event.type", "_m1.geo.city")
        for name, title in (("all", "all"), ("common", "a common term"))
    ]
    # Steps that divide an hour: about as many buckets as a year has days.
    minutes = min((1, 2, 3, 4, 5, 6, 10, 12, 15, 20, 30, 60), key=lambda step: abs(n * EACH / MINUTE / step - 365))
    _, _, buckets = (histogram := Question("", "", "histogram", more=f"{minutes} {n}")).bounds()
    histograms = [
        Question(f"histogram-{name}", f"histogram, {buckets} buckets, {asked[name][1]}", "histogram", asked[name][0], "session.start", histogram.more)
        for name in ("all", "common")
    ]
    statistics = [
        Question(f"stats-{name}", f"statistics and percentiles, {asked[name][1]}", "stats", asked[name][0], "event.data.amount")
        for name in ("all", "common")
    ]
    suggested = [
        Question("suggest-city", "suggest, 5,000 values", "suggest", path="_m1.geo.city", more="city12"),
        Question("suggest-ip", f"suggest, about {n:,} values", "suggest", path="ip", more="42.17"),
    ]
    return [*found, *nested, *histograms, *statistics, *suggested, Question("paths", "every path", "paths"), FLOOR]
