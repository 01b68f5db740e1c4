//! The reader of binary jsonb against the server that writes it.

use super::{Container, Item, Jsonb, JsonbArg, Scratch, walk};
use pgrx::prelude::*;
use pgrx::{FromDatum, IntoDatum, JsonB};
use serde_json::{Value, json};

/// Hands a document to `read` as PostgreSQL stores it.
fn stored<T>(value: &Value, read: impl FnOnce(Jsonb<'_>) -> T) -> T {
    let datum = JsonB(value.clone()).into_datum();
    // SAFETY: a jsonb datum, just made by jsonb_in.
    let argument = datum.and_then(|datum| unsafe { JsonbArg::from_datum(datum, false) });
    read(argument.unwrap_or_else(|| panic!("{value} is jsonb")).document())
}

fn leaves<'a>(doc: impl Container<'a>) -> Vec<(String, Vec<u8>)> {
    let (mut leaves, mut scratch) = (Vec::new(), Scratch::new());
    walk(doc, &mut |path, leaf| {
        let value = leaf.scalar(&mut scratch).map(|value| value.to_bytes());
        leaves.push((path.to_string(), value.unwrap_or_default()));
    });
    leaves.sort();
    leaves
}

/// A value of any shape, the same for the same seed.
fn arbitrary(seed: &mut u64, depth: u32) -> Value {
    let mut pick = |n: u64| {
        *seed =
            seed.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        (*seed >> 33) % n
    };
    match pick(if depth == 0 { 5 } else { 9 }) {
        0 => json!(null),
        1 => json!(pick(2) == 0),
        2 => {
            let (digits, exponent) = (pick(1 << 31), pick(80) as i64 - 40);
            let sign = if pick(2) == 0 { "-" } else { "" };
            serde_json::from_str(&format!("{sign}{digits}e{exponent}")).unwrap_or_default()
        }
        3 | 4 => json!("ä\"\\x".repeat(pick(40) as usize)),
        5 | 6 => (0..pick(40)).map(|_| arbitrary(seed, depth - 1)).collect(),
        _ => (0..pick(40))
            .map(|i| (format!("{i}é").repeat(i as usize % 5), arbitrary(seed, depth - 1)))
            .collect(),
    }
}

/// What an item is, as bytes.
fn kind(item: &Item<'_, Jsonb<'_>>) -> Vec<u8> {
    match item {
        Item::Null => vec![],
        Item::Leaf(leaf) => {
            leaf.scalar(&mut Scratch::new()).map(|value| value.to_bytes()).unwrap_or_default()
        }
        Item::Container(inner) => inner.bytes().to_vec(),
    }
}

/// Whether looking a key up gives what going through all members gives, in this container and in
/// all within.
fn check_look_up(container: Jsonb<'_>) {
    let members: Vec<_> = container.members().collect();
    for (key, item) in &members {
        match (container.get(key), item) {
            (Some(Item::Null), Item::Null) => {}
            (Some(Item::Leaf(found)), Item::Leaf(leaf)) => {
                assert_eq!(found.scalar(&mut Scratch::new()), leaf.scalar(&mut Scratch::new()));
            }
            (Some(Item::Container(found)), Item::Container(inner)) => {
                assert_eq!(found.bytes(), inner.bytes());
                check_look_up(*inner);
            }
            _ => panic!("{key:?} of {} members", members.len()),
        }
        assert!(container.get(&format!("{key}!")).is_none());
    }
    // Paths along each key, with the members that lie on them.
    for path in members.iter().flat_map(|(key, _)| [key.to_string(), format!("{key}.a.b.")]) {
        let on_path = |(key, _): &&(&str, _)| match path.strip_prefix(key) {
            Some(behind) => behind.is_empty() || behind.starts_with('.'),
            None => false,
        };
        let mut expected: Vec<_> =
            members.iter().filter(on_path).map(|(key, item)| (key.len(), kind(item))).collect();
        let (mut found, mut accepts) = (Vec::new(), expected.len());
        let mut visit = |behind: Option<&str>, item| {
            let length = behind.map_or(path.len(), |behind| path.len() - behind.len() - 1);
            found.push((length, kind(&item)));
            accepts -= 1;
            accepts == 0
        };
        assert!(container.any_on_path(&path, &mut visit), "{path:?}");
        assert!(!container.any_on_path(&path, |_, _| false));
        expected.sort();
        found.sort();
        assert_eq!(found, expected, "{path:?}");
    }
    let dotted = members.iter().any(|(key, _)| key.contains('.'));
    assert_eq!((container.member_count(), container.has_dotted_key()), (members.len(), dotted));
    for item in container.elements() {
        if let Item::Container(inner) = item {
            check_look_up(inner);
        }
    }
}

