# SPDX-License-Identifier: Apache-2.0
"""Writes limits.def from the specification's tensor limits.

The input is JSON: {"conv2d": [["filter", ALLOWED TYPES, REQUIRED TYPES, ALLOWED RANKS, REQUIRED RANKS], ...], ...},
one row per operand as the "Tensor limits" tables of the WebNN specification have them. The allowed ones become
ours, but for LEFT_OUT.

usage: python3 core/ops/limits.py TENSOR_LIMITS.json > core/ops/limits.def
"""

import json
import pathlib
import re
import sys

HERE = pathlib.Path(__file__).parent

# Types that the specification allows and our kernels leave out: (operator, operand): types.
LEFT_OUT = {
    ("is_infinite", "a"): "float32, float16",
    ("is_nan", "a"): "float32, float16",
    ("resample2d", "input"): "float32, float16",
}

# The sets of types that the tables use, under the names that limits.cpp gives them.
SETS = {
    "any": "kAny",
    "float32, float16": "kFloats",
    "float32, float16, int64, int32, int8": "kSigned",
    "float32, float16, int32, uint32, int64, uint64": "kWide",
    "int32, int64": "kPositions",
    "int32, uint32, int64": "kIndices",
    "uint8": "kUint8",
    "uint8, int8, uint32, int32": "kQuantised",
}

HEAD = """\
// SPDX-License-Identifier: Apache-2.0
// SLUICE_LIMIT(operator, operand, types, least rank, most rank): what every operand of every operator may be.
// Written by limits.py from the specification's tables; sorted by operator, operands in their order.
"""


# Operators that only a pass makes: no user may ask for them, and infer() alone says what they take.
INTERNAL = ("lookup", "quantized_binary", "quantized_conv2d")


def snake(name: str) -> str:
    return re.sub(r"([a-z])([A-Z])", r"\1_\2", name).lower()


def operators() -> dict[str, str]:
    """Our names, by the same without underscores."""
    names = [f"arg_{which}" for which in ("min", "max")]
    names += [f"{kind}_pool2d" for kind in ("average", "l2", "max")]
    families = ("arg_min_max", "binary", "pool2d", "reduce", "unary")
    for file, prefix in (("ops", ""), ("unary", ""), ("binary", ""), ("reduce", "reduce_")):
        text = (HERE / f"{file}.def").read_text()
        rows = re.findall(r"^SLUICE_[A-Z]+\((\w+),", text, re.MULTILINE)
        names += [prefix + row for row in rows if file != "ops" or row not in families + INTERNAL]
    return {name.replace("_", ""): name for name in names}


def named(key: str, known: dict[str, str]) -> list[str]:
    """The operators that a key of the tables stands for: "reduction-reducemax-reducemin"."""
    if key == "elementwise-binary":
        return ["add", "sub", "mul", "div", "max", "min", "pow"]
    names = [known[word] for word in key.lower().split("-") if word in known]
    if not names:
        raise SystemExit(f"{key}: no operator of ours has this name")
    return names


def operand_name(text: str) -> str:
    text = text.split("'")[0].split(" if ")[0]
    return snake(re.sub(r"^outputs\[(\d)\]", r"output\1", text))


def ranks(text: str) -> tuple[str, str]:
    low, _, high = text.partition(" to ")
    return ("0", "N") if low == "N" else (low, high or low)


def rows_of(operator: str, table: list[list[str]]) -> list[str]:
    cells = [cell for row in table for cell in row]  # five an operand, however the rows are cut
    rows, types, limits = [], {}, {}
    for i in range(0, len(cells), 5):
        operand = operand_name(cells[i])
        allowed, rank = cells[i + 1], cells[i + 3]
        if allowed.startswith("same as "):
            allowed = types[operand_name(allowed.removeprefix("same as "))]
        allowed = LEFT_OUT.get((operator, operand), allowed)
        if rank.startswith("same as "):
            low_high = limits[operand_name(rank.removeprefix("same as "))]
        else:
            low_high = ranks(rank)
        types[operand], limits[operand] = allowed, low_high
        low, high = (limit.replace("N", "kMaxRank") for limit in low_high)
        rows.append(f"SLUICE_LIMIT({operator}, {operand}, {SETS[allowed]}, {low}, {high})")
    return rows


def main() -> None:
    tables = json.loads(pathlib.Path(sys.argv[1]).read_text())
    known = operators()
    rows = {}
    for key, table in tables.items():
        for operator in named(key, known):
            rows[operator] = rows_of(operator, table)
    if missing := set(known.values()) - set(rows):
        raise SystemExit(f"no limits of {', '.join(sorted(missing))}")
    print(HEAD, end="")
    for operator in sorted(rows):
        print("\n".join(rows[operator]))


if __name__ == "__main__":
    main()
