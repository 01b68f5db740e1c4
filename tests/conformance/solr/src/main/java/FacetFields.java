import com.fasterxml.jackson.databind.JsonNode;
import java.math.BigDecimal;
import java.util.ArrayList;
import java.util.Date;
import java.util.HashMap;
import java.util.HashSet;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.TreeMap;
import org.apache.solr.common.SolrInputDocument;

/**
 * The fields that Solr counts. Each path has several, since a field of Solr's has one type: its leaves of all types as strings in
 * the order that the README gives them (numbers, strings, booleans), its numbers, and its instants. In each of them a document has
 * a value once, however often it stands there.
 */
final class FacetFields {
  static final String VALUES = "_values_";
  static final String WHOLES = "_wholes_";
  static final String NUMBERS = "_numbers_";
  static final String INSTANTS = "_instants_";

  private static final Map<String, Integer> PATHS = new LinkedHashMap<>();
  /** Paths with a number that is no long. */
  private static final Set<String> DECIMALS = new HashSet<>();
  private static final TreeMap<BigDecimal, Integer> RANKS = new TreeMap<>();
  private static final Map<String, JsonNode> LEAVES = new HashMap<>();

  private FacetFields() {}

  static void learn(List<JsonNode> documents) {
    for (JsonNode document : documents) {
      Corpus.leaves(document, (path, node) -> {
        PATHS.putIfAbsent(path, PATHS.size());
        if (!node.isNumber()) return;
        RANKS.put(node.decimalValue(), 0);
        if (!isWhole(node.decimalValue())) DECIMALS.add(path);
      });
    }
    int rank = 0;
    for (BigDecimal number : RANKS.keySet()) RANKS.put(number, rank++);
  }

  static void add(JsonNode document, SolrInputDocument fields) {
    Map<String, Map<Object, Object>> values = new HashMap<>();
    Corpus.leaves(document, (path, node) -> {
      Leaf leaf = Leaf.of(node);
      String text = encoded(leaf);
      LEAVES.putIfAbsent(text, node);
      put(values, VALUES, path, text);
      if (leaf.number() != null) {
        boolean isWhole = !DECIMALS.contains(path);
        put(values, isWhole ? WHOLES : NUMBERS, path, isWhole ? (Object) leaf.number().longValue() : leaf.number().doubleValue());
      }
      // As in queries, a number is milliseconds since 1970 where it meets a date.
      Long milliseconds = leaf.instant() != null ? (Long) leaf.instant().toEpochMilli()
          : leaf.number() != null && isWhole(leaf.number()) ? (Long) leaf.number().longValue() : null;
      if (milliseconds != null) put(values, INSTANTS, path, new Date(milliseconds));
    });
    values.forEach((field, different) -> fields.addField(field, new ArrayList<>(different.values())));
  }

  private static void put(Map<String, Map<Object, Object>> values, String kind, String path, Object value) {
    values.computeIfAbsent(kind + number(path), f -> new LinkedHashMap<>()).put(value, value);
  }

  private static boolean isWhole(BigDecimal number) {
    return number.remainder(BigDecimal.ONE).signum() == 0 && number.abs().compareTo(BigDecimal.valueOf(Long.MAX_VALUE)) <= 0
        || number.compareTo(BigDecimal.valueOf(Long.MIN_VALUE)) == 0;
  }

  private static String number(String path) {
    Integer number = PATHS.get(path);
    return number == null ? "none" : number.toString();
  }

  static String values(String path) {
    return VALUES + number(path);
  }

  static String numbers(String path) {
    return (DECIMALS.contains(path) ? NUMBERS : WHOLES) + number(path);
  }

  static String instants(String path) {
    return INSTANTS + number(path);
  }

  // ---- Leaves as strings ----------------------------------------------------------------------------------------------

  /** Sorts as the leaves do. */
  private static String encoded(Leaf leaf) {
    if (leaf.number() != null) return "n%06d".formatted(RANKS.get(leaf.number()));
    return leaf.text() != null ? string(leaf.text()) : "t" + leaf.truth();
  }

  static String string(String text) {
    return "s" + text;
  }

  static JsonNode decoded(String text) {
    return LEAVES.get(text);
  }
}
