"""Odd inputs and damaged files of indexes: a clear error or a right answer, never a crash."""

from __future__ import annotations

import lance
import numpy as np
import pyarrow as pa
import pytest

from index_cases import FULL, KINDS, assert_same, clustered, create, lancer_search, pylance_search, table, vectors
from lancer_cli import CORRUPT, UNSUPPORTED, USAGE, lancer, text

ROWS = clustered(600, 16)
QUERIES = clustered(5, 16, seed=3).astype(np.float32)


@pytest.fixture
def path(scratch):
    """A table of 600 rows with an HNSW index, a null and a number beside the vector."""
    path = scratch / "t.lance"
    lance.write_dataset(table(ROWS, nulls=[3]), path)
    create(path, "ivf-hnsw-flat", "l2", "--partitions", 2)
    return path


def refused(*arguments: object, says: str, status: int = USAGE):
    """The command ends with one line that has `says` in it."""
    error = lancer(*arguments, status=status).stderr.decode()
    assert says in error and error.count("\n") == 1 and error.startswith("lancer: "), error


def test_searches_that_make_no_sense(path):
    row = ["--like-row", 0]
    refused("search", path, "v", "--vector", "[1, 2]", says="has 2 numbers")
    refused("search", path, "v", "--vector", str([0.0] * 32), says="has 32 numbers")
    refused("search", path, "v", *row, "-k", 0, says="k is 0")
    refused("search", path, "v", *row, "-k=-3", says="k is -3")
    refused("search", path, "v", *row, "--nprobes", 0, says="0 partitions")
    refused("search", path, "v", *row, "--min-probes", 3, "--max-probes", 2, says="minimum of 3")
    refused("search", path, "v", *row, "--refine", 0, says="refine factor of 0")
    refused("search", path, "v", *row, "-k", 10, "--ef", 5, says="ef")
    refused("search", path, "w", *row, says="no column \"w\"")
    refused("search", path, "id", *row, says="int64")
    refused("search", path, "v", "--like-row", 3, says="null")
    refused("search", path, "v", "--like-row", 600, says="600")
    refused("search", path, "v", "--vector", "[1, two]", says="two")
    refused("search", path, "v", "--vector", "[]", says="vector")
    refused("search", path, "v", *row, "--metric", "hamming", says="metric")
    refused("search", path, "v", *row, "--min-distance", "nan", says="not a number")
    refused("search", path, "v", "--vector", "[" * 10_000, says="…")
    refused("search", path, "v", *row, "--where", "nothing = 1", says="nothing")
    refused("search", path, "v", says="--query")
    refused("search", path.parent / "none.lance", "v", *row, says="none.lance")
    np.save(path.parent / "q.npy", np.zeros((2, 3, 16), np.float32))
    refused("search", path, "v", "--query", path.parent / "q.npy", says="3 dimensions", status=UNSUPPORTED)
    np.save(path.parent / "q.npy", np.zeros((2, 16), np.int32))
    refused("search", path, "v", "--query", path.parent / "q.npy", says="floats")


def test_indexes_that_make_no_sense(path):
    def create_refused(*options, says):
        version = lance.dataset(path).version
        refused("index", "create", path, "v", "--name", "x", *options, says=says)
        assert lance.dataset(path).version == version
        assert len(list((path / "_indices").iterdir())) == 1, "files were left behind"

    create_refused("--type", "ivf-pq", "--sub-vectors", 5, says="16")
    create_refused("--type", "ivf-pq", "--sub-vectors", 17, says="17")
    create_refused("--type", "ivf-pq", "--sub-vectors", 16, "--bits", 5, says="bits")
    create_refused("--type", "ivf-pq", "--sub-vectors", 1, "--bits", 4, says="1")
    create_refused("--type", "ivf-flat", "--partitions", 0, says="partitions")
    create_refused("--type", "ivf-flat", "--sample-rate", 0, says="sample")
    create_refused("--type", "ivf-flat", "--iterations", 0, says="iterations")
    create_refused("--type", "ivf-hnsw-sq", "--m", 3, says="connections")
    create_refused("--type", "ivf-hnsw-sq", "--ef-construction", 10, says="candidates")
    create_refused("--type", "ivf-hnsw-sq", "--max-level", 0, says="levels")
    create_refused("--type", "ivf-flat", "--memory", "1MB", says="memory")
    create_refused("--type", "ivf-sq", "--bits", 8, says="--bits")
    create_refused("--type", "btree", says="btree")
    refused("index", "create", path, "id", "--type", "ivf-flat", says="int64")
    refused("index", "create", path, "w", "--type", "ivf-flat", says="no column")
    refused("index", "create", path, "v", "--type", "ivf-flat", says="already")
    refused("index", "drop", path, "x", says="v_idx")
    refused("index", "stats", path, "x", says="v_idx")
    refused("index", "optimize", path, "x", says="v_idx")


