//! The query language as tables: which text is read as what, and what is refused.

use super::*;

/// Query, canonical form.
const READ: &[(&str, &str)] = &[
    // Values
    ("a", "a"),
    ("f:v", "f:v"),
    ("f : v", "f:v"),
    ("a.b.c:1.5", "a.b.c:1.5"),
    ("f:\"v w\"", "f:\"v w\""),
    ("f:v\\ w", "f:\"v w\""),
    ("f:\"v w\"~3", "f:\"v w\""),
    ("f:\"\"", "f:\"\""),
    ("f:\"a\\\"b\\\\c\"", "f:\"a\\\"b\\\\c\""),
    ("f:\\u00e9", "f:é"),
    ("f:\"\\ud83d\\udca1\"", "f:\"💡\""),
    ("f:\"\\ud83d\"", "f:\"\u{fffd}\""),
    ("f:a\\:b", "f:\"a:b\""),
    ("f\\:g:v", "f\\:g:v"),
    ("a\\.b:v", "a.b:v"),
    ("\\AND:v", "\\AND:v"),
    ("f:\"AND\"", "f:\"AND\""),
    ("\\*:v", "\\*:v"),
    ("*:v", "v"),
    ("f:>5", "f:\">5\""),
    ("f:a-b+c!d/e", "f:\"a-b+c!d/e\""),
    ("f:2021-02-23", "f:2021-02-23"),
    ("f:a\u{3000}b", "f:a b"),
    ("f:NOW-1DAY/DAY", "f:NOW-1DAY/DAY"),
    // Boolean clauses
    ("a b", "a b"),
    ("a OR b", "a b"),
    ("a || b", "a b"),
    ("a AND b", "+a +b"),
    ("a && b", "+a +b"),
    ("a AND b OR c", "+a +b c"),
    ("a OR b AND c", "a +b +c"),
    ("a AND b AND c", "+a +b +c"),
    ("a AND NOT b", "+a -b"),
    ("a OR NOT b", "a -b"),
    ("NOT a AND b", "-a +b"),
    ("a AND +b", "+a +b"),
    ("a -b +c", "a -b +c"),
    ("a !b", "a -b"),
    ("!a", "-a"),
    ("-a", "-a"),
    ("+a", "+a"),
    ("(a)", "a"),
    ("((a))", "a"),
    ("(+a)", "+a"),
    ("a (b c)", "a (b c)"),
    ("a AND (b OR c)", "+a +(b c)"),
    ("-(a b)", "-(a b)"),
    ("(-a)", "-a"),
    ("b (-a)", "b (-a)"),
    // Operators that are terms: before white space, or grown together with a word
    ("+ a", "\"+\" a"),
    ("a - b", "a \"-\" b"),
    ("a ! b", "a \"!\" b"),
    ("a &&b", "a \"&&b\""),
    ("ANDY ORB NOTE", "ANDY ORB NOTE"),
    ("and or not", "and or not"),
    ("a/* b */c", "a\\/* b *\\/c"),
    // Field groups
    ("f:(a b +c)", "f:a f:b +f:c"),
    ("f:(a g:b)", "f:a g:b"),
    ("f:(a (b -c))", "f:a (f:b -f:c)"),
    ("f:(*)", "f:*"),
    ("(*)", "*:*"),
    ("f:([1 TO 2] \"x\" y* /z/ w~1)", "f:[1 TO 2] f:x f:y* f:/z/ f:w~1"),
    // Patterns
    ("f:te?t", "f:te?t"),
    ("f:te*", "f:te*"),
    ("f:*st", "f:*st"),
    ("f:*", "f:*"),
    ("f:**", "f:**"),
    ("f:?", "f:?"),
    ("te*", "te*"),
    ("f:te\\*", "f:\"te*\""),
    ("f:te\\**", "f:te\\**"),
    ("f:t\\?s*t", "f:t\\?s*t"),
    ("f:AND*", "f:AND*"),
    ("f:*~2", "f:*"),
    ("f:te*~1", "f:te*"),
    ("f:\\u0041*", "f:A*"),
    ("*:*", "*:*"),
    ("*", "*:*"),
    ("*:te*", "te*"),
    ("f:/joh?n(ath[oa]n)/", "f:/joh?n(ath[oa]n)/"),
    ("f:/a\\/b/", "f:/a\\/b/"),
    ("/[mb]oat/", "/[mb]oat/"),
    ("f:/a/ /b/", "f:/a/ /b/"),
    ("f:roam~", "f:roam~2"),
    ("f:roam~1", "f:roam~1"),
    ("f:roam~0", "f:roam~0"),
    ("f:roam~7", "f:roam~2"),
    ("f:roam~0.8", "f:roam~0"),
    ("f:roam~0.5", "f:roam~2"),
    ("f:roam ~1", "f:roam~1"),
    ("f:\\AND~1", "f:\\AND~1"),
    // Ranges
    ("f:[1 TO 5]", "f:[1 TO 5]"),
    ("f:{1 TO 5}", "f:{1 TO 5}"),
    ("f:[1 TO 5}", "f:[1 TO 5}"),
    ("f:{1 TO 5]", "f:{1 TO 5]"),
    ("f:[* TO 5]", "f:[* TO 5]"),
    ("f:{* TO 5}", "f:[* TO 5}"),
    ("f:[1 TO *}", "f:[1 TO *]"),
    ("f:[* TO *]", "f:*"),
    ("f:{* TO *}", "f:*"),
    ("[* TO *]", "*:[* TO *]"),
    ("[a TO b]", "[a TO b]"),
    ("f:[\"a b\" TO \"c d\"]", "f:[\"a b\" TO \"c d\"]"),
    ("f:[ 1  TO \t 2 ]", "f:[1 TO 2]"),
    ("f:[\"*\" TO \\*]", "f:[\"*\" TO \"*\"]"),
    ("f:[TO TO TO]", "f:[\"TO\" TO \"TO\"]"),
    ("f:[\"\" TO b]", "f:[\\\"\\\" TO b]"),
    ("f:[(:+ TO \\u005d]", "f:[\"(:+\" TO \"]\"]"),
    ("f:[2021-01-01T00:00:00Z TO NOW]", "f:[2021-01-01T00:00:00Z TO NOW]"),
    ("f:[\"a\\\\\" TO b]", "f:[a\\\\ TO b]"),
    ("f:{!a TO b]", "f:{\"!a\" TO b]"),
    ("f:{!=a TO b}", "f:{\"!=a\" TO b}"),
    ("f:[-5 TO -1]", "f:[-5 TO -1]"),
    // Boosts
    ("a^2", "a^2"),
    ("a^2.50", "a^2.5"),
    ("a^=3", "a^=3"),
    ("a ^2", "a^2"),
    ("(a b)^2", "(a b)^2"),
    ("(a^2)^3", "(a^2)^3"),
    ("a~1^2", "a~1^2"),
    ("a^2~1", "a~1^2"),
    ("f:[1 TO 2]^3", "f:[1 TO 2]^3"),
    ("f:\"a b\"~2^3", "f:\"a b\"^3"),
    ("*:*^2", "*:*^2"),
    ("-a^2", "-a^2"),
    // Comments
    ("/* x */ a", "a"),
    ("a /* x /* y */ z */ b", "a b"),
    ("a /* never closed", "a"),
    ("f /* x */ : /* y */ v", "f:v"),
    ("\"/* no comment */\"", "\"/* no comment */\""),
    // Filters, nested queries, local parameters
    ("filter(a)", "filter(a)"),
    ("filter(a -b)^2 c", "filter(a -b)^2 c"),
    ("f:filter(a)", "filter(f:a)"),
    ("filter (a)", "filter a"),
    ("a filter(b)", "a filter(b)"),
    ("a b filter(c)", "a b filter(c)"),
    ("_query_:\"a AND b\"", "+a +b"),
    ("_query_:\"a AND b\" c", "(+a +b) c"),
    ("_query_:\"{!term f=x}y z\" c", "x:\"y z\" c"),
    ("_query_:\"\" AND c", "+c"),
    ("_query_:(\\+a b)", "+a b"),
    ("_query_:a*", "_query_:a*"),
    ("{!lucene}a b", "a b"),
    ("{!lucene df=f}a g:b", "f:a g:b"),
    ("{!lucene q.op=AND}a b:c", "+a +b:c"),
    ("{!lucene q.op=AND}a b", "+(a b)"),
    ("{!lucene q.op=AND}f:(a b c)", "+(+(f:a f:b f:c))"),
    ("{!lucene q.op=AND sow=true}f:(a b c)", "+(+f:a +f:b +f:c)"),
    ("{!lucene q.op=AND}a b \"c\" d", "+(a b) +c +d"),
    ("{!lucene q.op=AND}a b c OR d", "+(a b) c d"),
    ("{!lucene q.op=AND}a b c^2 d e~1 f *", "+(a b) +c^2 +d +e~1 +f +*:*"),
    ("{!lucene q.op=AND}-a b c", "-a +(b c)"),
    ("{!lucene q.op=AND}a OR b", "a b"),
    ("{!q.op=and}a -b", "+a -b"),
    ("{!lucene v='a b'}", "a b"),
    ("{!lucene v=\"a \\\"b c\\\"\"}", "a \"b c\""),
    ("{!lucene cache=false}a", "a"),
    ("{!term f=x v=\"\\ud83d\\udca1\"}", "x:\"💡\""),
    ("{!term f=x}a b:c", "x:\"a b:c\""),
    ("{!term f=x}", "x:\"\""),
    ("{!term f=a.b v='c d'}", "a.b:\"c d\""),
    (" {!term f=x}a b", "x:a b"),
    ("+{!term f=x}a +b", "+x:a +b"),
    ("{!prefix f=x}a*", "x:a\\**"),
    ("{!prefix f=x}", "x:*"),
    ("{!terms f=x}a,b c,", "x:a x:\"b c\" x:\"\""),
    ("{!terms f=x separator=' '} a  b ", "x:a x:b"),
    ("{!terms f=x separator=' ' v='a\u{3000}b c'}", "x:\"a\u{3000}b\" x:c"),
    ("{!terms f=x separator=''}a,", "x:a x:, x:\"\""),
    ("{!terms f=x}a", "x:a"),
    ("{!terms f=x}", "-*:*"),
    ("x:{!prefix f=y}z", "y:z*"),
    ("{!regexp f=x}node-\\d+", "x:/node-[0-9]+/"),
    ("{!regexp f=x}\\w\\S", "x:/[A-Za-z0-9_][^ \t\n\r]/"),
    ("{!regexp f=x}[^\\d.]", "x:/[^0-9\\.]/"),
    ("{!regexp f=x flags=i}a1.b", "x:/[aA]1.[bB]/"),
    ("{!regexp f=x flags=i}[a-f0-9x]", "x:/[a-fA-F0-9xX]/"),
    ("{!regexp f=x flags=i}\"é/\"*|ß", "x:/([éÉ]\\/)*|ß/"),
    ("{!regexp f=x}a/b", "x:/a\\/b/"),
    ("{!regexp f=x}*", "x:/\\*/"),
    ("{!regexp f=x}", "x:/()/"),
    ("{!regexp f=x}<1-20>", "x:/<1-20>/"),
    ("{!regexp f=x}[]a]", "x:/[\\]a]/"),
    ("a {!regexp f=x}\\d+ b", "a x:/[0-9]+/ b"),
    ("({!term f=x}a)^2 b", "x:a^2 b"),
    ("{!lucene}", "-*:*"),
    ("", "-*:*"),
];

