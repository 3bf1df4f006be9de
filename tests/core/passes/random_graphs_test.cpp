// SPDX-License-Identifier: Apache-2.0
// Random graphs mean the same optimised and not, on the reference and on the CPU backend. The
// passes' runner verifies the graph after each of them.
//
// SLUICE_RANDOM_GRAPHS says how many (200), SLUICE_RANDOM_SEED where to begin (0).
#include <algorithm>
#include <array>
#include <charconv>
#include <cmath>
#include <cstdlib>
#include <cstring>
#include <format>
#include <map>
#include <optional>
#include <set>
#include <string>
#include <string_view>
#include <vector>

#include <gtest/gtest.h>

#include "core/cpu/backend.h"
#include "core/graph/print.h"
#include "core/reference/backend.h"
#include "core/runtime/executable.h"
#include "tests/core/ops_cases/case.h"
#include "tests/support/compare.h"
#include "tests/support/must.h"
#include "tests/support/random_graph.h"

namespace sluice::testing {
namespace {

using Backends = std::vector<const runtime::Backend*>;

// The results of one way of running a graph, by output.
struct Results {
    std::vector<runtime::TensorInfo> outputs;
    std::vector<std::vector<std::byte>> bytes;
};

Results run(const graph::Graph& graph, const Backends& backends, bool optimize,
            std::uint64_t seed) {
    const auto executable = must(runtime::Executable::compile(
        graph, {.backends = backends, .threads = 1, .optimize = optimize}));
    Random random(std::format("inputs {}", seed));
    for (std::size_t i = 0; i < executable->inputs().size(); ++i) {
        const graph::TensorDesc& desc = executable->inputs()[i].desc;
        std::ranges::copy(bytes_of(random_operand(random, desc.type(), desc.shape(), -1.0, 1.0)),
                          executable->input(i).begin());
    }
    must(executable->run());
    Results out{.outputs = {executable->outputs().begin(), executable->outputs().end()},
                .bytes = {}};
    for (std::size_t i = 0; i < out.outputs.size(); ++i) {
        const auto bytes = executable->output(i);
        out.bytes.emplace_back(bytes.begin(), bytes.end());
    }
    return out;
}

// The first difference that is larger than roundings are, or nothing.
std::optional<std::string> difference(const Results& expected, const Results& actual,
                                      const std::map<std::string, bool>& is_exact) {
    for (std::size_t n = 0; n < expected.outputs.size(); ++n) {
        const auto& [name, desc] = expected.outputs[n];
        if (actual.outputs[n].name != name || actual.outputs[n].desc != desc) {
            return std::format("output {} is {}", name, graph::to_string(actual.outputs[n].desc));
        }
        double largest = 1.0;
        for (std::size_t i = 0; i < desc.element_count(); ++i) {
            largest = std::max(largest, std::fabs(element(desc.type(), expected.bytes[n], i)));
        }
        const double allowed = is_exact.at(name) ? 0.0 : 5e-4 * largest;
        for (std::size_t i = 0; i < desc.element_count(); ++i) {
            const double e = element(desc.type(), expected.bytes[n], i);
            const double a = element(desc.type(), actual.bytes[n], i);
            if (!(std::fabs(a - e) <= allowed)) {
                return std::format("{}[{}] is {}, not {}; {} off would do", name, i, a, e, allowed);
            }
        }
    }
    return std::nullopt;
}

void expect_one_meaning(std::uint64_t seed) {
    const RandomGraph random = random_graph(seed);
    const Backends reference{&reference::backend()};
    const Backends cpu{&cpu::backend(), &reference::backend()};
    const Results expected = run(random.graph, reference, false, seed);
    struct Way {
        std::string_view name;
        const Backends& backends;
        bool optimize;
    };
    for (const Way& way : {Way{"optimised on the reference", reference, true},
                           Way{"on the CPU", cpu, false}, Way{"optimised on the CPU", cpu, true}}) {
        const auto found = difference(expected, run(random.graph, way.backends, way.optimize, seed),
                                      random.is_exact);
        ASSERT_FALSE(found) << "seed " << seed << ", " << way.name << ": " << *found << '\n'
                            << graph::to_text(random.graph);
    }
}

std::uint64_t setting(const char* variable, std::uint64_t otherwise) {
    const char* text = std::getenv(variable);
    std::uint64_t value = otherwise;
    if (text != nullptr) {
        std::from_chars(text, text + std::strlen(text), value);
    }
    return value;
}

TEST(RandomGraphs, mean_the_same_however_they_run) {
    const std::uint64_t first = setting("SLUICE_RANDOM_SEED", 0);
    const std::uint64_t count = setting("SLUICE_RANDOM_GRAPHS", 200);
    for (std::uint64_t seed = first; seed < first + count; ++seed) {
        expect_one_meaning(seed);
        if (HasFatalFailure()) {
            return;
        }
    }
}

TEST(RandomGraphs, are_made_of_many_operators) {
    std::set<std::string_view> names;
    for (std::uint64_t seed = 0; seed < 200; ++seed) {
        const RandomGraph random = random_graph(seed);
        for (const graph::Node& node : random.graph.nodes()) {
            names.insert(ops::name_of(node.attributes));
        }
    }
    EXPECT_GE(names.size(), 50U);
}

TEST(RandomGraphs, are_the_same_for_one_seed) {
    EXPECT_EQ(graph::to_text(random_graph(7).graph), graph::to_text(random_graph(7).graph));
    EXPECT_NE(graph::to_text(random_graph(7).graph), graph::to_text(random_graph(8).graph));
}

} // namespace
} // namespace sluice::testing
