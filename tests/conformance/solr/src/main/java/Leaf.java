import com.fasterxml.jackson.databind.JsonNode;
import java.math.BigDecimal;
import java.time.Instant;
import java.time.OffsetDateTime;
import java.time.format.DateTimeParseException;
import java.util.regex.Pattern;

/** A string, a number or a boolean of a document: one of text, number and truth is not null. */
record Leaf(String text, BigDecimal number, Boolean truth, Instant instant) {
  private static final Pattern INSTANT =
      Pattern.compile(
          "(\\d{4}-\\d\\d-\\d\\d)[T ](\\d\\d:\\d\\d:\\d\\d(?:\\.\\d{1,9})?)(Z|[+-]\\d\\d(?::?\\d\\d)?)");

  static Leaf of(JsonNode node) {
    if (node.isNumber()) return new Leaf(null, node.decimalValue(), null, null);
    if (node.isBoolean()) return new Leaf(null, null, node.booleanValue(), null);
    return new Leaf(node.asText(), null, null, instant(node.asText()));
  }

  /** The instant that a text names, or null. */
  static Instant instant(String text) {
    var match = INSTANT.matcher(text);
    if (!match.matches()) return null;
    String zone = match.group(3);
    if (zone.length() == 3) zone += ":00";
    if (zone.length() == 5) zone = zone.substring(0, 3) + ":" + zone.substring(3);
    try {
      return OffsetDateTime.parse(match.group(1) + "T" + match.group(2) + zone).toInstant();
    } catch (DateTimeParseException e) {
      return null;
    }
  }

  /** What tells different values apart: 5 and 5.0 are one, "5" is another. */
  String identity() {
    if (text != null) return "s" + text;
    if (truth != null) return "b" + truth;
    return "n" + (number.signum() == 0 ? "0" : number.stripTrailingZeros().toString());
  }
}
