"""Indexes of vectors, both ways: made by one program and searched by the other, every kind, metric and type."""

from __future__ import annotations

import functools

import lance
import numpy as np
import pytest

from index_cases import (
    FULL, KINDS, METRICS, assert_same, cancels, clustered, create, debian, lancer_search, lost_in_sums, pylance_search, recall,
    settings, table,
)

QUERIES = 300 if FULL else 100
# What an index finds is measured with more, so that chance among the queries is less than what is looked for.
MORE_QUERIES = 3000 if FULL else 300
# Training by either program is partly luck, more of it with few rows and queries.
LESS_RECALL = 0.01 if FULL else 0.05
# The whole product takes an hour; each kind, metric and type is in the slice with several of the others.
CASES = [
    (kind, metric, number)
    for place, kind in enumerate(KINDS)
    for metric in METRICS
    for number in ("f32", "f16", "f64")
    if FULL or number == ("f32", "f16", "f64")[(place + METRICS.index(metric)) % 3] or (number == "f32" and metric == "l2")
]


class Data:
    """Rows, queries that are none of them, and the settings of an index for so many."""

    def __init__(self, name: str):
        count = MORE_QUERIES
        if name == "debian":
            self.rows, self.sub_vectors, self.partitions = debian(), 48, 64
            chosen = np.random.default_rng(5).permutation(len(self.rows))[:count]
            noise = np.random.default_rng(6).standard_normal((count, self.rows.shape[1])) * 0.01
            self.queries = (self.rows[chosen] + noise).astype(np.float32)
        elif FULL:
            self.rows, self.sub_vectors, self.partitions = clustered(50_000, 64, clusters=500), 16, 48
            self.queries = clustered(count, 64, seed=2, clusters=500).astype(np.float32)
        else:
            self.rows, self.sub_vectors, self.partitions = clustered(6000, 32), 8, 8
            self.queries = clustered(count, 32, seed=2).astype(np.float32)


@functools.cache
def data(name: str) -> Data:
    return Data(name)


@pytest.mark.parametrize("name", ["clustered", "debian"] if FULL else ["clustered"])
@pytest.mark.parametrize(("kind", "metric", "number"), CASES)
def test_both_ways(scratch, kind, metric, number, name):
    """Ids and distances of an index of either program are the same in both; ours finds as much as theirs."""
    given = data(name)
    rows, queries = table(given.rows, number), given.queries[:QUERIES]
    # A graph has the rows of several partitions, as it would have by itself.
    partitions = 4 if "HNSW" in kind else given.partitions
    ours, theirs = settings(kind, partitions, given.sub_vectors)
    if FULL and number != "f32":
        # With floats each program trains as it does by itself, which takes the reference minutes; with the others alike.
        if "HNSW" in kind:
            ours += ["--m", 12, "--ef-construction", 60]
            theirs |= {"m": 12, "ef_construction": 60}
        if "PQ" in kind:
            theirs |= {"sample_rate": 64, "max_iters": 10}
    mine, other = scratch / "mine.lance", scratch / "other.lance"
    per_file = len(given.rows) * 2 // 5
    lance.write_dataset(rows, mine, max_rows_per_file=per_file)
    reference = lance.write_dataset(rows, other, max_rows_per_file=per_file)
    reference.create_index("v", kind, metric=metric, **theirs)
    create(mine, kind, metric, *ours)
    checked = lance.dataset(mine)
    assert checked.describe_indices()[0].index_type == kind
    absolute = cancels(metric, given.rows, queries, number)
    exact = lancer_search(mine, given.queries, "--exact", "--metric", metric)
    few = slice(0, 50)
    by_reference = pylance_search(checked, queries[few], metric=metric, use_index=False)
    assert_same(exact[few], by_reference, absolute=absolute)
    every = partitions
    searches = [
        ({}, []), ({"nprobes": 1}, ["--nprobes", 1]), ({"nprobes": 3}, ["--nprobes", 3]), ({"nprobes": every}, ["--nprobes", every]),
        ({"refine_factor": 5}, ["--refine", 5]),
    ]
    if "HNSW" in kind:
        searches.append(({"nprobes": every, "ef": 60}, ["--nprobes", every, "--ef", 60]))
    for options, flags in searches:
        # HNSW keeps any of rows of equal distance, and a row that one search meets later may be missed by the other.
        # With halves the reference may also take another of two partitions that are equally near.
        ties = 0.01 if "HNSW" in kind or (number == "f16" and "nprobes" in options) else 0.002
        for path, dataset in ((mine, checked), (other, reference)):
            found = lancer_search(path, queries, *flags)
            rounding = 0.0 if "refine_factor" in options else lost_in_sums(kind, metric, given.sub_vectors)
            assert_same(found, pylance_search(dataset, queries, **options), ties=ties, absolute=absolute + rounding)
        # Which neighbours share a partition is chance, different for each training: see test_partitions.
        if options.get("nprobes", every) == every:
            found, expected = (recall(lancer_search(path, given.queries, *flags), exact) for path in (mine, other))
            print(f"{name} {kind} {metric} {number} {options}: recall {found:.4f}, reference {expected:.4f}")
            assert found >= expected - LESS_RECALL, (options, found, expected)


@pytest.mark.parametrize("metric", METRICS)
@pytest.mark.parametrize("name", ["clustered", "debian"])
def test_partitions(scratch, name, metric):
    """Few partitions looked at find as much as with the reference's: the mean of several trainings, each of them luck."""
    given = data(name)
    path = scratch / "t.lance"
    lance.write_dataset(table(given.rows), path)
    exact = lancer_search(path, given.queries, "--exact", "--metric", metric)
    found: dict[str, list[list[float]]] = {"lancer": [], "pylance": []}
    probes = (1, 4, 8)
    for seed in range(10 if FULL else 3):
        for who, results in found.items():
            if who == "lancer":
                create(path, "IVF_FLAT", metric, "--partitions", given.partitions, "--replace", "--seed", seed)
            else:
                lance.dataset(path).create_index("v", "IVF_FLAT", metric=metric, num_partitions=given.partitions, replace=True)
            results.append([recall(lancer_search(path, given.queries, "--nprobes", count), exact) for count in probes])
    ours, theirs = (np.mean(results, axis=0) for results in found.values())
    print(f"{name} {metric}: recall with {probes} partitions {ours.round(4)}, reference {theirs.round(4)}")
    assert (ours >= theirs - (0.01 if FULL else 0.06)).all()


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


def test_recall_stays_with_conditions(scratch):
    """The fewer rows satisfy a condition, the more partitions are looked at when nobody says how many."""
    rows, queries = table(clustered(20_000, 32, clusters=2000)), clustered(300, 32, seed=3, clusters=2000).astype(np.float32)
    path = scratch / "t.lance"
    lance.write_dataset(rows, path)
    create(path, "IVF_FLAT", "l2", "--partitions", 70)
    found = {}
    for where in ([], ["--where", "mod < 1000"], ["--where", "mod < 200"], ["--where", "mod < 100"]):
        found[" ".join(where)] = recall(lancer_search(path, queries, *where), lancer_search(path, queries, "--exact", *where))
    print(found)
    assert min(found.values()) >= found[""] - 0.06


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
