"""Indexes of vectors, both ways: made by one program and searched by the other, every kind, metric and type."""

from __future__ import annotations

import lance
import numpy as np
import pytest

from index_cases import (
    FULL, KINDS, METRICS, assert_same, clustered, create, debian, lancer_search, pylance_search, recall, settings, table,
)

QUERIES = 300 if FULL else 100
# The whole product takes minutes; each kind, metric and type is in the slice with several of the others.
CASES = [
    (kind, metric, number)
    for place, kind in enumerate(KINDS)
    for metric in METRICS
    for number in ("f32", "f16", "f64")
    if FULL or number == ("f32", "f16", "f64")[(place + METRICS.index(metric)) % 3] or (number == "f32" and metric == "l2")
]


def data(name: str) -> tuple[np.ndarray, np.ndarray, int]:
    """Rows, queries that are none of them, and sub-vectors."""
    if name == "debian":
        rows = debian()
        chosen = np.random.default_rng(5).permutation(len(rows))[:QUERIES]
        noise = np.random.default_rng(6).standard_normal((QUERIES, rows.shape[1])) * 0.01
        return rows, (rows[chosen] + noise).astype(np.float32), 48
    return clustered(6000, 32), clustered(QUERIES, 32, seed=2).astype(np.float32), 8


@pytest.mark.parametrize("name", ["clustered", "debian"] if FULL else ["clustered"])
@pytest.mark.parametrize(("kind", "metric", "number"), CASES)
def test_both_ways(scratch, kind, metric, number, name):
    """Ids and distances of an index of either program are the same in both; ours finds as much as theirs."""
    rows, queries, sub_vectors = data(name)
    rows = table(rows, number)
    ours, theirs = settings(kind, 8, sub_vectors)
    mine, other = scratch / "mine.lance", scratch / "other.lance"
    lance.write_dataset(rows, mine, max_rows_per_file=2500)
    reference = lance.write_dataset(rows, other, max_rows_per_file=2500)
    reference.create_index("v", kind, metric=metric, **theirs)
    create(mine, kind, metric, *ours)
    checked = lance.dataset(mine)
    assert checked.describe_indices()[0].index_type == kind
    exact = lancer_search(mine, queries, "--exact", "--metric", metric)
    assert_same(exact, pylance_search(checked, queries, metric=metric, use_index=False))
    refined = ({"refine_factor": 5}, ["--refine", 5])
    for options, flags in [({}, []), ({"nprobes": 3}, ["--nprobes", 3]), refined]:
        # HNSW keeps any of rows of equal distance, and a row that one search meets later may be missed by the other.
        ties = 0.02 if "HNSW" in kind else 0.005
        found = lancer_search(mine, queries, *flags)
        assert_same(found, pylance_search(checked, queries, **options), ties=ties)
        expected = pylance_search(reference, queries, **options)
        assert_same(lancer_search(other, queries, *flags), expected, ties=ties)
        # Which neighbours share a partition is chance, different for each training; few queries leave more of it.
        if options.get("nprobes") != 3:
            assert recall(found, exact) >= recall(expected, exact) - (0.02 if FULL else 0.08)


@pytest.mark.parametrize("kind", ["IVF_PQ", "IVF_HNSW_PQ"])
def test_four_bits(scratch, kind):
    """Codes of four bits, both ways."""
    rows, queries = table(clustered(3000, 16)), clustered(40, 16, seed=3).astype(np.float32)
    mine, other = scratch / "mine.lance", scratch / "other.lance"
    lance.write_dataset(rows, mine)
    reference = lance.write_dataset(rows, other)
    reference.create_index("v", kind, num_partitions=2, num_sub_vectors=4, num_bits=4)
    create(mine, kind, "l2", "--partitions", 2, "--sub-vectors", 4, "--bits", 4)
    for path in (mine, other):
        for options, flags in [({}, []), ({"refine_factor": 10}, ["--refine", 10])]:
            assert_same(lancer_search(path, queries, *flags), pylance_search(lance.dataset(path), queries, **options), ties=0.03)


@pytest.mark.parametrize("k", [1, 10, 11, 101, 500])
def test_default_probes(scratch, k):
    """Without parameters the same partitions are looked at, for each number of rows wanted."""
    rows, queries = table(clustered(6000, 16, clusters=300)), clustered(20, 16, seed=4, clusters=300).astype(np.float32)
    path = scratch / "t.lance"
    for metric in METRICS:
        dataset = lance.write_dataset(rows, path, mode="overwrite")
        dataset.create_index("v", "IVF_FLAT", metric=metric, num_partitions=60)
        dataset = lance.dataset(path)
        assert_same(lancer_search(path, queries, k=k), pylance_search(dataset, queries, k=k))
        flags = ["--min-probes", 2, "--max-probes", 4]
        assert_same(
            lancer_search(path, queries, *flags, k=k),
            pylance_search(dataset, queries, k=k, minimum_nprobes=2, maximum_nprobes=4),
        )


