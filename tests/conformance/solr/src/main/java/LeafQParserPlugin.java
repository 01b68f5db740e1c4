import org.apache.lucene.index.Term;
import org.apache.lucene.search.BooleanClause;
import org.apache.lucene.search.BooleanQuery;
import org.apache.lucene.search.BoostQuery;
import org.apache.lucene.search.ConstantScoreQuery;
import org.apache.lucene.search.FuzzyQuery;
import org.apache.lucene.search.PrefixQuery;
import org.apache.lucene.search.Query;
import org.apache.lucene.search.RegexpQuery;
import org.apache.lucene.search.WildcardQuery;
import org.apache.solr.common.params.SolrParams;
import org.apache.solr.query.FilterQuery;
import org.apache.solr.request.SolrQueryRequest;
import org.apache.solr.search.LuceneQParser;
import org.apache.solr.search.LuceneQParserPlugin;
import org.apache.solr.search.QParser;
import org.apache.solr.search.SyntaxError;

/** Solr's standard parser. In its queries, fuzzy terms find all terms and not the 50 nearest, and patterns in {@code *} look everywhere. */
public final class LeafQParserPlugin extends LuceneQParserPlugin {
  /** More than there are terms in any corpus. */
  private static final int EXPANSIONS = 100_000;

  @Override
  public QParser createParser(String text, SolrParams local, SolrParams params, SolrQueryRequest request) {
    return new LuceneQParser(text, local, params, request) {
      @Override
      public Query parse() throws SyntaxError {
        return widened(super.parse());
      }
    };
  }

  private static Query widened(Query query) {
    if (query instanceof BooleanQuery all) {
      BooleanQuery.Builder builder =
          new BooleanQuery.Builder().setMinimumNumberShouldMatch(all.getMinimumNumberShouldMatch());
      for (BooleanClause clause : all) builder.add(widened(clause.getQuery()), clause.getOccur());
      return builder.build();
    }
    if (query instanceof BoostQuery boost) return new BoostQuery(widened(boost.getQuery()), boost.getBoost());
    if (query instanceof ConstantScoreQuery constant) return new ConstantScoreQuery(widened(constant.getQuery()));
    if (query instanceof FilterQuery filter) return new FilterQuery(widened(filter.getQuery()));
    if (query instanceof FuzzyQuery fuzzy)
      return new FuzzyQuery(
          term(fuzzy.getTerm()), fuzzy.getMaxEdits(), fuzzy.getPrefixLength(), EXPANSIONS, fuzzy.getTranspositions());
    if (query instanceof WildcardQuery wildcard) return new WildcardQuery(term(wildcard.getTerm()));
    if (query instanceof RegexpQuery regexp) return new RegexpQuery(term(regexp.getRegexp()));
    if (query instanceof PrefixQuery prefix) return new PrefixQuery(term(prefix.getPrefix()));
    return query;
  }

  private static Term term(Term term) {
    return new Term(Leaves.field(term.field()), term.bytes());
  }
}
