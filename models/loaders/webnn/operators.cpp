// SPDX-License-Identifier: Apache-2.0
// The methods of MLGraphBuilder, from the lists of operators and of the families' members.
#include "models/loaders/webnn/operators.h"

#include <array>
#include <cctype>
#include <limits>
#include <map>
#include <ranges>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "core/ops/attributes.h"

namespace sluice::models::webnn {
namespace {

constexpr double kInfinity = std::numeric_limits<double>::infinity();

constexpr auto kClamp = std::to_array<Parameter>({
    {"minValue", -kInfinity, &ops::Activation::alpha},
    {"maxValue", kInfinity, &ops::Activation::beta},
});
constexpr auto kElu = std::to_array<Parameter>({{"alpha", 1.0, &ops::Activation::alpha}});
constexpr auto kHardSigmoid = std::to_array<Parameter>({
    {"alpha", 0.2, &ops::Activation::alpha},
    {"beta", 0.5, &ops::Activation::beta},
});
constexpr auto kLeakyRelu = std::to_array<Parameter>({{"alpha", 0.01, &ops::Activation::alpha}});
constexpr auto kLinear = std::to_array<Parameter>({
    {"alpha", 1.0, &ops::Activation::alpha},
    {"beta", 0.0, &ops::Activation::beta},
});

// Where WebNN's name is not the snake_case one with its words joined.
struct Spelling {
    std::string_view ours;
    std::string_view method;
};
constexpr Spelling kSpellings[] = {
    {"gather_nd", "gatherND"}, {"is_nan", "isNaN"}, {"scatter_nd", "scatterND"}};

std::string camel_case(std::string_view name) {
    std::string text;
    bool capital = false;
    for (const char c : name) {
        if (c == '_') {
            capital = true;
            continue;
        }
        text += capital ? static_cast<char>(std::toupper(static_cast<unsigned char>(c))) : c;
        capital = false;
    }
    return text;
}

// Every member of every family; of an operator without one, just itself.
template <typename Op>
std::vector<ops::Attributes> variants() {
    return {Op{}};
}
template <>
std::vector<ops::Attributes> variants<ops::ArgMinMax>() {
    return {ops::ArgMinMax{.is_max = false}, ops::ArgMinMax{.is_max = true}};
}
template <>
std::vector<ops::Attributes> variants<ops::Binary>() {
    return {
#define SLUICE_BINARY(name, Type, domain, expression, low, high)                                   \
    ops::Binary{.kind = ops::BinaryKind::Type},
#include "core/ops/binary.def"
#undef SLUICE_BINARY
    };
}
template <>
std::vector<ops::Attributes> variants<ops::Pool2d>() {
    return {ops::Pool2d{.kind = ops::PoolKind::Average}, ops::Pool2d{.kind = ops::PoolKind::L2},
            ops::Pool2d{.kind = ops::PoolKind::Max}};
}
template <>
std::vector<ops::Attributes> variants<ops::Reduce>() {
    return {
#define SLUICE_REDUCE(name, Type) ops::Reduce{.kind = ops::ReduceKind::Type},
#include "core/ops/reduce.def"
#undef SLUICE_REDUCE
    };
}
template <>
std::vector<ops::Attributes> variants<ops::Unary>() {
    std::vector<ops::Unary> all{
#define SLUICE_UNARY(name, Type, domain, expression, low, high)                                    \
    ops::Unary{.function = {.kind = ops::UnaryKind::Type}},
#include "core/ops/unary.def"
#undef SLUICE_UNARY
    };
    for (ops::Unary& op : all) {
        for (const Parameter& parameter : parameters_of(op.function.kind)) {
            op.function.*parameter.member = parameter.absent;
        }
    }
    return {all.begin(), all.end()};
}

using Methods = std::map<std::string, ops::Attributes, std::less<>>;

const Methods& table() {
    static const Methods methods = [] {
        Methods made;
        const auto add = [&](const std::vector<ops::Attributes>& all) {
            for (const ops::Attributes& attributes : all) {
                made.emplace(method_of(attributes), attributes);
            }
        };
#define SLUICE_OP(file, Type, cpu, vulkan) add(variants<ops::Type>());
#include "core/ops/ops.def"
#undef SLUICE_OP
        return made;
    }();
    return methods;
}

} // namespace

std::span<const Parameter> parameters_of(ops::UnaryKind kind) {
    switch (kind) {
    case ops::UnaryKind::Clamp: return kClamp;
    case ops::UnaryKind::Elu: return kElu;
    case ops::UnaryKind::HardSigmoid: return kHardSigmoid;
    case ops::UnaryKind::LeakyRelu: return kLeakyRelu;
    case ops::UnaryKind::Linear: return kLinear;
    default: return {}; // the rest have no parameters
    }
}

std::string method_of(const ops::Attributes& attributes) {
    const std::string_view name = ops::name_of(attributes);
    for (const Spelling& spelling : kSpellings) {
        if (spelling.ours == name) {
            return std::string(spelling.method);
        }
    }
    return camel_case(name);
}

const ops::Attributes* find_method(std::string_view method) {
    const auto found = table().find(method);
    return found == table().end() ? nullptr : &found->second;
}

std::span<const std::string> methods() {
    static const std::vector<std::string> names = [] {
        const auto keys = table() | std::views::keys;
        return std::vector<std::string>(keys.begin(), keys.end());
    }();
    return names;
}

} // namespace sluice::models::webnn
