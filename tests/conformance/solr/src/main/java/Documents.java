import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.node.ArrayNode;
import com.fasterxml.jackson.databind.node.JsonNodeFactory;
import com.fasterxml.jackson.databind.node.ObjectNode;
import java.math.BigDecimal;
import java.time.Instant;
import java.util.ArrayList;
import java.util.List;

/** Random documents: words, phrases, numbers and dates in every shape, and paths with leaves of several types. */
final class Documents {
  private static final int COUNT = 420;
  private static final long MILLISECONDS = 1612497996000L;

  static final String[] WORDS = {
    "a", "b", "c", "ab", "abc", "roam", "roams", "foam", "raom", "test", "text", "tests", "team", "Test", "TEST", "click",
    "view", "purchase", "AND", "OR", "NOT", "TO", "NOW", "true", "false", "null", "1", "5", "10", "-5", "1.0", "filter",
    "jakarta", "apache", "john", "jon", "johnathan", "johnathon", "jonathon", "moat", "boat", "goat", ">5", "<=10", "",
  };
  private static final String[] PHRASES = {
    "jakarta apache", "a b", "the right way", " leading", "two  spaces", "tab\there", "line\nend", "a/b/c", "/docs/x",
    "C:\\temp", "say \"hi\"", "it's", "1+1=2", "(1+1):2", "[a]", "{b}", "{!term f=s}a", "a*b", "a?b", "te*t", "~", "^2", "a^2", "a~1",
    "x && y", "!x", "-x", "+x", "@", "#", "&", "<1-9>", "50%", "a:b", "*", "?", "\\", "\"", "/", "_query_",
    "aaa", "A-1", "http://example.org/a?b=c&d=e#f", "2021-02-23", "key=value", "a,b", "a;b", "`", "'", "\u0007",
  };
  private static final String[] UNICODE = {
    "naïve", "naive", "Zürich", "zurich", "日本語", "東京", "\u3000", "a\u3000b", "💡", "💡💡", "a💡b", "𝒳", "e\u0301", "é", "ß", "ss", "ÅÄÖ",
    "שלום", "\uffff", "\ud7ff", "\ue000", "👩\u200d🚀", "I", "ı", "İ",
  };
  private static final long[] WHOLE = {
    0, 1, 2, 3, 5, 5, 5, 7, 8, 10, 20, 42, 99, 100, 1000, -1, -5, -10, -100, 2002, 65536, 2147483647L, -2147483648L,
  };
  private static final long[] LARGE = {
    1L << 53, (1L << 53) + 1, (1L << 53) - 1, -(1L << 53) - 1, Long.MAX_VALUE, Long.MIN_VALUE, Long.MAX_VALUE - 1, 1612497996000L,
  };
  private static final String[] DECIMAL = {
    "0.5", "1.5", "-7.25", "3.14159", "0.1", "0.2", "0.30000000000000004", "1e10", "1.0E-5", "-0.001", "100.0", "2.50", "1e300", "-1e300", "99.99", "5.0",
  };

  private final Chance chance;

  private Documents(Chance chance) {
    this.chance = chance;
  }

  static List<ObjectNode> random(Chance chance) {
    Documents documents = new Documents(chance);
    List<ObjectNode> all = new ArrayList<>();
    for (int i = 0; i < COUNT; i++) all.add(documents.document(i));
    return all;
  }

