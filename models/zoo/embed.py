#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
# Turns the zoo's manifests into a C++ source: embed.py OUT.cpp MANIFEST.json...
"""A manifest that lacks a field, or repeats a name, stops the build with a sentence."""

import json
import os
import re
import sys

TASKS = {"face-detection", "segmentation", "super-resolution"}
FORMATS = {"tflite", "anime4k"}


def literal(text):
    """A C++ string literal; bytes that are not plain ASCII as three octal digits."""
    encoded = "".join(
        chr(b) if 0x20 <= b < 0x7F and chr(b) not in '"\\?' else f"\\{b:03o}"
        for b in text.encode("utf-8")
    )
    return f'"{encoded}"'


def number(value):
    return f"{float(value)!r}F"


def entry(manifest):
    source = manifest["source"]
    settings = manifest.get("settings", {})
    picture = manifest["input"]
    fields = [
        ("name", literal(manifest["name"])),
        ("title", literal(manifest["title"])),
        ("task", literal(manifest["task"])),
        ("format", literal(manifest["format"])),
        ("file", literal(manifest["file"])),
        ("licence", literal(manifest["licence"])),
        ("source", literal(f"npm {source['npm']} {source['version']}, {source['path']}")),
        ("sha256", literal(manifest["sha256"])),
        ("width", str(int(picture["width"]))),
        ("height", str(int(picture["height"]))),
        ("low", number(picture["range"][0])),
        ("high", number(picture["range"][1])),
        ("anchors", literal(settings.get("anchors", ""))),
        ("activation", literal(settings.get("activation", ""))),
        ("labels", "{" + ", ".join(literal(label) for label in settings.get("labels", [])) + "}"),
    ]
    body = "\n".join(f"            .{name} = {value}," for name, value in fields)
    return f"        {{\n{body}\n        }},"


def load(path):
    with open(path, encoding="utf-8") as file:
        manifest = json.load(file)
    if manifest["name"] + ".json" != os.path.basename(path):
        raise ValueError(f"its name is {manifest['name']}")
    if not re.fullmatch("[0-9a-f]{64}", manifest["sha256"]):
        raise ValueError("its sha256 is no hash")
    if manifest["task"] not in TASKS or manifest["format"] not in FORMATS:
        raise ValueError("its task or format is unknown")
    entry(manifest)
    return manifest


def main():
    out, paths = sys.argv[1], sys.argv[2:]
    manifests, names = [], {}
    for path in paths:
        try:
            manifests.append(load(path))
            for name in [manifests[-1]["name"], *manifests[-1].get("aliases", [])]:
                if name in names:
                    raise ValueError(f"the name {name} is also in {names[name]}")
                names[name] = path
        except (ValueError, KeyError, TypeError, IndexError) as error:
            sys.exit(f"{path}: {type(error).__name__}: {error}")
    manifests.sort(key=lambda manifest: manifest["name"])
    aliases = [
        f"    {{{literal(alias)}, {literal(manifest['name'])}}},"
        for manifest in manifests
        for alias in manifest.get("aliases", [])
    ]
    texts = "\n".join(
        f"    {{{literal(manifest['name'])},\n     {literal(json.dumps(manifest))}}}," for manifest in manifests
    )
    entries = "\n".join(entry(manifest) for manifest in manifests)
    text = f"""// Generated from the manifests of models/zoo.
#include "models/store/zoo_table.h"

namespace sluice::models {{
namespace {{

constexpr ZooAlias kAliases[] = {{
{chr(10).join(aliases)}
}};

constexpr ZooText kTexts[] = {{
{texts}
}};

}} // namespace

std::vector<Manifest> zoo_manifests() {{
    return {{
{entries}
    }};
}}

std::span<const ZooAlias> zoo_aliases() {{
    return kAliases;
}}

std::span<const ZooText> zoo_texts() {{
    return kTexts;
}}

}} // namespace sluice::models
"""
    with open(out, "w", encoding="utf-8") as file:
        file.write(text)


if __name__ == "__main__":
    main()
