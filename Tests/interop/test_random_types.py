"""Random nested types: what nobody thought of listing in the matrix."""

from __future__ import annotations

import lance
import numpy as np
import pyarrow as pa
import pytest

from cases import PRIMITIVES, generate, stored
from compare import assert_tables_equal
from conftest import FULL
from lancer_cli import lance_to_table, lancer, read_arrow, table_to_lance

LEAVES = [name for name in PRIMITIVES if name not in ("null", "fsb-300")]
SAMPLES = 1500 if FULL else 80


def random_type(rng: np.random.Generator, depth: int) -> pa.DataType:
    kind = rng.choice(["leaf", "list", "large list", "struct", "vector"]) if depth else "leaf"
    nullable = bool(rng.random() < 0.8)
    match kind:
        case "list":
            return pa.list_(pa.field("item", random_type(rng, depth - 1), nullable=nullable))
        case "large list":
            return pa.large_list(pa.field("item", random_type(rng, depth - 1), nullable=nullable))
        case "struct":
            count = int(rng.integers(1, 4))
            return pa.struct([pa.field(f"f{i}", random_type(rng, depth - 1), nullable=bool(rng.random() < 0.8)) for i in range(count)])
        case "vector":
            item = PRIMITIVES[str(rng.choice(["float32", "int8", "float64", "int64", "uint16"]))]
            return pa.list_(pa.field("item", item), int(rng.choice([1, 2, 7, 100])))
        case _:
            return PRIMITIVES[str(rng.choice(LEAVES))]


@pytest.mark.parametrize("seed", range(SAMPLES))
def test_random_type(seed, scratch):
    rng = np.random.default_rng(seed + 77_000)
    type_ = random_type(rng, int(rng.integers(1, 5)))
    rows = int(rng.choice([1, 5, 70, 1024, 1025, 2500]))
    shape = str(rng.choice(["constant", "runs", "small", "full", "low"]))
    outer, inner = rng.choice([0.0, 0.1, 0.5, 1.0], 2)
    version = "2.1" if seed % 2 else "2.2"
    table = pa.table({"v": generate(type_, rows, shape, rng, outer, inner), "row": pa.array(range(rows))})
    expected = stored(table)
    about = f"seed {seed}: {type_}, {rows} rows, {shape}, nulls {outer} {inner}, {version}"
    try:
        # A few shapes make pylance stumble over its own files; then only Lancer's own reading is checked.
        theirs = lance.write_dataset(table, str(scratch / "theirs.lance"), data_storage_version=version)
        written = True
        assert_tables_equal(theirs.to_table(), expected)
        readable = True
    except BaseException as error:
        if isinstance(error, (KeyboardInterrupt, SystemExit)):
            raise
        written, readable = (scratch / "theirs.lance" / "_versions").exists(), False
    rows_wanted = rng.integers(0, rows, 9).tolist()
    listed = ",".join(map(str, rows_wanted))
    try:
        if written:
            assert_tables_equal(lance_to_table(scratch / "theirs.lance", scratch / "theirs.arrow"), expected)
            lancer("take", scratch / "theirs.lance", "--rows", listed, "-o", scratch / "take.arrow")
            assert_tables_equal(read_arrow(scratch / "take.arrow"), expected.take(rows_wanted), table_metadata=False)
        ours = table_to_lance(table, scratch / "ours.lance", "--file-version", version)
        assert_tables_equal(lance_to_table(ours, scratch / "ours.arrow"), expected)
        lancer("take", ours, "--rows", listed, "-o", scratch / "take2.arrow")
        assert_tables_equal(read_arrow(scratch / "take2.arrow"), expected.take(rows_wanted), table_metadata=False)
        if readable:
            assert_tables_equal(lance.dataset(str(ours)).to_table(), expected)
            assert_tables_equal(lance.dataset(str(ours)).take(rows_wanted), expected.take(rows_wanted), table_metadata=False)
    except Exception as error:
        raise AssertionError(f"{about}\n{error}") from None


def test_most_random_types_are_readable_by_pylance():
    """Keeps the test above honest: it must not pass because pylance failed everywhere."""
    rng = np.random.default_rng(1)
    assert sum(pa.types.is_nested(random_type(rng, 3)) for _ in range(100)) > 60
