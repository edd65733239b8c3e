"""Vector indexes: searches over committed index files, and builds that must find enough."""

from __future__ import annotations

import json
import math
import shutil
import statistics
import struct
import sys
from pathlib import Path

import lance

from arrow_values import table_of
from common import ROOT, Suite, compact, dump, field, item, lancefile, seeded, spec, values
from tables import clean

sys.path.insert(0, str(ROOT / "runner"))
import pylance_adapter

RECIPE = "index.py"
DIMENSION = 16
KINDS = ("IVF_FLAT", "IVF_PQ", "IVF_SQ", "IVF_HNSW_FLAT", "IVF_HNSW_PQ", "IVF_HNSW_SQ")
METRICS = ("l2", "cosine", "dot")
EXACT = {"abs": "0.0001", "rel": "0.0001"}
CODES = {"abs": "0.001", "rel": "0.001"}
KIND_PLACE = {"FLAT": "Flat vectors", "PQ": "Product quantization", "SQ": "Scalar quantization"}


def rounded(value: float) -> float:
    return struct.unpack("<f", struct.pack("<f", value))[0]


def bits(value: float) -> str:
    return struct.pack(">f", value).hex()


def mixture(name: str, count: int, queries: int, clusters: int = 8) -> tuple[list[list[float]], list[list[float]]]:
    """Rows and queries of the same few clouds."""
    r = seeded(name)
    centers = [[r.gauss(0, 1) for _ in range(DIMENSION)] for _ in range(clusters)]
    make = lambda n: [[rounded(c + r.gauss(0, 0.35)) for c in centers[r.randrange(clusters)]] for _ in range(n)]
    return make(count), make(queries)


def distance(metric: str, q: list[float], x: list[float]) -> float:
    if metric == "l2":
        return math.fsum((a - b) ** 2 for a, b in zip(q, x))
    dot = math.fsum(a * b for a, b in zip(q, x))
    if metric == "dot":
        return 1 - dot
    return 1 - dot / math.sqrt(math.fsum(a * a for a in q) * math.fsum(b * b for b in x))


def brute(metric: str, queries: list[list[float]], rows: dict[str, list[float]], k: int) -> list[dict]:
    """The k nearest in float64, and what lies as far away as the last one."""
    results = []
    for q in queries:
        far = sorted((distance(metric, q, x), id_) for id_, x in rows.items() if x is not None)
        last = far[min(k, len(far)) - 1][0] if far else 0.0
        results.append({"ids": [id_ for _, id_ in far[:k]], "distances": [bits(d) for d, _ in far[:k]],
                        "also_last": [id_ for d, id_ in far[k:] if d <= last + 1e-6 * max(1.0, abs(last))]})
    return results


def data_of(rows: dict[str, list[float] | None], element: str = "float32") -> dict:
    form = {"float16": ">e", "float32": ">f", "float64": ">d"}[element]
    fields = [field("id", "int64", nullable=False), field("group", "int32"), field("vector", f"fixed_size_list({DIMENSION})", item(element))]
    columns = [list(rows), [str(int(id_) % 5) for id_ in rows], [None if x is None else [struct.pack(form, v).hex() for v in x] for x in rows.values()]]
    return values(fields, columns)


def reference(path: Path, question: dict) -> list[dict]:
    """What the reference gives for index files whose codes it has rounded: the distances follow from the bytes."""
    more = dict(question, k=question["k"] + 15)
    scratch = path.parent / "question.json"
    scratch.write_text(json.dumps(more))
    answer = pylance_adapter.search(str(path), str(scratch))["results"]
    scratch.unlink()
    k, results = question["k"], []
    for got in answer:
        last = got["distances"][k - 1] if len(got["distances"]) >= k else None
        also = [id_ for id_, d in zip(got["ids"][k:], got["distances"][k:]) if abs(struct.unpack(">f", bytes.fromhex(d))[0] - struct.unpack(">f", bytes.fromhex(last))[0]) < 1e-5] if last else []
        results.append({"ids": got["ids"][:k], "distances": got["distances"][:k], "also_last": also})
    return results


