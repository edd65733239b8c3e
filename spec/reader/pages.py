"""Structural encodings and levels (02-levels.md to 06-blob.md). The content of a page is a triple: repetition levels,
definition levels (None where there are none), and a value for each visible entry."""

import itertools

from coding import U16, U32, U64, cut, decode_single, decode_values, integers, little
from messages import Message, need
from schema import Field, Type

LEVELS = {1: 0, 2: 0, 3: 1, 4: 1, 5: 1, 6: 2}  # definition levels of each layer
LISTS = (2, 4, 5, 6)
PAIR = Type("struct", "packed", fields=[U64, U64])


def max_repetition(layers: list[int]) -> int:
    return sum(layer in LISTS for layer in layers)


def levels_before_list(layers: list[int]) -> int:
    return sum(LEVELS[layer] for layer in itertools.takewhile(lambda layer: layer not in LISTS, layers))


def decode_levels(encoding: Message, data: bytes, count: int) -> list[int]:
    return integers(b"".join(decode_values(encoding, [data], count, U16, block=True)), 2)


def mini_block(layout: Message, buffers: list[bytes], type_: Type, version: str) -> tuple:
    word = 4 if version == "2.2" else 2
    need(layout.has_large_chunk == (word == 4), f"chunk words that are not of {version}")
    need(layout.repetition_index_depth <= 1 and layout.num_buffers <= 64, "a layout out of bounds", "limit")
    need(len(buffers) >= 2 + layout.has("dictionary"), f"a mini-block page of {len(buffers)} buffers")
    is_arrow, value_type, dictionary = type_.kind == "dictionary", type_, None
    if layout.has("dictionary"):
        item, value_type = (type_.item, type_.index) if is_arrow else (type_, U32)
        dictionary = decode_values(layout.dictionary, [buffers[2]], layout.num_dictionary_items, item, block=True)
    need(dictionary is not None or not is_arrow, "a dictionary column without a dictionary")
    words = integers(buffers[0], word)
    need(words or not layout.num_items, "values without chunks")
    found = {name: [] for name in ("rep_compression", "def_compression") if layout.has(name)}
    values, chunks = [], cut(buffers[1], [((entry >> 4) + 1) * 8 for entry in words])
    for number, (entry, chunk) in enumerate(zip(words, chunks)):
        is_last = number == len(words) - 1
        need(is_last or entry & 15, f"chunk {number} of {len(words)} does not say how many values it has")
        count = layout.num_items - len(values) if is_last else 1 << (entry & 15)
        level_count, at, parts = little(chunk, 0, 2), 2, []
        widths = [2] * len(found) + [word] * layout.num_buffers
        sizes = [little(chunk, at + sum(widths[:i]), width) for i, width in enumerate(widths)]
        at += sum(widths)
        for size in sizes:
            at = (at + 7) // 8 * 8
            parts.append(cut(chunk[at:], [size])[0])
            at += size
        for name, data in zip(found, parts):
            found[name] += decode_levels(getattr(layout, name), data, level_count)
        values += decode_values(layout.value_compression, parts[len(found) :], count, value_type)
    repetition, definition = found.get("rep_compression"), found.get("def_compression")
    if dictionary is not None:
        limit, indices = levels_before_list(layout.layers), [int.from_bytes(value, "little") for value in values]
        valid = [True] * len(values) if definition is None else [level == 0 for level in definition if level <= limit]
        need(len(valid) == len(indices), "levels of another number of values")
        need(all(i < len(dictionary) for i, ok in zip(indices, valid) if ok), "an index outside of its dictionary")
        values = [dictionary[i] if ok else None for i, ok in zip(indices, valid)]
    return repetition, definition, values


def full_zip(layout: Message, buffers: list[bytes], type_: Type) -> tuple:
    total, highest = layout.bits_rep + layout.bits_def, sum(LEVELS[layer] for layer in layout.layers)
    lists, limit = max_repetition(layout.layers), levels_before_list(layout.layers)
    need(buffers and total <= 32, "a full-zip page out of bounds")
    need(not lists >> layout.bits_rep, "control words too narrow for their levels")
    width = 0 if total == 0 else 1 if total <= 8 else 2 if total <= 16 else 4
    is_variable = layout.has("bits_per_offset")
    size = (layout.bits_per_offset if is_variable else layout.bits_per_value) // 8
    need(size in (4, 8) if is_variable else size, f"full-zip values or lengths of {size} bytes")
    repetition, definition, values, data, at = [], [], [], buffers[0], 0
    while at < len(data):
        word, at = little(data, at, width), at + width
        level = word & (1 << layout.bits_def) - 1
        repetition.append(word >> layout.bits_def)
        definition.append(level)
        if level <= limit and level and is_variable:
            values.append(None)
        elif level <= limit:
            length, at = (little(data, at, size), at + size) if is_variable else (size, at)
            need(length <= len(data) - at, "an entry is cut short")
            piece, at = data[at : at + length], at + length
            values.append(None if level else decode_single(layout.value_compression, piece, type_, is_variable))
    return repetition if lists else None, definition if highest else None, values


