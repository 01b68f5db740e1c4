import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.node.ArrayNode;
import com.fasterxml.jackson.databind.node.ObjectNode;
import java.math.BigDecimal;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Instant;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Map;
import java.util.Random;
import java.util.Set;
import java.util.function.Supplier;

/**
 * Makes documents and queries: {@code Generator SEED QUERIES FORMS DIRECTORY} writes documents.ndjson and queries.ndjson, the same
 * ones for the same seed. The queries start with the lines of the file FORMS.
 */
public final class Generator {
  private static final int DOCUMENTS = 420;
  private static final ObjectMapper JSON = new ObjectMapper();

  private static final String[] WORDS = {
    "a", "b", "c", "ab", "abc", "roam", "roams", "foam", "raom", "test", "text", "tests", "team", "Test", "TEST", "click",
    "view", "purchase", "AND", "OR", "NOT", "TO", "NOW", "true", "false", "null", "1", "5", "10", "-5", "1.0", "filter",
    "jakarta", "apache", "john", "jon", "johnathan", "johnathon", "jonathon", "moat", "boat", "goat", ">5", "<=10", "",
  };
  private static final String[] PHRASES = {
    "jakarta apache", "a b", "the right way", " leading", "two  spaces", "tab\there", "line\nend", "a/b/c", "/docs/x",
    "C:\\temp", "say \"hi\"", "it's", "1+1=2", "(1+1):2", "[a]", "{b}", "{!term f=s}a", "a*b", "a?b", "te*t", "~", "^2", "a^2", "a~1",
    "x && y", "!x", "-x", "+x", "@", "#", "&", "<1-9>", "50%", "a:b", "*", "?", "\\", "\"", "/", "_query_",
    "aaa", "A-1", "http://example.org/a?b=c&d=e#f", "2021-02-23", "key=value", "a,b", "a;b", "`", "'", "\u0007",
  };
  private static final String[] UNICODE = {
    "naïve", "naive", "Zürich", "zurich", "日本語", "東京", "\u3000", "a\u3000b", "💡", "💡💡", "a💡b", "𝒳", "e\u0301", "é", "ß", "ss", "ÅÄÖ",
    "שלום", "\uffff", "\ud7ff", "\ue000", "👩\u200d🚀", "I", "ı", "İ",
  };
  private static final long[] WHOLE = {
    0, 1, 2, 3, 5, 5, 5, 7, 8, 10, 20, 42, 99, 100, 1000, -1, -5, -10, -100, 2002, 65536, 2147483647L, -2147483648L,
  };
  private static final long[] LARGE = {
    1L << 53, (1L << 53) + 1, (1L << 53) - 1, -(1L << 53) - 1, Long.MAX_VALUE, Long.MIN_VALUE, Long.MAX_VALUE - 1, 1612497996000L,
  };
  private static final String[] DECIMAL = {
    "0.5", "1.5", "-7.25", "3.14159", "0.1", "0.2", "0.30000000000000004", "1e10", "1.0E-5", "-0.001", "100.0", "2.50", "1e300", "-1e300", "99.99", "5.0",
  };

  private final Random random;
  /** The texts of a path's leaves in the documents, by the path; one map for each kind of path. */
  private final Map<String, List<String>> strings = new LinkedHashMap<>();
  private final Map<String, List<String>> wholes = new LinkedHashMap<>();
  private final Map<String, List<String>> decimals = new LinkedHashMap<>();
  private final Map<String, List<String>> booleans = new LinkedHashMap<>();

  private Generator(long seed) {
    random = new Random(seed);
  }

  public static void main(String[] args) throws Exception {
    Generator generator = new Generator(Long.parseLong(args[0]));
    Path directory = Path.of(args[3]);
    List<String> documents = new ArrayList<>();
    for (int i = 0; i < DOCUMENTS; i++) documents.add(JSON.writeValueAsString(generator.document(i)));
    Files.write(directory.resolve("documents.ndjson"), documents);

    Set<String> queries = new LinkedHashSet<>();
    for (String form : Files.readAllLines(Path.of(args[2])))
      if (!form.startsWith("#")) queries.add(form.replace('␊', '\n').replace('␍', '\r'));
    while (queries.size() < Integer.parseInt(args[1])) queries.add(whole(generator.query()));
    List<String> lines = new ArrayList<>();
    for (String query : queries) lines.add(JSON.writeValueAsString(query));
    Files.write(directory.resolve("queries.ndjson"), lines);
  }

  // ---- Documents ----------------------------------------------------------------------------------------------------