class Searches:
    """One table with an index, and the searches of it."""

    def __init__(self, suite: Suite, name: str, kind: str, metric: str, count: int = 320, element: str = "float32", partitions: int = 4, missing: int = 0, build: bool = True, version: str = "2.2"):
        self.suite, self.name, self.kind, self.metric, self.element = suite, name, kind, metric, element
        self.folder = suite.folder(f"index/search/{name}")
        self.path = self.folder / "table.lance"
        self.version = version
        vectors, self.queries = mixture(f"index/search/{name}", count, 5)
        if element == "float16":
            vectors = [[struct.unpack("<e", struct.pack("<e", v))[0] for v in x] for x in vectors]
        self.rows: dict[str, list[float] | None] = {str(i): x for i, x in enumerate(vectors)}
        for i in range(missing):
            self.rows[str(i * 7)] = None
        lance.write_dataset(table_of(data_of(self.rows, element)), str(self.path), data_storage_version=version)
        if build:
            options: dict = {"num_partitions": partitions}
            if kind.endswith("PQ"):
                options["num_sub_vectors"] = 4
            lance.dataset(str(self.path)).create_index("vector", kind, metric=metric, name="vector_idx", **options)

    def add(self, name: str, title: str, k: int, results: list[dict] | None = None, tolerance: dict = EXACT, words: tuple = (), note: str | None = None, **ask) -> None:
        case_id = f"index/search/{self.name}/{name}"
        folder = self.suite.folder(case_id)
        question = {"column": "vector", "k": k, "id_column": "id", "queries": [[bits(v) for v in q] for q in self.queries], **ask}
        if ask.get("use_index") is False:
            question["metric"] = self.metric
        (folder / "queries.json").write_text(compact(question) + "\n")
        if results is None:
            results = reference(self.path, question)
            note = note or "the distances are those of the codes in the files; found by the reference, and by every certifier again"
        (folder / "expected.json").write_text(compact({"results": results}) + "\n")
        members: dict = {"requires": {"file_version": self.version, "words": sorted({"table", f"index:{self.kind}", *words})}, "input": "../table.lance",
                         "ask": {"queries": "queries.json"}, "expect": {"results": "expected.json", "tolerance": tolerance}}
        if note:
            members["note"] = note
        places = ["13-vector-index.md#Searching a table", "13-vector-index.md#Distances", "13-vector-index.md#IVF"]
        for ending, heading in KIND_PLACE.items():
            if self.kind.endswith(ending):
                places.append(f"13-vector-index.md#{heading}")
        if "HNSW" in self.kind:
            places.append("13-vector-index.md#HNSW")
        self.suite.case(case_id, title, "search", spec(*places), RECIPE, **members)

    def live(self, test=lambda id_: True) -> dict:
        return {id_: x for id_, x in self.rows.items() if test(int(id_))}


def searches(suite: Suite) -> None:
    for kind in KINDS:
        for metric in METRICS:
            exact = kind.endswith("FLAT")
            s = Searches(suite, f"{kind.lower().replace('_', '-')}-{metric}", kind, metric)
            ef = {"ef": 400} if "HNSW" in kind else {}
            everything = brute(metric, s.queries, s.rows, 10) if exact else None
            s.add("all-partitions", f"{kind} over {metric}, every partition", 10, everything, EXACT if exact else CODES, **ef)
            if "HNSW" not in kind:
                s.add("one-partition", f"{kind} over {metric}, the nearest partition only", 5, None, EXACT if exact else CODES, probes=1)
            if not exact:
                s.add("refined", f"{kind} over {metric}, every row looked at again", 10, brute(metric, s.queries, s.rows, 10), refine=32, **ef)
            some = s.live(lambda i: i % 5 in (1, 3))
            s.add("filtered", f"{kind} over {metric} among two groups", 10, brute(metric, s.queries, some, 10) if exact else None, EXACT if exact else CODES,
                  where={"column": "group", "in": ["1", "3"]}, **ef)
            clean(s.path)
    for element in ("float16", "float64"):
        s = Searches(suite, f"element-{element}", "IVF_FLAT", "l2", element=element)
        s.add("all-partitions", f"vectors of {element}", 10, brute("l2", s.queries, s.rows, 10), {"abs": "0.02", "rel": "0.002"} if element == "float16" else EXACT)
        clean(s.path)
    s = Searches(suite, "nulls", "IVF_FLAT", "l2", missing=20)
    s.add("all-partitions", "rows without a vector are never found", 10, brute("l2", s.queries, s.rows, 10))
    s.add("k-larger-than-table", "more asked for than there is", 500, brute("l2", s.queries, s.rows, 500))
    s.add("without-index", "exact search although there is an index", 10, brute("l2", s.queries, s.rows, 10), use_index=False)
    clean(s.path)
    s = Searches(suite, "changed", "IVF_FLAT", "l2")
    before = brute("l2", s.queries, s.rows, 10)
    nearest = sorted({id_ for result in before for id_ in result["ids"][:3]}, key=int)
    lance.dataset(str(s.path)).delete(f"id in ({', '.join(nearest)})")
    s.rows = {id_: x for id_, x in s.rows.items() if id_ not in nearest}
    s.add("deleted", "deleted rows are never found", 10, brute("l2", s.queries, s.rows, 10), words=("deletion-arrow",), version=3)
    more, _ = mixture("index/search/changed/more", 40, 1)
    new = {str(1000 + i): [rounded(a + 0.01) for a in s.queries[i % 5]] if i < 10 else x for i, x in enumerate(more)}
    lance.write_dataset(table_of(data_of(new)), str(s.path), mode="append")
    s.rows.update(new)
    s.add("appended", "rows that the index does not cover are found by a scan", 10, brute("l2", s.queries, s.rows, 10), words=("deletion-arrow",), version=4)
    lance.dataset(str(s.path)).optimize.optimize_indices()
    s.add("two-segments", "an index of two segments", 10, brute("l2", s.queries, s.rows, 10), words=("deletion-arrow",))
    s.add("older-version", "a version before the deletion", 10, before, version=2)
    s.add("before-the-index", "a version before the index: by scan", 10, before, version=1)
    clean(s.path)
    s = Searches(suite, "no-index", "IVF_FLAT", "cosine", build=False)
    for metric in METRICS:
        s.add(f"exact-{metric}", f"search by scan, {metric}", 10, brute(metric, s.queries, s.rows, 10), metric=metric)
    clean(s.path)


