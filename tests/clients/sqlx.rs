use std::error::Error;

use futures_util::TryStreamExt;
use serde_json::{Value, json};
use sqlx::postgres::{PgConnectOptions, PgConnection};
use sqlx::{Connection, Row};

#[tokio::main]
async fn main() -> Result<(), Box<dyn Error>> {
    let mut connection = PgConnection::connect_with(&PgConnectOptions::new()).await?;

    // With its feature arbitrary_precision, serde_json keeps the digits of 1.10.
    let documents: Value = serde_json::from_str(
        r#"[{"id": 1, "name": "Ann", "total": 9007199254740993, "price": 1.10, "tags": ["a", "b"]},
            {"id": 2, "name": "Bob", "tags": ["b"]},
            {"id": 3, "name": "O'Brien"}]"#,
    )?;
    // serde_json's Value is jsonb. A Vec of values would be an array of PostgreSQL.
    sqlx::query("SELECT session_update($1, $2)")
        .bind("clients")
        .bind(json!([{"upsert": documents}]))
        .execute(&mut connection)
        .await?;

    let answer: Value = sqlx::query_scalar("SELECT session_query('clients', $1)")
        .bind("name:Ann AND tags:b")
        .fetch_one(&mut connection)
        .await?;
    let item = &answer["items"][0];
    println!("{} match, total {}, price {}", answer["count"], item["total"], item["price"]);

    // fetch() returns the rows as they come, fetch_all() collects them.
    let mut rows = sqlx::query("SELECT session_stream('clients', $1, sort => 'id asc')")
        .bind("*:*")
        .fetch(&mut connection);
    print!("streamed");
    while let Some(row) = rows.try_next().await? {
        print!(" {}", row.try_get::<Value, _>(0)?["id"]);
    }
    println!();
    drop(rows);

    // A String is text: other types are refused.
    let q: String = sqlx::query_scalar("SELECT q::text FROM alerts WHERE id = $1")
        .bind(1)
        .fetch_one(&mut connection)
        .await?;
    println!("alert {q}");
    Ok(())
}
