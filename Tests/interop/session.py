"""A table in memory and the changes that random sessions make to it, to be made to a real one by Lancer or by pylance."""

from __future__ import annotations

import random
from dataclasses import dataclass, field

import pyarrow as pa

Row = dict[str, object]

TYPES: dict[str, pa.DataType] = {
    "id": pa.int64(),
    "v": pa.int32(),
    "x": pa.float64(),
    "name": pa.string(),
    "tags": pa.list_(pa.int16()),
    "s": pa.struct([pa.field("a", pa.int64()), pa.field("b", pa.string())]),
    "vec": pa.list_(pa.float32(), 3),
    "day": pa.timestamp("us"),
}


@dataclass
class Model:
    """Columns in order, and rows by id."""

    columns: dict[str, pa.DataType] = field(default_factory=lambda: dict(TYPES))
    rows: dict[int, Row] = field(default_factory=dict)
    next_id: int = 0

    def copy(self) -> Model:
        return Model(dict(self.columns), {id: dict(row) for id, row in self.rows.items()}, self.next_id)

    def schema(self, names: list[str] | None = None) -> pa.Schema:
        return pa.schema([pa.field(name, self.columns[name]) for name in names or self.columns])

    def listed(self) -> list[Row]:
        """Rows by id, with the columns in order."""
        return [{name: self.rows[id].get(name) for name in self.columns} for id in sorted(self.rows)]


def value(name: str, type_: pa.DataType, rng: random.Random) -> object:
    """A random value that tells apart nulls, empty lists and null structs."""
    if name != "id" and rng.random() < 0.2:
        return None
    if name == "s":
        return {"a": rng.choice([None, rng.randrange(100)]), "b": rng.choice([None, "", "ü" * rng.randrange(4)])}
    if name == "tags":
        return [rng.choice([None, rng.randrange(-9, 9)]) for _ in range(rng.randrange(4))]
    if name == "vec":
        return [float(rng.randrange(8)) for _ in range(3)]
    if pa.types.is_timestamp(type_):
        return 1_700_000_000_000_000 + rng.randrange(10**9)
    if pa.types.is_integer(type_):
        return rng.randrange(-50, 50)
    if pa.types.is_floating(type_):
        return rng.randrange(-50, 50) / 4
    return rng.choice(["", "a", "b", "Ab", "long " * 3, "ß"])


def new_rows(model: Model, count: int, rng: random.Random) -> list[Row]:
    rows = []
    for _ in range(count):
        rows.append({name: value(name, type_, rng) for name, type_ in model.columns.items()} | {"id": model.next_id})
        model.next_id += 1
    return rows


def table(rows: list[Row], schema: pa.Schema) -> pa.Table:
    return pa.Table.from_pylist(rows, schema=schema)


# Conditions in SQL, and what they are for a row: True, False or None (unknown).
def conditions(model: Model, rng: random.Random) -> list[tuple[str, object]]:
    low = rng.randrange(max(model.next_id, 1))
    bound = rng.randrange(-50, 50)
    chosen = sorted(rng.sample(sorted(model.rows), min(len(model.rows), rng.randrange(1, 6)))) or [0]
    found = [
        (f"id >= {low} and id < {low + 5}", lambda r: low <= r["id"] < low + 5),
        (f"id % 7 = {low % 7}", lambda r: r["id"] % 7 == low % 7),
        (f"id in ({', '.join(map(str, chosen))})", lambda r: r["id"] in chosen),
    ]
    if "v" in model.columns:
        found.append((f"v > {bound}", lambda r: None if r["v"] is None else r["v"] > bound))
        found.append((f"not (v < {bound})", lambda r: None if r["v"] is None else not r["v"] < bound))
    if "name" in model.columns:
        found.append(("name is null", lambda r: r["name"] is None))
        found.append(("name like 'a%' or name = ''", lambda r: None if r["name"] is None else r["name"].startswith("a") or r["name"] == ""))
    if "s" in model.columns:
        inner = lambda r: None if r["s"] is None else r["s"]["a"]  # noqa: E731
        found.append((f"s.a <= {bound}", lambda r: None if inner(r) is None else inner(r) <= bound))
    return found
