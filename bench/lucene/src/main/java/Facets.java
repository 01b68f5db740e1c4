import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import java.io.BufferedReader;
import java.io.IOException;
import java.io.InputStreamReader;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.stream.Collectors;
import java.util.stream.IntStream;
import java.util.stream.Stream;
import org.apache.lucene.document.Document;
import org.apache.lucene.facet.FacetResult;
import org.apache.lucene.facet.FacetsCollector;
import org.apache.lucene.facet.FacetsConfig;
import org.apache.lucene.facet.LongValueFacetCounts;
import org.apache.lucene.facet.range.LongRange;
import org.apache.lucene.facet.range.LongRangeFacetCounts;
import org.apache.lucene.facet.sortedset.DefaultSortedSetDocValuesReaderState;
import org.apache.lucene.facet.sortedset.SortedSetDocValuesFacetCounts;
import org.apache.lucene.facet.sortedset.SortedSetDocValuesFacetField;
import org.apache.lucene.facet.sortedset.SortedSetDocValuesReaderState;
import org.apache.lucene.index.ConcurrentMergeScheduler;
import org.apache.lucene.index.DirectoryReader;
import org.apache.lucene.index.IndexReader;
import org.apache.lucene.index.IndexWriter;
import org.apache.lucene.index.LeafReaderContext;
import org.apache.lucene.index.NumericDocValues;
import org.apache.lucene.index.PostingsEnum;
import org.apache.lucene.index.Term;
import org.apache.lucene.index.Terms;
import org.apache.lucene.index.TermsEnum;
import org.apache.lucene.search.BooleanClause.Occur;
import org.apache.lucene.search.BooleanQuery;
import org.apache.lucene.search.IndexSearcher;
import org.apache.lucene.search.MatchAllDocsQuery;
import org.apache.lucene.search.Query;
import org.apache.lucene.search.SearcherFactory;
import org.apache.lucene.search.SearcherManager;
import org.apache.lucene.search.TermQuery;
import org.apache.lucene.store.FSDirectory;
import org.apache.lucene.util.BytesRef;
import org.apache.lucene.util.StringHelper;

/**
 * Lucene's facets in this process: {@code Facets SCHEMA DOCUMENTS INDEX CHANGES} makes an index, then reads requests and writes a
 * line for each. As in {@link Live}, the reader is reopened before each question.
 *
 * <ul>
 *   <li>{@code runs kind field more query}, tabs between: the counts of the answer with commas between, then each run's nanoseconds
 *   <li>{@code change N}: the next N changes
 * </ul>
 */
public final class Facets {
  private static final int LIMIT = 10;
  /** The strings that are counted. Each has its own field, so that none pays for the values of another. */
  private static final List<String> STRINGS = List.of("event.type", "_m1.geo.city");

  private static final FacetsConfig facets = new FacetsConfig();
  private static final ObjectMapper json = new ObjectMapper();

  private final IndexWriter writer;
  private final SearcherManager searchers;
  private final BufferedReader changes;
  /** What SortedSetDocValues need to know of a reader: made once for each. */
  private final Map<String, SortedSetDocValuesReaderState> states = new HashMap<>();

  private Facets(FSDirectory directory, Path changes) throws Exception {
    this.writer = new IndexWriter(directory, Lucene.config().setCommitOnClose(false));
    this.changes = Files.newBufferedReader(changes);
    this.searchers = new SearcherManager(writer, new SearcherFactory() {
      @Override
      public IndexSearcher newSearcher(IndexReader reader, IndexReader previous) {
        states.clear();
        IndexSearcher searcher = new IndexSearcher(reader);
        searcher.setQueryCache(null); // the same query again must be answered again
        return searcher;
      }
    });
  }

