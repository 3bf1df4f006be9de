// SPDX-License-Identifier: Apache-2.0
// Reading conformance vectors, and running them.
#include "tests/support/vectors.h"

#include <algorithm>
#include <cctype>
#include <cstring>
#include <format>
#include <fstream>
#include <string_view>
#include <utility>

#include "core/base/float16.h"
#include "core/graph/builder.h"
#include "core/runtime/executable.h"
#include "tests/support/compare.h"
#include "tests/support/conformance_folder.h"
#include "tests/support/vector_graph.h"

namespace sluice::testing {
namespace {

using nlohmann::json;

std::vector<std::byte> from_base64(std::string_view text) {
    constexpr std::string_view kAlphabet =
        "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    std::vector<std::byte> out;
    std::uint32_t bits = 0;
    int count = 0;
    for (const char c : text) {
        const std::size_t digit = kAlphabet.find(c);
        if (digit == std::string_view::npos) {
            break; // padding
        }
        bits = bits << 6U | static_cast<std::uint32_t>(digit);
        count += 6;
        if (count >= 8) {
            count -= 8;
            out.push_back(static_cast<std::byte>(bits >> static_cast<unsigned>(count) & 0xFFU));
        }
    }
    return out;
}

template <typename T>
void append(std::vector<std::byte>& bytes, T value) {
    const auto old = bytes.size();
    bytes.resize(old + sizeof(T));
    std::memcpy(bytes.data() + old, &value, sizeof(T));
}

VectorTensor read_tensor(const json& description) {
    VectorTensor tensor{.type = description.at("dataType"),
                        .dims = description.at("shape"),
                        .is_constant = description.value("constant", false),
                        .bytes = {}};
    if (description.contains("bytes")) {
        tensor.bytes = from_base64(description.at("bytes").get<std::string>());
        return tensor;
    }
    std::size_t count = 1;
    for (const std::uint32_t dim : tensor.dims) {
        count *= dim;
    }
    const auto fill = description.at("fill").get<float>();
    for (std::size_t i = 0; i < count; ++i) {
        if (tensor.type == "float16") {
            append(tensor.bytes, float_to_float16(fill));
        } else {
            append(tensor.bytes, fill);
        }
    }
    return tensor;
}

std::map<std::string, VectorTensor> read_tensors(const json& descriptions) {
    std::map<std::string, VectorTensor> out;
    for (const auto& [name, description] : descriptions.items()) {
        out.emplace(name, read_tensor(description));
    }
    return out;
}

VectorTest read_test(const std::string& file, const json& description) {
    VectorTest test{.file = file,
                    .name = description.at("name"),
                    .operators = {},
                    .inputs = {},
                    .outputs = {},
                    .in_ulp = true,
                    .tolerance = 0.0,
                    .broken = {}};
    if (!description.contains("operators")) {
        test.broken = description.value("error", "the test has no operators");
        return test;
    }
    test.operators = description.at("operators");
    if (description.contains("inputs") && description.at("inputs").is_object()) {
        test.inputs = read_tensors(description.at("inputs"));
    }
    test.outputs = read_tensors(description.at("outputs"));
    const json& tolerance = description.at("tolerance");
    test.in_ulp = tolerance.at("metricType") == "ULP";
    test.tolerance = tolerance.at("value");
    return test;
}

VectorOutcome failed(std::string reason) {
    return {.kind = VectorOutcome::Kind::Failed, .reason = std::move(reason), .backend = {}};
}

// The first element out of tolerance, or nothing.
std::optional<std::string> mismatch(const VectorTest& test, const std::string& name,
                                    const graph::TensorDesc& desc,
                                    std::span<const std::byte> actual) {
    const VectorTensor& expected = test.outputs.at(name);
    if (graph::name(desc.type()) != expected.type ||
        !std::ranges::equal(desc.shape().dims(), expected.dims)) {
        return std::format("output {} is {}", name, graph::to_string(desc));
    }
    if (actual.size() != expected.bytes.size()) {
        return std::format("output {} has {} bytes, not {}", name, actual.size(),
                           expected.bytes.size());
    }
    for (std::size_t i = 0; i < desc.element_count(); ++i) {
        const double a = element(desc.type(), actual, i);
        const double e = element(desc.type(), expected.bytes, i);
        const double distance = test.in_ulp || a == e
                                    ? ulp_distance(desc.type(), actual, expected.bytes, i)
                                    : std::fabs(a - e);
        if (!(distance <= test.tolerance)) {
            return std::format("output {}[{}] is {}, not {}: {} off, {} {} allowed", name, i, a, e,
                               distance, test.tolerance, test.in_ulp ? "ULP" : "absolute");
        }
    }
    return std::nullopt;
}

// Vectors of 2025-03 that the specification has left behind, or that were wrong then: by name, why.
std::string_view superseded(std::string_view name) {
    if (name == "l2Pool2d float32 4D tensor options.roundingType=ceil" ||
        name == "l2Pool2d float32 4D tensor options.outputSizes ignores "
                "options.roundingType=floor") {
        return "the expected values at the right edge lack the square root";
    }
    if (name == "batchNormalization options.axis=0 + gelu") {
        return "the expected -0.0359511785 is 34 ULP off 0.5 x erfc(-x / sqrt(2)) at its "
               "x = -2.121315, -0.0359513071, and 24 are allowed";
    }
    return {};
}

VectorOutcome run_graph(const VectorTest& test, graph::Graph graph,
                        std::span<const runtime::Backend* const> backends) {
    auto compiled = runtime::Executable::compile(
        std::move(graph), {.backends = backends, .threads = 1, .optimize = true});
    if (!compiled) {
        return failed(compiled.error().message);
    }
    runtime::Executable& executable = **compiled;
    for (std::size_t i = 0; i < executable.inputs().size(); ++i) {
        std::ranges::copy(test.inputs.at(executable.inputs()[i].name).bytes,
                          executable.input(i).begin());
    }
    if (const Status ran = executable.run(); !ran) {
        return failed(ran.error().message);
    }
    VectorOutcome outcome;
    if (!executable.steps().empty()) {
        outcome.backend = executable.steps().back().backend;
    }
    for (std::size_t i = 0; i < executable.outputs().size(); ++i) {
        const auto& [name, desc] = executable.outputs()[i];
        if (auto reason = mismatch(test, name, desc, executable.output(i))) {
            return failed(std::move(*reason));
        }
    }
    return outcome;
}

} // namespace

std::vector<VectorTest> load_vectors(const std::filesystem::path& folder) {
    std::vector<std::filesystem::path> files;
    for (const auto& entry : std::filesystem::directory_iterator(folder)) {
        if (entry.path().extension() == ".json") {
            files.push_back(entry.path());
        }
    }
    std::ranges::sort(files);
    std::vector<VectorTest> tests;
    for (const auto& file : files) {
        std::ifstream stream(file);
        const json content = json::parse(stream);
        for (const json& description : content.at("tests")) {
            tests.push_back(read_test(file.stem().string(), description));
        }
    }
    return tests;
}

const std::vector<VectorTest>& all_vectors() {
    static const std::vector<VectorTest> all = [] {
        const auto folder = conformance_folder("vectors");
        return folder ? load_vectors(*folder) : std::vector<VectorTest>{};
    }();
    return all;
}

std::string vector_test_name(const VectorTest& test, std::size_t number) {
    std::string name = std::format("{:04}_{}_{}", number, test.file, test.name);
    for (char& c : name) {
        if (std::isalnum(static_cast<unsigned char>(c)) == 0) {
            c = '_';
        }
    }
    return name;
}

VectorOutcome run_vector(const VectorTest& test,
                         std::span<const runtime::Backend* const> backends) {
    if (const std::string_view reason = superseded(test.name); !reason.empty()) {
        return {.kind = VectorOutcome::Kind::Skipped, .reason = std::string(reason), .backend = {}};
    }
    if (!test.broken.empty()) {
        return {.kind = VectorOutcome::Kind::Skipped,
                .reason = "the vector itself is broken: " + test.broken,
                .backend = {}};
    }
    auto built = build_vector_graph(test);
    if (!built) {
        // What the builder does not know is no failure; what it refuses is.
        const bool unknown = built.error().code == ErrorCode::Unsupported;
        return {.kind = unknown ? VectorOutcome::Kind::Skipped : VectorOutcome::Kind::Failed,
                .reason = built.error().message,
                .backend = {}};
    }
    return run_graph(test, std::move(*built), backends);
}

} // namespace sluice::testing
