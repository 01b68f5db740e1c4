const pg = require('pg');
const QueryStream = require('pg-query-stream');
const { parse, stringify } = require('lossless-json');

// JSON.parse rounds 9007199254740993 to 9007199254740992. lossless-json keeps the digits.
pg.types.setTypeParser(pg.types.builtins.JSONB, (text) => parse(text));

const documents = [
  { id: 1, name: 'Ann', total: 9007199254740993n, price: parse('1.10'), tags: ['a', 'b'] },
  { id: 2, name: 'Bob', tags: ['b'] },
  { id: 3, name: "O'Brien" },
];

async function main() {
  const client = new pg.Client(); // reads PGHOST and the like
  await client.connect();

  // node-postgres makes an array of PostgreSQL of an array. So the JSON is made here.
  await client.query('SELECT session_update($1, $2)', ['clients', stringify([{ upsert: documents }])]);

  const query = 'name:Ann AND tags:b';
  const { rows } = await client.query("SELECT session_query('clients', $1) AS answer", [query]);
  const { count, items } = rows[0].answer;
  console.log(`${count} match, total ${items[0].total}, price ${items[0].price}`);

  const stream = client.query(
    new QueryStream("SELECT session_stream('clients', $1, sort => 'id asc') AS doc", ['*:*']),
  );
  const ids = [];
  for await (const { doc } of stream) ids.push(doc.id);
  console.log('streamed', ids.join(' '));

  // A type that node-postgres does not know arrives as a string.
  const alert = await client.query('SELECT q FROM alerts WHERE id = $1', [1]);
  console.log('alert', alert.rows[0].q);
  await client.end();
}

main();
