import com.fasterxml.jackson.databind.DeserializationFeature;
import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.node.JsonNodeFactory;
import com.fasterxml.jackson.databind.node.ObjectNode;
import java.io.PrintStream;
import java.io.UncheckedIOException;
import java.math.BigDecimal;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.BitSet;
import java.util.Comparator;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import java.util.function.BiConsumer;
import org.apache.solr.client.solrj.embedded.EmbeddedSolrServer;
import org.apache.solr.common.SolrDocument;
import org.apache.solr.common.SolrInputDocument;
import org.apache.solr.common.params.MapSolrParams;

/**
 * Asks Solr: {@code Recorder DOCUMENTS QUERIES} reads JSON documents and JSON strings, one a line, and writes a line per query,
 * either {@code [query, "0-2 7"]}, the numbers of the documents that match (the first line's is 0), or {@code [query, {"error":
 * kind, "message": text}]}.
 */
public final class Recorder {
  private static final ObjectMapper JSON =
      new ObjectMapper()
          .enable(DeserializationFeature.USE_BIG_DECIMAL_FOR_FLOATS)
          .setNodeFactory(JsonNodeFactory.withExactBigDecimals(true));

  /** Solr's own field for a document's number. No path has this name. */
  private static final String NUMBER = "_number_";

  /** What can hold all values of a path, the widest last. A path of several kinds is one of strings. */
  private enum Type {
    plong, pdouble, bool, string;

    static Type of(JsonNode leaf) {
      if (leaf.isBoolean()) return bool;
      if (!leaf.isNumber()) return string;
      try {
        leaf.decimalValue().longValueExact();
        return plong;
      } catch (ArithmeticException e) {
        return pdouble;
      }
    }

    Type or(Type other) {
      boolean numbers = compareTo(pdouble) <= 0 && other.compareTo(pdouble) <= 0;
      return this == other ? this : numbers ? pdouble : string;
    }

    Object value(JsonNode leaf) {
      return switch (this) {
        case plong -> leaf.decimalValue().longValueExact();
        case pdouble -> leaf.doubleValue();
        case bool -> leaf.booleanValue();
        case string -> leaf.isNumber() ? plain(leaf.decimalValue()) : leaf.asText();
      };
    }

    private static String plain(BigDecimal number) {
      return number.stripTrailingZeros().toPlainString();
    }
  }

  public static void main(String[] args) throws Exception {
    List<JsonNode> documents = lines(args[0]);
    Path home = Files.createTempDirectory("conformance");
    // Solr's own log messages would go to the standard output.
    PrintStream out = new PrintStream(System.out, false, StandardCharsets.UTF_8);
    System.setOut(System.err);
    try {
      Map<String, Type> types = new TreeMap<>();
      documents.forEach(d -> leaves(d, "", (path, leaf) -> types.merge(path, Type.of(leaf), Type::or)));
      configure(home, types);
      try (EmbeddedSolrServer solr = new EmbeddedSolrServer(home, "corpus")) {
        index(solr, documents, types);
        for (JsonNode query : lines(args[1])) {
          out.println(JSON.createArrayNode().add(query).add(answer(solr, query.asText(), documents.size())));
        }
      }
    } finally {
      out.flush();
      try (var files = Files.walk(home)) {
        files.sorted(Comparator.reverseOrder()).forEach(file -> file.toFile().delete());
      }
    }
    // Solr leaves threads behind.
    System.exit(0);
  }

  private static List<JsonNode> lines(String file) throws Exception {
    List<JsonNode> values = new ArrayList<>();
    for (String line : Files.readAllLines(Path.of(file))) values.add(JSON.readTree(line));
    return values;
  }

  /** The document model: keys joined with dots, arrays transparent, null and what is empty no leaf. */
  private static void leaves(JsonNode node, String path, BiConsumer<String, JsonNode> leaf) {
    if (node.isObject()) {
      node.fields().forEachRemaining(f ->
          leaves(f.getValue(), path.isEmpty() ? f.getKey() : path + "." + f.getKey(), leaf));
    } else if (node.isArray()) {
      node.forEach(item -> leaves(item, path, leaf));
    } else if (!node.isNull()) {
      leaf.accept(path, node);
    }
  }