#[test]
fn reads() {
    for (query, canonical) in READ {
        let ast = parse(query).unwrap_or_else(|error| panic!("{query}: {error:?}"));
        assert_eq!(ast.to_string(), *canonical, "{query}");
        assert_eq!(parse(canonical).as_ref(), Ok(&ast), "{query} as {canonical}");
    }
}

/// Query, place, message.
const REFUSED: &[(&str, usize, &str)] = &[
    (" ", 1, "expected a clause, found the end"),
    ("a AND", 5, "expected a clause, found the end"),
    ("AND a", 0, "expected a clause, found \"AND\""),
    ("a AND AND b", 6, "expected a clause, found \"AND\""),
    ("NOT NOT a", 4, "expected a clause, found \"NOT\""),
    ("a --b", 3, "expected a clause, found \"-\""),
    ("()", 1, "expected a clause, found \")\""),
    ("(a b", 0, "a parenthesis that is never closed"),
    ("é (a", 3, "a parenthesis that is never closed"),
    ("a)", 1, "a parenthesis that was never opened"),
    ("f:", 2, "expected a clause, found the end"),
    (":v", 0, "expected a clause, found \":\""),
    ("f:g:v", 3, "expected a clause or the end, found \":\""),
    ("AND:v", 0, "expected a clause, found \"AND\""),
    ("f:\"abc", 2, "a quote that is never closed, or stands inside a value"),
    ("f:/abc", 2, "a regular expression that is never closed"),
    ("//", 0, "a regular expression that is never closed"),
    ("a\\", 1, "a backslash with nothing to escape"),
    ("f:[1 5]", 5, "expected TO, found \"5\""),
    ("f:[1 TO 5", 9, "expected \"]\" or \"}\", found the end"),
    ("f:[TO TO]", 8, "expected a bound, found \"]\""),
    ("f:[\"a\\\\\" TO \"b\"]", 13, "expected TO, found \"b\""),
    ("a^", 2, "expected a number, found the end"),
    ("a^ 2", 2, "expected a number, found \"2\""),
    ("a^-1", 1, "a boost must be a finite number of 0 or more"),
    ("a~1.5", 1, "fractions of an edit are not possible"),
    ("a~99999999999", 1, "fractions of an edit are not possible"),
    ("\\u12", 0, "\\u must be followed by four hexadecimal digits"),
    ("f:\"\\uzzzz\"", 3, "\\u must be followed by four hexadecimal digits"),
    ("f:/a(b/", 6, "expected \")\" in the regular expression"),
    ("f:/a{x}/", 5, "expected a count in the regular expression"),
    ("f:/[b-a]/", 7, "a range of characters from a later to an earlier one"),
    ("f:/<a>/", 6, "there is no automaton named \"a\""),
    ("f:/<1-/", 6, "expected \">\" in the regular expression"),
    ("f:/<1-x>/", 8, "expected an interval such as <1-99>"),
    ("f:/a&/", 5, "the regular expression ends too early"),
    ("f:/a)/", 4, "a closing parenthesis without an opening one in the regular expression"),
    ("{!term}a", 0, "the local parameters name no field"),
    ("{!lucene df=''}a", 0, "the default field (df) has no name"),
    ("{!term f=x", 9, "local parameters without a closing \"}\""),
    ("f:[1 TO\t2]", 5, "expected TO, found \"TO\""),
    ("a {!=b}", 2, "a brace without the path of an object before it"),
    (
        "_query_:\"a AND\" b",
        8,
        "in the nested query: expected a clause, found the end (at byte 5 of it)",
    ),
];

