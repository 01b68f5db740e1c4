use std::env;
use std::error::Error;

use futures_util::TryStreamExt;
use serde_json::{Value, json};
use tokio_postgres::NoTls;

#[tokio::main]
async fn main() -> Result<(), Box<dyn Error>> {
    let (client, connection) = tokio_postgres::Config::new()
        .host(env::var("PGHOST")?)
        .port(env::var("PGPORT")?.parse()?)
        .user(env::var("PGUSER")?)
        .password(env::var("PGPASSWORD")?)
        .dbname(env::var("PGDATABASE")?)
        .connect(NoTls)
        .await?;
    tokio::spawn(connection);

    // With its feature arbitrary_precision, serde_json keeps the digits of 1.10.
    let documents: Value = serde_json::from_str(
        r#"[{"id": 1, "name": "Ann", "total": 9007199254740993, "price": 1.10, "tags": ["a", "b"]},
            {"id": 2, "name": "Bob", "tags": ["b"]},
            {"id": 3, "name": "O'Brien"}]"#,
    )?;
    let operations = json!([{"upsert": documents}]);
    client.execute("SELECT session_update($1, $2)", &[&"clients", &operations]).await?;

    let query = "name:Ann AND tags:b";
    let row = client.query_one("SELECT session_query('clients', $1)", &[&query]).await?;
    let answer: Value = row.get(0);
    let item = &answer["items"][0];
    println!("{} match, total {}, price {}", answer["count"], item["total"], item["price"]);

    // query() collects all rows, query_raw() returns them as they come.
    let stream = "SELECT session_stream('clients', $1, sort => 'id asc')";
    let mut rows = std::pin::pin!(client.query_raw(stream, &["*:*"]).await?);
    print!("streamed");
    while let Some(row) = rows.try_next().await? {
        print!(" {}", row.get::<_, Value>(0)["id"]);
    }
    println!();

    // Rows come in the binary format, in which a type that tokio-postgres does not know has no meaning.
    let row = client.query_one("SELECT q::text FROM alerts WHERE id = $1", &[&1]).await?;
    println!("alert {}", row.get::<_, &str>(0));
    Ok(())
}
