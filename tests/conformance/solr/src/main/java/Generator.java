import com.fasterxml.jackson.databind.JsonNode;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;

/**
 * Makes queries: {@code Generator SEED QUERIES FORMS DIRECTORY [DOCUMENTS]} writes documents.ndjson and queries.ndjson, the same
 * ones for the same seed. Queries are made of the paths and values of the documents, which are those of the file DOCUMENTS or random
 * ones. They start with the lines of the file FORMS.
 */
public final class Generator {
  private static final String[] WORDS = Documents.WORDS;

  private final Chance chance;
  /** The texts of a path's leaves in the documents, by the path; one map for each kind of leaf. A path can be in several. */
  final Map<String, List<String>> strings = new LinkedHashMap<>();
  final Map<String, List<String>> wholes = new LinkedHashMap<>();
  final Map<String, List<String>> decimals = new LinkedHashMap<>();
  final Map<String, List<String>> booleans = new LinkedHashMap<>();
  /** Strings that are instants, and the paths that hold objects. */
  final Map<String, List<String>> instants = new LinkedHashMap<>();
  private final Set<String> objects = new LinkedHashSet<>();

  Generator(Chance chance) {
    this.chance = chance;
  }

  public static void main(String[] args) throws Exception {
    Chance chance = new Chance(Long.parseLong(args[0]));
    List<? extends JsonNode> documents = args.length > 4 ? Corpus.lines(args[4]) : Documents.random(chance);
    Generator generator = new Generator(chance);
    documents.forEach(generator::learn);
    Set<String> queries = new LinkedHashSet<>();
    for (String form : Files.readAllLines(Path.of(args[2])))
      if (!form.startsWith("#")) queries.add(form.replace('␊', '\n').replace('␍', '\r'));
    while (queries.size() < Integer.parseInt(args[1])) queries.add(whole(generator.query()));
    Path directory = Path.of(args[3]);
    write(directory.resolve("documents.ndjson"), documents);
    write(directory.resolve("queries.ndjson"), queries);
  }

  static void write(Path file, Iterable<?> values) throws Exception {
    List<String> lines = new ArrayList<>();
    for (Object value : values) lines.add(Corpus.JSON.writeValueAsString(value));
    Files.write(file, lines);
  }

  void learn(JsonNode document) {
    Corpus.leaves(document, (path, node) -> {
      Leaf leaf = Leaf.of(node);
      var kind = leaf.text() != null ? strings : leaf.truth() != null ? booleans
          : leaf.number().scale() <= 0 ? wholes : decimals;
      kind.computeIfAbsent(path, p -> new ArrayList<>()).add(node.asText());
      if (leaf.instant() != null) instants.computeIfAbsent(path, p -> new ArrayList<>()).add(node.asText());
      for (int dot = path.indexOf('.'); dot >= 0; dot = path.indexOf('.', dot + 1)) objects.add(path.substring(0, dot));
    });
  }

  // ---- Queries ------------------------------------------------------------------------------------------------------

  private String query() {
    return switch (chance.below(20)) {
      case 0, 1, 2, 3, 4, 5 -> clause();
      case 6, 7, 8, 9, 10 -> clauses(3);
      case 11, 12 -> "{!lucene df=" + chance.one("s", "p", "tags") + (chance.oneIn(3) ? " q.op=" + chance.one("AND", "OR", "and") : "") + "}" + chance.one(soup(), clauses(2));
      case 13, 14, 15 -> defaulted(soup());
      default -> defaulted(mutated(chance.oneIn(3) ? clauses(2) : field(strings) + ":" + stringForm(chance.one(WORDS)) + boost()));
    };
  }

  /** Random clauses with every operator. */
  String clauses(int depth) {
    StringBuilder text = new StringBuilder();
    for (int i = chance.below(4); i >= 0; i--) {
      if (text.length() > 0) text.append(chance.one(" ", " ", " AND ", " OR ", " && ", " || ", "  ", "\t", "\n", " /* c */ "));
      text.append(chance.one("", "", "", "", "+", "-", "!", "NOT "));
      text.append(depth > 0 && chance.oneIn(4) ? group(depth - 1) : clause());
    }
    return text.toString();
  }

