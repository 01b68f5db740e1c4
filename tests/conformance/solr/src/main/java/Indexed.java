import com.fasterxml.jackson.databind.JsonNode;
import java.io.IOException;
import java.io.PrintStream;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.List;
import java.util.Map;
import org.apache.solr.client.solrj.embedded.EmbeddedSolrServer;
import org.apache.solr.client.solrj.response.QueryResponse;
import org.apache.solr.common.SolrInputDocument;
import org.apache.solr.common.params.MapSolrParams;

/**
 * A Solr of its own over the documents of a file. Its own parser reads the queries; fields by the paths' names hold leaves of any
 * type (see LeafField), and what is counted has fields beside them (see FacetFields).
 */
final class Indexed implements AutoCloseable {
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
        <fieldType name="long" class="solr.LongPointField"/>
        <fieldType name="double" class="solr.DoublePointField"/>
        <fieldType name="date" class="solr.DatePointField"/>
        <field name="%s" type="leaf" required="true" stored="true"/>
        <uniqueKey>%1$s</uniqueKey>
        <field name="%s" type="string" multiValued="true" stored="false"/>
        <field name="%s" type="string" multiValued="true" stored="false"/>
        <!-- Of the objects of a document (see ObjectRecorder). -->
        <field name="_root_" type="leaf" stored="false"/>
        <field name="_path_" type="string" stored="false"/>
        <dynamicField name="*" type="leaf" multiValued="true" stored="false"/>
        <dynamicField name="%s*" type="string" multiValued="true" stored="false" docValues="true"/>
        <dynamicField name="%s*" type="long" multiValued="true" stored="false" docValues="true"/>
        <dynamicField name="%s*" type="double" multiValued="true" stored="false" docValues="true"/>
        <dynamicField name="%s*" type="date" multiValued="true" stored="false" docValues="true"/>
      </schema>
      """.formatted(Leaves.NUMBER, Leaves.LEAVES, Leaves.PATHS,
          FacetFields.VALUES, FacetFields.WHOLES, FacetFields.NUMBERS, FacetFields.INSTANTS);

  /** The standard output, to which Solr's own log messages would go. */
  final PrintStream out = new PrintStream(System.out, false, StandardCharsets.UTF_8);
  final int documents;
  private final Path home = Files.createTempDirectory("conformance");
  private final EmbeddedSolrServer solr;

  Indexed(String file) throws Exception {
    this(fields(Corpus.lines(file)));
  }

  private static List<SolrInputDocument> fields(List<JsonNode> lines) {
    FacetFields.learn(lines);
    List<SolrInputDocument> batch = new ArrayList<>();
    for (JsonNode document : lines) {
      SolrInputDocument fields = Leaves.fields(document, batch.size());
      FacetFields.add(document, fields);
      batch.add(fields);
    }
    return batch;
  }

  Indexed(List<SolrInputDocument> batch) throws Exception {
    System.setOut(System.err);
    Path conf = Files.createDirectories(home.resolve("corpus/conf"));
    Files.writeString(home.resolve("solr.xml"), "<solr><int name='maxBooleanClauses'>1000000</int></solr>");
    Files.writeString(home.resolve("corpus/core.properties"), "name=corpus");
    Files.writeString(conf.resolve("solrconfig.xml"), CONFIG);
    Files.writeString(conf.resolve("schema.xml"), SCHEMA);
    solr = new EmbeddedSolrServer(home, "corpus");
    documents = batch.size();
    solr.add(batch);
    solr.commit();
  }

  QueryResponse query(Map<String, String> params) throws Exception {
    return solr.query(new MapSolrParams(params));
  }

  @Override
  public void close() throws IOException {
    out.flush();
    solr.close();
    try (var files = Files.walk(home)) {
      files.sorted(Comparator.reverseOrder()).forEach(file -> file.toFile().delete());
    }
  }
}
