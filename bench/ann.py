"""Vector search: Lancer against pylance, faiss, hnswlib and usearch, on the same rows and queries, in one run.

Every system builds its index on two threads, is then asked 1,000 queries one after the other by one thread, and the same
queries together on two threads. Times are the best of some rounds, by the clock and in
processor time; recall is that of the 10 nearest rows, by exact search.
Lancer and pylance search a table on disk through their public calls, result table included; the others search what they have
in memory. faiss, hnswlib, usearch and pylance are called from Python, Lancer from Swift. pylance's threads are its own affair.
Of the first data set both also search with conditions that fewer and fewer rows satisfy.

The graphs of the others take most of the time; with `--cache` they are kept in a folder for the next run, and their
build times, marked with a star, are those of the run that made them. Indexes without graphs, and Lancer's, are always built.

    bench/ann [--data debian synthetic] [--kinds pq hnsw filter] [--rows N] [--repeat N] [--without NAME …] [--cache FOLDER]
"""

from __future__ import annotations

import argparse
import functools
import json
import os
import platform
import shutil
import subprocess
import sys
import tempfile
import time
from pathlib import Path

# Before the libraries that read them.
for name in ("OMP_NUM_THREADS", "LANCE_CPU_THREADS"):
    os.environ.setdefault(name, "2")

import numpy as np  # noqa: E402

HERE = Path(__file__).resolve().parent
DEBIAN = Path(os.environ.get("LANCER_DEBIAN_DATA") or HERE.parent.parent / "shared" / "data")
K = 10
TARGETS = {"pq": (0.6, 0.7, 0.8, 0.9, 0.95, 0.99), "hnsw": (0.9, 0.95, 0.98, 0.99, 0.995)}


class Data:
    """Rows, queries, and the nearest rows of each query."""

    def __init__(self, name: str, rows: np.ndarray, queries: np.ndarray, metric: str, partitions: int, sub_vectors: int):
        self.name, self.rows, self.queries, self.metric = name, rows, queries, metric
        self.partitions, self.sub_vectors = partitions, sub_vectors
        import faiss

        flat = faiss.IndexFlatL2(rows.shape[1])
        # For unit vectors the nearest by angle are the nearest by distance.
        flat.add(self.unit(rows))
        self.truth = flat.search(self.unit(queries), K)[1]

    def unit(self, vectors: np.ndarray) -> np.ndarray:
        if self.metric != "cosine":
            return vectors
        return vectors / np.maximum(np.linalg.norm(vectors, axis=1, keepdims=True), 1e-30)

    def recall(self, found: np.ndarray) -> float:
        hits = sum(len(set(a) & set(b)) for a, b in zip(self.truth.tolist(), found.tolist()))
        return hits / self.truth.size


def debian() -> Data:
    rows = np.load(DEBIAN / "debian-packages.embedding.f16.npy").astype(np.float32)
    random = np.random.default_rng(11)
    queries = rows[random.choice(len(rows), 1000, replace=False)]
    queries = queries + 0.02 * random.normal(size=queries.shape).astype(np.float32)
    return Data("debian", rows, queries.astype(np.float32), "cosine", 248, 48)


def synthetic(count: int) -> Data:
    random = np.random.default_rng(12)
    centers = random.normal(size=(2000, 128)).astype(np.float32)
    all_rows = centers[random.integers(0, 2000, count + 1000)]
    all_rows = all_rows + 0.5 * random.normal(size=all_rows.shape).astype(np.float32)
    return Data("synthetic", all_rows[:count], all_rows[count:], "l2", 512, 32)


#: Processor time of the last search, of all its threads: on a busy machine it says more than the clock.
processor = 0.0


def timed(body) -> tuple[float, object]:
    global processor
    used, start = time.process_time(), time.perf_counter()
    result = body()
    seconds = time.perf_counter() - start
    processor = time.process_time() - used
    return seconds, result


