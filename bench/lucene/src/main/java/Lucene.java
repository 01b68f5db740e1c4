import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import java.io.BufferedReader;
import java.io.InputStreamReader;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.HashMap;
import java.util.Map;
import java.util.Set;
import org.apache.lucene.analysis.standard.StandardAnalyzer;
import org.apache.lucene.document.Document;
import org.apache.lucene.document.DoubleDocValuesField;
import org.apache.lucene.document.DoublePoint;
import org.apache.lucene.document.Field;
import org.apache.lucene.document.LongPoint;
import org.apache.lucene.document.NumericDocValuesField;
import org.apache.lucene.document.SortedDocValuesField;
import org.apache.lucene.document.SortedNumericDocValuesField;
import org.apache.lucene.document.SortedSetDocValuesField;
import org.apache.lucene.document.StoredField;
import org.apache.lucene.document.StringField;
import org.apache.lucene.index.DirectoryReader;
import org.apache.lucene.index.IndexWriter;
import org.apache.lucene.index.IndexWriterConfig;
import org.apache.lucene.index.Term;
import org.apache.lucene.queryparser.classic.ParseException;
import org.apache.lucene.queryparser.classic.QueryParser;
import org.apache.lucene.search.BooleanClause.Occur;
import org.apache.lucene.search.BooleanQuery;
import org.apache.lucene.search.ConstantScoreQuery;
import org.apache.lucene.search.FieldExistsQuery;
import org.apache.lucene.search.IndexOrDocValuesQuery;
import org.apache.lucene.search.IndexSearcher;
import org.apache.lucene.search.MatchAllDocsQuery;
import org.apache.lucene.search.Query;
import org.apache.lucene.search.ScoreDoc;
import org.apache.lucene.search.Sort;
import org.apache.lucene.search.SortField;
import org.apache.lucene.search.TermQuery;
import org.apache.lucene.search.TopDocs;
import org.apache.lucene.search.TopFieldCollector;
import org.apache.lucene.search.TopScoreDocCollector;
import org.apache.lucene.store.FSDirectory;
import org.apache.lucene.util.BytesRef;
import org.apache.lucene.util.NumericUtils;

/**
 * Lucene in this process: {@code Lucene SCHEMA DOCUMENTS INDEX} makes an index, then reads requests, {@code runs start sort
 * query} with tabs between, and writes a line for each: the count, then each run's nanoseconds. With a file of changes as a
 * fourth argument the index changes meanwhile: {@link Live}.
 */
public final class Lucene {
  static final String ID = "_id_"; // of a document that is to be replaced
  private static final String SOURCE = "_source_";
  private static final String ANY = "_any_";
  private static final int ROWS = 10;

  private static final Map<String, String> types = new HashMap<>();
  private static final Set<String> many = new java.util.HashSet<>();
  private static final ObjectMapper json = new ObjectMapper();

  /** What is asked for: the query, and the window of its documents. */
  record Question(int start, String sort, String query) {
    static Question of(String[] parts) {
      return new Question(Integer.parseInt(parts[1]), parts[2], parts[3]);
    }
  }

  public static void main(String[] args) throws Exception {
    readSchema(Path.of(args[0]));
    BufferedReader requests = new BufferedReader(new InputStreamReader(System.in, StandardCharsets.UTF_8));
    boolean live = args.length > 3;
    try (FSDirectory directory = FSDirectory.open(Path.of(args[2]))) {
      if (!DirectoryReader.indexExists(directory)) index(directory, Path.of(args[1]), live);
      if (live) {
        new Live(directory, Path.of(args[3])).answer(requests);
        return;
      }
      try (DirectoryReader reader = DirectoryReader.open(directory)) {
        answer(new IndexSearcher(reader), requests);
      }
    }
  }

  static void readSchema(Path schema) throws Exception {
    for (String line : Files.readAllLines(schema)) {
      String[] words = line.split(" ");
      if (words[0].startsWith("#")) continue;
      types.put(words[0], words[1]);
      if (words.length > 2) many.add(words[0]);
    }
  }

  static IndexWriterConfig config() {
    return new IndexWriterConfig().setRAMBufferSizeMB(256);
  }

  private static void index(FSDirectory directory, Path documents, boolean keyed) throws Exception {
    try (IndexWriter writer = new IndexWriter(directory, config());
        BufferedReader lines = Files.newBufferedReader(documents)) {
      for (String line; (line = lines.readLine()) != null; ) {
        writer.addDocument(document(line, json.readTree(line), keyed));
      }
      writer.forceMerge(1); // as VACUUM and ANALYZE are for a table: the best there is for reading
    }
  }

  static Document document(String line, JsonNode node, boolean keyed) {
    Document document = new Document();
    document.add(new StoredField(SOURCE, line));
    if (keyed) document.add(new StringField(ID, id(node), Field.Store.NO));
    leaves(node, "", document);
    return document;
  }

  static String id(JsonNode node) {
    return node.at("/session/id").asText();
  }

  /** As an upsert is. */
  static void replace(IndexWriter writer, String line) throws Exception {
    JsonNode node = json.readTree(line);
    writer.updateDocument(new Term(ID, id(node)), document(line, node, true));
  }