  private ObjectNode document(int number) {
    ObjectNode doc = JSON.createObjectNode();
    doc.putObject("session").put("id", number);
    sometimes(8, () -> doc.put("s", text("s", one(WORDS))));
    sometimes(6, () -> doc.put("p", text("p", one(PHRASES))));
    sometimes(6, () -> doc.put("u", text("u", one(UNICODE))));
    sometimes(7, () -> doc.put("n", whole("n", WHOLE[below(WHOLE.length)])));
    sometimes(5, () -> doc.put("big", whole("big", LARGE[below(LARGE.length)])));
    sometimes(7, () -> doc.put("d", decimal("d")));
    sometimes(6, () -> doc.put("ok", truth("ok")));
    sometimes(6, () -> {
      ArrayNode tags = doc.putArray("tags");
      for (int i = below(4); i > 0; i--) tags.add(text("tags", one(WORDS)));
    });
    sometimes(7, () -> {
      ArrayNode items = doc.putArray("items");
      for (int i = below(4); i > 0; i--) {
        ObjectNode item = items.addObject().put("sku", text("items.sku", one("A-1", "A-2", "B-1", "b-1", "", "x y")));
        sometimes(8, () -> item.put("qty", whole("items.qty", below(12) - 2)));
        sometimes(5, () -> item.put("price", decimal("items.price")));
        sometimes(3, () -> item.putArray("sizes").add(whole("items.sizes", below(9))).addArray().add(whole("items.sizes", below(9))));
        sometimes(2, () -> item.put("new", truth("items.new")));
      }
    });
    sometimes(6, () -> {
      ObjectNode event = doc.putObject("event").put("type", text("event.type", one("click", "view", "purchase", "heartbeat")));
      sometimes(6, () -> event.putObject("data").put("foo", text("event.data.foo", one(WORDS))).put("amount", decimal("event.data.amount")));
    });
    sometimes(4, () -> doc.put("when", text("when", Instant.ofEpochMilli(1612497996000L + below(45) * 7000L).toString())));
    sometimes(3, () -> doc.put("odd name", text("odd name", one(PHRASES))));
    sometimes(3, () -> doc.put("k:v", text("k:v", one(WORDS))));
    sometimes(2, () -> doc.put("k.dotted", text("k.dotted", one(WORDS))));
    sometimes(2, () -> doc.put("ключ", text("ключ", one(UNICODE))));
    sometimes(1, () -> doc.put("AND", text("AND", one(WORDS))));
    sometimes(1, () -> doc.putNull("nothing").putObject("empty").putArray("array"));
    sometimes(1, () -> doc.put("long", text("long", "abc".repeat(100 + below(2)))));
    return doc;
  }

  private void sometimes(int tenths, Runnable then) {
    if (below(10) < tenths) then.run();
  }

  private String text(String path, String value) {
    strings.computeIfAbsent(path, p -> new ArrayList<>()).add(value);
    return value;
  }

  private long whole(String path, long value) {
    wholes.computeIfAbsent(path, p -> new ArrayList<>()).add(Long.toString(value));
    return value;
  }

  private BigDecimal decimal(String path) {
    String value = one(DECIMAL);
    decimals.computeIfAbsent(path, p -> new ArrayList<>()).add(value);
    return new BigDecimal(value);
  }

  private boolean truth(String path) {
    boolean value = random.nextBoolean();
    booleans.computeIfAbsent(path, p -> new ArrayList<>()).add(Boolean.toString(value));
    return value;
  }

  // ---- Queries ------------------------------------------------------------------------------------------------------

  private String query() {
    return switch (below(20)) {
      case 0, 1, 2, 3, 4, 5 -> clause();
      case 6, 7, 8, 9, 10 -> clauses(3);
      case 11, 12 -> "{!lucene df=" + one("s", "p", "tags") + (oneIn(3) ? " q.op=" + one("AND", "OR", "and") : "") + "}" + one(soup(), clauses(2));
      case 13, 14, 15 -> defaulted(soup());
      default -> defaulted(mutated(oneIn(3) ? clauses(2) : field(strings) + ":" + stringForm(one(WORDS)) + boost()));
    };
  }

  /** Random clauses with every operator. */
  private String clauses(int depth) {
    StringBuilder text = new StringBuilder();
    for (int i = below(4); i >= 0; i--) {
      if (text.length() > 0) text.append(one(" ", " ", " AND ", " OR ", " && ", " || ", "  ", "\t", "\n", " /* c */ "));
      text.append(one("", "", "", "", "+", "-", "!", "NOT "));
      text.append(depth > 0 && oneIn(4) ? group(depth - 1) : clause());
    }
    return text.toString();
  }

  private String group(int depth) {
    String inner = clauses(depth);
    return switch (below(8)) {
      case 0 -> "filter(" + inner + ")";
      case 1 -> field(strings) + ":(" + bare(depth) + ")";
      case 2 -> "_query_:" + quoted(inner);
      case 3 -> "{!lucene v=" + quoted(inner) + "}";
      default -> "(" + inner + ")";
    } + boost();
  }