class System:
    """One library with one kind of index. `settings` are the points of its curve."""

    name = ""
    settings: list[dict] = []

    def build(self) -> float:
        raise NotImplementedError

    def search(self, setting: dict, together: bool) -> tuple[float, np.ndarray]:
        """Seconds for all queries, and what was found."""
        raise NotImplementedError

    #: File names of a graph that may be kept between runs; none for what is always built.
    kept = ""

    def save(self, path: Path):
        raise NotImplementedError

    def restore(self, path: Path):
        raise NotImplementedError

    def made(self, cache: Path | None) -> tuple[float, bool]:
        """Seconds of the build, and whether they are another run's."""
        if cache is None or not self.kept:
            return self.build(), False
        cache.mkdir(parents=True, exist_ok=True)
        path = cache / f"{self.data.name}-{len(self.data.rows)}-{self.kept}"
        note = path.with_name(path.name + ".json")
        if note.exists():
            self.restore(path)
            return json.loads(note.read_text())["seconds"], True
        seconds = self.build()
        self.save(path)
        note.write_text(json.dumps({"seconds": seconds}))
        return seconds, False

    def close(self):
        pass


PROBES = (1, 2, 4, 8, 16, 32, 64)
EF = (10, 15, 20, 30, 50, 100, 200)


def settings_of(kind: str) -> list[dict]:
    if kind.startswith("IVF_PQ"):
        refined = [(1, 3), (2, 3), (4, 3), (8, 3), (16, 3), (2, 10), (4, 10), (8, 10), (16, 10), (64, 10)]
        return [{"probes": p} for p in PROBES] + [{"probes": p, "refine": r} for p, r in refined]
    refined = [{"ef": ef, "refine": 2} for ef in (20, 30, 50, 100)] if kind == "IVF_HNSW_SQ" else []
    return [{"ef": ef} for ef in EF] + refined


class Lancer(System):
    def __init__(self, data: Data, kind: str, table: Path, worker: Path, scratch: Path):
        self.name = f"Lancer {kind}"
        self.data, self.kind, self.scratch = data, kind, scratch
        self.settings = settings_of(kind)
        self.table = scratch / f"lancer-{kind}.lance"
        shutil.copytree(table, self.table)
        self.process = subprocess.Popen([str(worker)], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True, bufsize=1)
        self.queries = scratch / "queries.f32"
        data.queries.tofile(self.queries)

    def order(self, task: str, **vectors) -> dict:
        order = {"task": task, "path": str(self.table), "vectors": {"column": "vector", "metric": self.data.metric, **vectors}}
        self.process.stdin.write(json.dumps(order) + "\n")
        answer = json.loads(self.process.stdout.readline())
        if answer.get("error"):
            raise RuntimeError(answer["error"])
        return answer

    def build(self) -> float:
        what = {"kind": self.kind, "threads": 2, "partitions": 1}
        if "PQ" in self.kind:
            what |= {"partitions": self.data.partitions, "subVectors": self.data.sub_vectors}
        return self.order("index", **what)["seconds"]

    def search(self, setting: dict, together: bool) -> tuple[float, np.ndarray]:
        output = self.scratch / "found.u64"
        where = {"condition": setting["where"]} if "where" in setting else {}
        answer = self.order(
            "search", queries=str(self.queries), dimension=self.data.rows.shape[1], k=K, isBatch=together, output=str(output),
            **{name: value for name, value in setting.items() if name != "where"}, **where,
        )
        global processor
        processor = answer["processorSeconds"]
        return answer["seconds"], np.fromfile(output, np.uint64).reshape(-1, K).astype(np.int64)

    def close(self):
        self.process.stdin.close()
        self.process.wait()
        shutil.rmtree(self.table)


