"""Makes the index files here with pylance: one small index of each kind, and what pylance answers to some queries.

    python make.py    (pylance, numpy, pyarrow)

`<kind>-<metric>-<element>.index.idx` and `.auxiliary.idx` are the files of the index; `.expected` has one line for each query:
its numbers, the row ids found, and their distances, as floats in hexadecimal, with `probes` partitions searched.
"""

import glob
import pathlib
import shutil
import tempfile

import lance
import numpy as np
import pyarrow as pa

HERE = pathlib.Path(__file__).parent
ROWS, DIMENSION, QUERIES, K, PROBES = 300, 8, 8, 5, 2
CASES = [
    ("IVF_FLAT", "l2", "float32", {}),
    ("IVF_FLAT", "cosine", "float16", {}),
    ("IVF_PQ", "l2", "float32", {"num_sub_vectors": 4}),
    ("IVF_PQ", "cosine", "float32", {"num_sub_vectors": 2, "num_bits": 4}),
    ("IVF_SQ", "cosine", "float64", {}),
    ("IVF_HNSW_FLAT", "dot", "float32", {"m": 4, "ef_construction": 20}),
    ("IVF_HNSW_SQ", "l2", "float32", {"m": 4, "ef_construction": 20}),
    ("IVF_HNSW_PQ", "cosine", "float16", {"num_sub_vectors": 4, "m": 4, "ef_construction": 20}),
    ("IVF_RQ", "l2", "float32", {}),
]


def main():
    random = np.random.default_rng(7)
    centers = random.normal(size=(12, DIMENSION))
    rows = centers[random.integers(0, 12, ROWS)] + 0.3 * random.normal(size=(ROWS, DIMENSION))
    queries = (rows[random.integers(0, ROWS, QUERIES)] + 0.2 * random.normal(size=(QUERIES, DIMENSION))).astype(np.float32)
    for kind, metric, element, options in CASES:
        values = pa.array(rows.astype(element).reshape(-1))
        table = pa.table({"v": pa.FixedSizeListArray.from_arrays(values, DIMENSION)})
        folder = tempfile.mkdtemp()
        dataset = lance.write_dataset(table, folder + "/t")
        partitions = 1 if "PQ" in kind and options.get("num_bits", 8) == 8 else 3
        dataset.create_index("v", kind, metric=metric, num_partitions=partitions, **options)
        name = f"{kind}-{metric}-{element}"
        for part in ("index", "auxiliary"):
            shutil.copy(glob.glob(f"{folder}/t/_indices/*/{part}.idx")[0], HERE / f"{name}.{part}.idx")
        with open(HERE / f"{name}.expected", "w") as out:
            for query in queries:
                found = dataset.to_table(
                    nearest={"column": "v", "q": query, "k": K, "nprobes": PROBES}, columns=["_rowid", "_distance"]
                )
                parts = [
                    [float(x).hex() for x in query],
                    [str(x) for x in found["_rowid"].to_pylist()],
                    [float(x).hex() for x in found["_distance"].to_pylist()],
                ]
                out.write(" | ".join(" ".join(part) for part in parts) + "\n")
        shutil.rmtree(folder)


if __name__ == "__main__":
    main()