def constant(layout: Message, buffers: list[bytes], type_: Type, rows: int, version: str) -> tuple:
    need(len(buffers) <= 3, f"a constant page of {len(buffers)} buffers")
    has_value, value = True, layout.inline_value
    if layout.has("inline_value"):
        need(len(value) == (1 if type_.kind == "bool" else type_.width), f"an inline value of {len(value)} bytes")
        need(type_.kind in ("bool", "fixed"), f"an inline value for {type_.text}")
        value = value != b"\0" if type_.kind == "bool" else value
    elif len(buffers) in (1, 3):
        value = scalar(buffers[0], type_)
    else:
        has_value, value = False, (() if type_.kind == "struct" else None)
    is_plain = not (has_value or layout.has("rep_compression") or layout.has("def_compression"))
    need(version != "2.1" or is_plain, "a constant page of 2.2 in a file of 2.1")
    found, layers = [None, None], layout.layers
    said = ((layout.rep_compression, layout.num_rep_values), (layout.def_compression, layout.num_def_values))
    for i, (data, (encoding, count)) in enumerate(zip(buffers[-2:], said if len(buffers) > 1 else ())):
        need(len(data) % 2 == 0 or encoding, f"levels of {len(data)} bytes")
        found[i] = decode_levels(encoding, data, count) if encoding else integers(data, 2) if data else None
    repetition, definition = found
    if repetition is None and definition is None and not has_value and layers[0] == 3:
        definition = [1] * rows
    entries = rows if repetition is None else len(repetition)
    limit = levels_before_list(layers)
    visible = entries if definition is None else sum(level <= limit for level in definition)
    is_hollow = has_value or type_.kind in ("null", "struct") or not visible or (definition and 0 not in definition)
    need(is_hollow, "valid values, but no value, in a constant page")
    return repetition, definition, [value] * visible


def scalar(data: bytes, type_: Type) -> bytes:
    count = little(data, 0, 4)
    need(0 < count <= 4, f"a scalar of {count} buffers")
    parts = cut(data[4 + 4 * count :], [little(data, 4 + 4 * i, 4) for i in range(count)])
    if type_.kind == "variable" and count == 2:
        start, end = cut(parts[0], [type_.width] * 2)
        return parts[1][int.from_bytes(start, "little") : int.from_bytes(end, "little")]
    need(type_.kind == "fixed" and len(parts[0]) == type_.width, f"a scalar that is no {type_.text}")
    return parts[0]


def blob(layout: Message, buffers: list[bytes], file) -> tuple:
    inner = layout.inner_layout
    need(not max_repetition(layout.layers) and inner and inner.has("mini_block_layout"), "lists of blobs", "unsupported")
    definition, values = [], []
    for pair in mini_block(inner.mini_block_layout, buffers, PAIR, file.version)[2]:
        position, size = (int.from_bytes(part, "little") for part in pair)
        is_null = size == 0 and position != 0
        definition.append(position >> 16 if is_null else 0)
        values.append(None if is_null else file.bytes(position, size) if size else b"")
    return None, definition, values


def page_rows(page_layout: Message, buffers: list[bytes], path: list[Field], rows: int, file) -> list:
    """The rows of a page of a DataFile; `path` leads from the top-level field to the leaf."""
    (kind, layout), type_ = page_layout.only(), path[-1].stored_type()
    need(kind != "sparse_layout", "sparse pages", "unsupported")
    need(0 < len(layout.layers) <= 128 and all(layer in LEVELS for layer in layout.layers), "layers", "malformed")
    if kind == "mini_block_layout":
        content = mini_block(layout, buffers, type_, file.version)
    elif kind == "full_zip_layout":
        content = full_zip(layout, buffers, type_)
    elif kind == "constant_layout":
        content = constant(layout, buffers, type_, rows, file.version)
    else:
        content = blob(layout, buffers, file)
    if path[-1].is_second_blob_form:
        content = (*content[:2], [value and file.blob(value) for value in content[2]])
    nodes = [node.type for node in reversed(path[:-1])]
    return unravel(layout.layers, content, [("leaf", 0)] + [("vector" if t.size else t.kind, t.size) for t in nodes])


def unravel(layers: list[int], content: tuple, kinds: list[tuple[str, int]]) -> list:
    """Takes off one layer after the other. Structs are tuples of the one leaf, lists are lists, nulls None."""
    repetition, definition, items = content
    shape = [kind in ("list", "map") for kind, _ in kinds]
    need([layer in LISTS for layer in layers] == shape, f"layers {layers} for {kinds}")
    top, highest = max_repetition(layers), sum(LEVELS[layer] for layer in layers)
    need(not top or repetition is not None, "lists without repetition levels")
    count = len(next(part for part in content if part is not None))
    repetition = [0] * count if repetition is None else repetition
    definition = [0] * count if definition is None else definition
    need(len(repetition) == len(definition), "repetition and definition levels of different counts")
    need(max(repetition, default=0) <= top and max(definition, default=0) <= highest, "a level above the layers")
    need(not count or not top or repetition[0] == top, "a page that begins inside of a row")
    limit = levels_before_list(layers)
    need(sum(level <= limit for level in definition) == len(items), f"levels of other values than {len(items)}")
    entries, base, lists = list(zip(repetition, definition)), 0, 0
    for i, (layer, (kind, size)) in enumerate(zip(layers, kinds)):
        own = LEVELS[layer]
        limit = base + own + levels_before_list(layers[i + 1 :])
        if layer in LISTS:
            null = base + 1 if layer in (4, 6) else None
            result, kept, rest = [], [], iter(items)
            for entry in entries:
                if entry[0] > lists:
                    kept.append(entry)
                    if entry[1] <= limit:
                        result.append(None if entry[1] == null else [])
                if entry[1] <= base:
                    need(result and result[-1] is not None, "an item outside of a list")
                    result[-1].append(next(rest))
            items, entries, lists = result, kept, lists + 1
        else:
            if kind == "vector":
                need(len(entries) % size == 0 and len(items) == len(entries), f"{len(entries)} entries of lists of {size}")
                entries, items = entries[::size], [items[j : j + size] for j in range(0, len(items), size)]
            elif kind == "struct":
                items = [(item,) for item in items]
            if own:
                slots = [level for _, level in entries if level <= limit]
                items = [None if level > base else item for level, item in zip(slots, items)]
        base += own
    return items
