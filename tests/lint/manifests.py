#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Checks the manifests of weights and footage: complete, pinned by hash, and free of download addresses."""

import json
import os
import re

import sources

NEEDED = ("name", "title", "format", "file", "licence", "source", "bytes", "sha256")
NEEDED_IN_ZOO = ("task", "description", "use", "limits", "input", "settings", "figures")
IN_FIGURES = {"measure": str, "value": float, "unit": str, "data": str, "truth": str, "command": str}
TASKS = ("face-detection", "segmentation", "super-resolution")


def check_figures(path, manifest):
    """What `sluice models card` shows of our own measurements: all of it there, and each can be repeated."""
    problems = []
    if not manifest.get("figures"):
        problems.append(f"{path}: no figures; measure them with tests/quality/evaluate.py --write")
    for figure in manifest.get("figures", []):
        wrong = [key for key, kind in IN_FIGURES.items() if not isinstance(figure.get(key), kind)]
        if wrong or set(figure) != set(IN_FIGURES):
            problems.append(f"{path}: a figure must have exactly {', '.join(IN_FIGURES)}; see {', '.join(wrong) or 'its keys'}")
        elif not figure["command"].endswith(f"tests/quality/evaluate.py {manifest['name']}"):
            problems.append(f"{path}: the command of '{figure['measure']}' does not measure {manifest['name']}")
    return problems


def check(path, manifest):
    problems = [f"{path}: '{key}' is missing" for key in NEEDED if key not in manifest]
    if "/zoo/" in path:
        problems += [f"{path}: '{key}' is missing" for key in NEEDED_IN_ZOO if key not in manifest]
        if manifest.get("task") not in TASKS:
            problems.append(f"{path}: task '{manifest.get('task')}' is none of {', '.join(TASKS)}")
        problems += check_figures(path, manifest)
    if manifest.get("name") != os.path.basename(path)[:-len(".json")]:
        problems.append(f"{path}: the name '{manifest.get('name')}' must be the file's name")
    if not re.fullmatch(r"[0-9a-f]{64}", manifest.get("sha256", "")):
        problems.append(f"{path}: sha256 must be 64 hexadecimal digits")
    source = manifest.get("source", {})
    wanted = {"npm", "version", "integrity", "path"} if "npm" in source else {"debian", "version", "path"}
    if set(source) != wanted:
        problems.append(f"{path}: source must have exactly {', '.join(sorted(wanted))}")
    if "npm" in source and not re.fullmatch(r"sha512-[A-Za-z0-9+/]{86}==", source.get("integrity", "")):
        problems.append(f"{path}: integrity must be sha512- and 88 base64 characters")
    if "://" in json.dumps(manifest):
        problems.append(f"{path}: no addresses in a manifest; the package manager knows where packages are")
    return problems


def main():
    paths = sources.files(".json", folders=("models/zoo", "models/footage", "models/twins"))
    problems, names = [], {}
    for path in paths:
        manifest = json.loads(sources.read(path))
        problems += check(path, manifest)
        for name in [manifest.get("name"), *manifest.get("aliases", [])]:
            if name in names:
                problems.append(f"{path}: the name '{name}' is taken by {names[name]}")
            names[name] = path
    sources.finish(problems, f"{len(paths)} manifests")


if __name__ == "__main__":
    main()
