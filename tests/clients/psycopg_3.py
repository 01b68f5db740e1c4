from decimal import Decimal
from functools import partial

import psycopg
import simplejson
from psycopg.types.json import Jsonb, set_json_dumps, set_json_loads

# The module json would read 1.10 as a float and cannot write a Decimal.
set_json_dumps(partial(simplejson.dumps, use_decimal=True))
set_json_loads(partial(simplejson.loads, use_decimal=True))

documents = [
    {"id": 1, "name": "Ann", "total": 9007199254740993, "price": Decimal("1.10"), "tags": ["a", "b"]},
    {"id": 2, "name": "Bob", "tags": ["b"]},
    {"id": 3, "name": "O'Brien"},
]

with psycopg.connect() as connection:
    # A list by itself would become an array of PostgreSQL: Jsonb makes it JSON.
    connection.execute("SELECT session_update(%s, %s)", ["clients", Jsonb([{"upsert": documents}])])

    query = "name:Ann AND tags:b"
    (answer,) = connection.execute("SELECT session_query('clients', %s)", [query]).fetchone()
    item = answer["items"][0]
    print(f"{answer['count']} match, total {item['total']}, price {item['price']}")

    # A cursor with a name stays in the server, and fetches itersize rows at a time.
    with connection.cursor("stream") as cursor:
        cursor.execute("SELECT session_stream('clients', %s, sort => 'id asc')", ["*:*"])
        print("streamed", *(document["id"] for (document,) in cursor))

    # A type that psycopg does not know arrives as str.
    (q,) = connection.execute("SELECT q FROM alerts WHERE id = %s", [1]).fetchone()
    print("alert", q)
