import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.node.JsonNodeFactory;
import com.fasterxml.jackson.databind.node.ObjectNode;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.HashSet;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.function.Supplier;

/**
 * Makes facet requests: {@code FacetGenerator SEED REQUESTS DIRECTORY} reads documents.ndjson and writes requests.ndjson, lines
 * {@code [query, facets]}, the same ones for the same seed. What they count are the paths and values of the documents.
 */
public final class FacetGenerator {
  private static final JsonNodeFactory NODES = Corpus.JSON.getNodeFactory();
  /** A path with more different values is not listed whole. */
  private static final int FEW = 40;

  private final Chance chance;
  private final Generator queries;
  private List<String> numbers;

  private FacetGenerator(Chance chance) {
    this.chance = chance;
    this.queries = new Generator(chance);
  }

  public static void main(String[] args) throws Exception {
    FacetGenerator generator = new FacetGenerator(new Chance(Long.parseLong(args[0])));
    Path directory = Path.of(args[2]);
    Corpus.lines(directory.resolve("documents.ndjson").toString()).forEach(generator.queries::learn);
    Set<String> numbers = new LinkedHashSet<>(generator.queries.wholes.keySet());
    numbers.addAll(generator.queries.decimals.keySet());
    generator.numbers = new ArrayList<>(numbers);
    Set<JsonNode> requests = new LinkedHashSet<>();
    while (requests.size() < Integer.parseInt(args[1])) requests.add(generator.request());
    Generator.write(directory.resolve("requests.ndjson"), requests);
  }

  private JsonNode request() {
    ObjectNode facets = facets(chance.one(0, 0, 0, 1, 1, 2));
    return NODES.arrayNode().add(query()).add(chance.oneIn(9) ? broken(facets) : facets);
  }

  private String query() {
    return switch (chance.below(8)) {
      case 0, 1, 2 -> "*:*";
      case 3 -> "-" + queries.clause();
      case 4 -> queries.clauses(1);
      // Paths whose numbers go up to 1e300: sums of others say more.
      case 5 -> numbers.isEmpty() ? "*:*" : Generator.escaped(chance.one(numbers)) + ":[-1000 TO 1000]";
      default -> queries.clause();
    };
  }

  /** Names, each with a facet; depth is how many levels may be below. */
  private ObjectNode facets(int depth) {
    ObjectNode facets = NODES.objectNode();
    for (int i = chance.one(1, 1, 2, 3); i > 0; i--) {
      switch (chance.below(depth == 0 ? 8 : 11)) {
        case 0, 1 -> add(facets, "by", terms(depth));
        case 2, 3 -> add(facets, "in", range(depth));
        case 4 -> add(facets, chance.one("only", "a b", "é"), query(depth));
        case 8, 9 -> add(facets, "by", terms(depth));
        case 10 -> add(facets, "in", chance.one(range(depth), query(depth)));
        default -> facets.set("stat" + facets.size(), statistic());
      }
    }
    return facets;
  }

  private void add(ObjectNode facets, String name, ObjectNode facet) {
    String type = facet.get("type").asText();
    // Solr's other form: {"terms": {…}}
    boolean isShort = chance.oneIn(6);
    if (isShort) facet.remove("type");
    facets.set(name + facets.size(), isShort ? NODES.objectNode().set(type, facet) : facet);
  }

  private void nest(ObjectNode facet, int depth) {
    if (depth > 0) facet.set("facet", facets(depth - 1));
  }

  // ---- Terms ----------------------------------------------------------------------------------------------------------

  private ObjectNode terms(int depth) {
    Map<String, List<String>> kind = kind();
    String path = queries.path(kind);
    Set<String> values = new HashSet<>(kind.get(path));
    ObjectNode terms = NODES.objectNode().put("type", "terms").put("field", chance.oneIn(40) ? path + "x" : path);
    if (depth > 0) terms.put("limit", chance.one(1, 2, 3));
    else sometimes(6, () -> terms.put("limit", chance.one(0, 1, 2, 3, 5, 7, values.size() > FEW ? 4 : -1)));
    sometimes(2, () -> terms.put("offset", chance.one(0, 1, 2, 3, 1000)));
    sometimes(2, () -> terms.put("mincount", chance.one(0, 1, 2, 3, 10, 1000)));
    sometimes(2, () -> terms.put("missing", chance.oneIn(5) ? false : true));
    sometimes(3, () -> terms.put("numBuckets", chance.oneIn(5) ? false : true));
    sometimes(2, () -> terms.put("allBuckets", chance.oneIn(5) ? false : true));
    if (kind == queries.strings) {
      sometimes(2, () -> {
        String prefix = queries.start(chance.one(kind.get(path)));
        if (!prefix.isEmpty()) terms.put("prefix", prefix);
      });
    }
    if (depth > 0 || chance.oneIn(3)) nest(terms, Math.max(depth, 1));
    sometimes(5, () -> terms.set("sort", sort(terms.path("facet"))));
    return terms;
  }

