"""Random conditions over a table with columns of every type, for comparing what they choose."""

from __future__ import annotations

import random
from datetime import date, datetime, timedelta, timezone
from decimal import Decimal

import numpy as np
import pyarrow as pa

DAY = date(2020, 1, 1)
START = datetime(2020, 1, 1)


def every_type(count: int, seed: int) -> pa.Table:
    """`count` rows of all types, a tenth of them null, with the values at which readers differ."""
    rng = random.Random(seed)

    def some(value, nulls: float = 0.1):
        return [None if rng.random() < nulls else value(i) for i in range(count)]

    def integers(low, high):
        return some(lambda i: rng.choice([low, high, 0, 1]) if rng.random() < 0.1 else rng.randint(max(low, -40), min(high, 40)))

    floats = [0.0, -0.0, 1.5, -1.5, 0.1, float("nan"), float("inf"), float("-inf"), 1e300, -2.5, 7.0, 100.0]
    texts = ["", "abc", "ABC", "a_c", "a%c", "héllo", "日本", "Abcd", "x", " été ", "zz top", "10", "1.5", "true", "a\\b"]
    moment = lambda i: START + timedelta(hours=rng.randint(-2000, 2000), seconds=rng.choice([0, 0, 59]))
    columns = {
        "id": pa.array(range(count), pa.int64()),
        "i8": pa.array(integers(-128, 127), pa.int8()),
        "i16": pa.array(integers(-(2**15), 2**15 - 1), pa.int16()),
        "i32": pa.array(integers(-(2**31), 2**31 - 1), pa.int32()),
        "i64": pa.array(integers(-(2**63), 2**63 - 1), pa.int64()),
        "u8": pa.array(integers(0, 255), pa.uint8()),
        "u16": pa.array(integers(0, 2**16 - 1), pa.uint16()),
        "u32": pa.array(integers(0, 2**32 - 1), pa.uint32()),
        "u64": pa.array(integers(0, 2**64 - 1), pa.uint64()),
        "f32": pa.array(some(lambda i: rng.choice([0.0, -0.0, 1.5, 0.1, float("nan"), float("inf"), -3.0, i / 8])), pa.float32()),
        "f64": pa.array(some(lambda i: rng.choice(floats)), pa.float64()),
        "b": pa.array(some(lambda i: rng.random() < 0.5, 0.2), pa.bool_()),
        "s": pa.array(some(lambda i: rng.choice(texts)), pa.string()),
        "ls": pa.array(some(lambda i: rng.choice(texts)), pa.large_string()),
        "bin": pa.array(some(lambda i: bytes(rng.randint(0, 3) for _ in range(rng.randint(0, 3)))), pa.binary()),
        "fsb": pa.array(some(lambda i: bytes(rng.choice([0x61, 0x62]) for _ in range(2))), pa.binary(2)),
        "d32": pa.array(some(lambda i: DAY + timedelta(days=rng.randint(-60, 60))), pa.date32()),
        "d64": pa.array(some(lambda i: DAY + timedelta(days=rng.randint(-60, 60))), pa.date64()),
        "ts": pa.array(some(moment), pa.timestamp("s")),
        "tms": pa.array(some(moment), pa.timestamp("ms")),
        "tus": pa.array(some(moment), pa.timestamp("us")),
        "tns": pa.array(some(moment), pa.timestamp("ns")),
        "utc": pa.array(some(lambda i: moment(i).replace(tzinfo=timezone.utc)), pa.timestamp("us", tz="UTC")),
        "ny": pa.array(some(lambda i: moment(i).replace(tzinfo=timezone.utc)), pa.timestamp("us", tz="America/New_York")),
        "dec": pa.array(some(lambda i: Decimal(rng.randint(-400, 400)) / 100), pa.decimal128(10, 2)),
        "dic": pa.array(some(lambda i: rng.choice(texts))).dictionary_encode(),
        "l": pa.array(some(lambda i: [rng.choice([None, 0, 1, 2, 3]) for _ in range(rng.randint(0, 3))]), pa.list_(pa.int32())),
        "fsl": pa.array(some(lambda i: [float(rng.randint(0, 2)), 1.0]), pa.list_(pa.float32(), 2)),
        "st": pa.array(
            some(lambda i: {"k": rng.choice([None, 1, 2, 3]), "Y": rng.choice(["p", "q", None])}),
            pa.struct([("k", pa.int64()), ("Y", pa.string())]),
        ),
        "My Col": pa.array(some(lambda i: i % 3), pa.int16()),
        "f16": pa.array(some(lambda i: np.float16(rng.choice([0.0, -0.0, 1.5, 0.1, float("nan"), float("-inf"), i / 4]))), pa.float16()),
        "tm32": pa.array(some(lambda i: rng.randint(0, 86399)), pa.int32()).cast(pa.time32("s")),
        "tms32": pa.array(some(lambda i: rng.randint(0, 40) * 1000), pa.int32()).cast(pa.time32("ms")),
        "tm64": pa.array(some(lambda i: rng.randint(0, 86399) * 10**6), pa.int64()).cast(pa.time64("us")),
        "dur": pa.array(some(lambda i: timedelta(seconds=rng.randint(-3, 3))), pa.duration("ms")),
        "dur2": pa.array(some(lambda i: timedelta(seconds=rng.randint(-3, 3))), pa.duration("ms")),
        "lbin": pa.array(some(lambda i: bytes(rng.randint(0, 2) for _ in range(rng.randint(0, 2)))), pa.large_binary()),
        "ll": pa.array(some(lambda i: [rng.choice([None, "a", "b", ""]) for _ in range(rng.randint(0, 3))]), pa.large_list(pa.string())),
        "d256": pa.array(some(lambda i: Decimal(rng.randint(-400, 400)) / 100), pa.decimal256(40, 2)),
        "m": pa.array(some(lambda i: [("a", rng.randint(0, 3)), ("b", None)][: rng.randint(0, 2)]), pa.map_(pa.string(), pa.int32())),
        "nul": pa.nulls(count),
        "deep": pa.array(some(lambda i: {"in ner": {"z": rng.choice([None, 1, 2])}, "tags": ["x"][: rng.randint(0, 1)]})),
    }
    return pa.table(columns)