  private String group(int depth) {
    String inner = clauses(depth);
    return switch (chance.below(8)) {
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
    for (int i = chance.below(4); i >= 0; i--) {
      if (text.length() > 0) text.append(chance.one(" ", " ", " AND ", " OR ", " "));
      text.append(chance.one("", "", "", "+", "-", "NOT "));
      text.append(depth > 0 && chance.oneIn(5) ? "(" + bare(depth - 1) + ")" : stringForm(chance.one(WORDS)));
    }
    return text.toString();
  }

  String clause() {
    if (chance.oneIn(60)) return chance.one("*:*", "(*:*)", "*:* ");
    if (chance.oneIn(25)) return existence();
    if (chance.oneIn(15) && !instants.isEmpty()) return dated();
    if (chance.oneIn(40)) return words() + boost();
    Map<String, List<String>> kind = kind();
    String path = path(kind);
    String value = chance.one(kind.get(path));
    String other = chance.one(kind.get(path));
    if (chance.oneIn(40)) return field(strings) + ":" + parameters(path, value, other);
    if (chance.oneIn(25)) return parameters(path, value, other);
    // Now and then a value of another path, whose leaves may be of another type.
    if (chance.oneIn(10)) path = path(kind());
    return escaped(path) + chance.one(":", ":", ":", ":", " : ", ": ", ":/**/") + form(kind, value, other) + boost();
  }

  private String form(Map<String, List<String>> kind, String value, String other) {
    if (kind == strings || chance.oneIn(12)) return stringForm(value);
    if (chance.oneIn(5)) return "(" + plain(value, other) + ")";
    return chance.oneIn(3) ? range(value, other, true) : literal(value);
  }

  /** A value at any path. */
  private String words() {
    Map<String, List<String>> kind = kind();
    String value = chance.one(kind.get(path(kind)));
    return value.isEmpty() ? quoted(value) : chance.one("", "", "*:") + chance.one(literal(value), wildcard(value), escaped(value) + "~1");
  }

  private String existence() {
    String path = chance.oneIn(3) && !objects.isEmpty() ? chance.one(new ArrayList<>(objects)) : path(kind());
    return escaped(chance.oneIn(2) ? path : path + "x") + chance.one(":*", ":[* TO *]", ":{* TO *}", ": *");
  }

  /** Conditions on instants, with date math that is good and bad. */
  private String dated() {
    String path = chance.oneIn(6) ? path(kind()) : path(instants);
    return escaped(path) + ":" + chance.one(
        "[" + date() + " TO " + date() + chance.one("]", "}"),
        "{" + date() + " TO *]",
        "[* TO " + date() + "]",
        quoted(date()),
        escaped(date()));
  }

  private String date() {
    String value = chance.one(instants.get(path(instants)));
    String whole = value.length() < 19 ? value : value.substring(0, 19).replace(' ', 'T') + "Z";
    return switch (chance.below(8)) {
      case 0 -> "NOW" + chance.one("", "/DAY", "+1DAY", "-1YEAR", "+1DAYS/MONTH");
      case 1, 2, 3 -> whole;
      case 4, 5 -> whole + chance.one("+1SECOND", "-7SECONDS", "/MINUTE", "/MINUTE+14SECONDS", "-1DAY+1DAY", "+500MILLIS");
      case 6 -> whole.replace("Z", chance.one(".5Z", ".123456Z", ".000Z"));
      default -> chance.one("NOW", whole) + chance.one("-1WEEK", "-7days", "+", "/", "-1", "/DAYX", "1DAY", "+1.5DAYS", " ");
    };
  }

  private String plain(String a, String b) {
    return chance.one("", "+") + literal(a) + chance.one(" ", " OR ", " AND ") + chance.one("", "+", "-") + literal(b);
  }

  String literal(String value) {
    return chance.oneIn(3) || value.isEmpty() ? quoted(value) : escaped(value);
  }

  private String stringForm(String value) {
    if (value.length() > 40) return chance.one(literal(value), start(value) + "*", "*c" + value);
    return switch (chance.below(12)) {
      case 0 -> quoted(value) + chance.one("", "~", "~1", "~3", "~10");
      case 1 -> wildcard(value);
      case 2 -> escaped(start(value)) + "*";
      case 3 -> "*" + escaped(value.substring(start(value).length()));
      case 4, 5 -> regexp(value);
      case 6 -> escaped(edited(value.isEmpty() ? "a" : value)) + chance.one("~", "~0", "~1", "~2", "~3", "~0.5", "~0.8", "~0.3", "~1.0");
      case 7, 8 -> range(value, chance.one(WORDS), false);
      case 9 -> unicodeEscaped(value.isEmpty() ? "a" : value);
      default -> literal(value);
    };
  }

  private String range(String a, String b, boolean numbers) {
    return chance.one("[", "{") + chance.one(bound(a, numbers), bound(a, numbers), "*") + chance.one(" TO ", " TO ", "  TO  ") + chance.one(bound(b, numbers), bound(b, numbers), "*") + chance.one("]", "}");
  }

  private String bound(String value, boolean numbers) {
    if (numbers && !chance.oneIn(6)) return value;
    if (!value.isEmpty() && !value.contains("\"") && !value.contains("\\") && chance.oneIn(2)) return "\"" + value + "\"";
    return value.isEmpty() ? chance.one("a", "\\*", "TO", "\"\"") : chance.oneIn(2) ? escaped(value) : value;
  }

  private String wildcard(String value) {
    StringBuilder text = new StringBuilder();
    value.codePoints().forEach(c -> text.append(chance.oneIn(4) ? chance.one("?", "*", "?*", "**") : escaped(Character.toString(c))));
    return text.length() == 0 ? chance.one("?", "**", "*?") : text.toString();
  }

  private String regexp(String value) {
    StringBuilder text = new StringBuilder("/");
    value.codePoints().limit(30).forEach(c -> {
      String literal = ".?+*|{}[]()\"\\#@&<>~/".indexOf(c) >= 0 ? "\\" + Character.toString(c) : Character.toString(c);
      text.append(chance.oneIn(3)
          ? chance.one(".", "[a-z]", "[^x]", literal + "?", literal + "*", literal + "+", "(" + literal + "|x)", literal + "{1,2}", literal + "{1}", literal + "{0,}", ".*", "@", "[" + literal + "]", "()", "x|" + literal, "\\w", "\\d", "^", "$")
          : literal);
    });
    return text.append(value.isEmpty() ? chance.one(".*", ".?", "a*", "()", "@", "#") : "").append("/").toString();
  }

  private String parameters(String path, String value, String other) {
    String f = path.matches("\\S*") ? path : "'" + path + "'";
    String separator = chance.one(" ", ";", ", ", "ab");
    boolean patterns = strings.containsKey(path);
    return switch (chance.below(11)) {
      case 7 -> "{!" + chance.one("field", "raw") + " f=" + f + "}" + value;
      case 8 -> "{!bool must=" + single(f.startsWith("'") ? "*:*" : f + ":" + literal(value)) + chance.one("", " must_not=" + single(clause())) + "}";
      case 9 -> "{!bool should=" + single(clause()) + " should=" + single(clause()) + chance.one("", " filter=" + single(clause())) + "}";
      case 10 -> "{!boost b=2}" + clause();
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
    return chance.oneIn(12) ? chance.one("^2", "^0.5", "^=3", " ^2", "^1.25", "^=0") : "";
  }

  private static final String[] SOUP = {
    "+", "-", "!", "&&", "||", "(", ")", "{", "}", "[", "]", "^", "\"", "~", "*", "?", ":", "\\", "/", "AND", "OR", "NOT", "TO", "a", "b",
    "ab", "1", "2", "0.5", "s", "s:", "p:", "tags:a", "s:(", "filter(", "{!", "{!term f=s}", "=", "'", "/*", "*/", ",", "|", "&", "<", ">", "@", "#",
    "^2", "~1", "s:[a TO b]", "[a TO", "TO b]", "\\u0061", "\\u", "é", "💡", "\u3000", "\t", "s:te*", "s:/a/", "\"a b\"", "*:*", "_query_:",
  };

  private String defaulted(String query) {
    return query.startsWith("{!") || chance.oneIn(2) ? query : "{!lucene df=" + chance.one("s", "p", "tags") + "}" + query;
  }

  private String soup() {
    StringBuilder text = new StringBuilder();
    for (int i = 1 + chance.below(7); i > 0; i--) text.append(chance.oneIn(3) ? "s:" : "").append(chance.one(SOUP)).append(chance.one("", "", " "));
    return text.toString();
  }

  /** One character or token too few, too many or out of place. */
  private String mutated(String query) {
    int from = chance.below(query.length() + 1);
    int to = Math.min(query.length(), from + chance.below(3));
    return switch (chance.below(3)) {
      case 0 -> query.substring(0, from) + chance.one(SOUP) + query.substring(from);
      case 1 -> query.substring(0, from) + query.substring(to);
      default -> query.substring(0, from) + chance.one(SOUP) + query.substring(to);
    };
  }

  // ---- Texts --------------------------------------------------------------------------------------------------------

  /** One of those that the documents have; mostly strings. */
  private Map<String, List<String>> kind() {
    var kinds = new ArrayList<>(List.of(
        strings, strings, strings, strings, strings, strings, strings, wholes, wholes, decimals, decimals, booleans));
    kinds.removeIf(Map::isEmpty);
    return chance.one(kinds);
  }

  String path(Map<String, List<String>> kind) {
    return chance.one(new ArrayList<>(kind.keySet()));
  }

  private String field(Map<String, List<String>> kind) {
    return escaped(path(kind.isEmpty() ? kind() : kind));
  }

  static String escaped(String value) {
    StringBuilder text = new StringBuilder();
    value.codePoints().forEach(c -> {
      boolean special = Character.isWhitespace(c) || "+-!(){}[]^\"~*?:\\/&|".indexOf(c) >= 0;
      text.append(special ? "\\" : "").appendCodePoint(c);
    });
    return text.toString().matches("AND|OR|NOT") ? "\\" + text : text.toString();
  }

  private String unicodeEscaped(String value) {
    StringBuilder text = new StringBuilder();
    value.chars().forEach(c -> text.append(chance.oneIn(2) ? "\\u%04x".formatted(c) : Character.isSurrogate((char) c) ? "\\u%04X".formatted(c) : escaped(Character.toString(c))));
    return text.toString();
  }

  private static String quoted(String value) {
    return "\"" + value.replace("\\", "\\\\").replace("\"", "\\\"") + "\"";
  }

  private static String single(String value) {
    return "'" + value.replace("\\", "\\\\").replace("'", "\\'") + "'";
  }

  String start(String value) {
    int points = value.codePointCount(0, value.length());
    return value.substring(0, value.offsetByCodePoints(0, chance.below(points + 1)));
  }

  private String edited(String value) {
    StringBuilder text = new StringBuilder(value);
    for (int i = chance.below(4); i > 0 && text.length() > 0; i--) {
      int at = chance.below(text.length());
      if (Character.isSurrogate(text.charAt(at))) continue;
      switch (chance.below(3)) {
        case 0 -> text.insert(at, chance.one("a", "é", "x", "1"));
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
    return new String(text.getBytes(StandardCharsets.UTF_8), StandardCharsets.UTF_8).replace("\0", "");
  }
}