class Pylance(System):
    def __init__(self, data: Data, kind: str, table: Path, scratch: Path):
        import lance

        self.name = f"pylance {kind}"
        self.data, self.kind = data, kind
        self.settings = settings_of(kind)
        self.table = scratch / f"pylance-{kind}.lance"
        shutil.copytree(table, self.table)
        self.dataset = lance.dataset(str(self.table))
        self.kept = "" if "PQ" in kind else f"pylance-{kind}"

    def save(self, path: Path):
        shutil.copytree(self.table, path, dirs_exist_ok=True)

    def restore(self, path: Path):
        import lance

        shutil.rmtree(self.table)
        shutil.copytree(path, self.table)
        self.dataset = lance.dataset(str(self.table))

    def build(self) -> float:
        what = {"num_partitions": 1}
        if "PQ" in self.kind:
            what = {"num_partitions": self.data.partitions, "num_sub_vectors": self.data.sub_vectors}
        seconds, self.dataset = timed(lambda: self.dataset.create_index("vector", self.kind, metric=self.data.metric, **what))
        return seconds

    def nearest(self, query: np.ndarray, setting: dict):
        names = {"probes": "nprobes", "refine": "refine_factor", "ef": "ef"}
        what = {names[name]: value for name, value in setting.items() if name != "where"}
        where = {"filter": setting["where"], "prefilter": True} if "where" in setting else {}
        return self.dataset.to_table(nearest={"column": "vector", "q": query, "k": K, **what}, columns=["_rowid", "_distance"], **where)

    def search(self, setting: dict, together: bool) -> tuple[float, np.ndarray]:
        queries = self.data.queries
        if together:
            seconds, table = timed(lambda: self.nearest(queries, setting))
            tables = [(table["query_index"].to_numpy(), table["_rowid"].to_numpy())]
        else:
            seconds, results = timed(lambda: [self.nearest(query, setting) for query in queries])
            tables = [(np.full(len(t), i), t["_rowid"].to_numpy()) for i, t in enumerate(results)]
        found = np.full((len(queries), K), -1, np.int64)
        filled = np.zeros(len(queries), np.int64)
        for numbers, rows in tables:
            for number, row in zip(numbers, rows):
                found[number, filled[number]] = row
                filled[number] += 1
        return seconds, found

    def close(self):
        shutil.rmtree(self.table)


class Faiss(System):
    def __init__(self, data: Data, kind: str):
        self.name = f"faiss {kind}"
        self.data, self.kind = data, kind
        self.settings = settings_of(kind)
        self.kept = "" if kind == "IVF_PQ" else "faiss"

    def save(self, path: Path):
        import faiss

        faiss.write_index(self.index, str(path))

    def restore(self, path: Path):
        import faiss

        self.index = faiss.read_index(str(path))

    def build(self) -> float:
        import faiss

        data = self.data
        faiss.omp_set_num_threads(2)
        dimension = data.rows.shape[1]
        rows = data.unit(data.rows)
        if self.kind == "IVF_PQ":
            self.index = faiss.index_factory(dimension, f"IVF{data.partitions},PQ{data.sub_vectors}")
        else:
            self.index = faiss.IndexHNSWFlat(dimension, 20)
            self.index.hnsw.efConstruction = 150

        def work():
            self.index.train(rows)
            self.index.add(rows)

        seconds = timed(work)[0]
        if self.kind == "IVF_PQ":
            self.flat = faiss.IndexFlat(dimension)
            self.flat.add(rows)
            self.refined = faiss.IndexRefine(self.index, self.flat)
        return seconds

    def search(self, setting: dict, together: bool) -> tuple[float, np.ndarray]:
        import faiss

        index = self.index
        if "probes" in setting:
            index.nprobe = setting["probes"]
            if "refine" in setting:
                index = self.refined
                index.k_factor = setting["refine"]
        else:
            index.hnsw.efSearch = setting["ef"]
        queries = self.data.unit(self.data.queries)
        faiss.omp_set_num_threads(2 if together else 1)
        if together:
            seconds, (_, found) = timed(lambda: index.search(queries, K))
            return seconds, found
        seconds, found = timed(lambda: [index.search(queries[i : i + 1], K)[1][0] for i in range(len(queries))])
        return seconds, np.array(found)


class Hnswlib(System):
    name = "hnswlib HNSW"
    kept = "hnswlib"

    def __init__(self, data: Data):
        self.data, self.settings = data, settings_of("HNSW")

    def save(self, path: Path):
        self.index.save_index(str(path))

    def restore(self, path: Path):
        import hnswlib

        self.index = hnswlib.Index("ip" if self.data.metric == "cosine" else "l2", self.data.rows.shape[1])
        self.index.load_index(str(path))

    def build(self) -> float:
        import hnswlib

        rows = self.data.unit(self.data.rows)
        self.index = hnswlib.Index("ip" if self.data.metric == "cosine" else "l2", rows.shape[1])
        self.index.init_index(len(rows), M=20, ef_construction=150)
        self.index.set_num_threads(2)
        return timed(lambda: self.index.add_items(rows))[0]

    def search(self, setting: dict, together: bool) -> tuple[float, np.ndarray]:
        self.index.set_ef(setting["ef"])
        self.index.set_num_threads(2 if together else 1)
        queries = self.data.unit(self.data.queries)
        if together:
            seconds, (found, _) = timed(lambda: self.index.knn_query(queries, K))
            return seconds, found.astype(np.int64)
        seconds, found = timed(lambda: [self.index.knn_query(queries[i : i + 1], K)[0][0] for i in range(len(queries))])
        return seconds, np.array(found).astype(np.int64)


