import java.util.List;
import java.util.Random;

/** Random choices, the same ones for the same seed. */
final class Chance {
  private final Random random;

  Chance(long seed) {
    random = new Random(seed);
  }

  int below(int limit) {
    return random.nextInt(limit);
  }

  boolean oneIn(int times) {
    return below(times) == 0;
  }

  @SafeVarargs
  final <T> T one(T... choices) {
    return choices[below(choices.length)];
  }

  <T> T one(List<T> choices) {
    return choices.get(below(choices.size()));
  }
}
