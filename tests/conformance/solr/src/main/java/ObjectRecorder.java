import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.node.ArrayNode;
import com.fasterxml.jackson.databind.node.ObjectNode;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import org.apache.solr.common.SolrInputDocument;

/**
 * Asks Solr which documents have one object that meets several clauses: {@code ObjectRecorder SEED QUERIES} makes documents and
 * queries, and writes a line per document and then one per query, {@code [query, "0-2 7"]} as Recorder does. Each object of a
 * document is a nested document of Solr's, with its leaves under their paths from there. What is {@code path:{clauses}} to a store
 * is a block join to Solr, {@code {!parent which=… v=…}}, whose clauses are the same text.
 */
public final class ObjectRecorder {
  private static final int DOCUMENTS = 240;
  private static final String PATH = "_path_";
  private static final String ROOT = "root";
  /** The paths of objects within those at a path, from there. */
  private static final Map<String, List<String>> OBJECTS =
      Map.of("", List.of("items", "items", "items", "owner", "items.parts", "owner.pets"), "items", List.of("parts", "parts", "size"),
          "owner", List.of("pets"), "items.parts", List.of(), "owner.pets", List.of(), "items.size", List.of());

  /** The paths of leaves in the objects at a path, from there. */
  private static final Map<String, List<String>> NAMES =
      Map.of("", List.of("items.sku", "items.n", "owner.name", "sku", "items.size.h"), "items", List.of("sku", "sku", "n", "n", "tags", "at", "parts.n", "size.w"),
          "owner", List.of("name", "name", "pets.kind"), "items.parts", List.of("name", "name", "n", "n", "ok"), "owner.pets", List.of("kind", "n"),
          "items.size", List.of("w", "h"));

  private final Chance chance;
  private final Map<String, String> params = new LinkedHashMap<>();
  private int objects = 0;

  private ObjectRecorder(Chance chance) {
    this.chance = chance;
  }

  public static void main(String[] args) throws Exception {
    Chance chance = new Chance(Long.parseLong(args[0]));
    ObjectRecorder recorder = new ObjectRecorder(chance);
    List<ObjectNode> documents = new ArrayList<>();
    for (int i = 0; i < DOCUMENTS; i++) documents.add(recorder.document(i));
    List<SolrInputDocument> batch = new ArrayList<>();
    for (ObjectNode document : documents) {
      SolrInputDocument fields = Leaves.fields(document, batch.size());
      fields.addField(PATH, ROOT);
      recorder.addObjects(document, "", fields);
      batch.add(fields);
    }
    try (Indexed solr = new Indexed(batch)) {
      documents.forEach(solr.out::println);
      Map<String, JsonNode> answers = new LinkedHashMap<>();
      while (answers.size() < Integer.parseInt(args[1])) {
        recorder.params.clear();
        Both query = recorder.clauses("", 3);
        Map<String, String> params = new LinkedHashMap<>(recorder.params);
        params.put("fq", PATH + ":" + ROOT);
        answers.put(query.ours, Recorder.answer(solr, " " + query.solrs, params));
      }
      answers.forEach((query, answer) -> solr.out.println(Corpus.JSON.createArrayNode().add(query).add(answer)));
    }
    System.exit(0);
  }

  /** The objects below a node whose path is known, each a nested document of the one that holds it. */
  private void addObjects(JsonNode node, String path, SolrInputDocument holder) {
    if (node.isArray()) {
      node.forEach(element -> addElement(element, path, holder));
    } else if (node.isObject()) {
      node.fields().forEachRemaining(f -> {
        String below = path.isEmpty() ? f.getKey() : path + "." + f.getKey();
        addElement(f.getValue(), below, holder);
      });
    }
  }