class USearch(System):
    name = "usearch HNSW"
    kept = "usearch"

    def __init__(self, data: Data):
        self.data, self.settings = data, settings_of("HNSW")

    def empty(self):
        from usearch.index import Index

        metric = "ip" if self.data.metric == "cosine" else "l2sq"
        return Index(ndim=self.data.rows.shape[1], metric=metric, dtype="f32", connectivity=20, expansion_add=150)

    def save(self, path: Path):
        self.index.save(str(path))

    def restore(self, path: Path):
        self.index = self.empty()
        self.index.load(str(path))

    def build(self) -> float:
        rows = self.data.unit(self.data.rows)
        self.index = self.empty()
        return timed(lambda: self.index.add(np.arange(len(rows)), rows, threads=2))[0]

    def search(self, setting: dict, together: bool) -> tuple[float, np.ndarray]:
        self.index.expansion_search = setting["ef"]
        queries = self.data.unit(self.data.queries)
        if together:
            seconds, found = timed(lambda: self.index.search(queries, K, threads=2))
            return seconds, found.keys.astype(np.int64)
        seconds, found = timed(lambda: [self.index.search(query, K, threads=1).keys for query in queries])
        return seconds, np.array(found).astype(np.int64)


def systems(data: Data, kind: str, table: Path, scratch: Path, options) -> list:
    """Makers of the systems of a kind, so that only one of them is in memory."""
    if kind == "pq":
        makers = [
            ("lancer", lambda: Lancer(data, "IVF_PQ", table, options.worker, scratch)),
            ("faiss", lambda: Faiss(data, "IVF_PQ")),
            ("pylance", lambda: Pylance(data, "IVF_PQ", table, scratch)),
        ]
    else:
        makers = [
            ("lancer", lambda: Lancer(data, "IVF_HNSW_FLAT", table, options.worker, scratch)),
            ("lancer", lambda: Lancer(data, "IVF_HNSW_SQ", table, options.worker, scratch)),
            ("hnswlib", lambda: Hnswlib(data)),
            ("usearch", lambda: USearch(data)),
            ("faiss", lambda: Faiss(data, "HNSW")),
            ("pylance", lambda: Pylance(data, "IVF_HNSW_FLAT", table, scratch)),
            ("pylance", lambda: Pylance(data, "IVF_HNSW_SQ", table, scratch)),
        ]
    return [make for name, make in makers if name not in options.without]


def run(data: Data, kind: str, table: Path, scratch: Path, options) -> dict:
    result = {"data": data.name, "kind": kind, "systems": []}
    for make in systems(data, kind, table, scratch, options):
        system = make()
        try:
            seconds, is_old = system.made(options.cache)
            own = {"name": system.name, "build": seconds, "isOldBuild": is_old, "points": []}
            print(f"{data.name} {system.name}: built in {seconds:.1f} s{' by an earlier run' if is_old else ''}", flush=True)
            for setting in system.settings:
                point = dict(setting)
                for name, together in (("single", False), ("batch", True)):
                    best, rounds = None, 0
                    # The first round warms caches; slow points are not repeated for long.
                    while rounds <= options.repeat:
                        seconds, found = system.search(setting, together)
                        best = seconds if best is None else min(best, seconds)
                        if not together:
                            point["cpu"] = min(point.get("cpu", float("inf")), processor / len(data.queries) * 1000)
                        rounds += 1
                        if seconds > 10 or (seconds > 1 and rounds == 2):
                            break
                    point[name] = best / len(data.queries) * 1000
                    point["recall"] = data.recall(found)
                own["points"].append(point)
                print(f"  {setting}: recall {point['recall']:.4f}, {point['single']:.4f} ms ({point['cpu']:.4f} of processors), batched {point['batch']:.4f} ms", flush=True)
            result["systems"].append(own)
        finally:
            system.close()
    return result