  private JsonNode sort(JsonNode nested) {
    List<String> keys = new ArrayList<>(List.of("count", "index"));
    nested.fields().forEachRemaining(f -> {
      boolean isOne = f.getValue().isTextual() && !f.getValue().asText().matches("percentile.*,.*,.*");
      if (isOne) keys.addAll(List.of(f.getKey(), f.getKey()));
    });
    String key = chance.one(keys), direction = chance.one("asc", "desc");
    return chance.oneIn(3) ? NODES.objectNode().put(key, direction)
        : NODES.textNode(key + (chance.oneIn(4) ? "" : " " + direction));
  }

  // ---- Ranges ---------------------------------------------------------------------------------------------------------

  private ObjectNode range(int depth) {
    ObjectNode range = NODES.objectNode().put("type", "range");
    if (!queries.instants.isEmpty() && chance.oneIn(3)) dates(range); else numbers(range);
    sometimes(3, () -> range.put("hardend", chance.oneIn(4) ? false : true));
    sometimes(4, () -> range.set("other", words("before", "after", "between", "all", "none")));
    sometimes(4, () -> range.set("include", words("lower", "upper", "edge", "outer", "all")));
    sometimes(2, () -> range.put("mincount", chance.one(0, 1, 2, 10)));
    nest(range, depth);
    return range;
  }

  /** Gaps and bounds that a double has exactly. Solr's adds the gap to itself. */
  private void numbers(ObjectNode range) {
    String path = chance.one(numbers);
    range.put("field", path);
    double start, gap;
    boolean isWhole = !queries.decimals.containsKey(path);
    if (isWhole && queries.wholes.get(path).stream().anyMatch(text -> text.length() > 12)) {
      gap = chance.one(1L << 51, 1L << 52, 1_000_000_000_000L);
      start = gap * -chance.below(4);
    } else if (isWhole) {
      gap = chance.one(1, 2, 3, 5, 10, 50, 100);
      start = gap * (chance.below(7) - 4) + chance.one(0, 0, 1, 2);
    } else {
      gap = chance.one(0.25, 0.5, 1.0, 1.5, 2.0, 10.0, 50.0);
      start = gap * (chance.below(7) - 4) + chance.one(0.0, 0.0, 0.5);
    }
    double end = start + gap * (1 + chance.below(6)) + (chance.oneIn(3) ? gap / chance.one(2, 4) : 0);
    Supplier<Boolean> asText = () -> chance.oneIn(8);
    put(range, "start", start, isWhole, asText.get());
    put(range, "end", end, isWhole, asText.get());
    put(range, "gap", gap, isWhole, asText.get());
  }

  private static void put(ObjectNode range, String name, double value, boolean isWhole, boolean isText) {
    JsonNode number = isWhole || value == Math.rint(value) ? NODES.numberNode((long) value) : NODES.numberNode(value);
    range.set(name, isText ? NODES.textNode(number.asText()) : number);
  }

  private void dates(ObjectNode range) {
    range.put("field", queries.path(queries.instants));
    String unit = chance.one("SECOND", "MINUTE", "MINUTE", "MINUTES", "HOUR", "DAY");
    int many = unit.equals("SECOND") ? chance.one(30, 45, 60, 100) : chance.one(1, 1, 1, 2, 3);
    String start = "2021-02-05T" + chance.one("04:06:36Z", "04:06:00Z", "04:07:18Z", "04:06:36Z/HOUR", "04:08:11Z/MINUTE", "00:00:00Z", "04:06:36Z-1MINUTE", "04:06:36.5Z");
    String plain = start.replaceFirst("/.*|-1MINUTE", "");
    range.put("start", start);
    range.put("end", plain + "+" + many * (1 + chance.below(7)) + unit + (chance.oneIn(3) ? "+7SECONDS" : ""));
    range.put("gap", "+" + many + unit);
  }

  private JsonNode words(String... choices) {
    if (chance.oneIn(2)) return NODES.textNode(chance.one(choices));
    var words = NODES.arrayNode();
    for (int i = 1 + chance.below(2); i > 0; i--) words.add(chance.one(choices));
    return words;
  }

  // ---- Queries and statistics -----------------------------------------------------------------------------------------

  private ObjectNode query(int depth) {
    ObjectNode query = NODES.objectNode().put("type", "query").put("q", query());
    if (depth > 0 || chance.oneIn(2)) nest(query, Math.max(depth, 1));
    return query;
  }

