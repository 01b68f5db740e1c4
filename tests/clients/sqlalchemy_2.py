from decimal import Decimal
from functools import partial

import simplejson
from sqlalchemy import Column, Integer, MetaData, Table, Text, create_engine, func, literal, select
from sqlalchemy.dialects.postgresql import JSONB
from sqlalchemy.types import UserDefinedType


class LuceneQuery(UserDefinedType):
    """The type lucene_query. Its values are str."""

    cache_ok = True

    def get_col_spec(self):
        return "LUCENE_QUERY"


class Document(JSONB):
    """jsonb with the operator @@@, as `doc.matches(query)`."""

    class Comparator(JSONB.Comparator):
        def matches(self, query):
            return self.bool_op("@@@")(literal(query, LuceneQuery))

    comparator_factory = Comparator


documents = [
    {"id": 1, "name": "Ann", "total": 9007199254740993, "price": Decimal("1.10"), "tags": ["a", "b"]},
    {"id": 2, "name": "Bob", "tags": ["b"]},
    {"id": 3, "name": "O'Brien"},
]
metadata = MetaData()
sessions = Table(
    "clients", metadata, Column("id", Text, primary_key=True), Column("doc", Document), schema="sessions"
)
alerts = Table("alerts", metadata, Column("id", Integer, primary_key=True), Column("q", LuceneQuery))

engine = create_engine(
    "postgresql+psycopg://",
    json_serializer=partial(simplejson.dumps, use_decimal=True),
    json_deserializer=partial(simplejson.loads, use_decimal=True),
)
with engine.begin() as connection:
    operations = literal([{"upsert": documents}], JSONB)
    connection.execute(select(func.session_update("clients", operations)))

    matching = select(sessions.c.doc).where(sessions.c.doc.matches("name:Ann AND tags:b"))
    found = connection.scalars(matching).all()
    print(f"{len(found)} match, total {found[0]['total']}, price {found[0]['price']}")

    # yield_per makes a cursor in the server.
    stream = select(func.session_stream("clients", "*:*", "id asc", type_=JSONB))
    rows = connection.execution_options(yield_per=1000).scalars(stream)
    print("streamed", *(document["id"] for document in rows))

    print("alert", connection.scalar(select(alerts.c.q).where(alerts.c.id == 1)))