@pytest.mark.parametrize("kind", KINDS)
def test_more_wanted_than_there_is(scratch, kind):
    path = scratch / "t.lance"
    lance.write_dataset(table(ROWS, nulls=range(0, 600, 7)), path)
    create(path, kind, "l2", "--partitions", 500, *(["--sub-vectors", 4] if "PQ" in kind else []))
    found = lancer_search(path, QUERIES, k=10_000)
    assert all(len(rows) == 514 for rows in found)
    dataset = lance.dataset(path)
    dataset.delete("id > 40")
    found = lancer_search(path, QUERIES, k=100)
    assert all(set(rows) == {row for row in range(41) if row % 7} for rows in found)


@pytest.mark.parametrize("metric", ["l2", "cosine", "dot"])
@pytest.mark.parametrize("kind", ["IVF_FLAT", "IVF_SQ", "IVF_HNSW_FLAT", "IVF_PQ"])
def test_strange_vectors(scratch, kind, metric):
    """Null, NaN, infinite and zero vectors, and many equal ones."""
    values = ROWS.copy()
    values[10], values[11, 3], values[12, 4], values[13, 5] = 0, np.nan, np.inf, -np.inf
    values[300:320] = values[300]
    path = scratch / "t.lance"
    lance.write_dataset(table(values, nulls=[20, 21]), path)
    create(path, kind, metric, "--partitions", 2, *(["--sub-vectors", 4] if "PQ" in kind else []))
    queries = np.concatenate([QUERIES, values[300:301].astype(np.float32)])
    found = lancer_search(path, queries, k=1000)
    absent = {11, 12, 13, 20, 21} | ({10} if metric == "cosine" else set())
    assert all(set(rows) == set(range(600)) - absent for rows in found)
    dataset = lance.dataset(path)
    assert_same(lancer_search(path, queries), pylance_search(dataset, queries), ties=0.1 if "HNSW" in kind else 0.02)
    assert_same(lancer_search(path, queries, "--exact"), pylance_search(dataset, queries, use_index=False))
    for odd in (np.full(16, np.nan, np.float32), np.zeros(16, np.float32)):
        rows = lancer_search(path, odd)[0]
        assert len(rows) == (0 if np.isnan(odd).any() or metric == "cosine" else 10)


@pytest.mark.parametrize("kind", KINDS)
def test_small_tables(scratch, kind):
    """No row, one row, equal rows, only nulls."""
    more = ["--sub-vectors", 4] if "PQ" in kind else []
    path = scratch / "empty.lance"
    lance.write_dataset(table(ROWS[:0]), path)
    assert "too few" in text("index", "create", path, "v", "--type", kind, *more)
    assert lancer_search(path, QUERIES) == [{}] * 5
    lance.write_dataset(table(ROWS), path, mode="append")
    assert "trained" in text("index", "optimize", path)
    assert_same(lancer_search(path, QUERIES), pylance_search(lance.dataset(path), QUERIES), ties=0.1)
    for name, count in (("one", 1), ("equal", 300)):
        path = scratch / f"{name}.lance"
        lance.write_dataset(table(np.repeat(ROWS[:1], count, axis=0)), path)
        create(path, kind, "l2", *more)
        assert all(len(rows) == min(10, count) for rows in lancer_search(path, QUERIES))
        lance.dataset(path).to_table(nearest={"column": "v", "q": QUERIES[0], "k": 3})
    path = scratch / "null.lance"
    lance.write_dataset(table(ROWS, nulls=range(600)), path)
    refused("index", "create", path, "v", "--type", kind, *more, says="vector")
    assert lancer_search(path, QUERIES) == [{}] * 5
    assert not (path / "_indices").exists() or not list((path / "_indices").iterdir())