def report(result: dict) -> str:
    """A table of the least time for a recall."""
    lines = [f"### {result['data']}, {result['kind']}", "", "ms a query: one by one on one thread / the same in processor time of all threads / batched on two; the quickest setting with at least the recall", ""]
    targets = TARGETS[result["kind"]]
    lines.append("| system | build s | " + " | ".join(f"recall ≥ {t}" for t in targets) + " |")
    lines.append("|---|---|" + "---|" * len(targets))
    for system in result["systems"]:
        cells = []
        for target in targets:
            good = [p for p in system["points"] if p["recall"] >= target]
            least = [f"{min(p[measure] for p in good):.3f}" for measure in ("single", "cpu", "batch") if good]
            cells.append(" / ".join(least) or "–")
        star = "*" if system["isOldBuild"] else ""
        lines.append(f"| {system['name']} | {system['build']:.1f}{star} | " + " | ".join(cells) + " |")
    return "\n".join(lines) + "\n"


#: Of 2,000 equal parts of the rows as many satisfy a condition; none is no condition.
PARTS = (None, 1000, 100, 10, 1)


def run_filters(data: Data, table: Path, scratch: Path, options) -> dict:
    """Searches of rows for which a condition is true."""
    import faiss

    rows, queries = data.unit(data.rows), data.unit(data.queries)
    exact = {None: data.truth}
    for parts in PARTS[1:]:
        numbers = np.flatnonzero(np.arange(len(rows)) % 2000 < parts)
        flat = faiss.IndexFlatL2(rows.shape[1])
        flat.add(rows[numbers])
        nearest = flat.search(queries, K)[1]
        exact[parts] = np.where(nearest < 0, -1, numbers[nearest])
    makers = {
        "lancer": lambda kind: Lancer(data, kind, table, options.worker, scratch),
        "pylance": lambda kind: Pylance(data, kind, table, scratch),
    }
    result = {"data": data.name, "kind": "filter", "systems": []}
    for kind, setting in (("IVF_PQ", {"refine": 10}), ("IVF_HNSW_SQ", {"refine": 2})):
        for name, make in makers.items():
            if name in options.without:
                continue
            system = make(kind)
            try:
                system.made(options.cache)
                points = []
                for parts in PARTS:
                    where = {} if parts is None else {"where": f"part < {parts}"}
                    seconds, found = min((system.search({**setting, **where}, False) for _ in range(2)), key=lambda pair: pair[0])
                    wanted = exact[parts]
                    hits = sum(len(set(a) & set(b) - {-1}) for a, b in zip(wanted.tolist(), found.tolist()))
                    point = {"parts": parts, "single": seconds / len(queries) * 1000, "recall": hits / int((wanted >= 0).sum())}
                    points.append(point)
                    print(f"{data.name} {system.name} {where or 'all rows'}: recall {point['recall']:.4f}, {point['single']:.3f} ms", flush=True)
                result["systems"].append({"name": f"{system.name}, refined {setting['refine']}", "points": points})
            finally:
                system.close()
    return result


def report_filters(result: dict) -> str:
    """A table of recall and time for each condition."""
    shares = ["all rows" if parts is None else f"{parts / 20:g} %" for parts in PARTS]
    lines = [f"### {result['data']}, conditions before the search", "", "recall / ms a query, one by one; the share of rows that satisfy a condition on a plain column", ""]
    lines += ["| system | " + " | ".join(shares) + " |", "|---|" + "---|" * len(shares)]
    for system in result["systems"]:
        lines.append(f"| {system['name']} | " + " | ".join(f"{p['recall']:.4f} / {p['single']:.3f}" for p in system["points"]) + " |")
    return "\n".join(lines) + "\n"


