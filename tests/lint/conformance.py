#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""docs/conformance.md: written from the tests' results, and checked for naming every operator.

conformance.py --build BUILD                  checks the page: the operators of core/ops/limits.def, each once,
                                              and no failure
conformance.py --build BUILD --write          runs the tests of PROGRAMS and writes the page
conformance.py --build BUILD --results DIR    writes it from PROGRAM.xml files that a run has left there
"""

import argparse
import os
import re
import subprocess
import sys
import tempfile
import xml.etree.ElementTree as xml

import sources

PAGE = "docs/conformance.md"
PROGRAMS = (
    "tests/core/reference/core_conformance_test",
    "tests/core/vulkan/core_vulkan_conformance_test",
    "tests/core/ops_cases/core_ops_cases_test",
    "tests/core/vulkan/core_vulkan_operators_test",
    "tests/core/ops/core_ops_tapes_test",
    "tests/models/models_onnx_test",
)
# (column, GoogleTest's suite, its test): where a column's results come from.
COLUMNS = (
    ("vectors, reference", "Webnn/Conformance", "reference_agrees"),
    ("vectors, cpu", "Webnn/Conformance", "cpu_agrees"),
    ("vectors, vulkan", "Webnn/VulkanConformance", "agrees"),
    ("cases, reference", "Table/OpsCases", "reference_agrees"),
    ("cases, cpu", "Table/OpsCases", "cpu_agrees"),
    ("cases, vulkan", "Table/VulkanOperators", "agree"),
)
OUTCOMES = ("passed", "failed", "skipped")
SEVERAL = "graphs of several"
ONNX_SUITES = ("node", "pytorch-converted", "pytorch-operator", "simple")


def operators():
    return sorted(set(re.findall(r"(?m)^SLUICE_\w+\((\w+)", sources.read("core/ops/limits.def"))))


def operator_of(name, known):
    """The operator that a case's name begins with, once its number and its table's name are gone."""
    name = re.sub(r"^\d+_", "", name).replace("ND", "Nd")
    name = re.sub(r"(?<=[a-z0-9])(?=[A-Z])", "_", name).lower()
    name = re.sub(r"^(unary|binary|pooling|arg_min_max)_", "", name)
    fitting = [operator for operator in known if name == operator or name.startswith(operator + "_")]
    return max(fitting, key=len, default=SEVERAL)


def outcome_of(case):
    if case.find("failure") is not None:
        return "failed"
    return "skipped" if case.get("result") == "skipped" else "passed"


def read_results(folder):
    cases = []
    for program in PROGRAMS:
        path = os.path.join(folder, os.path.basename(program) + ".xml")
        if not os.path.exists(path):
            sys.exit(f"{path} is not there; the page needs the results of {os.path.basename(program)}")
        cases += xml.parse(path).getroot().iter("testcase")
    return cases


def properties(cases, suite):
    found = [case for case in cases if case.get("classname") == suite]
    return {entry.get("name"): int(entry.get("value")) for case in found for entry in case.iter("property")}


def count(cases, known):
    """{operator: {column: {outcome: number}}}"""
    table = {operator: {column: dict.fromkeys(OUTCOMES, 0) for column, _, _ in COLUMNS}
             for operator in [*known, SEVERAL]}
    for case in cases:
        test, _, name = case.get("name").partition("/")
        for column, suite, wanted in COLUMNS:
            if case.get("classname") == suite and test == wanted and case.get("status") != "notrun":
                table[operator_of(name, known)][column][outcome_of(case)] += 1
    for column, _, _ in COLUMNS:
        if not any(sum(row[column].values()) for row in table.values()):
            sys.exit(f"the results have no '{column}'; is the conformance data there, and a Vulkan device?")
    return table


def cell(counts):
    return " / ".join(str(counts[outcome]) for outcome in OUTCOMES) if any(counts.values()) else "–"


def rows(table):
    total = {column: {outcome: sum(row[column][outcome] for row in table.values()) for outcome in OUTCOMES}
             for column, _, _ in COLUMNS}
    for operator, row in [*table.items(), ("**all**", total)]:
        yield f"| {operator} | " + " | ".join(cell(row[column]) for column, _, _ in COLUMNS) + " |"


def page(cases):
    known = operators()
    tapes, onnx = properties(cases, "Tapes"), properties(cases, "OnnxNodes")
    if not tapes or not onnx:
        sys.exit("the results of the tapes or of the ONNX nodes have no counts; are their data there?")
    head = f"""# Conformance