  /** Clauses without a field of their own. */
  private String bare(int depth) {
    StringBuilder text = new StringBuilder();
    for (int i = below(4); i >= 0; i--) {
      if (text.length() > 0) text.append(one(" ", " ", " AND ", " OR ", " "));
      text.append(one("", "", "", "+", "-", "NOT "));
      text.append(depth > 0 && oneIn(5) ? "(" + bare(depth - 1) + ")" : stringForm(one(WORDS)));
    }
    return text.toString();
  }

  private String clause() {
    Map<String, List<String>> kind = one(List.of(strings, strings, strings, strings, strings, strings, strings, wholes, wholes, decimals, decimals, booleans));
    String path = one(new ArrayList<>(kind.keySet()));
    String value = one(kind.get(path));
    String other = one(kind.get(path));
    if (oneIn(40)) return field(strings) + ":" + parameters(path, value, other);
    if (oneIn(25)) return parameters(path, value, other);
    if (oneIn(20)) return escaped(oneIn(2) ? path : path + "x") + one(":*", ":[* TO *]", ":{* TO *}", ": *");
    if (oneIn(60)) return one("*:*", "(*:*)", "*:* ");
    String form = kind == strings ? stringForm(value) : oneIn(5) ? "(" + plain(value, other) + ")" : oneIn(3) ? range(value, other, true) : literal(value);
    return escaped(path) + one(":", ":", ":", ":", " : ", ": ", ":/**/") + form + boost();
  }

  private String plain(String a, String b) {
    return one("", "+") + literal(a) + one(" ", " OR ", " AND ") + one("", "+", "-") + literal(b);
  }

  private String literal(String value) {
    return oneIn(3) || value.isEmpty() ? quoted(value) : escaped(value);
  }

  private String stringForm(String value) {
    if (value.length() > 40) return one(literal(value), start(value) + "*", "*c" + value);
    return switch (below(12)) {
      case 0 -> quoted(value) + one("", "~", "~1", "~3", "~10");
      case 1 -> wildcard(value);
      case 2 -> escaped(start(value)) + "*";
      case 3 -> "*" + escaped(value.substring(start(value).length()));
      case 4, 5 -> regexp(value);
      case 6 -> escaped(edited(value.isEmpty() ? "a" : value)) + one("~", "~0", "~1", "~2", "~3", "~0.5", "~0.8", "~0.3", "~1.0");
      case 7, 8 -> range(value, one(WORDS), false);
      case 9 -> unicodeEscaped(value.isEmpty() ? "a" : value);
      default -> literal(value);
    };
  }

  private String range(String a, String b, boolean numbers) {
    return one("[", "{") + one(bound(a, numbers), bound(a, numbers), "*") + one(" TO ", " TO ", "  TO  ") + one(bound(b, numbers), bound(b, numbers), "*") + one("]", "}");
  }

  private String bound(String value, boolean numbers) {
    if (numbers && !oneIn(6)) return value;
    if (!value.isEmpty() && !value.contains("\"") && !value.contains("\\") && oneIn(2)) return "\"" + value + "\"";
    return value.isEmpty() ? one("a", "\\*", "TO", "\"\"") : oneIn(2) ? escaped(value) : value;
  }

  private String wildcard(String value) {
    StringBuilder text = new StringBuilder();
    value.codePoints().forEach(c -> text.append(oneIn(4) ? one("?", "*", "?*", "**") : escaped(Character.toString(c))));
    return text.length() == 0 ? one("?", "**", "*?") : text.toString();
  }

  private String regexp(String value) {
    StringBuilder text = new StringBuilder("/");
    value.codePoints().limit(30).forEach(c -> {
      String literal = ".?+*|{}[]()\"\\#@&<>~/".indexOf(c) >= 0 ? "\\" + Character.toString(c) : Character.toString(c);
      text.append(oneIn(3)
          ? one(".", "[a-z]", "[^x]", literal + "?", literal + "*", literal + "+", "(" + literal + "|x)", literal + "{1,2}", literal + "{1}", literal + "{0,}", ".*", "@", "[" + literal + "]", "()", "x|" + literal, "\\w", "\\d", "^", "$")
          : literal);
    });
    return text.append(value.isEmpty() ? one(".*", ".?", "a*", "()", "@", "#") : "").append("/").toString();
  }

  private String parameters(String path, String value, String other) {
    String f = path.matches("\\S*") ? path : "'" + path + "'";
    String separator = one(" ", ";", ", ", "ab");
    boolean patterns = strings.containsKey(path);
    return switch (below(7)) {
      case 0 -> "{!term f=" + f + "}" + value;
      case 1 -> "{!term f=" + f + " v=" + quoted(value) + "}";
      case 2 -> !patterns ? "{!term f=" + f + " v=" + single(value) + "}" : "{!prefix f=" + f + " v=" + single(start(value)) + "}";
      case 3 -> "{!terms f=" + f + "}" + value + "," + other;
      case 4 -> "{!terms f=" + f + " separator=" + single(separator) + " v=" + single(value + separator + other) + "}";
      case 5 -> "{!lucene df=" + f + " v=" + quoted(literal(value)) + "}";
      default -> "_query_:" + quoted("{!term f=" + f + "}" + value);
    };
  }