  private static void configure(Path home, Map<String, Type> types) throws Exception {
    Path conf = Files.createDirectories(home.resolve("corpus/conf"));
    Files.writeString(home.resolve("solr.xml"), "<solr><int name='maxBooleanClauses'>1000000</int></solr>");
    Files.writeString(home.resolve("corpus/core.properties"), "name=corpus");
    Files.writeString(conf.resolve("solrconfig.xml"), """
        <config>
          <luceneMatchVersion>8.11.4</luceneMatchVersion>
          <directoryFactory name="DirectoryFactory" class="solr.ByteBuffersDirectoryFactory"/>
          <schemaFactory class="ClassicIndexSchemaFactory"/>
          <updateHandler class="solr.DirectUpdateHandler2"/>
          <indexConfig><lockType>single</lockType></indexConfig>
          <query><maxBooleanClauses>1000000</maxBooleanClauses></query>
          <requestHandler name="/select" class="solr.SearchHandler"/>
        </config>
        """);
    StringBuilder fields = new StringBuilder();
    types.forEach((path, type) ->
        fields.append("<field name=\"%s\" type=\"%s\" multiValued=\"true\"/>\n".formatted(xml(path), type)));
    // A path that no document has is a field without values.
    Files.writeString(conf.resolve("schema.xml"), """
        <schema name="corpus" version="1.6">
          <fieldType name="string" class="solr.StrField"/>
          <fieldType name="plong" class="solr.LongPointField"/>
          <fieldType name="pdouble" class="solr.DoublePointField"/>
          <fieldType name="bool" class="solr.BoolField"/>
          <field name="%s" type="string" required="true" stored="true"/>
          <uniqueKey>%1$s</uniqueKey>
          <dynamicField name="*" type="string" multiValued="true"/>
          %s
        </schema>
        """.formatted(NUMBER, fields));
  }

  private static String xml(String text) {
    return text.replace("&", "&amp;").replace("<", "&lt;").replace("\"", "&quot;");
  }

  private static void index(EmbeddedSolrServer solr, List<JsonNode> documents, Map<String, Type> types)
      throws Exception {
    List<SolrInputDocument> batch = new ArrayList<>();
    for (JsonNode document : documents) {
      SolrInputDocument fields = new SolrInputDocument(NUMBER, Integer.toString(batch.size()));
      leaves(document, "", (path, leaf) -> fields.addField(path, types.get(path).value(leaf)));
      batch.add(fields);
    }
    solr.add(batch);
    solr.commit();
  }

  private static JsonNode answer(EmbeddedSolrServer solr, String query, int documents) {
    Map<String, String> params =
        Map.of("q", query, "fl", NUMBER, "rows", Integer.toString(documents), "echoParams", "none");
    try {
      BitSet found = new BitSet();
      for (SolrDocument hit : solr.query(new MapSolrParams(params)).getResults()) {
        found.set(Integer.parseInt((String) hit.getFieldValue(NUMBER)));
      }
      return JSON.getNodeFactory().textNode(intervals(found));
    } catch (UncheckedIOException e) {
      throw e;
    } catch (Exception | StackOverflowError e) {
      ObjectNode error = JSON.createObjectNode();
      return error.put("error", kind(e)).put("message", message(e, query));
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

  /** Whether the query, or only a value for the type of its field, was refused. */
  private static String kind(Throwable error) {
    String text = String.valueOf(error.getMessage());
    if (text.contains("SyntaxError")) return "syntax";
    if (text.contains("Invalid Number") || text.contains("on numeric fields")) return "type";
    // Solr looks at a pattern's field without checking that there is one.
    if (text.contains("no field name specified") || text.contains("NullPointerException")) return "field";
    return "other";
  }

  /** The first line, without the query itself. */
  private static String message(Throwable error, String query) {
    String text = String.valueOf(error.getMessage()).replace("'" + query + "'", "it").replace(query, "…");
    text = text.lines().findFirst().orElse("").replaceFirst("^(org[.a-z]*\\.\\w+: )+(java[.a-z]*\\.)?", "");
    return text.codePointCount(0, text.length()) <= 120 ? text : text.substring(0, text.offsetByCodePoints(0, 120));
  }
}