  private static void leaves(JsonNode node, String path, Document document) {
    if (node.isObject()) {
      node.fields().forEachRemaining(f ->
          leaves(f.getValue(), path.isEmpty() ? f.getKey() : path + "." + f.getKey(), document));
      return;
    }
    if (node.isArray()) {
      node.forEach(item -> leaves(item, path, document));
      return;
    }
    document.add(new StringField(ANY, node.asText(), Field.Store.NO));
    switch (types.get(path)) {
      case "long" -> {
        document.add(new LongPoint(path, node.longValue()));
        document.add(new NumericDocValuesField(path, node.longValue()));
      }
      case "double" -> {
        document.add(new DoublePoint(path, node.doubleValue()));
        document.add(new DoubleDocValuesField(path, node.doubleValue()));
      }
      default -> {
        BytesRef value = new BytesRef(node.asText());
        document.add(new StringField(path, value, Field.Store.NO));
        document.add(many.contains(path) ? new SortedSetDocValuesField(path, value) : new SortedDocValuesField(path, value));
      }
    }
  }

  private static void answer(IndexSearcher searcher, BufferedReader requests) throws Exception {
    searcher.setQueryCache(null); // the same query again must be answered again
    System.out.println("ready");
    for (String request; (request = requests.readLine()) != null; ) {
      String[] parts = request.split("\t", 4);
      Question question = Question.of(parts);
      StringBuilder times = new StringBuilder();
      int count = 0;
      for (int run = Integer.parseInt(parts[0]); run > 0; run--) {
        long begin = System.nanoTime();
        count = ask(searcher, question);
        times.append(' ').append(System.nanoTime() - begin);
      }
      System.out.println(count + times.toString());
    }
  }

  /** Counts the matches and reads the documents of the window. */
  static int ask(IndexSearcher searcher, Question question) throws Exception {
    Query query = new Parser().parse(question.query());
    int count = searcher.count(query);
    read = rows(searcher, query, question.sort(), question.start());
    return count;
  }

  private static volatile long read; // so that no compiler finds reading the documents to be of no use

  /** The documents of the window, in the order of the index unless there is another: nobody asks for a score. */
  private static long rows(IndexSearcher searcher, Query query, String sort, int start) throws Exception {
    int end = start + ROWS;
    TopDocs top;
    if (sort.isEmpty()) {
      top = searcher.search(new ConstantScoreQuery(query), TopScoreDocCollector.createSharedManager(end, null, end));
    } else {
      String[] words = sort.split(" ");
      SortField.Type type = SortField.Type.valueOf(types.get(words[0]).toUpperCase());
      Sort by = new Sort(new SortField(words[0], type, words[1].equals("desc")));
      top = searcher.search(query, TopFieldCollector.createSharedManager(by, end, null, end));
    }
    long length = 0;
    for (int i = start; i < top.scoreDocs.length; i++) {
      ScoreDoc hit = top.scoreDocs[i];
      length += searcher.storedFields().document(hit.doc, Set.of(SOURCE)).get(SOURCE).length();
    }
    return length;
  }

  /** Lucene's own parser, with the fields' types. */
  static final class Parser extends QueryParser {
    Parser() {
      super(ANY, new StandardAnalyzer());
      setAllowLeadingWildcard(true);
    }

    @Override
    public Query parse(String text) throws ParseException {
      Query query = super.parse(text);
      // Solr's rule, which Lucene leaves to its users: a query of prohibited clauses means all others
      if (query instanceof BooleanQuery bool && bool.clauses().stream().allMatch(c -> c.isProhibited())) {
        BooleanQuery.Builder all = new BooleanQuery.Builder().add(new MatchAllDocsQuery(), Occur.MUST);
        bool.clauses().forEach(all::add);
        return all.build();
      }
      return query;
    }

    @Override
    protected Query getFieldQuery(String field, String text, boolean quoted) {
      return switch (type(field)) {
        case "long" -> LongPoint.newExactQuery(field, Long.parseLong(text));
        case "double" -> DoublePoint.newExactQuery(field, Double.parseDouble(text));
        default -> new TermQuery(new Term(field, text));
      };
    }

    /** Closed intervals are all that is asked for. */
    @Override
    protected Query getRangeQuery(String field, String low, String high, boolean lowIn, boolean highIn)
        throws ParseException {
      switch (type(field)) {
        case "long" -> {
          long from = Long.parseLong(low), to = Long.parseLong(high);
          return new IndexOrDocValuesQuery(
              LongPoint.newRangeQuery(field, from, to), SortedNumericDocValuesField.newSlowRangeQuery(field, from, to));
        }
        case "double" -> {
          double from = Double.parseDouble(low), to = Double.parseDouble(high);
          return new IndexOrDocValuesQuery(
              DoublePoint.newRangeQuery(field, from, to),
              SortedNumericDocValuesField.newSlowRangeQuery(
                  field, NumericUtils.doubleToSortableLong(from), NumericUtils.doubleToSortableLong(to)));
        }
        default -> {
          return super.getRangeQuery(field, low, high, lowIn, highIn);
        }
      }
    }

    @Override
    protected Query getWildcardQuery(String field, String text) throws ParseException {
      boolean exists = text.equals("*") && !field.equals("*");
      return exists ? new FieldExistsQuery(field) : super.getWildcardQuery(field, text);
    }

    private static String type(String field) {
      return types.getOrDefault(field, "string");
    }
  }
}
