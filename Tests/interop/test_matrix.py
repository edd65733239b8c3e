"""The type matrix, both ways, with take and projection."""

from __future__ import annotations

import lance
import numpy as np
import pyarrow as pa
import pytest

from cases import ALONE, REFUSED, TYPES, UNREADABLE, Case, all_cases, generate, stored
from compare import Difference, assert_tables_equal
from lancer_cli import CommandFailed, lance_to_table, lancer, read_arrow, table_to_lance, write_arrow

CASES = all_cases()


def test_the_matrix_is_as_big_as_promised():
    assert len({case.name for case in CASES}) == len(CASES)
    assert len(CASES) >= 400


@pytest.mark.parametrize("case", CASES, ids=lambda case: case.name)
def test_matrix(case: Case, scratch):
    table = case.table()
    try:
        check_all(case, table, scratch)
    except (Difference, CommandFailed) as error:
        raise AssertionError(f"{case.name}: {error}\n{culprits(case, table, scratch)}") from None


def check_all(case: Case, table: pa.Table, scratch) -> None:
    expected = stored(table)
    theirs, ours = scratch / "theirs.lance", scratch / "ours.lance"
    written = lance.write_dataset(table, str(theirs), data_storage_version=case.version)
    peer = written.to_table()
    assert_tables_equal(peer, expected)

    # pylance writes, Lancer reads.
    check("pylance → lancer convert", lance_to_table(theirs, scratch / "theirs.arrow"), peer)

    # Lancer writes, pylance and Lancer read.
    rng = np.random.default_rng(case.seed)
    batch_rows = None if case.rows < 10 else int(rng.integers(case.rows // 3, case.rows + 1))
    table_to_lance(table, ours, "--file-version", case.version, batch_rows=batch_rows)
    mine = lance.dataset(str(ours))
    check("lancer convert → pylance", mine.to_table(), expected)
    mine.validate()
    assert mine.data_storage_version == case.version
    check("lancer convert → lancer convert", lance_to_table(ours, scratch / "ours.arrow"), expected)

    # Rows by number, any order, some twice.
    if case.rows:
        rows = rng.integers(0, case.rows, 12).tolist() + [0, case.rows - 1]
        listed, wanted = ",".join(map(str, rows)), expected.take(rows)
        lancer("take", theirs, "--rows", listed, "-o", scratch / "take.arrow")
        check(f"pylance → lancer take {listed}", read_arrow(scratch / "take.arrow"), wanted, table_metadata=False)
        check(f"lancer → pylance take {listed}", mine.take(rows), wanted, table_metadata=False)
        lancer("take", ours, "--rows", listed, "-o", scratch / "take2.arrow")
        check(f"lancer → lancer take {listed}", read_arrow(scratch / "take2.arrow"), wanted, table_metadata=False)

    # A projection, with a nested path where there is one, of a slice of the rows.
    columns = projection(table.schema)
    offset, limit = case.rows // 3, case.rows // 2 + 1
    arguments = ["--columns", ",".join(columns), "--offset", offset, "--limit", limit, "-o", scratch / "scan.arrow"]
    for name, dataset in (("theirs", written), ("ours", mine)):
        wanted = dataset.to_table(columns=columns, offset=offset, limit=limit)
        (scratch / "scan.arrow").unlink(missing_ok=True)
        lancer("scan", scratch / f"{name}.lance", *arguments)
        check(f"{name}: scan of {columns}", read_arrow(scratch / "scan.arrow"), wanted)


def projection(schema: pa.Schema) -> list[str]:
    """Some columns of the table in another order, one of them a field inside a struct when there is one."""
    names = [name for name in schema.names if "." not in name]
    chosen = names[-1:] + names[1:2] + names[:1] if len(names) > 2 else names[::-1]
    chosen = list(dict.fromkeys(chosen))[:3]
    first = schema.field(chosen[0])
    if pa.types.is_struct(first.type):
        child = first.type.field(first.type.num_fields - 1)
        chosen[0] = f"{first.name}.{child.name}"
        if pa.types.is_struct(child.type):
            chosen[0] += f".{child.type.field(0).name}"
    return chosen


def check(what: str, got: pa.Table, expected: pa.Table, table_metadata: bool = True) -> None:
    try:
        assert_tables_equal(got, expected, table_metadata)
    except Difference as error:
        raise Difference(f"{what}: {error}") from None


def culprits(case: Case, table: pa.Table, scratch) -> str:
    """Runs a failed case again column by column and says which of them fail, for a report one can act on."""
    if table.num_columns > 12 or table.num_columns == 1:
        return ""
    lines = []
    for name in table.column_names:
        folder = scratch / f"only-{name}"
        folder.mkdir(exist_ok=True)
        try:
            check_all(case, table.select([name]), folder)
        except Exception as error:
            lines.append(f"  {name}: {' '.join(str(error).split())[:300]}")
    return "failing columns:\n" + "\n".join(lines) if lines else "every column passes alone"


@pytest.mark.parametrize("name, version", REFUSED, ids=lambda value: str(value))
def test_what_pylance_refuses_is_still_refused_and_by_lancer_too(name, version, scratch):
    case = Case(name, "full", 20, version)
    with pytest.raises((OSError, ValueError, pa.ArrowInvalid, NotImplementedError), match=REFUSED[name, version]):
        lance.write_dataset(case.table(), str(scratch / "x.lance"), data_storage_version=version)
    write_arrow(case.table(), scratch / "x.arrow")
    done = lancer("convert", scratch / "x.arrow", scratch / "y.lance", "--file-version", version, status=5)
    assert len(done.stderr.decode().strip().splitlines()) == 1
    assert not (scratch / "y.lance" / "_versions").exists()


@pytest.mark.parametrize("version", ["2.1", "2.2"])
@pytest.mark.parametrize("name, pattern", UNREADABLE, ids=lambda value: str(value))
def test_lancer_reads_what_pylance_writes_but_cannot_read(name, pattern, version, scratch):
    outer, inner = 0.97, 0.9
    array = generate(TYPES[name], 800, "full", np.random.default_rng(5), outer, inner)
    table = pa.table({"v": array})
    dataset = lance.write_dataset(table, str(scratch / "x.lance"), data_storage_version=version)
    with pytest.raises((pa.ArrowInvalid, OSError), match=UNREADABLE[name, pattern]):
        dataset.to_table()
    assert_tables_equal(lance_to_table(scratch / "x.lance", scratch / "x.arrow"), table)
    table_to_lance(table, scratch / "y.lance", "--file-version", version)
    assert_tables_equal(lance_to_table(scratch / "y.lance", scratch / "y.arrow"), table)


def test_vectors_of_structs_stand_beside_other_columns(scratch):
    """pylance refuses to read such a table; the format allows it."""
    for name in ALONE:
        array = generate(TYPES[name], 300, "full", np.random.default_rng(6), 0.2, 0.2)
        table = pa.table({"row": pa.array(range(300)), "v": array})
        lance.write_dataset(table, str(scratch / "x.lance"), data_storage_version="2.2")
        assert_tables_equal(lance_to_table(scratch / "x.lance", scratch / "x.arrow"), table)
        table_to_lance(table, scratch / "y.lance")
        assert_tables_equal(lance_to_table(scratch / "y.lance", scratch / "y.arrow"), table)
        lancer("take", scratch / "x.lance", "--rows", "299,0,17", "-o", scratch / "z.arrow")
        assert_tables_equal(read_arrow(scratch / "z.arrow"), table.take([299, 0, 17]))


@pytest.mark.parametrize("compression", [None, "lz4", "zstd"])
def test_arrow_files_and_streams_of_every_kind_are_read(compression, scratch):
    names = ["int32", "utf8", "bool", "list-struct", "map-utf8-int32", "dictionary-int16-utf8", "decimal256", "float16", "fsl-float32x64"]
    for name in names:
        table = Case(name, "full" if "dictionary" not in name else "low", 900, "2.2").table()
        for stream in (False, True):
            ours = table_to_lance(table, scratch / f"{name}-{stream}.lance", batch_rows=250, stream=stream, compression=compression)
            assert_tables_equal(lance.dataset(str(ours)).to_table(), table)
