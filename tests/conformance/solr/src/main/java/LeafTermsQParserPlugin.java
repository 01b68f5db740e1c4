import java.util.List;
import java.util.Set;
import java.util.regex.Pattern;
import java.util.stream.Stream;
import org.apache.lucene.search.MatchNoDocsQuery;
import org.apache.lucene.search.Query;
import org.apache.solr.common.SolrException;
import org.apache.solr.common.params.SolrParams;
import org.apache.solr.request.SolrQueryRequest;
import org.apache.solr.search.QParser;
import org.apache.solr.search.QParserPlugin;

/** What TermsQParserPlugin does, over leaves. */
public final class LeafTermsQParserPlugin extends QParserPlugin {
  /** TermsQParserPlugin.Method */
  private static final Set<String> METHODS =
      Set.of("termsFilter", "booleanQuery", "automaton", "docValuesTermsFilter", "docValuesTermsFilterPerSegment",
          "docValuesTermsFilterTopLevel");

  @Override
  public QParser createParser(String text, SolrParams local, SolrParams params, SolrQueryRequest request) {
    return new QParser(text, local, params, request) {
      @Override
      public Query parse() {
        String field = localParams.get("f");
        String method = localParams.get("method", "termsFilter");
        if (field == null || field.isEmpty()) throw refused("Missing field to query");
        if (!METHODS.contains(method)) throw refused("No enum constant " + method);
        String separator = localParams.get("separator", ",");
        boolean isSpace = separator.equals(" ");
        String list = isSpace ? localParams.get("v").trim() : localParams.get("v");
        if (list.isEmpty()) return new MatchNoDocsQuery();
        String[] texts = isSpace ? list.split("\\s+") : list.split(Pattern.quote(separator), -1);
        List<Value> values = Stream.of(texts).map(Value::new).toList();
        return Leaves.where(field, leaf -> values.stream().anyMatch(value -> value.equal(leaf)));
      }
    };
  }

  private static SolrException refused(String message) {
    return new SolrException(SolrException.ErrorCode.BAD_REQUEST, message);
  }
}
