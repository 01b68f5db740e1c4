import asyncio
from decimal import Decimal
from functools import partial

import asyncpg
import simplejson

documents = [
    {"id": 1, "name": "Ann", "total": 9007199254740993, "price": Decimal("1.10"), "tags": ["a", "b"]},
    {"id": 2, "name": "Bob", "tags": ["b"]},
    {"id": 3, "name": "O'Brien"},
]


async def main():
    connection = await asyncpg.connect()
    # Without this, jsonb is str on both sides.
    await connection.set_type_codec(
        "jsonb",
        schema="pg_catalog",
        encoder=partial(simplejson.dumps, use_decimal=True),
        decoder=partial(simplejson.loads, use_decimal=True),
    )

    await connection.execute("SELECT session_update($1, $2)", "clients", [{"upsert": documents}])

    query = "name:Ann AND tags:b"
    answer = await connection.fetchval("SELECT session_query('clients', $1)", query)
    item = answer["items"][0]
    print(f"{answer['count']} match, total {item['total']}, price {item['price']}")

    # A cursor needs a transaction.
    ids = []
    async with connection.transaction():
        stream = "SELECT session_stream('clients', $1, sort => 'id asc')"
        async for (document,) in connection.cursor(stream, "*:*"):
            ids.append(document["id"])
    print("streamed", *ids)

    print("alert", await connection.fetchval("SELECT q::text FROM alerts WHERE id = $1", 1))
    await connection.close()


asyncio.run(main())