/// Query, canonical form. What Solr reads as a range stays one; other braces hold clauses.
const BRACES: &[(&str, &str)] = &[
    ("f:{a TO b}", "f:{a TO b}"),
    ("f:{a TO *]", "f:{a TO *]"),
    ("f:{* TO b}", "f:[* TO b}"),
    ("f:{  a   TO  b }", "f:{a TO b}"),
    ("f:{a:1 TO b:2}", "f:{a:1 TO b:2}"),
    ("f:{(a TO b)}", "f:{\"(a\" TO \"b)\"}"),
    ("f:{q:[1 TO 2]", "f:{\"q:[1\" TO 2]"),
    ("f:{sku:\"a TO b\"}", "f:{sku:\\\"a TO b\\\"}"),
    ("f:{(a TO b} g:{c TO d}", "f:{\"(a\" TO b} g:{c TO d}"),
    ("f:{a:1}", "f:{a:1}"),
    ("f:{ a:1 }", "f:{a:1}"),
    ("f:{a}", "f:{a}"),
    ("f:{*}", "f:{*:*}"),
    ("f:{*:*}", "f:{*:*}"),
    ("f:{a b}", "f:{a b}"),
    ("f:{a:1 AND b:2}", "f:{+a:1 +b:2}"),
    ("f:{a:1 OR b:2}", "f:{a:1 b:2}"),
    ("f:{a:1 -b:2}^2 g", "f:{a:1 -b:2}^2 g"),
    ("-f:{a:1}", "-f:{a:1}"),
    ("f:{-a:1}", "f:{-a:1}"),
    ("f:{NOT a:1}", "f:{-a:1}"),
    ("f:{ !a:1}", "f:{-a:1}"),
    ("f:{q:[1 TO 2]}", "f:{q:[1 TO 2]}"),
    ("f:{q:{1 TO 2}}", "f:{q:{1 TO 2}}"),
    ("f:{+q:[1 TO 2] +a:b}", "f:{+q:[1 TO 2] +a:b}"),
    ("f:{(q:[1 TO 2] a:b) -c:d}", "f:{(q:[1 TO 2] a:b) -c:d}"),
    ("f:{a:b AND q:[2 TO *]}", "f:{+a:b +q:[2 TO *]}"),
    ("f:{[1 TO 2]}", "f:{[1 TO 2]}"),
    ("f:{[1 TO 2] AND g:{a TO b}}", "f:{+[1 TO 2] +g:{a TO b}}"),
    ("f:{g:{a:1} AND b:2}", "f:{+g:{a:1} +b:2}"),
    ("f:{g:{q:[1 TO 2]}}", "f:{g:{q:[1 TO 2]}}"),
    ("f:{sku:(a TO b c)}", "f:{sku:a sku:TO sku:b sku:c}"),
    ("f:{sku:\"a TO b\" x:1}", "f:{sku:\"a TO b\" x:1}"),
    ("f:{ sku:\"a TO b\" AND x:1}", "f:{+sku:\"a TO b\" +x:1}"),
    ("f:{( sku:\"a TO b\" )}", "f:{( ( sku:\"a TO b\" ) )}"),
    ("f:{(a b)}", "f:{a b}"),
    ("f:{ \\TO \"TO\" TO~1 f:TO}", "f:{\\TO \\TO TO~1 f:TO}"),
    ("f:{x:/a}b/}", "f:{x:/a}b/}"),
    ("f:{x:a* y:b?c z~1}", "f:{x:a* y:b?c z~1}"),
    ("f:(a {b:1})", "f:a f:{b:1}"),
    ("f:({a TO b} {b:1})", "f:{a TO b} f:{b:1}"),
    ("filter(f:{filter(a:1)})", "filter(f:{filter(a:1)})"),
    ("{!lucene q.op=AND df=d}f:{a b:1} c", "+f:{+a +b:1} +d:c"),
    ("_query_:\"f:{a:1}\"", "f:{a:1}"),
    ("f:{_query_:\"a:1\"}", "f:{a:1}"),
    ("a\\ b.c:{d.e:1}", "a\\ b.c:{d.e:1}"),
    ("t:{2021-02-05T04:06:36Z TO *] f:{a:1}", "t:{2021-02-05T04:06:36Z TO *] f:{a:1}"),
];

