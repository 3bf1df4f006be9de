#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Checks that libraries and test programs whose sources are compiled together (joined_sources and joined_tests in the
build files) have no two files that give one name in an unnamed namespace: which files meet in one compilation changes
with every file that is added."""

import collections
import re

import sources

# Library, or folder of test programs -> the folders of its sources.
JOINED = {
    "graph": ["core/graph", "core/ops"],
    "passes": ["core/passes"],
    "runtime": ["core/runtime"],
    "cpu": ["core/cpu"],
    "reference": ["core/reference"],
    "vulkan": ["core/vulkan"],
    "zero_copy": ["zero_copy"],
    "loaders": ["models/loaders"],
    "store": ["models/store"],
    "tasks": ["models/tasks"],
    "cli": ["pipelines/cli"],
    "tests/core/graph": ["tests/core/graph"],
    "tests/core/ops": ["tests/core/ops"],
    "tests/core/ops_cases": ["tests/core/ops_cases"],
    "tests/core/passes": ["tests/core/passes"],
    "tests/core/runtime": ["tests/core/runtime"],
    "tests/core/reference": ["tests/core/reference"],
    "tests/core/cpu": ["tests/core/cpu"],
    "tests/core/vulkan": ["tests/core/vulkan"],
    "tests/zero_copy": ["tests/zero_copy"],
    "tests/gst-plugins": ["tests/gst-plugins"],
    "tests/models": ["tests/models"],
}
TYPE = re.compile(r"(?:struct|class|enum class|enum|union) (\w+)(?: final)?(?= [{:=]|;)")
VALUE = re.compile(r"(?:inline |static )*(?:constexpr|const|thread_local) [^=({]*?\b(\w+)\s*(?:\[.*?\])?\s*[={]")
FUNCTION = re.compile(r"(?!using|return|template|#define|[/}\s])[\w:<>,&*\s\[\]]*?[\s&*](\w+)\((.*)")


def unnamed_definitions(path):
    """(line number, namespace, name, parameter types or None) of what stands in the file's unnamed namespaces."""
    namespace, unnamed = "", False
    for number, line in enumerate(sources.read(path).splitlines(), 1):
        named = re.match(r"namespace ([\w:]+) \{", line)
        if named:
            namespace = named.group(1)
        elif line == "namespace {":
            unnamed = True
        elif line == "} // namespace":
            unnamed = False
        if not unnamed:
            continue
        plain = TYPE.match(line) or VALUE.match(line)
        function = None if plain else FUNCTION.match(line)
        if plain:
            yield number, namespace, plain.group(1), None
        elif function and not line.endswith(";"):
            yield number, namespace, function.group(1), re.sub(r"\b\w+([,)])", r"\1", function.group(2))


def main():
    problems, checked = [], 0
    for library, folders in JOINED.items():
        seen = collections.defaultdict(list)
        for path in sources.files(".cpp", folders=folders):
            if "foreach_target.h" in sources.read(path):
                continue # compiled by themselves
            checked += 1
            for number, namespace, name, parameters in unnamed_definitions(path):
                for other_path, other, other_parameters in seen[namespace, name]:
                    # Functions may share a name as overloads do.
                    if other_path != path and (None in (parameters, other_parameters) or parameters == other_parameters):
                        problems.append(f"{path}:{number}: {other_path}:{other} has a '{name}' too, and both may be compiled "
                                        f"together in the library '{library}'; name one after its subject, or share it")
                seen[namespace, name].append((path, number, parameters))
    sources.finish(problems, f"unnamed namespaces of {checked} joined files")


if __name__ == "__main__":
    main()