  private JsonNode statistic() {
    String text = switch (chance.below(12)) {
      case 0, 1, 2 -> chance.one("unique", "hll", "countvals", "missing") + "(" + plain(queries.path(kind())) + ")";
      case 3, 4 -> chance.one("min", "max") + "(" + plain(chance.oneIn(2) ? queries.path(kind()) : chance.one(numbers)) + ")";
      case 5, 6 -> "percentile(" + plain(chance.one(numbers)) + chance.one(",50", ",0", ",100", ",25,75", ",50,95,99", ", 99.9") + ")";
      default -> chance.one("sum", "avg", "sumsq", "variance", "stddev", "sum") + "(" + plain(chance.one(numbers)) + ")";
    };
    return chance.oneIn(10) ? NODES.objectNode().put("type", "func").put("func", text) : NODES.textNode(text);
  }

  /** Solr's functions know no names with other characters. */
  private String plain(String path) {
    return path.matches("[a-z._]+") ? path : "n";
  }

  // ---- Malformed requests ---------------------------------------------------------------------------------------------

  private JsonNode broken(ObjectNode facets) {
    String name = chance.one("stat", "by", "in");
    return switch (chance.below(8)) {
      case 0 -> facets.put(name, chance.one("sum", "sum(", "sum()", "sum(n", "total(n)", "", "n", "percentile(n)", "percentile(n,x)", "percentile(n,101)", "percentile(n,-1)", "sum(n) sum(n)", "unique()", "missing(n"));
      case 1 -> facets.set(name, chance.one(NODES.numberNode(5), NODES.booleanNode(true), NODES.nullNode(), NODES.arrayNode().add("sum(n)"), NODES.objectNode()));
      case 2 -> chance.one(NODES.textNode("sum(n)"), NODES.numberNode(1), NODES.arrayNode());
      case 3 -> facets.set(name, bad(NODES.objectNode().put("type", chance.one("term", "ranges", "Terms", "", "facet")).put("field", "s").put("limit", 3)));
      case 4, 5 -> facets.set(name, bad(terms(chance.below(2))));
      case 6 -> facets.set(name, bad(range(chance.below(2))));
      default -> {
        ObjectNode query = query(chance.below(2));
        yield facets.set(name, switch (chance.below(4)) {
          case 0, 1 -> query.put("q", chance.one("s:(a", "s:[a TO", "\"", "AND", "s:a)"));
          case 2 -> query.put("facet", "sum(n)");
          default -> query.put("type", "queries");
        });
      }
    };
  }

  private ObjectNode bad(ObjectNode facet) {
    boolean isRange = facet.has("gap");
    return switch (chance.below(isRange ? 12 : 14)) {
      case 0 -> facet.without("field");
      case 1 -> facet.put("mincount", chance.one("1", "x", ""));
      case 2 -> facet.put("facet", chance.one("sum(n)", "x"));
      case 3 -> facet.set("facet", NODES.objectNode().put("x", chance.one("nothing(n)", "sum(", "sum(n")));
      case 4 -> facet.put("field", 5);
      case 5 -> isRange ? facet.put("hardend", chance.one("true", "yes")) : facet.put("limit", chance.one("3", "x", "all"));
      case 6 -> isRange ? facet.put("gap", chance.one("0", "x", "+1FOO", "-1")) : facet.put("limit", 1.5);
      case 7 -> isRange ? facet.without("gap") : facet.put("missing", chance.one("true", "yes", ""));
      case 8 -> isRange ? facet.without("end") : facet.put("numBuckets", 1);
      case 9 -> isRange ? facet.without("start") : facet.put("offset", chance.one("1", "x"));
      case 10 -> isRange ? facet.put("include", chance.one("lowest", "")) : facet.put("sort", chance.one("nothing desc", "count down", "count asc desc", "desc", ""));
      case 11 -> isRange ? facet.put("other", chance.one("middle", "")) : facet.set("sort", NODES.objectNode().put(chance.one("nothing", "count"), chance.one("asc", "up")));
      case 12 -> facet.put("prefix", 5);
      default -> facet.put("allBuckets", "true");
    };
  }

  // ---- Paths ----------------------------------------------------------------------------------------------------------

  /** Mostly strings. */
  private Map<String, List<String>> kind() {
    List<Map<String, List<String>>> kinds =
        new ArrayList<>(List.of(queries.strings, queries.strings, queries.strings, queries.wholes, queries.decimals, queries.booleans));
    kinds.removeIf(Map::isEmpty);
    return chance.one(kinds);
  }

  private void sometimes(int tenths, Runnable then) {
    if (chance.below(10) < tenths) then.run();
  }
}