#[test]
fn braces() {
    for (query, canonical) in BRACES {
        let ast = parse(query).unwrap_or_else(|error| panic!("{query}: {error}"));
        assert_eq!(&ast.to_string(), canonical, "{query}");
        assert_eq!(parse(canonical).as_ref(), Ok(&ast), "{canonical}");
    }
    for (query, position) in [
        ("f:{}", 3),
        ("f:{a:1", 2),
        ("f:{a:1)", 6),
        ("f:{a:1}}", 7),
        ("{a:1}", 0),
        ("*:{a:1}", 2),
        ("f:{ {a:1} }", 4),
        ("f:{a TO}", 7),
        ("f:{a TO b", 9),
        ("f:{(a:1}", 7),
        ("_query_:{a}", 8),
        ("f:{x y TO z}", 7),
        ("f:{say \"hi\" TO *}", 12),
    ] {
        let error = parse(query).expect_err(query);
        assert_eq!(error.kind, ParseErrorKind::Syntax, "{query}: {error}");
        assert_eq!(error.position, Some(position), "{query}: {error}");
    }
    for query in [
        "{!regexp f=x}\\b",
        "{!regexp f=x}[\\D]",
        "{!regexp f=x flags=m}a",
        "{!regexp}a",
        "{!regexp f=x}(a",
    ] {
        let error = parse(query).expect_err(query);
        assert_eq!(error.kind, ParseErrorKind::Syntax, "{query}: {error}");
    }
    for query in ["f:{{!term f=a}b}", "f:{a:1 _query_:\"{!term f=a}b\"}", "f:{ {!lucene}a}"] {
        let error = parse(query).expect_err(query);
        assert_eq!(error.kind, ParseErrorKind::Unsupported, "{query}: {error}");
    }
}

