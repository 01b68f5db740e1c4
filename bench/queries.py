"""The classes of queries: each in Solr's language, and by hand in SQL and in jsquery.

Where several ways of writing the SQL are given, the fastest is found out and measured. Nothing is faster with them than an
index on jsonb_path_ops allows: the point of a session store is that nobody knows beforehand which paths will be asked for."""

from dataclasses import dataclass


@dataclass(frozen=True)
class Query:
    name: str
    title: str
    q: str
    plain: tuple[str, ...]
    jsquery: str | None = None
    sort: str | None = None
    start: int = 0
    fixed: bool = False  # as many hits in ten thousand documents as in ten million

    @property
    def order(self):
        """The sort in SQL. Every document has the path, so there is no question of where to put nulls."""
        if not self.sort:
            return ""
        path, direction = self.sort.split()
        return " ORDER BY doc" + "".join(f"->'{key}'" for key in path.split(".")) + " " + direction


def user(number):
    """As number() in documents.sql has it."""
    return 1000000000 + number * 1020379 % 899999963


def one_edit(word):
    """A regular expression for what is at most one insertion, deletion, substitution or swap away."""
    ways = [word[:i] + "." + word[i:] for i in range(len(word) + 1)]
    ways += [word[:i] + ".?" + word[i + 1 :] for i in range(len(word))]
    ways += [word[:i] + word[i + 1] + word[i] + word[i + 2 :] for i in range(len(word) - 1)]
    return f"^({'|'.join(ways)})$"


AMOUNT = "event.data.amount"
CLICK = """doc @> '{"event": {"type": "click"}}'"""


def queries(n):
    """For a collection of n documents, since what lies in its middle depends on n."""
    rare, ten = user(77), [user(number) for number in range(80, 90)]
    low = 1612137600000 + n // 2 * 1009
    high = low + 999 * 1009
    fuzzy = one_edit("city1234")
    return [
        Query("rare", "equality, rare", f"user.id:{rare}",
            (f"""doc @> '{{"user": {{"id": {rare}}}}}'""",),
            f"user.id = {rare}", fixed=True),
        Query("common", "equality, common", "event.type:click",
            (CLICK,), "event.type = click"),
        Query("and", "AND of two", "event.type:click AND event.data.a:3",
            ("""doc @> '{"event": {"type": "click", "data": {"a": 3}}}'""",),
            "event.type = click AND event.data.a = 3"),
        Query("or", "OR of ten", "user.id:(" + " ".join(f'"{id}"' for id in ten) + ")",
            (f"""doc @? '$.user.id ? ({" || ".join(f"@ == {id}" for id in ten)})'::jsonpath""",),
            f"user.id IN ({', '.join(map(str, ten))})", fixed=True),
        Query("narrow", "range, narrow", f"session.start:[{low} TO {high}]",
            (f"(doc->'session'->'start')::bigint BETWEEN {low} AND {high}",
                f"doc @@ '$.session.start >= {low} && $.session.start <= {high}'::jsonpath"),
            f"session.start($ >= {low} AND $ <= {high})", fixed=True),
        Query("wide", "range, wide", "session.pages:[10 TO 20]",
            ("(doc->'session'->'pages')::int BETWEEN 10 AND 20",
                "doc @@ '$.session.pages >= 10 && $.session.pages <= 20'::jsonpath"),
            "session.pages($ >= 10 AND $ <= 20)"),
        Query("distinct", "range, every value distinct", f"{AMOUNT}:[50000 TO 96457.58]",
            ("(doc->'event'->'data'->'amount')::numeric BETWEEN 50000 AND 96457.58",
                f"doc @@ '$.{AMOUNT} >= 50000 && $.{AMOUNT} <= 96457.58'::jsonpath"),
            f"{AMOUNT}($ >= 50000 AND $ <= 96457.58)"),
        Query("prefix", "prefix", "event.data.foo:foo12*",
            ("doc->'event'->'data'->>'foo' LIKE 'foo12%'",
                """doc @@ '$.event.data.foo starts with "foo12"'::jsonpath""")),
        Query("wildcard", "infix wildcard", "_m1.geo.city:*ty12*",
            ("doc->'_m1'->'geo'->>'city' LIKE '%ty12%'",
                """doc @@ '$._m1.geo.city like_regex "ty12"'::jsonpath""")),
        Query("regexp", "regular expression", "_m1.geo.city:/city[13]2[0-9]7/",
            ("doc->'_m1'->'geo'->>'city' ~ '^city[13]2[0-9]7$'",
                """doc @@ '$._m1.geo.city like_regex "^city[13]2[0-9]7$"'::jsonpath""")),
        Query("fuzzy", "fuzzy", "_m1.geo.city:city1234~1",
            (f"doc->'_m1'->'geo'->>'city' ~ '{fuzzy}'",
                f"""doc @@ '$._m1.geo.city like_regex "{fuzzy}"'::jsonpath""")),
        Query("not", "term AND NOT term", "_m1.geo.country:country3 AND NOT event.type:click",
            ("""doc @> '{"_m1": {"geo": {"country": "country3"}}}' AND NOT """ + CLICK,),
            "_m1.geo.country = country3 AND NOT event.type = click"),
        Query("exists", "existence of a path", "user.tags:*",
            ("doc->'user' ? 'tags'", "doc @? '$.user.tags'::jsonpath"),
            "user.tags = *"),
        Query("negative", "negation alone", "-event.type:click",
            ("NOT " + CLICK, "doc->'event'->>'type' <> 'click'"),
            "NOT event.type = click"),
        Query("bare", "term without a field", "foo4711",
            ("""doc @? '$.** ? (@ == "foo4711")'::jsonpath""",),
            '* = foo4711'),
        Query("sorted", "everything, sorted", "*:*", ("true",), sort=f"{AMOUNT} desc"),
        Query("filtered", "equality, sorted", "event.type:click",
            (CLICK,), "event.type = click", sort=f"{AMOUNT} desc"),
        Query("deep", f"equality, from document {n // 10:,}", "event.type:click",
            (CLICK,), "event.type = click", start=n // 10),
    ]
