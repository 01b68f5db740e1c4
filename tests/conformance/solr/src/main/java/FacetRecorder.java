import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.node.ArrayNode;
import com.fasterxml.jackson.databind.node.JsonNodeFactory;
import com.fasterxml.jackson.databind.node.ObjectNode;
import java.io.UncheckedIOException;
import java.util.Date;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import org.apache.solr.common.util.NamedList;

/**
 * Asks Solr for facets: {@code FacetRecorder DOCUMENTS REQUESTS} reads JSON documents and lines {@code [query, facets]}, and writes
 * for each of these {@code [query, facets, answer]}, where a refusal is {@code {"error": code, "message": text}}. The paths of a
 * request become fields of Solr's, and the values of its answer become leaves again.
 */
public final class FacetRecorder {
  private static final Set<String> OF_NUMBERS = Set.of("sum", "avg", "sumsq", "variance", "stddev", "percentile");
  private static final Pattern STATISTIC = Pattern.compile("(\\s*(\\w+)\\()([^(),]+)(,.*)?\\)\\s*");
  private static final Pattern DATE = Pattern.compile("(NOW|\\d{4}-).*");
  private static final JsonNodeFactory NODES = Corpus.JSON.getNodeFactory();

  public static void main(String[] args) throws Exception {
    try (Indexed solr = new Indexed(args[0])) {
      for (JsonNode request : Corpus.lines(args[1])) {
        solr.out.println(((ArrayNode) request).add(answer(solr, request.get(0).asText(), request.get(1))));
      }
    }
    System.exit(0);
  }

  private static JsonNode answer(Indexed solr, String query, JsonNode facets) {
    String request = translated(facets).toString();
    Map<String, String> params =
        Map.of("q", query, "df", Leaves.ANY, "rows", "0", "echoParams", "none", "json.facet", request);
    try {
      return leaves(solr.query(params).getResponse().get("facets"));
    } catch (UncheckedIOException e) {
      throw e;
    } catch (Exception | StackOverflowError e) {
      boolean isRefused = e.getCause() instanceof org.apache.solr.common.SolrException s && s.code() == 400
          || e instanceof org.apache.solr.common.SolrException t && t.code() == 400;
      return NODES.objectNode().put("error", isRefused ? "refused" : "failed")
          .put("message", Recorder.message(String.valueOf(e.getMessage()), query).replaceFirst("(NullPointerException).*", "$1"));
    }
  }

  // ---- Requests -------------------------------------------------------------------------------------------------------

  private static JsonNode translated(JsonNode facets) {
    if (!facets.isObject()) return facets;
    ObjectNode translated = NODES.objectNode();
    facets.fields().forEachRemaining(f -> translated.set(f.getKey(), facet(f.getValue())));
    return translated;
  }

  private static JsonNode facet(JsonNode facet) {
    if (facet.isTextual()) return statistic(facet.asText());
    if (!facet.isObject() || facet.isEmpty()) return facet;
    String first = facet.fieldNames().next();
    if (facet.size() > 1 || first.equals("type")) return parameters(facet.path("type").asText(), facet);
    // The short form, {"terms": {…}}.
    return NODES.objectNode().set(first, parameters(first, facet.get(first)));
  }

  private static JsonNode parameters(String type, JsonNode given) {
    if (given.isTextual() && type.equals("terms")) return NODES.textNode(FacetFields.values(given.asText()));
    if (!given.isObject()) return given;
    ObjectNode parameters = NODES.objectNode();
    boolean isDate = DATE.matcher(given.path("start").asText()).matches();
    given.fields().forEachRemaining(f -> {
      JsonNode value = f.getValue();
      String text = value.asText();
      parameters.set(f.getKey(), switch (f.getKey()) {
        case "field" -> !value.isTextual() ? value
            : NODES.textNode(!type.equals("range") ? FacetFields.values(text)
                : isDate ? FacetFields.instants(text) : FacetFields.numbers(text));
        case "prefix" -> value.isTextual() ? NODES.textNode(FacetFields.string(text)) : value;
        case "func" -> value.isTextual() ? statistic(text) : value;
        case "facet" -> translated(value);
        default -> value;
      });
    });
    return parameters;
  }

  private static JsonNode statistic(String text) {
    Matcher parts = STATISTIC.matcher(text);
    if (!parts.matches()) return NODES.textNode(text);
    String path = parts.group(3).strip();
    String field = OF_NUMBERS.contains(parts.group(2)) ? FacetFields.numbers(path) : FacetFields.values(path);
    return NODES.textNode(parts.group(1) + field + (parts.group(4) == null ? "" : parts.group(4)) + ")");
  }

  // ---- Answers --------------------------------------------------------------------------------------------------------

  private static JsonNode leaves(Object answer) {
    if (answer == null) return NODES.nullNode();
    if (answer instanceof NamedList<?> list) {
      ObjectNode object = NODES.objectNode();
      list.forEach((name, value) -> object.set(name, leaves(value)));
      return object;
    }
    if (answer instanceof List<?> list) {
      ArrayNode array = NODES.arrayNode();
      list.forEach(value -> array.add(leaves(value)));
      return array;
    }
    if (answer instanceof String text) return FacetFields.decoded(text);
    if (answer instanceof Date date) return NODES.textNode(date.toInstant().toString());
    if (answer instanceof Double number) {
      return Double.isFinite(number) ? NODES.numberNode(number) : NODES.textNode(number.toString());
    }
    if (answer instanceof Number number) return NODES.numberNode(number.longValue());
    throw new IllegalStateException(answer.getClass().getName());
  }
}
