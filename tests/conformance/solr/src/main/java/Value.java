import java.math.BigDecimal;
import java.text.ParseException;
import java.time.DateTimeException;
import java.time.Duration;
import java.time.Instant;
import java.time.ZoneOffset;
import java.util.Calendar;
import java.util.Date;
import java.util.function.Function;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import org.apache.lucene.spatial.prefix.tree.DateRangePrefixTree;
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
  /** A date, which may be partial, its offset, and date math behind it. */
  private static final Pattern DATE =
      Pattern.compile(
          "(\\d{4}(?:-\\d\\d(?:-\\d\\d(?:[T ]\\d\\d(?::\\d\\d(?::\\d\\d(?:\\.\\d{1,9})?)?)?)?)?)?)"
              + "(Z|[+-]\\d\\d(?::?\\d\\d)?)?([-+/].*)?");
  private static final Pattern YEAR = Pattern.compile("\\d{4}");
  /** What a DateRangeField reads dates with. */
  private static final DateRangePrefixTree DATES =
      new DateRangePrefixTree(DateRangePrefixTree.JAVA_UTIL_TIME_COMPAT_CAL);

  /** From the first to before the end; the first alone without an end. */
  private record Span<T extends Comparable<T>>(T first, T end) {
    int locate(T value) {
      if (end != null && value.compareTo(first) > 0 && value.compareTo(end) < 0) return 0;
      return value.compareTo(first);
    }

    <U extends Comparable<U>> Span<U> map(Function<T, U> each) {
      return new Span<>(each.apply(first), end == null ? null : each.apply(end));
    }
  }

  private final String text;
  private final boolean isMath;
  private final Span<BigDecimal> number;
  private final Boolean truth;
  private final Span<Instant> instants;

  /** Refuses bad date math with Solr's own message. */
  Value(String text) {
    this(text, false);
  }

  /** A year is a date only beside another date, as the other bound of its range. */
  Value(String text, boolean isBesideDate) {
    this.text = text;
    boolean isMath = text.equals("NOW") || MATH.matcher(text).matches();
    truth = text.equals("true") || text.equals("false") ? Boolean.valueOf(text) : null;
    Span<Instant> instants = null;
    if (isMath) {
      instants = new Span<>(DateMathParser.parseMath(new Date(), text).toInstant(), null);
    } else if (isBesideDate || !YEAR.matcher(text).matches()) {
      instants = date(text);
      Matcher match = DATE.matcher(text);
      isMath = instants != null && match.matches() && match.group(3) != null;
    }
    this.isMath = isMath;
    this.instants = instants;
    number = instants != null ? instants.map(Value::milliseconds)
        : NUMBER.matcher(text).matches() ? number(text) : null;
  }

  boolean isDate() {
    return instants != null;
  }

  /** What a DateRangeField understands by a date, or date math from its start; null where it refuses the date. */
  private static Span<Instant> date(String text) {
    Instant whole = Leaf.instant(text);
    if (whole != null) return new Span<>(whole, null);
    Matcher match = DATE.matcher(text);
    if (!match.matches()) return null;
    boolean isYear = match.group(1).length() == 4;
    if (isYear && match.group(2) != null) return null;
    try {
      Calendar start = DATES.parseCalendar(match.group(1).replace(' ', 'T').replaceFirst("\\..*", ""));
      int unit = DATES.getCalPrecisionField(start);
      // Without milliseconds, which a calendar has and a longer fraction is more exact than.
      String fraction = match.group(1).contains(".") ? match.group(1).replaceFirst(".*\\.", "0.") : "0";
      Duration offset = offset(match.group(2));
      Instant first = start.toInstant().plusNanos(new BigDecimal(fraction).movePointRight(9).longValueExact()).minus(offset);
      if (match.group(3) != null)
        return new Span<>(DateMathParser.parseMath(new Date(), first + match.group(3)).toInstant(), null);
      if (unit == Calendar.SECOND) return new Span<>(first, null);
      start.add(unit == Calendar.DAY_OF_MONTH ? Calendar.DATE : unit, 1);
      return new Span<>(first, start.toInstant().minus(offset));
    } catch (ParseException | SolrException | DateTimeException | IllegalArgumentException e) {
      return null;
    }
  }

  private static Duration offset(String text) {
    if (text == null) return Duration.ZERO;
    return Duration.ofSeconds(ZoneOffset.of(text).getTotalSeconds());
  }

  private static BigDecimal milliseconds(Instant instant) {
    return new BigDecimal(instant.getEpochSecond()).scaleByPowerOfTen(3)
        .add(new BigDecimal(instant.getNano()).movePointLeft(6));
  }

  private static Span<BigDecimal> number(String text) {
    try {
      return new Span<>(new BigDecimal(text), null);
    } catch (NumberFormatException e) {
      return null;
    }
  }

  /** The leaf compared with this value, or null where the two are not comparable. */
  Integer compare(Leaf leaf) {
    if (leaf.number() != null) return number == null ? null : number.locate(leaf.number());
    if (leaf.truth() != null) return truth == null ? null : leaf.truth().compareTo(truth);
    if (instants != null && leaf.instant() != null) return instants.locate(leaf.instant());
    return isMath ? null : new BytesRef(leaf.text()).compareTo(new BytesRef(text));
  }

  boolean equal(Leaf leaf) {
    Integer order = compare(leaf);
    return text.equals(leaf.text()) || order != null && order == 0;
  }
}
