import java.io.BufferedReader;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Random;
import java.util.concurrent.Callable;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import java.util.concurrent.locks.LockSupport;
import java.util.stream.Collectors;
import org.apache.lucene.index.ConcurrentMergeScheduler;
import org.apache.lucene.index.IndexReader;
import org.apache.lucene.index.IndexWriter;
import org.apache.lucene.index.IndexWriterConfig;
import org.apache.lucene.search.IndexSearcher;
import org.apache.lucene.search.SearcherFactory;
import org.apache.lucene.search.SearcherManager;
import org.apache.lucene.store.FSDirectory;
import org.apache.lucene.store.NRTCachingDirectory;

/**
 * An index that changes. One writer makes the changes of a file in their order; before each query the reader is reopened
 * (DirectoryReader.openIfChanged, through Lucene's SearcherManager), so that the query sees every change made before it. The
 * writer never commits: nothing that it writes need outlive the process.
 *
 * <p>Requests, a line each, tabs between the words, and a line in answer:
 *
 * <ul>
 *   <li>{@code runs start sort query}: the count, then each run's nanoseconds, reopening included
 *   <li>{@code change N}: the next N changes, as fast as they go; the nanoseconds of reopening the reader after them
 *   <li>{@code merge}: all into one segment, as the index began
 *   <li>{@code write N RATE}: the next N changes beside what is asked meanwhile, RATE a second; answers at once
 *   <li>{@code written}: waits for them; each one's nanoseconds
 *   <li>{@code mix start sort query}: one more question for {@code clients}
 *   <li>{@code clients N SECONDS}: so many threads ask those questions by chance; the answers a second
 * </ul>
 */
final class Live {
  private final IndexWriter writer;
  private final SearcherManager searchers;
  private final BufferedReader changes;
  private final List<Lucene.Question> mixture = new ArrayList<>();
  private final ExecutorService threads = Executors.newCachedThreadPool(task -> {
    Thread thread = new Thread(task);
    thread.setDaemon(true);
    return thread;
  });
  private Future<List<Long>> writing;

  Live(FSDirectory directory, Path changes) throws Exception {
    IndexWriterConfig config = Lucene.config().setCommitOnClose(false);
    // Small new segments stay in memory, as Lucene's documentation recommends for readers that are often reopened.
    this.writer = new IndexWriter(new NRTCachingDirectory(directory, 5, 60), config);
    this.changes = Files.newBufferedReader(changes);
    this.searchers = new SearcherManager(writer, new SearcherFactory() {
      @Override
      public IndexSearcher newSearcher(IndexReader reader, IndexReader previous) {
        IndexSearcher searcher = new IndexSearcher(reader);
        searcher.setQueryCache(null); // the same query again must be answered again
        return searcher;
      }
    });
  }

  void answer(BufferedReader requests) throws Exception {
    System.out.println("ready");
    for (String request; (request = requests.readLine()) != null; ) {
      String[] words = request.split("\t", 4);
      System.out.println(switch (words[0]) {
        case "change" -> change(Integer.parseInt(words[1]));
        case "merge" -> merge();
        case "write" -> write(Integer.parseInt(words[1]), Integer.parseInt(words[2]));
        case "written" -> list(writing.get());
        case "mix" -> mix(Lucene.Question.of(words));
        case "clients" -> clients(Integer.parseInt(words[1]), Double.parseDouble(words[2]));
        default -> run(Integer.parseInt(words[0]), Lucene.Question.of(words));
      });
    }
    searchers.close();
    writer.rollback();
  }

  private int ask(Lucene.Question question) throws Exception {
    searchers.maybeRefreshBlocking();
    IndexSearcher searcher = searchers.acquire();
    try {
      return Lucene.ask(searcher, question);
    } finally {
      searchers.release(searcher);
    }
  }

  private String run(int runs, Lucene.Question question) throws Exception {
    List<Long> times = new ArrayList<>();
    int count = 0;
    for (int run = 0; run < runs; run++) {
      long begin = System.nanoTime();
      count = ask(question);
      times.add(System.nanoTime() - begin);
    }
    return count + " " + list(times);
  }

  /** The next changes, read before any of them is timed. */
  private List<String> next(int count) throws Exception {
    List<String> lines = new ArrayList<>();
    while (lines.size() < count) {
      String line = changes.readLine();
      if (line == null) throw new IllegalStateException("there are no more changes");
      lines.add(line);
    }
    return lines;
  }

  private String change(int count) throws Exception {
    for (String line : next(count)) Lucene.replace(writer, line);
    long begin = System.nanoTime();
    searchers.maybeRefreshBlocking();
    long time = System.nanoTime() - begin;
    ((ConcurrentMergeScheduler) writer.getConfig().getMergeScheduler()).sync(); // the other systems are measured next
    return Long.toString(time);
  }

  private String merge() throws Exception {
    writer.forceMerge(1);
    searchers.maybeRefreshBlocking();
    return "merged";
  }

  private String write(int count, int rate) throws Exception {
    List<String> lines = next(count);
    writing = threads.submit(() -> {
      List<Long> times = new ArrayList<>(count);
      long start = System.nanoTime();
      for (int i = 0; i < count; i++) {
        long due = start + i * 1_000_000_000L / rate;
        for (long left; (left = due - System.nanoTime()) > 0; ) LockSupport.parkNanos(left);
        long begin = System.nanoTime();
        Lucene.replace(writer, lines.get(i));
        times.add(System.nanoTime() - begin);
      }
      times.add(System.nanoTime() - start); // what all of it took
      return times;
    });
    return "writing";
  }

  private String mix(Lucene.Question question) {
    mixture.add(question);
    return Integer.toString(mixture.size());
  }

  private String clients(int clients, double seconds) throws Exception {
    long start = System.nanoTime(), end = start + (long) (seconds * 1e9);
    List<Callable<Integer>> tasks = new ArrayList<>();
    for (int client = 0; client < clients; client++) {
      Random random = new Random(client);
      tasks.add(() -> {
        int answered = 0;
        for (; System.nanoTime() < end; answered++) ask(mixture.get(random.nextInt(mixture.size())));
        return answered;
      });
    }
    int answered = 0;
    for (Future<Integer> task : threads.invokeAll(tasks)) answered += task.get();
    return Double.toString(answered / ((System.nanoTime() - start) / 1e9));
  }

  private static String list(List<Long> numbers) {
    return numbers.stream().map(String::valueOf).collect(Collectors.joining(" "));
  }
}
