import com.fasterxml.jackson.databind.JsonNode;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.function.Predicate;
import org.apache.lucene.search.Query;
import org.apache.lucene.search.TermInSetQuery;
import org.apache.lucene.util.BytesRef;
import org.apache.solr.common.SolrInputDocument;

/**
 * The different leaves of all documents, by path. A Solr document lists the numbers of its leaves in one field, so that any
 * condition on the leaves of a path is a query for the numbers of those that meet it. Its strings are also terms of a field by the
 * path's name, where Lucene's own patterns look for them.
 */
final class Leaves {
  /** No path has these names. */
  static final String NUMBER = "_number_";
  static final String LEAVES = "_leaves_";
  static final String PATHS = "_paths_";
  /** Stands for every path. */
  static final String ANY = "_any_";

  private static final Map<String, Map<String, Integer>> NUMBERS = new HashMap<>();
  private static final Map<String, List<Map.Entry<Integer, Leaf>>> AT = new HashMap<>();
  private static int count = 0;

  private Leaves() {}

  /** What Solr indexes of a document. */
  static SolrInputDocument fields(JsonNode document, int number) {
    // The store that answers the same queries has the document's number in it.
    SolrInputDocument fields = object(document, Integer.toString(number));
    for (String each : List.of(NUMBER, ANY)) {
      int leaf = number(each, Leaf.of(Corpus.JSON.getNodeFactory().numberNode(number)));
      fields.addField(LEAVES, Integer.toString(leaf));
    }
    fields.addField(PATHS, NUMBER);
    return fields;
  }

  /** What Solr indexes of an object, as a document of its own. */
  static SolrInputDocument object(JsonNode document, String id) {
    SolrInputDocument fields = new SolrInputDocument(NUMBER, id);
    Set<String> paths = new LinkedHashSet<>();
    Set<Integer> numbers = new LinkedHashSet<>();
    paths.add(ANY);
    Corpus.leaves(document, (path, node) -> {
      Leaf leaf = Leaf.of(node);
      for (int dot = path.indexOf('.'); dot >= 0; dot = path.indexOf('.', dot + 1)) paths.add(path.substring(0, dot));
      paths.add(path);
      for (String each : List.of(path, ANY)) {
        numbers.add(number(each, leaf));
        if (leaf.text() != null) fields.addField(each, leaf.text());
      }
    });
    paths.forEach(path -> fields.addField(PATHS, path));
    numbers.forEach(leaf -> fields.addField(LEAVES, Integer.toString(leaf)));
    return fields;
  }

  private static int number(String path, Leaf leaf) {
    return NUMBERS.computeIfAbsent(path, p -> new HashMap<>()).computeIfAbsent(leaf.identity(), identity -> {
      AT.computeIfAbsent(path, p -> new ArrayList<>()).add(Map.entry(count, leaf));
      return count++;
    });
  }

  /** The documents with a leaf at the path that meets a condition. */
  static Query where(String path, Predicate<Leaf> condition) {
    List<BytesRef> numbers = new ArrayList<>();
    AT.getOrDefault(field(path), List.of()).forEach(entry -> {
      if (condition.test(entry.getValue())) numbers.add(new BytesRef(Integer.toString(entry.getKey())));
    });
    return new TermInSetQuery(LEAVES, numbers);
  }

  /** Solr's grammar reads {@code *:v} as a field of that name. */
  static String field(String path) {
    return path.equals("*") ? ANY : path;
  }
}