  private String boost() {
    return oneIn(12) ? one("^2", "^0.5", "^=3", " ^2", "^1.25", "^=0") : "";
  }

  private static final String[] SOUP = {
    "+", "-", "!", "&&", "||", "(", ")", "{", "}", "[", "]", "^", "\"", "~", "*", "?", ":", "\\", "/", "AND", "OR", "NOT", "TO", "a", "b",
    "ab", "1", "2", "0.5", "s", "s:", "p:", "tags:a", "s:(", "filter(", "{!", "{!term f=s}", "=", "'", "/*", "*/", ",", "|", "&", "<", ">", "@", "#",
    "^2", "~1", "s:[a TO b]", "[a TO", "TO b]", "\\u0061", "\\u", "é", "💡", "\u3000", "\t", "s:te*", "s:/a/", "\"a b\"", "*:*", "_query_:",
  };

  /** Mostly with a default field, because without one Solr refuses bare terms. */
  private String defaulted(String query) {
    return query.startsWith("{!") || oneIn(40) ? query : "{!lucene df=" + one("s", "p", "tags") + "}" + query;
  }

  private String soup() {
    StringBuilder text = new StringBuilder();
    for (int i = 1 + below(7); i > 0; i--) text.append(oneIn(3) ? "s:" : "").append(one(SOUP)).append(one("", "", " "));
    return text.toString();
  }

  /** One character or token too few, too many or out of place. */
  private String mutated(String query) {
    int from = below(query.length() + 1);
    int to = Math.min(query.length(), from + below(3));
    return switch (below(3)) {
      case 0 -> query.substring(0, from) + one(SOUP) + query.substring(from);
      case 1 -> query.substring(0, from) + query.substring(to);
      default -> query.substring(0, from) + one(SOUP) + query.substring(to);
    };
  }

  // ---- Texts --------------------------------------------------------------------------------------------------------

  private String field(Map<String, List<String>> kind) {
    return escaped(one(new ArrayList<>(kind.keySet())));
  }

  private static String escaped(String value) {
    StringBuilder text = new StringBuilder();
    value.codePoints().forEach(c -> {
      boolean special = Character.isWhitespace(c) || "+-!(){}[]^\"~*?:\\/&|".indexOf(c) >= 0;
      text.append(special ? "\\" : "").appendCodePoint(c);
    });
    return text.toString().matches("AND|OR|NOT") ? "\\" + text : text.toString();
  }

  private String unicodeEscaped(String value) {
    StringBuilder text = new StringBuilder();
    value.chars().forEach(c -> text.append(oneIn(2) ? "\\u%04x".formatted(c) : Character.isSurrogate((char) c) ? "\\u%04X".formatted(c) : escaped(Character.toString(c))));
    return text.toString();
  }

  private static String quoted(String value) {
    return "\"" + value.replace("\\", "\\\\").replace("\"", "\\\"") + "\"";
  }

  private static String single(String value) {
    return "'" + value.replace("\\", "\\\\").replace("'", "\\'") + "'";
  }

  private String start(String value) {
    int points = value.codePointCount(0, value.length());
    return value.substring(0, value.offsetByCodePoints(0, below(points + 1)));
  }

  private String edited(String value) {
    StringBuilder text = new StringBuilder(value);
    for (int i = below(4); i > 0 && text.length() > 0; i--) {
      int at = below(text.length());
      if (Character.isSurrogate(text.charAt(at))) continue;
      switch (below(3)) {
        case 0 -> text.insert(at, one("a", "é", "x", "1"));
        case 1 -> text.setCharAt(at, 'o');
        default -> {
          if (text.length() > 1) text.deleteCharAt(at);
        }
      }
    }
    return text.toString();
  }

  /** A mutation may have cut a surrogate pair in two; its halves become question marks. */
  private static String whole(String text) {
    return new String(text.getBytes(StandardCharsets.UTF_8), StandardCharsets.UTF_8);
  }

  // ---- Chance -------------------------------------------------------------------------------------------------------

  private int below(int limit) {
    return random.nextInt(limit);
  }

  private boolean oneIn(int times) {
    return below(times) == 0;
  }

  @SafeVarargs
  private <T> T one(T... choices) {
    return choices[below(choices.length)];
  }

  private <T> T one(List<T> choices) {
    return choices.get(below(choices.size()));
  }
}
