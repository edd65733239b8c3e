"""Index files of the reference, read as spec/13-vector-index.md says: the distances are those that it answers."""

from __future__ import annotations

import json
import sys
from pathlib import Path

import lance
import numpy as np
import pyarrow as pa
import pytest

sys.path.insert(0, str(Path(__file__).resolve().parents[2] / "spec" / "reader"))

from messages import decode  # noqa: E402
from tables import DataFile, Table, section, versions  # noqa: E402

ROWS, DIMENSION, PARTITIONS = 700, 16, 3
ELEMENTS = {1: "<f2", 2: "<f4", 3: "<f8"}


def global_buffer(file: DataFile, number: int) -> bytes:
    end = len(file.data) - 40
    return file.bytes(*file.table(end + 16, end + 24, end)[number])


def numbers(file: DataFile, name: str, element: str) -> np.ndarray:
    field = next(field for field in file.fields if field.name == name)
    values = file.read([field])[0][0]
    rows = [b"".join(value) if isinstance(value, list) else value for value in values]
    return np.frombuffer(b"".join(rows), element).reshape(len(rows), -1)


def tensor(data: bytes) -> np.ndarray:
    message = decode("lance.index.pb.Tensor", data) if isinstance(data, bytes) else data
    return np.frombuffer(message.data, ELEMENTS[message.data_type]).reshape(message.shape).astype("f8")


class Segment:
    """The files of an index's one segment."""

    def __init__(self, path: Path):
        table = Table(path)
        manifest = versions(path)[max(versions(path))].read_bytes()
        entry = decode("lance.table.IndexSection", section(manifest, table.manifest.index_section)).indices[0]
        digits = entry.uuid.uuid.hex()
        uuid = "-".join((digits[:8], digits[8:12], digits[12:16], digits[16:20], digits[20:]))
        self.index = DataFile(path / "_indices" / uuid / "index.idx")
        self.vectors = DataFile(path / "_indices" / uuid / "auxiliary.idx")
        self.graphs, self.parts = (
            decode("lance.index.pb.IVF", global_buffer(file, int(file.metadata["lance:ivf"])))
            for file in (self.index, self.vectors)
        )
        self.centroids = tensor(self.graphs.centroids_tensor)
        self.storage = json.loads(json.loads(self.vectors.metadata["storage_metadata"])[0])
        self.row_ids = numbers(self.vectors, "_rowid", "<u8")[:, 0]

    def distances(self, partition: int, kind: str, metric: str, query: np.ndarray) -> np.ndarray:
        start, count = self.parts.offsets[partition], self.parts.lengths[partition]
        rows = slice(start, start + count)
        if "FLAT" in kind:
            vectors = numbers(self.vectors, "flat", "<f4")[rows]
            return ((query - vectors) ** 2).sum(1) if metric == "l2" else 1 - vectors @ query
        if "SQ" in kind:
            low, high = self.storage["bounds"]["start"], self.storage["bounds"]["end"]
            codes = numbers(self.vectors, "__sq_code", "u1")[rows].astype("f8")
            if metric == "dot":
                return 1 - (codes / 255 * (high - low) + low) @ query
            own = np.clip(np.floor((query - low) * 255 / (high - low)), 0, 255)
            return ((own - codes) ** 2).sum(1) * ((high - low) / 255) ** 2
        parts, bits = self.storage["num_sub_vectors"], self.storage["nbits"]
        codebook = tensor(global_buffer(self.vectors, self.storage["codebook_position"]))
        codebook = codebook.reshape(parts, 2**bits, DIMENSION // parts)
        codes = np.frombuffer(numbers(self.vectors, "__pq_code", "u1")[rows].tobytes(), "u1").reshape(-1, count)
        if bits == 4:
            codes = np.stack([half for row in codes for half in (row & 15, row >> 4)])
        stands_for = np.concatenate([codebook[part][codes[part]] for part in range(parts)], axis=1)
        if metric == "dot":
            return 1 - stands_for @ query
        return ((query - (self.centroids[partition] + stands_for)) ** 2).sum(1)

    def check_graph(self, partition: int) -> None:
        graph = json.loads(json.loads(self.index.metadata["lance:hnsw"])[partition])
        levels, start = graph["level_offsets"], self.graphs.offsets[partition]
        ids = numbers(self.index, "__vector_id", "<u4")[:, 0]
        field = next(field for field in self.index.fields if field.name == "__neighbors")
        neighbours = self.index.read([field])[0][0]
        assert len(levels) == graph["params"]["max_level"] + 1
        assert self.graphs.lengths[partition] == levels[-1]
        assert ids[start : start + levels[1]].tolist() == list(range(self.parts.lengths[partition]))
        top = max(level for level in range(len(levels) - 1) if levels[level] < levels[level + 1])
        assert graph["entry_point"] in ids[start + levels[top] : start + levels[top + 1]]
        for level in range(top + 1):
            members = ids[start + levels[level] : start + levels[level + 1]].tolist()
            assert members == sorted(members)
            lists = neighbours[start + levels[level] : start + levels[level + 1]]
            assert max(len(found) for found in lists) <= graph["params"]["m"] * (2 if level == 0 else 1)
            assert {int.from_bytes(id_, "little") for found in lists for id_ in found} <= set(members)


@pytest.mark.parametrize("metric", ["l2", "cosine", "dot"])
@pytest.mark.parametrize(
    "kind, bits", [("IVF_FLAT", 0), ("IVF_PQ", 8), ("IVF_PQ", 4), ("IVF_SQ", 0), ("IVF_HNSW_SQ", 0), ("IVF_HNSW_FLAT", 0), ("IVF_HNSW_PQ", 8)]
)  # fmt: skip
def test_distances_of_index_files_are_those_of_the_specification(tmp_path, kind, bits, metric):
    rng = np.random.default_rng(len(kind) * 16 + bits)
    vectors = rng.normal(size=(ROWS, DIMENSION)).astype("f4")
    path = tmp_path / "t.lance"
    column = pa.FixedSizeListArray.from_arrays(pa.array(vectors.ravel()), DIMENSION)
    lance.write_dataset(pa.table({"v": column}), path)
    options = {"num_sub_vectors": 4, "num_bits": bits} if bits else {}
    lance.dataset(path).create_index("v", kind, metric=metric, num_partitions=PARTITIONS, **options)
    segment, query = Segment(path), rng.normal(size=DIMENSION).astype("f4")
    compared = query / np.linalg.norm(query) if metric == "cosine" else query
    known = {}
    for partition, count in enumerate(segment.parts.lengths):
        if count:
            ids = segment.row_ids[segment.parts.offsets[partition] :][:count]
            known.update(zip(ids.tolist(), segment.distances(partition, kind, metric, compared)))
            if "HNSW" in kind:
                segment.check_graph(partition)
    assert sorted(known) == list(range(ROWS))
    more = {"ef": 300} if "HNSW" in kind else {}
    nearest = {"column": "v", "q": query, "k": 10, "nprobes": PARTITIONS, **more}
    answer = lance.dataset(path).to_table(columns=[], nearest=nearest, with_row_id=True)
    for row, distance in zip(answer["_rowid"].to_pylist(), answer["_distance"].to_pylist()):
        assert abs(known[row] - distance) < 1e-4 * max(1, abs(distance))
    best = sorted(known, key=lambda row: (known[row], row))[:10]
    assert len(set(best) & set(answer["_rowid"].to_pylist())) >= 9
