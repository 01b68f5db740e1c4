import java.math.BigDecimal;
import java.time.Instant;
import java.util.Date;
import java.util.regex.Pattern;
import org.apache.lucene.util.BytesRef;
import org.apache.solr.common.SolrException;
import org.apache.solr.util.DateMathParser;

/** A value or bound of a query, compared with a leaf by the leaf's type, as the README says. */
final class Value {
  private static final Pattern NUMBER =
      Pattern.compile("[+-]?(\\d+(\\.\\d*)?|\\.\\d+)([eE][+-]?\\d+)?");
  /** Solr reads both as the start of date math, and refuses what does not go on as such. */
  private static final Pattern MATH =
      Pattern.compile("(NOW|\\d{4}-\\d\\d-\\d\\dT\\d\\d:\\d\\d:\\d\\d(\\.\\d+)?Z)[-+/].*", Pattern.DOTALL);

  private final String text;
  private final boolean isMath;
  private final BigDecimal number;
  private final Boolean truth;
  private final Instant instant;

  /** Refuses bad date math with Solr's own message. */
  Value(String text) {
    this.text = text;
    isMath = text.equals("NOW") || MATH.matcher(text).matches();
    truth = text.equals("true") || text.equals("false") ? Boolean.valueOf(text) : null;
    instant = isMath ? DateMathParser.parseMath(new Date(), text).toInstant()
        : Leaf.instant(text);
    number = instant != null ? milliseconds(instant)
        : NUMBER.matcher(text).matches() ? number(text) : null;
  }

  private static BigDecimal milliseconds(Instant instant) {
    return new BigDecimal(instant.getEpochSecond()).scaleByPowerOfTen(3)
        .add(new BigDecimal(instant.getNano()).movePointLeft(6));
  }

  private static BigDecimal number(String text) {
    try {
      return new BigDecimal(text);
    } catch (NumberFormatException e) {
      return null;
    }
  }

  /** The leaf compared with this value, or null where the two are not comparable. */
  Integer compare(Leaf leaf) {
    if (leaf.number() != null) return number == null ? null : leaf.number().compareTo(number);
    if (leaf.truth() != null) return truth == null ? null : leaf.truth().compareTo(truth);
    if (instant != null && leaf.instant() != null) return leaf.instant().compareTo(instant);
    return isMath ? null : new BytesRef(leaf.text()).compareTo(new BytesRef(text));
  }

  boolean equal(Leaf leaf) {
    Integer order = compare(leaf);
    return text.equals(leaf.text()) || order != null && order == 0;
  }
}