def test_other_columns(scratch):
    """Bytes, integers and lists of any length are no vectors."""
    lists = pa.array([[1.0, 2.0]] * 300, pa.list_(pa.float32()))
    numbers = pa.FixedSizeListArray.from_arrays(pa.array(np.zeros(1200, np.int8)), 4)
    bytes_ = pa.FixedSizeListArray.from_arrays(pa.array(np.zeros(1200, np.uint8)), 4)
    lance.write_dataset(pa.table({"l": lists, "i": numbers, "b": bytes_}), scratch / "t.lance")
    for column, status in (("l", USAGE), ("i", USAGE), ("b", UNSUPPORTED)):
        refused("index", "create", scratch / "t.lance", column, "--type", "ivf-flat", says=f'"{column}"', status=status)
        refused("search", scratch / "t.lance", column, "--vector", "[1,2,3,4]", says=f'"{column}"', status=status)


def test_vectors_in_structs(scratch):
    """A vector inside a struct; where the struct is null there is none."""
    inner = pa.StructArray.from_arrays([vectors(ROWS)], ["v"], mask=pa.array([row == 5 for row in range(600)]))
    path = scratch / "t.lance"
    lance.write_dataset(pa.table({"id": range(600), "s": inner}), path)
    lancer("index", "create", path, "s.v", "--type", "ivf-flat", "--partitions", 2)
    dataset = lance.dataset(path)
    assert_same(lancer_search(path, QUERIES, column="s.v"), pylance_search(dataset, QUERIES, column="s.v"))
    assert 5 not in lancer_search(path, QUERIES, column="s.v", k=600)[0]


@pytest.mark.parametrize("kind", KINDS if FULL else ["IVF_FLAT", "IVF_HNSW_SQ"])
@pytest.mark.parametrize("name", ["index.idx", "auxiliary.idx"])
def test_damaged_files(scratch, kind, name):
    """Cut anywhere, or with any byte inverted: an error that names the file's place, or the answer it would have been."""
    path = scratch / "t.lance"
    lance.write_dataset(table(ROWS), path)
    create(path, kind, "l2", "--partitions", 2, *(["--sub-vectors", 4] if "PQ" in kind else []))
    expected = lancer("search", path, "v", "--vector", str(QUERIES[0].tolist()), "-c", "id", "--json").stdout
    file = next((path / "_indices").glob(f"*/{name}"))
    whole = file.read_bytes()
    search = ["search", path, "v", "--vector", str(QUERIES[0].tolist()), "-c", "id", "--json"]
    count = 200 if FULL else 40
    places = sorted({*np.random.default_rng(17).integers(0, len(whole), count).tolist(), *range(len(whole) - 12, len(whole))})
    for place in places:
        file.write_bytes(whole[:place])
        done = lancer(*search, status=CORRUPT)
        assert done.stderr.count(b"\n") == 1 and b"index" in done.stderr
        changed = bytearray(whole)
        changed[place] ^= 0xFF
        file.write_bytes(bytes(changed))
        done = lancer(*search, status=None)
        if done.returncode == 0 and not done.stderr:
            assert done.stdout == expected, f"byte {place} of {len(whole)}"
        else:
            assert done.returncode in (0, CORRUPT, UNSUPPORTED) and done.stderr.count(b"\n") == 1, done
    file.unlink()
    assert b"missing" in lancer(*search, status=CORRUPT).stderr
    lancer(*search, "--exact")
    lancer("index", "drop", path, "v_idx")
    lancer(*search)
