// SPDX-License-Identifier: Apache-2.0
// Replays the calls of a tape and compares success, types and shapes.
#include "tests/core/ops/tape.h"

#include <array>

#include <zlib.h>

#include "tests/core/ops/tape_calls.h"

namespace sluice::testing {
namespace {

using nlohmann::json;

struct UnknownOperand {
    std::string why;
};

Outcome skipped(std::string why) {
    return {.verdict = Verdict::Skipped, .why = std::move(why)};
}

Outcome compared(bool equal, std::string why) {
    return {.verdict = equal ? Verdict::Agrees : Verdict::Disagrees, .why = std::move(why)};
}

// The last argument where it is a dictionary and no operand.
const json& options_of(const json& args) {
    static const json kNone = json::object();
    if (args.empty() || !args.back().is_object() || args.back().contains("$op") ||
        args.back().contains("$undef")) {
        return kNone;
    }
    return args.back();
}

// The tapes are of March 2025. Rules of ours that are of 2026, or narrower than the specification,
// make a call incomparable; each says which.
std::optional<std::string> not_comparable(const std::string& method,
                                          const std::vector<graph::TensorDesc>& operands) {
    const auto byte_wide = [](const graph::TensorDesc& desc) {
        return graph::size_of(desc.type()) == 1;
    };
    if ((method == "dequantizeLinear" || method == "quantizeLinear") && operands.size() == 3 &&
        operands[1].rank() != operands[0].rank()) {
        return "scale of a lower rank, allowed until 2025";
    }
    if (method == "resample2d" && byte_wide(operands[0])) {
        return "resample2d of 8-bit integers, which we leave out";
    }
    return std::nullopt;
}

// Whether a buffer of this JavaScript type may hold a constant of a data type.
bool may_hold(const std::string& buffer, graph::DataType type) {
    static const std::map<std::string, graph::DataType> kArrays{
        {"Float32Array", graph::DataType::Float32},  {"Float16Array", graph::DataType::Float16},
        {"Uint16Array", graph::DataType::Float16},   {"Int32Array", graph::DataType::Int32},
        {"Uint32Array", graph::DataType::Uint32},    {"BigInt64Array", graph::DataType::Int64},
        {"BigUint64Array", graph::DataType::Uint64}, {"Int8Array", graph::DataType::Int8},
        {"Uint8Array", graph::DataType::Uint8}};
    if (buffer == "ArrayBuffer" || buffer == "SharedArrayBuffer") {
        return true;
    }
    const auto found = kArrays.find(buffer);
    return found != kArrays.end() && found->second == type;
}

} // namespace

std::optional<json> read_tape(const std::filesystem::path& path) {
    const gzFile file = gzopen(path.c_str(), "rb");
    if (file == nullptr) {
        return std::nullopt;
    }
    std::string text;
    std::array<char, 65536> chunk{};
    int got = 0;
    while ((got = gzread(file, chunk.data(), chunk.size())) > 0) {
        text.append(chunk.data(), static_cast<std::size_t>(got));
    }
    gzclose(file);
    json tape = json::parse(text, nullptr, false);
    if (got < 0 || tape.is_discarded()) {
        return std::nullopt;
    }
    return tape;
}

Outcome TapePlayer::play(const json& call) {
    const std::string kind = call["kind"];
    if (kind == "builder") {
        builders_[call["id"]] = std::make_unique<graph::GraphBuilder>();
        context_of_[call["id"]] = call["on"];
        return skipped("not a call of an operator");
    }
    if (kind == "ctx" && call["name"] == "destroy") {
        destroyed_.insert(call["on"].get<std::int64_t>());
        return skipped("not a call of an operator");
    }
    if (is_destroyed(call)) {
        return skipped("call after the end of a context, which we do not have");
    }
    if (kind == "input") {
        return play_input(call);
    }
    if (kind == "op") {
        return play_op(call);
    }
    if (kind == "constant") {
        return play_constant(call);
    }
    if (kind == "build") {
        return play_build(call);
    }
    if (kind == "expect") {
        return play_expect(call);
    }
    return skipped("not a call of an operator");
}

Outcome TapePlayer::play_input(const json& call) {
    const auto builder = builders_.find(call["on"]);
    if (builder == builders_.end()) {
        return skipped("input of an unknown builder");
    }
    const json& descriptor = call["args"][1];
    const auto type = graph::data_type_from_name(descriptor["dataType"].get<std::string>());
    std::vector<std::uint32_t> dims;
    try {
        dims = numbers(descriptor["shape"]);
    } catch (const Obstacle&) {
        return call.contains("throws") ? compared(true, {})
                                       : skipped("dimension that is no unsigned long");
    }
    if (!type) {
        return skipped("data type that WebNN no longer has");
    }
    const auto desc = graph::TensorDesc::create(*type, dims);
    if (!desc) {
        return call.contains("throws") ? compared(true, {})
                                       : skipped("input beyond our limit of rank or size");
    }
    // WebNN compares names in build(), we do in input(): the tapes repeat a name in one builder.
    std::string name = call["args"][0];
    if (!name.empty()) {
        name += "#" + std::to_string(call["id"].get<std::int64_t>());
    }
    const auto id = builder->second->input(name, *desc);
    if (!id) {
        return judge(call, std::unexpected(id.error()));
    }
    return judge(call, std::vector{*id});
}

Outcome TapePlayer::play_constant(const json& call) {
    const auto builder = builders_.find(call["on"]);
    if (builder == builders_.end() || call["args"].size() != 2 || !call["args"][0].is_object()) {
        return skipped("constant of another kind");
    }
    const json& descriptor = call["args"][0];
    const auto type = graph::data_type_from_name(descriptor["dataType"].get<std::string>());
    const bool throws = call.contains("throws");
    if (!type) {
        return compared(throws, "a data type that WebNN does not have");
    }
    const json& buffer = call["args"][1];
    if (!may_hold(buffer["type"].get<std::string>(), *type)) {
        return compared(throws, "an array of another type, which ours have no word for");
    }
    const auto desc = graph::TensorDesc::create(*type, numbers(descriptor["shape"]));
    if (!desc) {
        return compared(throws, desc.error().message);
    }
    const auto bytes = buffer["$bytes"].get<std::size_t>();
    const auto id =
        builder->second->constant(*desc, graph::ConstantData::own(std::vector<std::byte>(bytes)));
    if (!id) {
        return judge(call, std::unexpected(id.error()));
    }
    return judge(call, std::vector{*id});
}

Outcome TapePlayer::play_op(const json& call) {
    const std::string method = call["name"];
    const MakeCall* make = find_call(method);
    if (make == nullptr) {
        return skipped("operator that is not ours");
    }
    const std::int64_t on = call["on"];
    const auto builder = builders_.find(on);
    if (builder == builders_.end()) {
        return skipped("operator of an unknown builder");
    }
    const auto resolve = [&](const json& reference) {
        const auto made = made_.find(reference.at("$op").get<std::int64_t>());
        if (made == made_.end()) {
            throw UnknownOperand{"operand that was not made"};
        }
        if (made->second.builder != on) {
            throw UnknownOperand{"operand of another builder, which our ids cannot tell"};
        }
        return made->second.operands.front();
    };
    const json& options = options_of(call["args"]);
    try {
        const auto result = (*make)({.builder = *builder->second,
                                     .args = call["args"],
                                     .options = options,
                                     .label = options.value("label", std::string()),
                                     .resolve = resolve});
        std::vector<graph::TensorDesc> descs; // of the positional operands, in their order
        for (const json& arg : call["args"]) {
            if (arg.is_object() && arg.contains("$op") && !built_.contains(on)) {
                descs.push_back(builder->second->desc(resolve(arg)));
            }
        }
        if (const auto why = not_comparable(method, descs)) {
            return skipped(*why);
        }
        return judge(call, result);
    } catch (const json::out_of_range&) {
        return compared(call.contains("throws"), "a required argument is missing");
    } catch (const UnknownOperand& unknown) {
        return skipped(unknown.why);
    } catch (const Obstacle& obstacle) {
        if (obstacle == Obstacle::WebIdlThrows) {
            return compared(call.contains("throws"), "a Web IDL conversion fails");
        }
        return skipped("arguments that our types cannot hold");
    }
}

bool TapePlayer::is_destroyed(const json& call) const {
    if (!call.contains("on")) {
        return false;
    }
    const auto context = context_of_.find(call["on"].get<std::int64_t>());
    return context != context_of_.end() && destroyed_.contains(context->second);
}

Outcome TapePlayer::play_build(const json& call) {
    std::vector<graph::NamedOperand> outputs;
    for (const auto& [name, reference] : call["args"][0].items()) {
        const auto made = made_.find(reference.at("$op").get<std::int64_t>());
        if (made == made_.end()) {
            return skipped("operand that was not made");
        }
        outputs.push_back({.name = name, .id = made->second.operands.front()});
    }
    const auto graph = builders_.at(call["on"])->build(std::move(outputs));
    if (graph) {
        built_.insert(call["on"].get<std::int64_t>());
    }
    return compared(graph.has_value() != call.contains("throws"),
                    graph ? "succeeds, should fail" : graph.error().message);
}

Outcome TapePlayer::judge(const json& call, const Result<std::vector<graph::OperandId>>& result) {
    if (result) {
        made_[call["id"]] = {.builder = call["on"], .operands = *result};
        return compared(!call.contains("throws"), "succeeds, should fail");
    }
    if (!call.contains("throws")) {
        return compared(false, result.error().message);
    }
    const std::string label = options_of(call["args"]).value("label", std::string());
    return compared(result.error().message.contains(label),
                    "the error lacks the label: " + result.error().message);
}

Outcome TapePlayer::play_expect(const json& call) const {
    const auto made = made_.find(call["of"]);
    if (made == made_.end()) {
        return skipped("expectation of an operand that was not made");
    }
    const graph::TensorDesc& desc =
        builders_.at(made->second.builder)->desc(made->second.operands.at(call["i"]));
    if (call["field"] == "dataType") {
        return compared(call["value"] == std::string(graph::name(desc.type())),
                        graph::to_string(desc));
    }
    const auto dims = desc.shape().dims();
    return compared(call["value"] == json(std::vector<std::uint32_t>(dims.begin(), dims.end())),
                    graph::to_string(desc));
}

} // namespace sluice::testing