#[test]
fn refuses_with_the_place() {
    for (query, position, message) in REFUSED {
        let error = parse(query).expect_err(query);
        assert_eq!(error.kind, ParseErrorKind::Syntax, "{query}");
        assert_eq!(
            (error.position, error.message.as_str()),
            (Some(*position), *message),
            "{query}"
        );
    }
}

#[test]
fn refuses_by_name_what_solr_has_and_this_has_not() {
    for (query, name) in [
        ("{!func}add(1,2)", "\"func\""),
        ("{!dismax qf=a}b", "\"dismax\""),
        ("a {!frange l=1}b", "\"frange\""),
        ("{!parent which=a:b}c:d", "\"parent\""),
        ("{!child of=a:b}c:d", "\"child\""),
        ("_val_:\"add(1,2)\"", "_val_"),
        ("{!lucene v=$qq}", "$name"),
    ] {
        let error = parse(query).expect_err(query);
        assert_eq!(error.kind, ParseErrorKind::Unsupported, "{query}: {error}");
        assert!(error.message.contains(name), "{query}: {error}");
    }
}

#[test]
fn limits() {
    let nested = |depth: usize| format!("{}a{}", "(".repeat(depth), ")".repeat(depth));
    assert_eq!(parse(&nested(MAX_GROUP_DEPTH)).map(|ast| ast.to_string()), Ok("a".into()));
    let not_nested = format!("\"{}\" {}", "(".repeat(300), "/* ".repeat(300));
    assert!(parse(&not_nested).is_ok());
    let inside = |depth: usize| format!("{}a", "{!lucene}".repeat(depth));
    assert!(parse(&inside(16)).is_ok());
    for (query, what) in [
        (nested(MAX_GROUP_DEPTH + 1), "one group too many"),
        (nested(10_000), "ten thousand groups"),
        ("(".repeat(MAX_QUERY_BYTES), "a megabyte of parentheses"),
        ("filter(".repeat(1000), "filters"),
        (
            format!("{}_query_:\"{}\"{}", "(".repeat(200), nested(100), ")".repeat(200)),
            "a nested query's groups",
        ),
        (inside(17), "query strings"),
        (format!("{}a{}", "f:{".repeat(257), "}".repeat(257)), "objects"),
        (format!("{}a{}", "f:{(".repeat(129), ")}".repeat(129)), "objects and groups"),
        (format!("{}f:{{(", "f:{a:[1 TO 2] ".repeat(300)), "objects that begin like ranges"),
        (format!("{}:{{{}:v}}", "a".repeat(40_000), "b".repeat(40_000)), "a path within an object"),
        (
            format!("{}:{{{}}}", "a".repeat(60_000), "b:c ".repeat(1_000)),
            "an object's path for each clause",
        ),
        (inside(MAX_QUERY_BYTES / 9), "a megabyte of query strings"),
        ("a".repeat(MAX_QUERY_BYTES + 1), "a byte too many"),
        ("a ".repeat(MAX_CONDITIONS + 1), "a clause too many"),
        (format!("/{}/", "(".repeat(10_000)), "a regular expression's groups"),
        (format!("/{}a/", "~".repeat(10_000)), "complements"),
        (format!("/a{}/", "*".repeat(10_000)), "repetitions"),
        (format!("{}:v", "a.".repeat(MAX_PATH_BYTES / 2 + 1)), "a path"),
        (format!("{{!term f={}}}v", "a".repeat(MAX_PATH_BYTES + 1)), "a parameter's path"),
        (format!("{}:({})", "a".repeat(60_000), "b ".repeat(1_000)), "a path for each clause"),
        ("\"\" ".repeat(MAX_CONDITIONS + 1), "quotes"),
        ("a(".repeat(1000), "groups that are not closed"),
    ] {
        assert_eq!(
            parse(&query).map_err(|error| error.kind),
            Err(ParseErrorKind::TooComplex),
            "{what}"
        );
    }
    let path = "a.".repeat(MAX_PATH_BYTES / 2);
    assert!(parse(&format!("{path}:v")).is_ok());
    for (sort, what) in [
        ("a".repeat(MAX_PATH_BYTES + 1), "a path"),
        ("a,".repeat(1_000) + "a", "paths"),
        (" ".repeat(MAX_QUERY_BYTES), "white space"),
    ] {
        assert_eq!(parse_sort(&sort).unwrap_err().kind, ParseErrorKind::TooComplex, "{what}");
    }
}

