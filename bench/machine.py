"""What the numbers were measured on."""

import os
import platform
import subprocess
from pathlib import Path

SETTINGS = ("shared_buffers effective_cache_size maintenance_work_mem work_mem max_wal_size checkpoint_timeout fsync "
    "synchronous_commit max_parallel_workers_per_gather jit").split()  # fmt: skip


def machine(pg, work):
    cpu = next((line.split(":", 1)[1].strip() for line in open("/proc/cpuinfo") if line.startswith("model name")), platform.machine())
    memory = next(int(line.split()[1]) for line in open("/proc/meminfo") if line.startswith("MemTotal:"))
    versions = {"PostgreSQL": pg.value("SHOW server_version")}
    versions |= dict(pg("SELECT extname, extversion FROM pg_extension WHERE extname IN ('session_store', 'jsquery')"))
    for name, jar in (("Lucene", "lucene-core-"), ("Solr", "solr-core-")):
        paths = work / f"{name.lower()}.classpath"
        if paths.exists():
            versions[name] = next(Path(p).stem.removeprefix(jar) for p in paths.read_text().split(":") if Path(p).name.startswith(jar))
    if "Lucene" in versions:
        java = subprocess.run(["java", "-version"], capture_output=True, text=True).stderr
        versions["Java"] = java.split('"')[1]
    return {
        "cpu": cpu,
        "cores": len(os.sched_getaffinity(0)),
        "memory_gib": round(memory / 1024 / 1024),
        "system": next((line.split("=")[1].strip().strip('"') for line in open("/etc/os-release") if line.startswith("PRETTY_NAME=")), platform.system()),
        "versions": versions,
        "settings": {name: pg.value(f"SHOW {name}") for name in SETTINGS},
    }