  public static void main(String[] args) throws Exception {
    Lucene.readSchema(Path.of(args[0]));
    STRINGS.forEach(field -> facets.setIndexFieldName(field, "$" + field));
    try (FSDirectory directory = FSDirectory.open(Path.of(args[2]))) {
      if (!DirectoryReader.indexExists(directory)) index(directory, Path.of(args[1]));
      Facets served = new Facets(directory, Path.of(args[3]));
      BufferedReader requests = new BufferedReader(new InputStreamReader(System.in, StandardCharsets.UTF_8));
      System.out.println("ready");
      for (String request; (request = requests.readLine()) != null; ) {
        String[] words = request.split("\t", 5);
        System.out.println(words[0].equals("change") ? served.change(Integer.parseInt(words[1])) : served.run(words));
      }
      served.searchers.close();
      served.writer.rollback();
    }
  }

  private static void index(FSDirectory directory, Path documents) throws Exception {
    try (IndexWriter writer = new IndexWriter(directory, Lucene.config());
        BufferedReader lines = Files.newBufferedReader(documents)) {
      for (String line; (line = lines.readLine()) != null; ) writer.addDocument(document(line, json.readTree(line)));
      writer.forceMerge(1);
    }
  }

  private static Document document(String line, JsonNode node) throws IOException {
    Document document = Lucene.document(line, node, true);
    for (String field : STRINGS) {
      document.add(new SortedSetDocValuesFacetField(field, node.at("/" + field.replace('.', '/')).asText()));
    }
    return facets.build(document);
  }

  private String change(int count) throws Exception {
    for (int i = 0; i < count; i++) {
      String line = changes.readLine();
      JsonNode node = json.readTree(line);
      writer.updateDocument(new Term(Lucene.ID, Lucene.id(node)), document(line, node));
    }
    ((ConcurrentMergeScheduler) writer.getConfig().getMergeScheduler()).sync();
    return "changed";
  }

  private String run(String[] words) throws Exception {
    StringBuilder times = new StringBuilder();
    String counts = "";
    for (int run = Integer.parseInt(words[0]); run > 0; run--) {
      long begin = System.nanoTime();
      searchers.maybeRefreshBlocking();
      IndexSearcher searcher = searchers.acquire();
      try {
        counts = answer(searcher, words[1], words[2], words[3], new Lucene.Parser().parse(words[4]));
      } finally {
        searchers.release(searcher);
      }
      times.append(' ').append(System.nanoTime() - begin);
    }
    return counts + times;
  }

  private String answer(IndexSearcher searcher, String kind, String field, String more, Query query) throws Exception {
    return switch (kind) {
      case "terms" -> counts(top(searcher, field, query));
      case "nested" -> nested(searcher, field, more, query);
      case "histogram" -> histogram(searcher, field, more.split(" "), query);
      case "stats" -> statistics(searcher, field, query);
      case "suggest" -> suggestions(searcher, field, more);
      default -> throw new IllegalArgumentException(kind);
    };
  }

  private FacetResult top(IndexSearcher searcher, String field, Query query) throws IOException {
    boolean isAll = query instanceof MatchAllDocsQuery;
    IndexReader reader = searcher.getIndexReader();
    FacetsCollector hits = isAll ? null : hits(searcher, query);
    if (!STRINGS.contains(field)) {
      return (isAll ? new LongValueFacetCounts(field, reader) : new LongValueFacetCounts(field, hits)).getTopChildren(LIMIT, field);
    }
    SortedSetDocValuesReaderState state = states.get(field);
    if (state == null) states.put(field, state = new DefaultSortedSetDocValuesReaderState(reader, "$" + field, facets));
    return (isAll ? new SortedSetDocValuesFacetCounts(state) : new SortedSetDocValuesFacetCounts(state, hits)).getTopChildren(LIMIT, field);
  }

  private static FacetsCollector hits(IndexSearcher searcher, Query query) throws IOException {
    FacetsCollector hits = new FacetsCollector();
    searcher.search(query, hits);
    return hits;
  }

  private static String counts(FacetResult result) {
    return result == null ? "-" : Stream.of(result.labelValues).map(value -> value.value.toString()).collect(Collectors.joining(","));
  }