def plot(result: dict, measure: str) -> str:
    """Recall (to the right) and time (upwards, logarithmic) as SVG."""
    width, height, left, bottom = 760, 480, 70, 50
    points = [(p["recall"], p[measure]) for s in result["systems"] for p in s["points"]]
    low = max(0.0, min(r for r, _ in points) - 0.02)
    least, most = min(t for _, t in points) / 1.3, max(t for _, t in points) * 1.3
    x = lambda r: left + (width - left - 220) * (r - low) / (1 - low)
    y = lambda t: (height - bottom) - (height - bottom - 20) * np.log(t / least) / np.log(most / least)
    colors = ("#c0392b", "#e67e22", "#2980b9", "#16a085", "#8e44ad", "#7f8c8d", "#2c3e50")
    out = [f'<svg xmlns="http://www.w3.org/2000/svg" width="{width}" height="{height}" font-family="sans-serif" font-size="12">']
    out.append(f'<rect width="{width}" height="{height}" fill="white"/>')
    for i in range(6):
        r = low + (1 - low) * i / 5
        out.append(f'<text x="{x(r):.0f}" y="{height - bottom + 18}" text-anchor="middle">{r:.2f}</text>')
        t = least * (most / least) ** (i / 5)
        out.append(f'<text x="{left - 6}" y="{y(t):.0f}" text-anchor="end">{t:.3g}</text>')
        out.append(f'<line x1="{left}" x2="{width - 220}" y1="{y(t):.0f}" y2="{y(t):.0f}" stroke="#ddd"/>')
    out.append(f'<text x="{left}" y="{height - 10}">recall of 10 → · ms a query, {measure} ↑ · {result["data"]}, {result["kind"]}</text>')
    for number, system in enumerate(result["systems"]):
        color = colors[number % len(colors)]
        # Of all settings those that no other one beats in both.
        front, best = [], float("inf")
        for p in sorted(system["points"], key=lambda p: (-p["recall"], p[measure])):
            if p[measure] < best:
                front.append(p)
                best = p[measure]
        line = " ".join(f"{x(p['recall']):.1f},{y(p[measure]):.1f}" for p in front)
        out.append(f'<polyline points="{line}" fill="none" stroke="{color}" stroke-width="2"/>')
        out += [f'<circle cx="{x(p["recall"]):.1f}" cy="{y(p[measure]):.1f}" r="3" fill="{color}"/>' for p in front]
        out.append(f'<text x="{width - 205}" y="{40 + 20 * number}" fill="{color}">{system["name"]}</text>')
    return "\n".join(out + ["</svg>"]) + "\n"


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--worker", type=Path, required=True)
    parser.add_argument("--out", type=Path, required=True, help="folder for tables and plots")
    parser.add_argument("--data", nargs="+", default=["debian", "synthetic"], choices=["debian", "synthetic"])
    parser.add_argument("--kinds", nargs="+", default=["pq", "hnsw", "filter"], choices=["pq", "hnsw", "filter"])
    parser.add_argument("--rows", type=int, default=500_000, help="rows of the synthetic set")
    parser.add_argument("--repeat", type=int, default=3, help="rounds after the first of quick searches")
    parser.add_argument("--without", nargs="*", default=[], help="systems to leave out")
    parser.add_argument("--cache", type=Path, help="folder that keeps the others' graphs between runs")
    options = parser.parse_args()
    if hasattr(os, "sched_setaffinity") and len(os.sched_getaffinity(0)) > 2:
        # Two cores for everybody, threads to come included.
        os.sched_setaffinity(0, sorted(os.sched_getaffinity(0))[-2:])
    import lance
    import pyarrow as pa

    options.out.mkdir(parents=True, exist_ok=True)
    results, texts = [], [f"{platform.processor() or platform.machine()}, {platform.system()}, pylance {lance.__version__}, two cores\n"]
    for name in options.data:
        if name == "debian" and not (DEBIAN / "debian-packages.embedding.f16.npy").exists():
            print("no Debian embeddings here; set LANCER_DEBIAN_DATA to their folder", file=sys.stderr)
            continue
        data = debian() if name == "debian" else synthetic(options.rows)
        with tempfile.TemporaryDirectory(prefix="lancer-ann-") as folder:
            table = Path(folder) / "table.lance"
            vectors = pa.FixedSizeListArray.from_arrays(pa.array(data.rows.reshape(-1)), data.rows.shape[1])
            part = pa.array(np.arange(len(data.rows)) % 2000, pa.int32())
            lance.write_dataset(pa.table({"vector": vectors, "part": part}), str(table))
            for kind in options.kinds:
                if kind == "filter" and name != options.data[0]:
                    continue
                result = (run_filters if kind == "filter" else functools.partial(run, kind=kind))(data, table=table, scratch=Path(folder), options=options)
                results.append(result)
                texts.append(report_filters(result) if kind == "filter" else report(result))
                for measure in ("single", "batch") if kind != "filter" else ():
                    (options.out / f"{name}-{kind}-{measure}.svg").write_text(plot(result, measure))
                (options.out / "results.json").write_text(json.dumps(results, indent=1))
                (options.out / "results.md").write_text("\n".join(texts))
    print("\n".join(texts))


if __name__ == "__main__":
    main()
