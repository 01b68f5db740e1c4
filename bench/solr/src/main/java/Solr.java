import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import java.io.BufferedReader;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import org.apache.solr.client.solrj.embedded.EmbeddedSolrServer;
import org.apache.solr.client.solrj.embedded.JettyConfig;
import org.apache.solr.client.solrj.embedded.JettySolrRunner;
import org.apache.solr.common.SolrInputDocument;

/**
 * A Solr server for one collection: {@code Solr SCHEMA DOCUMENTS HOME} makes the core, writes its port and serves until its
 * standard input ends.
 */
public final class Solr {
  private static final String CORE = "bench";
  private static final String SOURCE = "_source_";

  public static void main(String[] args) throws Exception {
    Path home = Path.of(args[2]).toAbsolutePath();
    boolean fresh = !Files.exists(home.resolve("complete"));
    if (fresh) configure(home, Path.of(args[0]));
    // Solr's own messages would go to the standard output.
    var out = System.out;
    System.setOut(System.err);
    JettySolrRunner solr = new JettySolrRunner(home.toString(), JettyConfig.builder().setContext("/solr").build());
    solr.start();
    if (fresh) {
      index(new EmbeddedSolrServer(solr.getCoreContainer(), CORE), Path.of(args[1]));
      Files.createFile(home.resolve("complete"));
    }
    out.println("ready " + solr.getLocalPort());
    while (System.in.read() >= 0) {}
    solr.stop();
    System.exit(0); // Solr leaves threads behind
  }

  private static void configure(Path home, Path schema) throws Exception {
    Path conf = Files.createDirectories(home.resolve(CORE + "/conf"));
    Files.writeString(home.resolve("solr.xml"), "<solr/>");
    Files.writeString(home.resolve(CORE + "/core.properties"), "name=" + CORE);
    // Without caches: the same query again must be answered again.
    Files.writeString(conf.resolve("solrconfig.xml"), """
        <config>
          <luceneMatchVersion>8.11.4</luceneMatchVersion>
          <schemaFactory class="ClassicIndexSchemaFactory"/>
          <updateHandler class="solr.DirectUpdateHandler2"/>
          <indexConfig><ramBufferSizeMB>256</ramBufferSizeMB></indexConfig>
          <query/>
          <requestHandler name="/select" class="solr.SearchHandler"/>
        </config>
        """);
    StringBuilder fields = new StringBuilder();
    for (String line : Files.readAllLines(schema)) {
      String[] words = line.split(" ");
      if (words[0].startsWith("#")) continue;
      fields.append("<field name='%s' type='%s' multiValued='%s'/><copyField source='%1$s' dest='_any_'/>\n"
          .formatted(words[0], words[1], words.length > 2));
    }
    Files.writeString(conf.resolve("schema.xml"), """
        <schema name="bench" version="1.6">
          <types>
            <fieldType name="string" class="solr.StrField" docValues="true" stored="false"/>
            <fieldType name="long" class="solr.LongPointField" docValues="true" stored="false"/>
            <fieldType name="double" class="solr.DoublePointField" docValues="true" stored="false"/>
            <fieldType name="boolean" class="solr.BoolField" docValues="true" stored="false"/>
          </types>
          <field name="_source_" type="string" indexed="false" docValues="false" stored="true"/>
          <field name="_any_" type="string" docValues="false" multiValued="true"/>
          %s
        </schema>
        """.formatted(fields));
  }

  private static void index(EmbeddedSolrServer solr, Path documents) throws Exception {
    ObjectMapper json = new ObjectMapper();
    List<SolrInputDocument> batch = new ArrayList<>();
    try (BufferedReader lines = Files.newBufferedReader(documents)) {
      for (String line; (line = lines.readLine()) != null; ) {
        SolrInputDocument document = new SolrInputDocument();
        leaves(json.readTree(line), "", document);
        document.addField(SOURCE, line);
        batch.add(document);
        if (batch.size() == 1000) {
          solr.add(batch);
          batch.clear();
        }
      }
    }
    if (!batch.isEmpty()) solr.add(batch);
    solr.commit();
    solr.optimize(true, true, 1); // as VACUUM and ANALYZE are for a table: the best there is for reading
  }

  private static void leaves(JsonNode node, String path, SolrInputDocument document) {
    if (node.isObject()) {
      node.fields().forEachRemaining(f ->
          leaves(f.getValue(), path.isEmpty() ? f.getKey() : path + "." + f.getKey(), document));
    } else if (node.isArray()) {
      node.forEach(item -> leaves(item, path, document));
    } else {
      document.addField(path, node.isNumber() ? node.numberValue() : node.asText());
    }
  }
}