def recall(truth: list[list[str]], answer: list[dict]) -> float:
    return sum(len(set(a) & set(b["ids"])) for a, b in zip(truth, answer)) / sum(map(len, truth))


def builds(suite: Suite) -> None:
    folder = suite.folder("index/build/mixture")
    path = folder / "table.lance"
    vectors, queries = mixture("index/build/mixture", 900, 100, clusters=20)
    rows = {str(i): x for i, x in enumerate(vectors)}
    lance.write_dataset(table_of(data_of(rows)), str(path), data_storage_version="2.2")
    clean(path)
    for metric in METRICS:
        truth = brute(metric, queries, rows, 10)
        (folder / f"truth-{metric}.json").write_text(compact({"ids": [each["ids"] for each in truth]}) + "\n")
        (folder / f"queries-{metric}.json").write_text(compact({"column": "vector", "k": 10, "id_column": "id", "probes": 4, "refine": 5, "metric": metric, "queries": [[bits(v) for v in q] for q in queries]}) + "\n")
        for kind in KINDS:
            if metric != "l2" and "HNSW" in kind:
                continue
            index = {"column": "vector", "name": "vector_idx", "kind": kind, "metric": metric, "partitions": 8}
            if kind.endswith("PQ"):
                index["sub_vectors"] = 4
            measured = []
            for attempt in range(5):
                copy = folder / f"attempt-{attempt}.lance"
                shutil.copytree(path, copy)
                dump(index, folder / "index.json")
                pylance_adapter.build(str(copy), str(folder / "index.json"))
                answer = pylance_adapter.search(str(copy), str(folder / f"queries-{metric}.json"))["results"]
                measured.append(recall([each["ids"] for each in truth], answer))
                shutil.rmtree(copy)
            (folder / "index.json").unlink()
            floor = max(0.0, statistics.mean(measured) - max(3 * statistics.stdev(measured), 0.03))
            label = kind.lower().replace("_", "-")
            case_id = f"index/build/mixture/{label}-{metric}"
            suite.folder(case_id)
            suite.case(case_id, f"{kind} over {metric}: of 100 searches at least this share of the true neighbours", "build",
                       spec("13-vector-index.md#Files of a segment", "13-vector-index.md#Index entries", "13-vector-index.md#Index details"), RECIPE,
                       requires={"file_version": "2.2", "words": sorted(["table", f"index:{kind}"])}, input="../table.lance",
                       ask={"index": index, "queries": f"../queries-{metric}.json"},
                       expect={"truth": f"../truth-{metric}.json", "recall": f"{floor:.4f}", "measured": [f"{value:.4f}" for value in measured]},
                       note="the floor is the mean of five builds by the reference less three standard deviations, at least 0.03")


def make(suite: Suite) -> None:
    searches(suite)
    builds(suite)
