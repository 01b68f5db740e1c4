import java.util.Collection;
import java.util.List;
import java.util.function.Predicate;
import org.apache.lucene.index.Term;
import org.apache.lucene.search.Query;
import org.apache.lucene.search.TermQuery;
import org.apache.solr.schema.SchemaField;
import org.apache.solr.schema.StrField;
import org.apache.solr.search.QParser;

/** A field whose values are leaves of any type. Patterns are StrField's, over the strings among them. */
public final class LeafField extends StrField {
  @Override
  public Query getFieldQuery(QParser parser, SchemaField field, String text) {
    return Leaves.where(field.getName(), new Value(text)::equal);
  }

  @Override
  public Query getFieldTermQuery(QParser parser, SchemaField field, String text) {
    return getFieldQuery(parser, field, text);
  }

  /** Words in a row. */
  @Override
  public Query getSetQuery(QParser parser, SchemaField field, Collection<String> texts) {
    List<Value> values = texts.stream().map(Value::new).toList();
    return Leaves.where(field.getName(), leaf -> values.stream().anyMatch(value -> value.equal(leaf)));
  }

  @Override
  public Query getRangeQuery(
      QParser parser, SchemaField field, String lower, String upper, boolean includesLower, boolean includesUpper) {
    if (lower == null && upper == null) return getExistenceQuery(parser, field);
    boolean isDated = isDate(lower) || isDate(upper);
    Predicate<Leaf> above = bound(lower, isDated, 1, includesLower);
    Predicate<Leaf> below = bound(upper, isDated, -1, includesUpper);
    return Leaves.where(field.getName(), leaf -> above.test(leaf) && below.test(leaf));
  }

  private static boolean isDate(String bound) {
    return bound != null && new Value(bound).isDate();
  }

  private static Predicate<Leaf> bound(String text, boolean isDated, int side, boolean isInclusive) {
    if (text == null) return leaf -> true;
    Value value = new Value(text, isDated);
    return leaf -> {
      Integer order = value.compare(leaf);
      return order != null && (order == 0 ? isInclusive : order * side > 0);
    };
  }

  /** A leaf at the path or below it. */
  @Override
  public Query getExistenceQuery(QParser parser, SchemaField field) {
    return new TermQuery(new Term(Leaves.PATHS, Leaves.field(field.getName())));
  }
}