  /** The documents of a value are those that the query also finds with its term. */
  private String nested(IndexSearcher searcher, String field, String inner, Query query) throws IOException {
    FacetResult outer = top(searcher, field, query);
    StringBuilder counts = new StringBuilder();
    for (var value : outer.labelValues) {
      Query both = new BooleanQuery.Builder().add(query, Occur.MUST).add(new TermQuery(new Term(field, value.label)), Occur.FILTER).build();
      counts.append(counts.isEmpty() ? "" : ",").append(value.value).append(',').append(counts(top(searcher, inner, both)));
    }
    return counts.toString();
  }

  private static String histogram(IndexSearcher searcher, String field, String[] bounds, Query query) throws IOException {
    long start = Long.parseLong(bounds[0]), step = Long.parseLong(bounds[1]);
    LongRange[] ranges = IntStream.range(0, Integer.parseInt(bounds[2]))
        .mapToObj(i -> new LongRange("" + i, start + i * step, true, start + (i + 1) * step, false)).toArray(LongRange[]::new);
    FacetResult result = new LongRangeFacetCounts(field, hits(searcher, query), ranges).getAllChildren(field);
    return Stream.of(result.labelValues).map(value -> value.value.toString()).filter(count -> !count.equals("0")).collect(Collectors.joining(","));
  }

  /** Lucene has none: the values of the documents, added up and sorted. */
  private static String statistics(IndexSearcher searcher, String field, Query query) throws IOException {
    double[] values = new double[searcher.count(query)];
    int count = 0;
    double sum = 0, squares = 0;
    for (var segment : hits(searcher, query).getMatchingDocs()) {
      NumericDocValues numbers = segment.context.reader().getNumericDocValues(field);
      var documents = segment.bits.iterator();
      for (int document; (document = documents.nextDoc()) != Integer.MAX_VALUE; ) {
        if (!numbers.advanceExact(document)) continue;
        double value = Double.longBitsToDouble(numbers.longValue());
        sum += value;
        squares += value * value;
        values[count++] = value;
      }
    }
    Arrays.sort(values, 0, count);
    double mean = sum / count, deviation = Math.sqrt(squares / count - mean * mean);
    if (Double.isNaN(deviation)) throw new IllegalStateException("no deviation"); // so that it is of use
    final int values_ = count;
    return IntStream.of(0, 50, 95, 99, 100).mapToObj(percent -> "%.2f".formatted(values[Math.max(0, (int) Math.ceil(values_ * percent / 100.0) - 1)]))
        .collect(Collectors.joining(","));
  }

  private static String suggestions(IndexSearcher searcher, String field, String prefix) throws IOException {
    BytesRef start = new BytesRef(prefix);
    Map<String, Integer> found = new HashMap<>();
    for (LeafReaderContext leaf : searcher.getIndexReader().leaves()) {
      Terms terms = leaf.reader().terms(field);
      if (terms == null) continue;
      TermsEnum each = terms.iterator();
      boolean isOne = each.seekCeil(start) != TermsEnum.SeekStatus.END;
      while (isOne && StringHelper.startsWith(each.term(), start)) {
        found.merge(each.term().utf8ToString(), live(leaf, each), Integer::sum);
        isOne = each.next() != null;
      }
    }
    return found.values().stream().filter(count -> count > 0).sorted((a, b) -> b - a).limit(LIMIT).map(String::valueOf).collect(Collectors.joining(","));
  }

  /** A term's documents that were not replaced since. */
  private static int live(LeafReaderContext leaf, TermsEnum term) throws IOException {
    if (leaf.reader().getLiveDocs() == null) return term.docFreq();
    PostingsEnum postings = term.postings(null, PostingsEnum.NONE);
    int count = 0;
    for (int document; (document = postings.nextDoc()) != PostingsEnum.NO_MORE_DOCS; ) {
      if (leaf.reader().getLiveDocs().get(document)) count++;
    }
    return count;
  }
}