  private void addElement(JsonNode node, String path, SolrInputDocument holder) {
    if (node.isArray()) addObjects(node, path, holder);
    if (!node.isObject()) return;
    boolean[] hasLeaf = {false};
    Corpus.leaves(node, (p, leaf) -> hasLeaf[0] = true);
    if (!hasLeaf[0]) return;
    SolrInputDocument fields = Leaves.object(node, "object" + objects++);
    fields.addField(PATH, path);
    addObjects(node, path, fields);
    holder.addChildDocument(fields);
  }

  // ---- Documents ------------------------------------------------------------------------------------------------------

  private ObjectNode document(int number) {
    ObjectNode doc = Corpus.JSON.createObjectNode().put("id", number);
    switch (chance.below(8)) {
      case 0 -> doc.set("items", item());
      case 1 -> doc.putArray("items").add(item()).add(Corpus.JSON.createArrayNode().add(item()).add(item()));
      case 2 -> doc.putArray("items").add("gift").add(item()).add(3).addNull();
      case 3 -> doc.putArray("items");
      default -> {
        ArrayNode items = doc.putArray("items");
        for (int i = chance.below(4); i > 0; i--) items.add(item());
      }
    }
    if (chance.oneIn(2)) {
      ObjectNode owner = doc.putObject("owner").put("name", chance.one("Ann", "Bob", "gift"));
      ArrayNode pets = owner.putArray("pets");
      for (int i = chance.below(3); i > 0; i--) pets.addObject().put("kind", chance.one("cat", "dog")).put("n", chance.below(4));
    }
    if (chance.oneIn(4)) doc.put("sku", chance.one("gift", "book"));
    return doc;
  }

  private ObjectNode item() {
    ObjectNode item = Corpus.JSON.createObjectNode();
    if (!chance.oneIn(6)) item.put("sku", chance.one("gift", "gifts", "book", "a b", "5"));
    if (!chance.oneIn(6)) item.put("n", chance.below(5));
    if (chance.oneIn(3)) item.putArray("tags").add(chance.one("new", "old")).add(chance.one("new", "red"));
    if (chance.oneIn(4)) item.put("at", chance.one("2021-02-05T04:06:36Z", "2021-02-05 05:06:40+01", "2021-03-01", "soon"));
    if (chance.oneIn(3)) item.putObject("size").put("w", chance.below(3)).put("h", chance.below(3));
    if (chance.oneIn(2)) {
      ArrayNode parts = item.putArray("parts");
      for (int i = chance.below(4); i > 0; i--) {
        ObjectNode part = parts.addObject().put("name", chance.one("box", "lid", "gift"));
        if (!chance.oneIn(4)) part.put("n", chance.below(4));
        if (chance.oneIn(4)) part.put("ok", chance.oneIn(2));
      }
    }
    return item;
  }

  // ---- Queries --------------------------------------------------------------------------------------------------------

  /** A query as a store reads it, and as Solr does. */
  private record Both(String ours, String solrs) {
    static Both same(String text) {
      return new Both(text, text);
    }
  }

  // A space stands before each query string: Solr would take a "{!" at its start for the parser of all of it.

  /** Clauses on an object at a path; "" for the document. */
  private Both clauses(String path, int depth) {
    StringBuilder ours = new StringBuilder();
    StringBuilder solrs = new StringBuilder();
    for (int i = chance.below(chance.oneIn(4) ? 4 : path.isEmpty() ? 2 : 3); i >= 0; i--) {
      String before = (ours.length() == 0 ? "" : chance.one(" ", " ", " AND ", " AND ", " OR "))
          + chance.one("", "", "", "", "+", "-", "NOT ");
      Both clause = clause(path, depth);
      ours.append(before).append(clause.ours);
      solrs.append(before).append(clause.solrs);
    }
    return new Both(ours.toString(), solrs.toString());
  }

  private Both clause(String path, int depth) {
    if (depth > 0 && !OBJECTS.get(path).isEmpty() && (path.isEmpty() ? !chance.oneIn(4) : chance.oneIn(3))) {
      return object(path, chance.one(OBJECTS.get(path)), depth - 1);
    }
    if (depth > 0 && chance.oneIn(6)) {
      Both inner = clauses(path, depth - 1);
      return new Both("(" + inner.ours + ")", "(" + inner.solrs + ")");
    }
    return Both.same(leaf(path));
  }

