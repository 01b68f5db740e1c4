import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.node.ObjectNode;
import java.io.PrintStream;
import java.io.UncheckedIOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.BitSet;
import java.util.Comparator;
import java.util.List;
import java.util.Map;
import org.apache.solr.client.solrj.embedded.EmbeddedSolrServer;
import org.apache.solr.common.SolrDocument;
import org.apache.solr.common.SolrInputDocument;
import org.apache.solr.common.params.MapSolrParams;

/**
 * Asks Solr: {@code Recorder DOCUMENTS QUERIES} reads JSON documents and JSON strings, one a line, and writes a line per query,
 * either {@code [query, "0-2 7"]}, the numbers of the documents that match (the first line's is 0), or {@code [query, {"error":
 * kind, "message": text}]}. Solr's own parser reads the queries; its fields hold leaves of any type (see LeafField).
 */
public final class Recorder {
  private static final String CONFIG = """
      <config>
        <luceneMatchVersion>8.11.4</luceneMatchVersion>
        <directoryFactory name="DirectoryFactory" class="solr.ByteBuffersDirectoryFactory"/>
        <schemaFactory class="ClassicIndexSchemaFactory"/>
        <updateHandler class="solr.DirectUpdateHandler2"/>
        <indexConfig><lockType>single</lockType></indexConfig>
        <query><maxBooleanClauses>1000000</maxBooleanClauses></query>
        <queryParser name="lucene" class="LeafQParserPlugin"/>
        <queryParser name="terms" class="LeafTermsQParserPlugin"/>
        <!-- Its own looks for a term of bytes, and numbers have none here. -->
        <queryParser name="raw" class="solr.TermQParserPlugin"/>
        <requestHandler name="/select" class="solr.SearchHandler"/>
      </config>
      """;

  /** A path that no document has is a field without values. */
  private static final String SCHEMA = """
      <schema name="corpus" version="1.6">
        <fieldType name="string" class="solr.StrField"/>
        <fieldType name="leaf" class="LeafField"/>
        <field name="%s" type="leaf" required="true" stored="true"/>
        <uniqueKey>%1$s</uniqueKey>
        <field name="%s" type="string" multiValued="true" stored="false"/>
        <field name="%s" type="string" multiValued="true" stored="false"/>
        <dynamicField name="*" type="leaf" multiValued="true" stored="false"/>
      </schema>
      """.formatted(Leaves.NUMBER, Leaves.LEAVES, Leaves.PATHS);

  public static void main(String[] args) throws Exception {
    List<JsonNode> documents = Corpus.lines(args[0]);
    Path home = Files.createTempDirectory("conformance");
    // Solr's own log messages would go to the standard output.
    PrintStream out = new PrintStream(System.out, false, StandardCharsets.UTF_8);
    System.setOut(System.err);
    try {
      Path conf = Files.createDirectories(home.resolve("corpus/conf"));
      Files.writeString(home.resolve("solr.xml"), "<solr><int name='maxBooleanClauses'>1000000</int></solr>");
      Files.writeString(home.resolve("corpus/core.properties"), "name=corpus");
      Files.writeString(conf.resolve("solrconfig.xml"), CONFIG);
      Files.writeString(conf.resolve("schema.xml"), SCHEMA);
      try (EmbeddedSolrServer solr = new EmbeddedSolrServer(home, "corpus")) {
        List<SolrInputDocument> batch = new ArrayList<>();
        for (JsonNode document : documents) batch.add(Leaves.fields(document, batch.size()));
        solr.add(batch);
        solr.commit();
        for (JsonNode query : Corpus.lines(args[1])) {
          JsonNode answer = answer(solr, query.asText(), documents.size());
          out.println(Corpus.JSON.createArrayNode().add(query).add(answer));
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

  private static JsonNode answer(EmbeddedSolrServer solr, String query, int documents) {
    Map<String, String> params =
        Map.of("q", query, "df", Leaves.ANY, "fl", Leaves.NUMBER, "rows", Integer.toString(documents), "echoParams", "none");
    try {
      BitSet found = new BitSet();
      for (SolrDocument hit : solr.query(new MapSolrParams(params)).getResults()) {
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
  private static String message(String error, String query) {
    String text = error.replace("'" + query + "'", "it").replace(query, "…").replace('\0', '␀');
    text = text.lines().findFirst().orElse("").replaceFirst("^(org[.a-z]*\\.\\w+: )+(java[.a-z]*\\.)?", "");
    return text.codePointCount(0, text.length()) <= 120 ? text : text.substring(0, text.offsetByCodePoints(0, 120));
  }
}
