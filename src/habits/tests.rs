//! The table of habits is that of tests/pg_regress/sql/habits.sql.

use super::*;
use crate::predicate::lower;

mod conditions;

/// What was typed, what was meant, and a document that it was meant to find.
fn table() -> impl Iterator<Item = [&'static str; 3]> {
    const FILE: &str = include_str!("../../tests/pg_regress/sql/habits.sql");
    let (_, rows) = FILE.split_once("COPY habit").expect("the table");
    let (rows, _) = rows.split_once("\n\\.\n").expect("its end");
    rows.lines().skip(1).map(|row| {
        let mut columns = row.split('\t');
        [(); 3].map(|()| columns.next().unwrap_or_default())
    })
}

fn finds(query: &str, document: &str) -> bool {
    let now = "2024-03-31T12:00:00Z".parse().expect("an instant");
    let ast = syntax::parse(query).expect(query);
    let document: serde_json::Value = serde_json::from_str(document).expect(document);
    lower(&ast, now).expect(query).predicate.matches(&document)
}

#[test]
fn habits_are_noticed() {
    assert!(table().count() > 150);
    let mut wrong = Vec::new();
    for [typed, meant, document] in table() {
        let said = match syntax::parse(typed) {
            Ok(_) => advise(typed).instead.into_iter().collect(),
            Err(error) => repairs(typed, &error),
        };
        let is_right = said.first().is_some_and(|first| first == meant)
            && said.iter().all(|query| syntax::parse(query).is_ok())
            && rewrite(meant).is_none()
            && (document.is_empty() || finds(meant, document));
        if !is_right {
            wrong.push(format!("{typed}: {said:?}, and not {meant}"));
        }
    }
    assert_eq!(wrong, [""; 0]);
}

/// The tables of docs/coming-from.md are part of the table.
#[test]
fn documented_habits_are_true() {
    let known: Vec<_> = table().map(|[typed, meant, _]| (typed, meant)).collect();
    let plain = |cell: &str| cell.trim().trim_matches('`').trim().replace("\\|", "|");
    let mut rows = 0;
    for row in include_str!("../../docs/coming-from.md").lines() {
        let cells = row.strip_prefix("| `").and_then(|row| row.strip_suffix(" |"));
        let Some((typed, meant)) = cells.and_then(|cells| cells.split_once(" | `")) else {
            continue;
        };
        let (typed, meant) = (plain(typed), plain(meant));
        assert!(known.contains(&(&*typed, &*meant)), "{typed}: {meant}");
        rows += 1;
    }
    assert!(rows > 40, "{rows}");
}

#[test]
fn notices_are_few() {
    let notices = advise(&"a:>5 ".repeat(1_000)).notices;
    assert_eq!(notices.len(), 4, "{notices:?}");
    assert!(notices[3].contains("997 more"), "{notices:?}");
}

/// Queries as Solr has them.
#[test]
fn solr_is_silent() {
    for query in [
        "a:1 AND b:2",
        "a:1 OR b:2",
        "+a:1 -b:2",
        "a:1 -b:2",
        "a:(x OR y) AND NOT b:z",
        "status:[400 TO 500}",
        "name:\"Ann Lee\"",
        "name:Ann\\ Lee",
        "foo bar baz",
        "somewhere where it rains",
        "path:/[rf]oam/",
        "a:te?t* AND b:*x",
        "ts:[NOW-7DAYS/DAY TO NOW]",
        "ts:[2024-01-01 TO 2024-02}",
        "id:f7661f25-7c49-4e3a",
        "phone:555-1234",
        "month:2024-11",
        "version:1.2.3",
        "mail:ann@example.org",
        "url:\"http://example.org/a?b=c&d=e\"",
        "text:\"what is this?\"",
        "name:O'Brien",
        "name:東京（本社）",
        "{!term f=a}>5",
        "a:roam~1 b:x^2",
        "(+a:1 +b:2) c:3",
        "items:{sku:gift AND price:5}",
        "items:{sku:gift -red}",
        "items:{*}",
        "items:{tags:(a OR b) -sku:c}",
        "",
    ] {
        assert_eq!(advise(query).notices, Vec::<String>::new(), "{query}");
    }
}

/// Of the queries that Solr was asked and accepted, fewer than one in a hundred gets a notice.
/// tests/conformance/noticed.txt lists them.
#[test]
fn few_queries_of_the_corpus_are_noticed() {
    let accepted: Vec<String> = include_str!("../../tests/conformance/answers.ndjson")
        .lines()
        .filter_map(|line| {
            let record: serde_json::Value = serde_json::from_str(line).ok()?;
            let query = record[0].as_str().filter(|_| record[1].is_string())?;
            syntax::parse(query).is_ok().then(|| query.to_string())
        })
        .collect();
    let noticed: Vec<String> = accepted
        .iter()
        .filter(|query| !find(query).is_empty())
        .map(|query| serde_json::Value::from(query.as_str()).to_string())
        .collect();
    let expected: Vec<&str> = include_str!("../../tests/conformance/noticed.txt")
        .lines()
        .filter(|line| !line.starts_with('#'))
        .collect();
    let new: Vec<&String> = noticed.iter().filter(|query| !expected.contains(&&***query)).collect();
    assert!(new.is_empty(), "{new:#?}");
    assert_eq!(noticed, expected);
    assert!(100 * noticed.len() < accepted.len(), "{} of {}", noticed.len(), accepted.len());
    let (all, few) = (accepted.len(), noticed.len());
    let documented = format!(
        "Of the {},{:03} queries of the conformance corpus that are accepted, {few} get",
        all / 1_000,
        all % 1_000
    );
    let page = include_str!("../../docs/coming-from.md");
    assert!(page.contains(&documented), "{documented}");
}
