"""Tables of vectors, and searches by both programs, for the tests of indexes."""

from __future__ import annotations

import os
from pathlib import Path

os.environ.setdefault("LANCE_LOG", "error")

import lance
import numpy as np
import pyarrow as pa

from lancer_cli import ROOT, lancer, read_arrow

KINDS = ["IVF_FLAT", "IVF_PQ", "IVF_SQ", "IVF_HNSW_FLAT", "IVF_HNSW_SQ", "IVF_HNSW_PQ"]
METRICS = ["l2", "cosine", "dot"]
TYPES = {"f32": (np.float32, pa.float32()), "f16": (np.float16, pa.float16()), "f64": (np.float64, pa.float64())}
FULL = os.environ.get("LANCER_FULL") == "1"


def clustered(count: int, dimension: int, seed: int = 1, clusters: int = 60) -> np.ndarray:
    """Rows around so many centres."""
    random = np.random.default_rng(seed)
    centres = np.random.default_rng(99).standard_normal((clusters, dimension)) * 2
    return centres[random.integers(0, clusters, count)] + random.standard_normal((count, dimension)) * 0.6


def debian() -> np.ndarray:
    """Embeddings of packages, 384 numbers each: all 63,664 if `LANCER_DEBIAN_DATA` names their folder, or else 5,000."""
    folder = os.environ.get("LANCER_DEBIAN_DATA")
    if folder:
        return np.load(Path(folder) / "debian-packages.embedding.f16.npy").astype(np.float32)
    return np.load(ROOT / "examples" / "debian-5k.embedding.f16.npy").astype(np.float32)


def vectors(values: np.ndarray, kind: str = "f32", nulls=()) -> pa.Array:
    """A column of vectors, null in some rows."""
    number, arrow = TYPES[kind]
    mask = np.zeros(len(values), bool)
    mask[list(nulls)] = True
    flat = pa.array(values.astype(number).ravel(), arrow)
    return pa.FixedSizeListArray.from_arrays(flat, values.shape[1], mask=pa.array(mask) if mask.any() else None)


def table(values: np.ndarray, kind: str = "f32", first: int = 0, nulls=()) -> pa.Table:
    """Rows with an id, a remainder to filter by, and a vector."""
    ids = np.arange(first, first + len(values))
    return pa.table({"id": ids, "mod": ids % 2000, "v": vectors(values, kind, nulls)})


def lancer_search(dataset: Path, queries: np.ndarray, *options: object, k: int = 10, column: str = "v") -> list[dict[int, float]]:
    """For each query the ids with their distances, nearest first, as `lancer search` finds them."""
    source, out = dataset.parent / "queries.npy", dataset.parent / "found.arrow"
    np.save(source, np.atleast_2d(queries))
    lancer("search", dataset, column, "--query", source, "-k", k, "-c", "id", "-o", out, "--overwrite", *options)
    found = read_arrow(out)
    result: list[dict[int, float]] = [{} for _ in np.atleast_2d(queries)]
    for query, row, distance in zip(*(found[name].to_pylist() for name in ("query_index", "id", "_distance"))):
        assert row not in result[query], "a row was found twice"
        result[query][row] = distance
    for rows in result:
        assert list(rows.values()) == sorted(rows.values())
    return result


def pylance_search(dataset: lance.LanceDataset, queries: np.ndarray, k: int = 10, where: str | None = None, prefilter: bool = True, column: str = "v", **options) -> list[dict[int, float]]:
    """The same by pylance."""
    result = []
    for query in np.atleast_2d(queries):
        nearest = {"column": column, "q": query, "k": k, **options}
        found = dataset.to_table(columns=["id", "_distance"], nearest=nearest, filter=where, prefilter=prefilter and where is not None)
        result.append(dict(zip(found["id"].to_pylist(), found["_distance"].to_pylist())))
    return result


def cancels(metric: str, rows: np.ndarray, queries: np.ndarray, number: str = "f32") -> float:
    """How far two distances of a metric may be apart whatever they are.

    Cosine and dot are 1 - q.x: near 0 the digits of the 1, and of the products that are added up, are those of the
    difference. Squared distances are sums of what is not negative, and keep their digits. A query of cosine is brought to
    length one and rounded to the column's numbers: a component that lies between two halves may become either, in one query
    of some hundreds, which changes its distances by a part of a half's last digit.
    """
    if metric == "l2":
        return 0.0
    if metric == "cosine":
        return 5e-5 if number == "f16" else 1e-6
    return 1e-6 * (1 + float(np.linalg.norm(rows, axis=1).max() * np.linalg.norm(queries, axis=1).max()))


def lost_in_sums(kind: str, metric: str, sub_vectors: int) -> float:
    """How far the reference's distances of product codes are from the sum of their parts.

    With dot it adds up 1 - q.x of each sub-vector and takes the ones away again at the end: every partial sum is rounded as a
    number of the size of `sub_vectors` is, by up to half of `sub_vectors` * 2^-23. The errors of so many additions mostly
    cancel: eight halves were not reached by 48 of them.
    """
    return 4 * sub_vectors * 2.0**-23 if "PQ" in kind and metric == "dot" else 0.0


def assert_same(
    ours: list[dict[int, float]], theirs: list[dict[int, float]], ties: float = 0.01, tolerance: float = 1e-4, whole: bool = True,
    absolute: float | None = None,
):
    """The same ids, those of equal distances aside, and distances within `tolerance` of each other's size plus `absolute`.

    Without `absolute`, what fits vectors of length one or so whatever the metric. Not `whole`: theirs may be fewer.
    """
    missing = total = 0
    for mine, other in zip(ours, theirs, strict=True):
        assert len(mine) == len(other) or (not whole and len(mine) > len(other))
        total += len(other)
        if not other:
            continue
        farthest = max(other.values())
        for row, distance in other.items():
            if row in mine:
                allowed = tolerance * max(abs(distance), 0.3) if absolute is None else tolerance * abs(distance) + absolute
                assert abs(mine[row] - distance) <= allowed, (mine[row], distance)
            elif abs(distance - farthest) > tolerance * max(abs(farthest), 1e-2):
                missing += 1
    assert missing <= ties * total, f"{missing} of {total} rows differ"


def recall(found: list[dict[int, float]], exact: list[dict[int, float]]) -> float:
    """The share of the exact neighbours found."""
    hits = sum(len(set(one) & set(other)) for one, other in zip(found, exact, strict=True))
    return hits / max(1, sum(len(other) for other in exact))


def create(dataset: Path, kind: str, metric: str = "l2", *options: object):
    """Makes an index with Lancer."""
    lancer("index", "create", dataset, "v", "--type", kind, "--metric", metric, *options)


def settings(kind: str, partitions: int, sub_vectors: int) -> tuple[list, dict]:
    """The same settings for both programs."""
    ours, theirs = ["--partitions", partitions], {"num_partitions": partitions}
    if "PQ" in kind:
        ours += ["--sub-vectors", sub_vectors]
        theirs["num_sub_vectors"] = sub_vectors
    return ours, theirs