#[pg_schema]
mod tests {
    use super::*;

    #[pg_test]
    fn jsonb_has_the_leaves_of_its_json() {
        let mut seed = 1;
        for _ in 0..500 {
            let value = json!({ "": arbitrary(&mut seed, 3), "a.b": arbitrary(&mut seed, 2) });
            assert_eq!(stored(&value, |doc| leaves(doc)), leaves(&value), "{value}");
        }
    }

    #[pg_test]
    fn jsonb_numbers_are_exact() {
        for text in [
            "0",
            "-0.0",
            "1",
            "10000",
            "9999.9999",
            "0.0001",
            "1e-4",
            "-1e-5",
            "123456789012345678901234567890.12345",
            "1e131071",
            "1e-16383",
            "-9007199254740993",
            "0.00000000000000000000000000000000000001",
        ] {
            let value: Value = serde_json::from_str(&format!("[{text}]")).unwrap_or_default();
            assert_eq!(stored(&value, |doc| leaves(doc)), leaves(&value), "{text}");
        }
    }

    #[pg_test]
    fn jsonb_members_are_looked_up() {
        let mut seed = 3;
        for count in (0..70).chain([1000]) {
            // Of lengths from 0 on, some of which many have.
            let key = |n: usize| format!("{n}").repeat(n % 4);
            let mut object: serde_json::Map<String, Value> =
                (0..count).map(|n| (key(n), arbitrary(&mut seed, 1))).collect();
            stored(&object.clone().into(), check_look_up);
            object.insert(key(count) + ".", json!({ "a": { "": 1 } }));
            object.insert(key(count) + ".a", json!(2));
            object.insert(key(count), json!(3));
            stored(&json!([object]), check_look_up);
        }
    }

    #[pg_test]
    fn jsonb_path_finds_what_the_walk_does() {
        let mut seed = 2;
        for _ in 0..200 {
            let value = json!({ "a": arbitrary(&mut seed, 2), "a.b": { "c": [[1, { "d": 2 }]] } });
            stored(&value, |doc| {
                let all = leaves(doc);
                for (path, _) in &all {
                    let (mut found, mut scratch) = (Vec::new(), Scratch::new());
                    doc.leaves_at(path, &mut |leaf| {
                        found.extend(leaf.scalar(&mut scratch).map(|value| value.to_bytes()))
                    });
                    found.sort();
                    let expected: Vec<_> = all
                        .iter()
                        .filter(|(at, _)| at == path)
                        .map(|(_, key)| key.clone())
                        .collect();
                    assert_eq!(found, expected, "{path:?} of {value}");
                }
            });
        }
    }

    #[pg_test]
    fn jsonb_nested_very_deep_is_walked() {
        let depth = 2000;
        let text = format!("{}1{}", "{\"a\":[".repeat(depth), "]}".repeat(depth));
        let found = Spi::get_one::<bool>(&format!("SELECT jsonb '{text}' @@@ '1 AND -2'"));
        assert_eq!(found, Ok(Some(true)));
    }
}