Generated from a run of the tests; do not edit. To write it anew: `./dev build`, then
`./dev shell -- /usr/bin/python3 tests/lint/conformance.py --build build --write`. A cell is passed / failed / skipped.

## Suites that know no single operators

| suite | run on | passed | failed | left out |
|---|---|---|---|---|
| recorded validation tests of web-platform-tests (tapes) | builder | {tapes['passed']} | {tapes['failed']} | {tapes['superseded']} whose rule has changed since |
"""
    for suite in ONNX_SUITES:
        head += (f"| ONNX backend tests, {suite} | reference and cpu | {onnx[suite + '_passed']} | "
                 f"{onnx[suite + '_failed']} | {onnx[suite + '_skipped']}, listed with reasons in [onnx.md](onnx.md) |\n")
    head += f"""
## Operators by backend

*vectors*: the conformance tests of web-platform-tests as numbers, with the specification's tolerances, on graphs that
WebNN's own tests build. *cases*: our case tables, judged by a plain computation in double precision. An operator without a
kernel of its own on cpu runs there on the reference backend. On vulkan (the device that the run finds: Mesa's llvmpipe where
there is no GPU) a vector whose operator the device leaves to the host passes by the host, while a case is skipped. Vectors
are skipped where their data are broken, where the specification has left them behind, or where they need int4 or uint4.

| operator | {' | '.join(column for column, _, _ in COLUMNS)} |
|---|{'---|' * len(COLUMNS)}
"""
    return head + "\n".join(rows(count(cases, known))) + "\n"


def run_programs(build, folder):
    for program in PROGRAMS:
        path = os.path.join(build, program)
        if not os.path.exists(path):
            sys.exit(f"{path} is not built; run ./dev build")
        report = os.path.join(folder, os.path.basename(program) + ".xml")
        environment = {**os.environ, "SLUICE_SOURCE_ROOT": sources.REPO}
        subprocess.run([path, f"--gtest_output=xml:{report}", "--gtest_brief=1"], cwd=sources.REPO, env=environment,
                       stdout=subprocess.DEVNULL, check=False)


def write(text):
    with open(os.path.join(sources.REPO, PAGE), "w", encoding="utf-8") as file:
        file.write(text)
    print(f"wrote {PAGE}")


def check():
    named = re.findall(r"(?m)^\| (\w+) \| (?=[\d–])(.*) \|$", sources.read(PAGE))
    names, known = [name for name, _ in named], operators()
    problems = [f"{PAGE}: there is no row for '{name}'" for name in known if name not in names]
    problems += [f"{PAGE}: '{name}' is no operator, or is there twice" for name in names
                 if name not in known or names.count(name) > 1]
    problems += [f"{PAGE}: '{name}' has failures" for name, cells in named if re.search(r"/ [1-9]\d* /", cells)]
    problems += [f"{PAGE}: no test runs '{name}' on the reference backend" for name, cells in named
                 if [part.strip() for part in cells.split("|")][3] == "–"]
    sources.finish(problems, f"{len(names)} operators in {PAGE}")


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--build", required=True)
    parser.add_argument("--write", action="store_true")
    parser.add_argument("--results", metavar="DIR")
    arguments = parser.parse_args()
    if arguments.results:
        write(page(read_results(arguments.results)))
    elif arguments.write:
        with tempfile.TemporaryDirectory(prefix="sluice-conformance-") as folder:
            run_programs(os.path.abspath(arguments.build), folder)
            write(page(read_results(folder)))
    else:
        check()


if __name__ == "__main__":
    main()