  private ObjectNode document(int number) {
    ObjectNode doc = Corpus.JSON.createObjectNode();
    doc.putObject("session").put("id", number);
    sometimes(8, () -> doc.put("s", chance.one(WORDS)));
    sometimes(6, () -> doc.put("p", chance.one(PHRASES)));
    sometimes(6, () -> doc.put("u", chance.one(UNICODE)));
    sometimes(7, () -> doc.put("n", WHOLE[chance.below(WHOLE.length)]));
    sometimes(5, () -> doc.put("big", LARGE[chance.below(LARGE.length)]));
    sometimes(7, () -> doc.put("d", decimal()));
    sometimes(6, () -> doc.put("ok", truth()));
    sometimes(6, () -> {
      ArrayNode tags = doc.putArray("tags");
      for (int i = chance.below(4); i > 0; i--) tags.add(chance.one(WORDS));
    });
    sometimes(7, () -> {
      ArrayNode items = doc.putArray("items");
      for (int i = chance.below(4); i > 0; i--) {
        ObjectNode item = items.addObject().put("sku", chance.one("A-1", "A-2", "B-1", "b-1", "", "x y"));
        sometimes(8, () -> item.put("qty", chance.below(12) - 2));
        sometimes(5, () -> item.put("price", decimal()));
        sometimes(3, () -> item.putArray("sizes").add(chance.below(9)).addArray().add(chance.below(9)));
        sometimes(2, () -> item.put("new", truth()));
      }
    });
    sometimes(6, () -> {
      ObjectNode event = doc.putObject("event").put("type", chance.one("click", "view", "purchase", "heartbeat"));
      sometimes(6, () -> event.putObject("data").put("foo", chance.one(WORDS)).put("amount", decimal()));
    });
    sometimes(4, () -> doc.put("when", instant()));
    sometimes(3, () -> doc.put("odd name", chance.one(PHRASES)));
    sometimes(3, () -> doc.put("k:v", chance.one(WORDS)));
    sometimes(2, () -> doc.put("k.dotted", chance.one(WORDS)));
    sometimes(2, () -> doc.put("ключ", chance.one(UNICODE)));
    sometimes(1, () -> doc.put("AND", chance.one(WORDS)));
    sometimes(1, () -> doc.putNull("nothing").putObject("empty").putArray("array"));
    sometimes(1, () -> doc.put("long", "abc".repeat(100 + chance.below(2))));
    // Leaves of several types at one path, and objects beside them.
    sometimes(5, () -> doc.set("mix", mixed()));
    sometimes(2, () -> doc.set("mix", Corpus.JSON.createArrayNode().add(mixed()).add(mixed())));
    sometimes(1, () -> doc.putObject("mix").set(chance.one("a", "b"), mixed()));
    sometimes(1, () -> doc.put("event", chance.one("click", "view")));
    // Instants in every form, and what is none beside them.
    sometimes(4, () -> doc.put("at", moment()));
    sometimes(1, () -> doc.put("at", MILLISECONDS + chance.below(45) * 7000L));
    // More terms near each other than a fuzzy query of Solr's looks for.
    sometimes(8, () -> doc.put("host", "node-" + (100 + chance.below(400))));
    return doc;
  }

  private JsonNode mixed() {
    JsonNodeFactory nodes = Corpus.JSON.getNodeFactory();
    return switch (chance.below(5)) {
      case 0, 1 -> nodes.textNode(chance.one("5", "5.0", "true", "false", "a", "10", "abc", "", "1e1"));
      case 2 -> nodes.numberNode(WHOLE[chance.below(WHOLE.length)]);
      case 3 -> nodes.numberNode(decimal());
      default -> nodes.booleanNode(truth());
    };
  }

  /** 2021-02-05T04:06:36Z and five minutes on. */
  private String instant() {
    return Instant.ofEpochMilli(MILLISECONDS + chance.below(45) * 7000L).toString();
  }

  private String moment() {
    String second = instant().replace("Z", "");
    return switch (chance.below(8)) {
      case 0, 1 -> second + "Z";
      case 2 -> second + chance.one(".5", ".500", ".123456", ".999999999") + chance.one("Z", "+00:00");
      case 3 -> second + "+00:00";
      case 4 -> second.replace("T04", "T05") + "+01:00";
      case 5 -> second.replace("T04", "T03") + "-01:00";
      case 6 -> second;
      default -> chance.one("n/a", "unknown", "NOW", "2021", "2021-02-05", "OK");
    };
  }

  private void sometimes(int tenths, Runnable then) {
    if (chance.below(10) < tenths) then.run();
  }

  private BigDecimal decimal() {
    return new BigDecimal(chance.one(DECIMAL));
  }

  private boolean truth() {
    return chance.oneIn(2);
  }
}