  private Both object(String path, String name, int depth) {
    String whole = path.isEmpty() ? name : path + "." + name;
    Both inner = clauses(whole, depth);
    int number = params.size();
    params.put("v" + number, "+" + PATH + ":" + whole + " +_query_:\"{!lucene v=$m" + number + "}\"");
    params.put("m" + number, queryable(inner.solrs));
    params.put("w" + number, PATH + ":" + (path.isEmpty() ? ROOT : path));
    String space = chance.one("", "", "", " ");
    return new Both(name + ":{" + space + inner.ours + space + "}", "{!parent which=$w" + number + " v=$v" + number + "}");
  }

  /** Clauses that are all prohibited take away from all objects, as those of a whole query do (QueryUtils.makeQueryable). */
  private static String queryable(String clauses) {
    String inner = clauses;
    while (isOneGroup(inner)) inner = inner.substring(1, inner.length() - 1);
    return isNegative(inner) ? "*:* " + inner : " " + clauses;
  }

  /** Whether a parenthesis at the start is closed at the end. */
  private static boolean isOneGroup(String clauses) {
    int depth = 0;
    for (int i = 0; i < clauses.length(); i++) {
      if (clauses.charAt(i) == '(') depth++;
      if (clauses.charAt(i) == ')') depth--;
      if (depth == 0) return i > 0 && i == clauses.length() - 1;
    }
    return false;
  }

  /** Whether each clause begins with a mark that prohibits it. */
  private static boolean isNegative(String clauses) {
    int depth = 0;
    boolean isStart = true;
    for (int i = 0; i < clauses.length(); i++) {
      char c = clauses.charAt(i);
      String rest = clauses.substring(i);
      if (depth == 0 && isStart && c != ' ') {
        if (rest.startsWith("AND ") || rest.startsWith("OR ")) {
          i += rest.indexOf(' ');
          continue;
        }
        if (!rest.startsWith("-") && !rest.startsWith("NOT ")) return false;
        if (rest.startsWith("NOT ")) i += 4;
        isStart = false;
        c = clauses.charAt(i);
      }
      if (c == '"') i = clauses.indexOf('"', i + 1);
      else if (c == '/') i = clauses.indexOf('/', i + 1);
      else if ("([{".indexOf(c) >= 0) depth++;
      else if (")]}".indexOf(c) >= 0) depth--;
      else if (c == ' ' && depth == 0) isStart = true;
    }
    return true;
  }

  private String leaf(String path) {
    if (chance.oneIn(12)) return chance.one("gift", "2", "new", "gif*", "*:*", "cat", "\"a b\"");
    String named = chance.one(NAMES.get(chance.oneIn(8) ? chance.one("", "items", "owner.pets") : path)) + ":";
    return named + switch (named) {
      case "n:", "items.n:", "parts.n:", "size.w:", "w:", "h:", "items.size.h:" ->
          chance.one("1", "2", "3", "[2 TO *]", "[1 TO 2]", "{0 TO 3}", "{1 TO *]", "[* TO 1]", "(1 3)", "*", "\"2\"");
      case "at:" -> chance.one("2021-02", "\"2021-02-05T04:06\"", "[2021-02-05 TO 2021-03]", "soon", "*", "[NOW-1DAY TO *]");
      case "ok:" -> chance.one("true", "false", "*");
      case "kind:", "pets.kind:" -> chance.one("cat", "dog", "c*", "*");
      case "tags:" -> chance.one("new", "old", "(new red)", "(+new +red)", "n?w", "*", "{a TO p}");
      default -> chance.one("gift", "book", "\"a b\"", "gif*", "*ft", "g?ft", "/gifts?/", "gift~1", "box", "Ann", "[a TO h]", "*", "5", "(gift box)");
    };
  }
}