INTEGERS = ["i8", "i16", "i32", "i64", "u8", "u16", "u32", "id", "`My Col`", "st.k"]
FLOATS = ["f32", "f64"]
TEXTS = ["s", "ls", "st.Y"]
NAIVE = ["ts", "tms", "tus", "tns"]
MOMENTS = [*NAIVE, "utc", "ny"]
DATES = ["d32", "d64"]
COMPARISONS = ["=", "==", "<>", "!=", "<", "<=", ">", ">="]
ALL = [*INTEGERS, "u64", *FLOATS, *TEXTS, *MOMENTS, *DATES, "b", "bin", "fsb", "dec", "dic", "l", "fsl", "st"]
RARE = ["f16", "tm32", "tms32", "tm64", "dur", "lbin", "ll", "d256", "m", "nul", "deep", "deep.`in ner`", "deep.`in ner`.z", "deep.tags"]


class Predicates:
    """Makes conditions, most of which the reference answers."""

    def __init__(self, seed: int):
        self.rng = random.Random(seed)

    def condition(self, depth: int | None = None) -> str:
        pick = self.rng.random
        if depth is None:
            depth = self.rng.choice([0, 0, 1, 1, 2, 3])
        if depth > 0:
            if pick() < 0.2:
                return f"NOT ({self.condition(depth - 1)})"
            word = self.rng.choice(["AND", "OR"])
            parts = [self.condition(depth - 1) for _ in range(self.rng.choice([2, 2, 3]))]
            return f" {word} ".join(f"({part})" if pick() < 0.7 else part for part in parts)
        leaf = self.leaf()
        chance = pick()
        if chance < 0.06:
            return f"NOT {leaf}" if pick() < 0.5 else f"NOT ({leaf})"
        if chance < 0.12:
            return f"({leaf}) IS {self.rng.choice(['TRUE', 'FALSE', 'NOT TRUE', 'NOT FALSE', 'NULL', 'NOT NULL'])}"
        if chance < 0.15:
            return f"coalesce({leaf}, {self.rng.choice(['true', 'false'])})"
        return leaf

    def leaf(self) -> str:
        makers = [
            (8, self.integer_leaf), (4, self.float_leaf), (6, self.text_leaf), (4, self.time_leaf), (2, self.null_leaf),
            (2, self.decimal_leaf), (2, self.list_leaf), (1, self.bytes_leaf), (1, self.bool_leaf), (1, self.cast_leaf),
            (1, self.row_leaf), (4, self.rare_leaf),
        ]
        return self.rng.choices([maker for _, maker in makers], [weight for weight, _ in makers])[0]()

    # Values.

    def integer(self, column: str = "i64") -> str:
        low = 0 if column.startswith("u") else -40
        edges = {"i8": [-128, 127], "u8": [255], "i16": [-32768, 32767], "i32": [2**31 - 1], "i64": [2**63 - 1]}
        if self.rng.random() < 0.1:
            return str(self.rng.choice(edges.get(column, [0, 1])))
        return str(self.rng.randint(low, 40))

    def number(self) -> str:
        return self.rng.choice(["0", "0.0", "-0.0", "1.5", "-1.5", "0.1", "1e3", "7", "-2.5", "1e300", "0.125"])

    def text(self) -> str:
        values = ["", "abc", "ABC", "a_c", "a%c", "héllo", "日本", "x", "it''s", "10", "b", " été "]
        return f"'{self.rng.choice(values)}'"

    def pattern(self) -> str:
        patterns = ["a%", "%c", "a_c", r"a\_c", r"a\%c", "%", "_", "__", "%é%", "ABC", "%b%c%", "", "_%_", "日_", "a%c%", r"a\\b"]
        return f"'{self.rng.choice(patterns)}'"

    def moment(self) -> str:
        day = START + timedelta(hours=self.rng.randint(-2000, 2000))
        forms = ["%Y-%m-%d %H:%M:%S", "%Y-%m-%dT%H:%M:%S", "%Y-%m-%d", "%Y-%m-%d %H:%M:%S.250"]
        return f"TIMESTAMP '{day.strftime(self.rng.choice(forms))}'"

    def zoned_moment(self) -> str:
        day = START + timedelta(hours=self.rng.randint(-2000, 2000))
        return f"TIMESTAMP '{day:%Y-%m-%dT%H:%M:%S}{self.rng.choice(['Z', '+02:00', '-05:00'])}'"

    def day(self) -> str:
        return f"DATE '{DAY + timedelta(days=self.rng.randint(-60, 60))}'"

    def around(self, column: str, value) -> str:
        """A comparison, a range or a list."""
        kind = self.rng.random()
        negated = self.rng.choice(["", "", "NOT "])
        if kind < 0.55:
            operator = self.rng.choice(COMPARISONS)
            return f"{column} {operator} {value()}" if self.rng.random() < 0.85 else f"{value()} {operator} {column}"
        if kind < 0.75:
            return f"{column} {negated}BETWEEN {value()} AND {value()}"
        if kind < 0.95:
            items = [value() for _ in range(self.rng.choice([1, 2, 3, 12]))]
            # Beside an IN on the same column the reference forgets the null of a NOT IN.
            if not negated and self.rng.random() < 0.2:
                items.append("NULL")
            return f"{column} {negated}IN ({', '.join(items)})"
        return f"{column} IS {negated}DISTINCT FROM {value()}"

    # Leaves.

    def integer_leaf(self) -> str:
        column = self.rng.choice(INTEGERS)
        kind = self.rng.random()
        value = lambda: self.integer(column)
        if kind < 0.5:
            return self.around(column, value)
        if kind < 0.6:
            return f"{column} {self.rng.choice(COMPARISONS)} {self.rng.choice([*INTEGERS, 'f64', 'u64'])}"
        if kind < 0.7:
            arithmetic = f"{column} {self.rng.choice(['+', '-', '*'])} {value()}"
            return f"{arithmetic} {self.rng.choice(COMPARISONS)} {self.integer()}"
        if kind < 0.78:
            return f"{column} {self.rng.choice(['/', '%'])} {self.rng.choice(['2', '3', '7'])} = {self.rng.choice(['0', '1', '2'])}"
        if kind < 0.84:
            return f"{column} + {self.rng.choice(INTEGERS)} {self.rng.choice(COMPARISONS)} {self.integer()}"
        if kind < 0.9:
            return f"abs(i32) {self.rng.choice(COMPARISONS)} {self.integer('u8')}" if self.rng.random() < 0.5 else f"-i16 > {value()}"
        if kind < 0.95:
            return f"u64 {self.rng.choice(COMPARISONS)} {self.rng.choice(['0', '1', '18446744073709551615', '40'])}"
        return f"coalesce({column}, 0) {self.rng.choice(COMPARISONS)} {self.integer()}"

    def float_leaf(self) -> str:
        column = self.rng.choice(FLOATS)
        kind = self.rng.random()
        if kind < 0.6:
            return self.around(column, self.number)
        if kind < 0.7:
            return f"{column} {self.rng.choice(COMPARISONS)} {self.rng.choice([*FLOATS, 'i8', 'i32', 'id'])}"
        if kind < 0.8:
            return f"{column} {self.rng.choice(COMPARISONS)} CAST('{self.rng.choice(['NaN', 'inf', '-inf'])}' AS double)"
        if kind < 0.9:
            return f"isnan({column})"
        return f"f64 {self.rng.choice(['+', '*', '/', '-'])} {self.number()} {self.rng.choice(COMPARISONS)} {self.number()}"

    def text_leaf(self) -> str:
        column = self.rng.choice([*TEXTS, "s", "s"])
        kind = self.rng.random()
        if kind < 0.35:
            return self.around(column, self.text)
        if kind < 0.65:
            word = self.rng.choice(["LIKE", "NOT LIKE", "ILIKE", "NOT ILIKE"])
            return f"{column} {word} {self.pattern()}"
        functions = [
            lambda: f"lower({column}) = {self.text()}",
            lambda: f"upper({column}) {self.rng.choice(COMPARISONS)} {self.text()}",
            lambda: f"length({column}) {self.rng.choice(COMPARISONS)} {self.rng.randint(0, 6)}",
            lambda: f"octet_length({column}) > {self.rng.randint(0, 6)}",
            lambda: f"starts_with({column}, {self.text()})",
            lambda: f"ends_with({column}, {self.text()})",
            lambda: f"contains({column}, {self.text()})",
            lambda: f"regexp_like({column}, '{self.rng.choice(['^a.c$', '[A-Z]', 'l+', '^$', '(b|z)'])}')",
            lambda: f"{column} || 'x' = 'abcx'",
            lambda: f"concat({column}, 'x') = {self.text()}",
            lambda: f"coalesce({column}, 'none') {self.rng.choice(COMPARISONS)} {self.text()}",
            lambda: f"nullif({column}, 'abc') IS NULL",
            lambda: f"replace(s, 'b', 'd') = 'adc'",
            lambda: f"reverse(s) = {self.text()}",
            lambda: f"left(s, {self.rng.randint(0, 3)}) = {self.text()}",
            lambda: f"btrim(s) = 'été'",
            lambda: f"strpos(s, 'c') {self.rng.choice(COMPARISONS)} {self.rng.randint(0, 3)}",
            lambda: f"s {self.rng.choice(COMPARISONS)} st.Y",
            lambda: f"dic = {self.text()}",
            lambda: f"dic IN ({self.text()}, {self.text()})",
            lambda: f"dic LIKE {self.pattern()}",
        ]
        return self.rng.choice(functions)()

    def time_leaf(self) -> str:
        kind = self.rng.random()
        if kind < 0.35:
            return self.around(self.rng.choice(MOMENTS), self.moment)
        if kind < 0.6:
            return self.around(self.rng.choice(DATES), self.day)
        if kind < 0.7:
            return f"{self.rng.choice(NAIVE)} {self.rng.choice(COMPARISONS)} {self.rng.choice([*NAIVE, 'd32', self.zoned_moment()])}"
        if kind < 0.78:
            return f"{self.rng.choice(['utc', 'ny'])} {self.rng.choice(COMPARISONS)} {self.rng.choice([self.zoned_moment(), 'utc', 'ny', 'tus'])}"
        if kind < 0.86:
            part = self.rng.choice(["year", "month", "day", "hour", "minute", "second", "dow", "doy", "week"])
            # Years near the data: the reference turns others into timestamps, which overflow.
            number = self.rng.randint(2018, 2021) if part == "year" else self.rng.randint(0, 30)
            return f"date_part('{part}', {self.rng.choice([*MOMENTS, 'd32'])}) {self.rng.choice(COMPARISONS)} {number}"
        if kind < 0.94:
            unit = self.rng.choice(["year", "month", "day", "hour", "week"])
            return f"date_trunc('{unit}', {self.rng.choice(['tus', 'tms', 'ts'])}) {self.rng.choice(COMPARISONS)} {self.moment()}"
        return f"{self.rng.choice(DATES)} {self.rng.choice(COMPARISONS)} {self.moment()}"

    def null_leaf(self) -> str:
        column = self.rng.choice(ALL)
        return self.rng.choice([f"{column} IS NULL", f"{column} IS NOT NULL", f"is_valid({column})", f"{column} = NULL"])

    def decimal_leaf(self) -> str:
        if self.rng.random() < 0.6:
            return self.around("dec", lambda: str(self.rng.randint(-4, 4)))
        kind = self.rng.choice(COMPARISONS)
        literal = f"CAST('{self.rng.choice(['1.25', '-0.5', '0', '3.99'])}' AS decimal(10,2))"
        return self.rng.choice(
            [f"dec {kind} {literal}", f"dec + 1 {kind} 2", f"dec {kind} i8", f"(dec > 1.05) IS TRUE", f"dec * 2 {kind} 3"]
        )

    def list_leaf(self) -> str:
        value = self.rng.randint(0, 4)
        return self.rng.choice(
            [
                f"array_has(l, {value})", f"array_has_any(l, [{value}, 1])", f"array_has_all(l, [{value}, 1])",
                f"array_length(l) {self.rng.choice(COMPARISONS)} {value}", f"l[{self.rng.randint(-2, 3)}] = {value}",
                f"cardinality(l) = {value}", f"l[2] IS NULL", f"array_has(fsl, {value})", "fsl = [1, 1]", f"l = [{value}]",
            ]
        )

    def bytes_leaf(self) -> str:
        value = lambda: f"X'{''.join(self.rng.choice(['00', '01', '02', '03']) for _ in range(self.rng.randint(0, 3)))}'"
        if self.rng.random() < 0.7:
            return self.around("bin", value)
        return f"fsb {self.rng.choice(COMPARISONS)} X'6162'"

    def bool_leaf(self) -> str:
        return self.rng.choice(
            ["b", "NOT b", "b = true", "b <> false", "b IS TRUE", "b IS NOT FALSE", "true", "false", "b = (i8 > 0)", "1 = 1", "NULL = 1"]
        )

    def cast_leaf(self) -> str:
        return self.rng.choice(
            [
                f"CAST(i8 AS bigint) > {self.integer()}", "TRY_CAST(s AS int) IS NULL", "TRY_CAST(s AS double) > 1",
                f"CAST(i32 AS string) LIKE '{self.rng.choice(['1%', '-%', '%0'])}'", f"i16::double > {self.number()}",
                "CAST(d32 AS string) LIKE '2020-01%'", "CAST(b AS int) = 1", "CAST(id AS smallint) % 3 = 1",
                "CAST(tus AS date) = DATE '2020-01-05'", "TRY_CAST(f64 AS int) = 1", "CAST(ny AS string) LIKE '2019%'",
            ]
        )

    def rare_leaf(self) -> str:
        """Types that are seldom in conditions."""
        compare = self.rng.choice(COMPARISONS)
        digit = self.rng.randint(0, 3)
        makers = [
            lambda: self.around("f16", self.number), lambda: f"f16 {compare} f32", lambda: f"tm32 {compare} {self.rng.randint(0, 86399)}",
            lambda: f"tms32 {compare} {digit}000", lambda: f"tm64 {compare} tm32", lambda: f"dur {compare} dur2",
            lambda: f"dur + dur2 {compare} dur", lambda: self.around("lbin", lambda: self.rng.choice(["X''", "X'00'", "X'0102'"])),
            lambda: f"array_has(ll, {self.rng.choice(['NULL', self.text()])})", lambda: f"array_length(ll) {compare} {digit}",
            lambda: f"ll[{digit}] = 'a'", lambda: self.around("d256", lambda: str(digit)), lambda: f"cardinality(m) {compare} {digit}",
            lambda: f"map_extract(m, 'a')[1] {compare} {digit}", lambda: f"{self.rng.choice(RARE)} IS {self.rng.choice(['', 'NOT '])}NULL",
            lambda: f"{self.rng.choice(RARE)} IS {self.rng.choice(['', 'NOT '])}NULL", lambda: f"deep.`in ner`.z {compare} {digit}",
            lambda: f"deep['in ner']['z'] IN (1, {digit})", lambda: "array_has(deep.tags, 'x')", lambda: f"array_to_string(ll, '-') = 'a-b'",
            lambda: "dur > CAST(1000 AS bigint)", lambda: f"st.k {compare} deep.`in ner`.z", lambda: "deep.`in ner` IS NOT NULL AND deep IS NOT NULL",
        ]  # fmt: skip
        return self.rng.choice(makers)()

    def row_leaf(self) -> str:
        return self.rng.choice(["_rowid < 40", "_rowid % 3 = 1", "_rowaddr > 4294967296", f"_rowid IN (1, {self.rng.randint(2, 60)})"])