@pytest.mark.parametrize("kind", ["IVF_FLAT", "IVF_PQ", "IVF_HNSW_SQ"])
@pytest.mark.parametrize("selectivity", ["mod < 1000", "mod < 100", "mod < 10", "mod = 1"])
def test_conditions_before_the_search(scratch, kind, selectivity):
    """The k nearest of the rows for which a condition is true, however few these are."""
    rows, queries = table(clustered(20_000, 16)), clustered(20, 16, seed=3).astype(np.float32)
    path = scratch / "t.lance"
    lance.write_dataset(rows, path, max_rows_per_file=8000)
    create(path, kind, "l2", *settings(kind, 8, 8)[0])
    where = ["--where", selectivity]
    exact = lancer_search(path, queries, "--exact", *where)
    assert_same(exact, pylance_search(lance.dataset(path), queries, where=selectivity, use_index=False))
    found = lancer_search(path, queries, "--refine", 5, *where)
    assert all(len(one) == len(other) for one, other in zip(found, exact))
    assert recall(found, exact) >= (0.8 if kind == "IVF_PQ" else 0.95)
    if kind == "IVF_FLAT":
        assert_same(lancer_search(path, queries, "--nprobes", 8, *where), exact)
    allowed = set(lance.dataset(path).to_table(columns=["id"], filter=selectivity)["id"].to_pylist())
    assert all(set(one) <= allowed for one in found)


def test_conditions_after_the_search(scratch):
    """Of the k nearest rows those for which a condition is true."""
    rows, queries = table(clustered(3000, 16)), clustered(20, 16, seed=3).astype(np.float32)
    path = scratch / "t.lance"
    lance.write_dataset(rows, path)
    create(path, "ivf-flat", "cosine", "--partitions", 4)
    where = "mod % 3 = 1"
    found = lancer_search(path, queries, "--where", where, "--postfilter")
    assert_same(found, pylance_search(lance.dataset(path), queries, where=where, prefilter=False))
    assert any(len(one) < 10 for one in found)


def test_distance_range(scratch):
    """From one distance to another, the first included."""
    rows, queries = table(clustered(3000, 16)), clustered(10, 16, seed=3).astype(np.float32)
    path = scratch / "t.lance"
    dataset = lance.write_dataset(rows, path)
    dataset.create_index("v", "IVF_FLAT", num_partitions=4)
    dataset = lance.dataset(path)
    for low, high in [(5.0, 9.0), (None, 7.0), (8.0, None)]:
        flags = [*(["--min-distance", low] if low else []), *(["--max-distance", high] if high else [])]
        for extra, options in [([], {}), (["--exact"], {"use_index": False})]:
            ours = lancer_search(path, queries, *flags, *extra)
            assert_same(ours, pylance_search(dataset, queries, distance_range=(low, high), **options))


def test_metrics_and_indexes(scratch):
    """No metric is the index's; another one than the index's is a comparison of all rows."""
    rows, queries = table(clustered(2000, 16)), clustered(10, 16, seed=3).astype(np.float32)
    path = scratch / "t.lance"
    lance.write_dataset(rows, path)
    create(path, "ivf-flat", "cosine", "--partitions", 4)
    dataset = lance.dataset(path)
    for flags, options in [
        ([], {}), (["--metric", "l2"], {"metric": "l2"}), (["--metric", "dot"], {"metric": "dot"}),
        (["--metric", "cosine"], {"metric": "cosine"}), (["--exact"], {"use_index": False}),
    ]:
        assert_same(lancer_search(path, queries, *flags), pylance_search(dataset, queries, **options))


def test_same_seed_same_bytes(scratch):
    """An index is made again to the byte, whatever the number of threads."""
    path = scratch / "t.lance"
    lance.write_dataset(table(clustered(4000, 16)), path)
    for kind in ("ivf-pq", "ivf-hnsw-sq"):
        files = []
        for threads in (1, 2):
            create(path, kind, "l2", "--partitions", 3, "--seed", 7, "--threads", threads, "--replace")
            uuid = lance.dataset(path).describe_indices()[0].segments[0].uuid
            files.append([(path / "_indices" / str(uuid) / name).read_bytes() for name in ("index.idx", "auxiliary.idx")])
        assert files[0] == files[1]
