import com.fasterxml.jackson.databind.DeserializationFeature;
import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.node.JsonNodeFactory;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.function.BiConsumer;

/** Files of JSON values, one a line, and the document model. Numbers keep all their digits. */
final class Corpus {
  static final ObjectMapper JSON =
      new ObjectMapper()
          .enable(DeserializationFeature.USE_BIG_DECIMAL_FOR_FLOATS)
          .setNodeFactory(JsonNodeFactory.withExactBigDecimals(true));

  private Corpus() {}

  static List<JsonNode> lines(String file) throws IOException {
    List<JsonNode> values = new ArrayList<>();
    for (String line : Files.readAllLines(Path.of(file))) values.add(JSON.readTree(line));
    return values;
  }

  /** Visits the leaves: keys joined with dots, arrays transparent, null and what is empty no leaf. */
  static void leaves(JsonNode node, BiConsumer<String, JsonNode> leaf) {
    leaves(node, "", leaf);
  }

  private static void leaves(JsonNode node, String path, BiConsumer<String, JsonNode> leaf) {
    if (node.isObject()) {
      node.fields().forEachRemaining(f ->
          leaves(f.getValue(), path.isEmpty() ? f.getKey() : path + "." + f.getKey(), leaf));
    } else if (node.isArray()) {
      node.forEach(item -> leaves(item, path, leaf));
    } else if (!node.isNull()) {
      leaf.accept(path, node);
    }
  }
}
