"""Lucene and Solr, as processes of their own."""

import re
import socket
import subprocess
from pathlib import Path
from time import perf_counter_ns
from urllib.parse import urlencode

ROWS = 10


class Java:
    """A Java program, and its answers line by line."""

    def __init__(self, program, heap, collection, work, index, *more, main=None):
        here = Path(__file__).parent
        classpath = f"{work}/{program.lower()}/classes:{(work / (program.lower() + '.classpath')).read_text()}"
        with open(collection.directory / f"{(main or program).lower()}.log", "w") as log:
            self.process = subprocess.Popen(
                ["java", f"-Xmx{heap}", "-Dlog4j2.level=OFF", "-cp", classpath, main or program,
                    here / "schema.txt", collection.file, collection.directory / index, *more],
                stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=log, text=True)  # fmt: skip
        self.ready = self.line()

    def line(self):
        line = self.process.stdout.readline()
        if not line:
            raise RuntimeError(f"{self.process.args[5]} ended; its log is beside the documents")
        return line.split()

    def ask(self, line):
        print(line, file=self.process.stdin, flush=True)
        return self.line()

    def close(self):
        self.process.stdin.close()
        self.process.wait()


class Lucene:
    name, title = "lucene", "Lucene in process"
    compiles = True  # must run often before it is as fast as it gets

    def __init__(self, collection, work):
        self.java = Java("Lucene", "2g", collection, work, "lucene")

    @staticmethod
    def question(query):
        return f"{query.start}\t{query.sort or ''}\t{query.q}"

    def run(self, query, runs):
        count, *times = self.java.ask(f"{runs}\t{self.question(query)}")
        return int(count), [int(time) / 1e6 for time in times], None

    def close(self):
        self.java.close()


class KeptAlive:
    """HTTP with no more in it than it takes, so that what is timed is the server and not Python's client."""

    def __init__(self, host, port):
        self.host = f"{host}:{port}"
        self.socket = socket.create_connection((host, port))
        self.socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)

    def get(self, path):
        """Milliseconds, and all that came: head and body, in chunks or not."""
        request = f"GET {path} HTTP/1.1\r\nHost: {self.host}\r\n\r\n".encode()
        begin = perf_counter_ns()
        self.socket.sendall(request)
        answer = b""
        while not whole(answer):
            part = self.socket.recv(1 << 18)
            if not part:
                raise RuntimeError("the server closed the connection")
            answer += part
        return (perf_counter_ns() - begin) / 1e6, answer

    def close(self):
        self.socket.close()


def whole(answer):
    head = answer.find(b"\r\n\r\n")
    if head < 0:
        return False
    length = re.search(rb"(?i)\r\ncontent-length: *(\d+)", answer[: head + 2])
    return len(answer) == head + 4 + int(length[1]) if length else answer.endswith(b"\r\n0\r\n\r\n")


class Solr:
    name, title = "solr", "Solr over HTTP"
    compiles = True

    def __init__(self, collection, work):
        self.java = Java("Solr", "4g", collection, work, "solr")
        self.http = KeptAlive("127.0.0.1", int(self.java.ready[1]))

    def run(self, query, runs):
        # In the order of the index unless there is another: nobody asks for a score.
        parameters = {"q": query.q, "df": "_any_", "fl": "_source_", "rows": ROWS, "start": query.start,
            "sort": query.sort or "_docid_ asc", "wt": "json", "echoParams": "none"}  # fmt: skip
        path = "/solr/bench/select?" + urlencode(parameters)
        times = []
        for _ in range(runs):
            time, answer = self.http.get(path)
            times.append(time)
        found = re.search(rb'"numFound":(\d+)', answer)
        if not found:
            raise RuntimeError(answer.decode(errors="replace"))
        return int(found[1]), times, None

    def close(self):
        self.http.close()
        self.java.close()
