#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Checks who includes whom: the arrows between folders, and the fences around other people's headers."""

import re

import sources

ENGINE = ["core/base", "core/graph", "core/ops", "core/passes", "core/runtime", "core/reference", "core/cpu",
          "core/vulkan", "core"]
MODELS = ["models/loaders", "models/store", "models/tasks"]

# Folder -> folders (or single headers) that it may include beside itself. A file belongs to the longest folder that fits; "core"
# is the files directly in it. What no row allows is forbidden: an include of tests, or of pipelines by anyone.
ARROWS = {
    "core/base": [],
    "core/graph": ["core/base", "core/ops"],
    "core/ops": ["core/base", "core/graph"],
    "core/passes": ["core/base", "core/graph", "core/ops"],
    "core/runtime": ["core/base", "core/graph", "core/ops", "core/passes"],
    "core/reference": ["core/base", "core/graph", "core/ops", "core/runtime"],
    "core/cpu": ["core/base", "core/graph", "core/ops", "core/runtime"],
    "core/vulkan": ["core/base", "core/graph", "core/ops", "core/runtime"],
    "core": ENGINE,
    "zero_copy": ["core/base", "core/vulkan", "core/runtime/thread_pool.h"],
    "models/loaders": ["core/base", "core/graph", "core/ops"],
    "models/store": ["core/base", "models/loaders"],
    "models/tasks": ["core", "core/base", "core/graph", "core/runtime", "zero_copy", "models/store"],
    "gst-plugins": [*ENGINE, "zero_copy", *MODELS],
    "pipelines": [*ENGINE, "zero_copy", *MODELS, "gst-plugins"],
    "tests": [*ENGINE, "zero_copy", *MODELS, "gst-plugins", "pipelines", "pipelines/embed"],
}
# The embedding examples show that nothing of GStreamer is needed.
ARROWS["pipelines/embed"] = [*ENGINE, "zero_copy", *MODELS]

# Header -> folders that may include it.
FENCES = [
    (r"gst/|glib|gobject/|gio/|gmodule", ["gst-plugins", "pipelines", "tests"]),
    (r"flatbuffers/|nlohmann/", ["models", "pipelines", "tests"]),
    (r"hwy/", ["core/cpu", "zero_copy", "tests"]),
    (r"xnnpack", ["core/cpu"]),
    (r"vulkan/", ["core/vulkan", "zero_copy", "tests"]),
    (r"libav|libsw|opencv2/", ["pipelines/embed", "tests"]),
    (r"CLI/", ["pipelines"]),
    (r"gtest/|gmock/", ["tests"]),
    (r"benchmark/|onnxruntime", ["pipelines/bench", "tests"]),
]


def module_of(path):
    fitting = [module for module in ARROWS if path.startswith(module + "/")]
    return max(fitting, key=len, default=None)


def lies_in(path, folders):
    return any(path.startswith(folder + "/") for folder in folders)


def check(path):
    module = module_of(path)
    if module is None:
        return [f"{path}: no row of ARROWS says what this folder may include"]
    problems = []
    for line, is_system, name in sources.includes(path):
        for pattern, folders in FENCES:
            if re.match(pattern, name) and (is_system or module_of(name) is None) and not lies_in(path, folders):
                problems.append(f"{path}:{line}: <{name}> may be included in {', '.join(folders)} only")
        if is_system:
            continue
        target = module_of(name)
        if target is not None and target != module and not {target, name} & set(ARROWS[module]):
            problems.append(f"{path}:{line}: {module} must not include {target} ({name})")
    return problems


def main():
    paths = sources.files(".h", ".cpp", ".def")
    sources.finish([problem for path in paths for problem in check(path)], f"includes of {len(paths)} files")


if __name__ == "__main__":
    main()
