import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.node.ObjectNode;
import java.io.UncheckedIOException;
import java.util.ArrayList;
import java.util.BitSet;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import org.apache.solr.common.SolrDocument;

/**
 * Asks Solr: {@code Recorder DOCUMENTS QUERIES} reads JSON documents and JSON strings, one a line, and writes a line per query,
 * either {@code [query, "0-2 7"]}, the numbers of the documents that match (the first line's is 0), or {@code [query, {"error":
 * kind, "message": text}]}. Solr's own parser reads the queries; its fields hold leaves of any type (see LeafField).
 */
public final class Recorder {
  public static void main(String[] args) throws Exception {
    try (Indexed solr = new Indexed(args[0])) {
      for (JsonNode query : Corpus.lines(args[1])) {
        solr.out.println(Corpus.JSON.createArrayNode().add(query).add(answer(solr, query.asText())));
      }
    }
    // Solr leaves threads behind.
    System.exit(0);
  }

  private static JsonNode answer(Indexed solr, String query) {
    return answer(solr, query, Map.of());
  }

  /** The documents that match, with other parameters of the request. */
  static JsonNode answer(Indexed solr, String query, Map<String, String> others) {
    Map<String, String> params = new HashMap<>(others);
    params.putAll(Map.of(
        "q", query, "df", Leaves.ANY, "fl", Leaves.NUMBER, "rows", Integer.toString(solr.documents), "echoParams", "none"));
    try {
      BitSet found = new BitSet();
      for (SolrDocument hit : solr.query(params).getResults()) {
        found.set(Integer.parseInt((String) hit.getFieldValue(Leaves.NUMBER)));
      }
      return Corpus.JSON.getNodeFactory().textNode(intervals(found));
    } catch (UncheckedIOException e) {
      throw e;
    } catch (Exception | StackOverflowError e) {
      ObjectNode error = Corpus.JSON.createObjectNode();
      String text = String.valueOf(e.getMessage());
      return error.put("error", text.contains("SyntaxError") ? "syntax" : "other").put("message", message(text, query));
    }
  }

  private static String intervals(BitSet numbers) {
    List<String> intervals = new ArrayList<>();
    for (int from = numbers.nextSetBit(0); from >= 0; ) {
      int to = numbers.nextClearBit(from);
      intervals.add(to == from + 1 ? "" + from : from + "-" + (to - 1));
      from = numbers.nextSetBit(to);
    }
    return String.join(" ", intervals);
  }

  /** The first line, without the query itself, and without NUL, which jsonb does not hold. */
  static String message(String error, String query) {
    String text = error.replace("'" + query + "'", "it").replace(query, "…").replace('\0', '␀');
    text = text.lines().findFirst().orElse("").replaceFirst("^(org[.a-z]*\\.\\w+: )+(java[.a-z]*\\.)?", "");
    return text.codePointCount(0, text.length()) <= 120 ? text : text.substring(0, text.offsetByCodePoints(0, 120));
  }
}