#[test]
fn parsers_of_local_parameters() {
    for (query, canonical) in [
        ("{!field f=x}a b", "x:\"a b\""),
        ("{!raw f=x}a*", "x:\"a*\""),
        ("{!terms f=x method=automaton}a,b", "x:a x:b"),
        // Java's white space: a no-break space is none, a file separator is.
        ("{!term f=name v=Jean\u{a0}Luc}", "name:\"Jean\u{a0}Luc\""),
        ("{!term\u{1c}f=x}a", "x:a"),
        ("{!term\u{2003}f=x\u{3000}}a", "x:a"),
        ("{!bool must=a must='b c' must_not=d filter=e should=f}g", "+a +(b c) -d +filter(e) f"),
        ("{!bool should=a should=b:c}", "a b:c"),
        ("{!bool should='{!term f=x}y z'}", "x:\"y z\""),
        ("{!bool must_not=a}", "-a"),
        ("{!bool must='-a'}", "+(-a)"),
        ("{!bool should='-a'}", "-*:*"),
        ("{!bool filter='{!lucene cache=false}a'}", "+a"),
        ("{!bool must=a filter='{!lucene tag=t,u}b' excludeTags=u}", "+a"),
        ("{!bool must='{!lucene tag=t}a' excludeTags=u,v}", "+a"),
        ("{!bool}a", "-*:*"),
        ("+{!bool should=a should=b} +c", "+(a b) +c"),
        ("{!boost b=log(n)}a b", "a b"),
        ("{!boost b=2}-a", "-*:*"),
        ("{!boost}-a", "-a"),
        ("{!boost b=2 v='a AND b'}", "+a +b"),
    ] {
        let ast = parse(query).unwrap_or_else(|error| panic!("{query}: {error:?}"));
        assert_eq!(ast.to_string(), canonical, "{query}");
        assert_eq!(parse(canonical).as_ref(), Ok(&ast), "{query} as {canonical}");
    }
    for (query, kind) in [
        ("{!terms f=x method=nosuch}a", ParseErrorKind::Syntax),
        ("{!field}a", ParseErrorKind::Syntax),
        ("{!raw f=''}a", ParseErrorKind::Syntax),
        ("{!bool must=''}", ParseErrorKind::Syntax),
        ("{!bool must='a AND'}", ParseErrorKind::Syntax),
        ("{!bool must='{!dismax}a'}", ParseErrorKind::Unsupported),
        ("{!bool defType=prefix must=a}", ParseErrorKind::Unsupported),
        ("{!bool must=$q}", ParseErrorKind::Unsupported),
        ("{!boost b=2}", ParseErrorKind::Syntax),
    ] {
        assert_eq!(parse(query).map_err(|error| error.kind), Err(kind), "{query}");
    }
}
