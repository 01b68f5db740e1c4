"""Times every class of queries on every system, side by side."""

import os
from time import monotonic

from collection import say
from queries import queries
from server import Failed, median, quantile
from systems import Unable

# What a Java program is given for each query before it is timed: compiling takes its time
WARM_SECONDS, WARM_RUNS, WARM_AT_MOST = float(os.environ.get("WARM_SECONDS") or 2), 200, 15
BURST_MS = 20  # a fast query is run several times in a row, up to so long
SLOW_MS, SLOW_RUNS = 3000, 5  # what takes seconds varies little


def search(collection, systems, work, runs):
    """{query: {system: …}} for the queries of one collection."""
    say(f"searching {collection.n:,} documents")
    running = [system(collection, work) for system in systems]
    results = {}
    try:
        for query in queries(collection.n):
            print(f"   {query.title:32}", end="", flush=True)
            results[query.name] = {system.name: result for system, result in compare(query, running, runs)}
            print(" ".join(f"{name} {r['ms']:.3g}" for name, r in results[query.name].items() if "ms" in r), flush=True)
            for name, result in results[query.name].items():
                if "unable" in result:
                    print(f"      {name}: {result['unable']}")
    finally:
        for system in running:
            system.close()
    return results


def compare(query, systems, runs):
    """In rounds, a turn for each system, so that what disturbs the machine disturbs all alike."""
    results, bursts = {}, {}
    for system in systems:
        try:
            bursts[system] = warm(system, query)
            results[system] = {"times": [], "counting": []}
        except Unable as reason:
            results[system] = {"unable": str(reason)}
        except Failed as error:
            results[system] = {"unable": str(error).splitlines()[0], "failed": True}
    for turn in range(runs):
        for system, burst in bursts.items():
            times = results[system]["times"]
            if turn >= SLOW_RUNS and median(times) > SLOW_MS:
                continue
            count, times, counting = system.run(query, burst)
            results[system]["count"] = count
            results[system]["times"] += times
            results[system]["counting"] += counting or []
    for system in bursts:
        results[system] = summary(results[system])
        if hasattr(system, "scans"):
            results[system]["scans"] = system.scans(query)
            results[system]["where"] = system.choose(query)
    return results.items()


def warm(system, query):
    """How often to run it in a row, learnt while warming it up."""
    _, times, _ = system.run(query, 3)
    if getattr(system, "compiles", False):
        begin, done = monotonic(), 0
        while (done < WARM_RUNS or monotonic() < begin + WARM_SECONDS) and monotonic() < begin + WARM_AT_MOST:
            _, times, _ = system.run(query, 20)
            done += len(times)
    return max(1, min(10, int(BURST_MS / max(median(times), 0.001))))


def summary(result):
    times = result.pop("times")
    counting = result.pop("counting")
    result |= {"runs": len(times), "ms": median(times), "min": min(times), "p90": quantile(times, 0.9)}
    if counting:
        result["count_ms"] = median(counting)
    return result


def disagreements(results):
    """[(query, {system: count})] where not all systems count the same."""
    found = []
    for name, systems in results.items():
        counts = {system: result["count"] for system, result in systems.items() if "count" in result}
        if len(set(counts.values())) > 1:
            found.append((name, counts))
    return found


def failures(results):
    """[(query, system, message)]: an error is no answer, and none is expected."""
    return [
        (name, system, result["unable"])
        for name, systems in results.items()
        for system, result in systems.items()
        if result.get("failed")
    ]
