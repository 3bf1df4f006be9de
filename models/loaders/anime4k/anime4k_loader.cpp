// SPDX-License-Identifier: Apache-2.0
// Construction of the Anime4K networks.
#include "models/loaders/anime4k/anime4k_loader.h"

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <expected>
#include <format>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "core/base/result.h"
#include "core/graph/builder.h"
#include "core/graph/data_type.h"
#include "core/graph/graph.h"
#include "core/graph/tensor_desc.h"
#include "core/ops/conv2d.h"
#include "core/ops/resample2d.h"
#include "models/loaders/anime4k/weights.h"
#include "models/loaders/loader.h"

namespace sluice::models::anime4k {
namespace {

using graph::DataType;
using graph::GraphBuilder;
using graph::OperandId;
using graph::Shape;
using graph::TensorDesc;

constexpr std::uint32_t kDefaultWidth = 640;
constexpr std::uint32_t kDefaultHeight = 360;
constexpr std::uint32_t kMaxSize = 16384; // the result's sides stay below 2^15

// The three kinds of network, told apart by a layer that only they have.
struct Kind {
    std::string_view name;
    std::string_view mark;
    std::size_t stages;   // 3x3 convolutions followed by a CReLU
    std::size_t parallel; // convolutions a stage
    std::size_t colours;  // of the residual
    std::string_view last;
    std::uint32_t last_size; // 3: over the last stage; 1: over the features of all stages
};
constexpr Kind kKinds[] = {
    {"L", "conv2d_last_tf1", 7, 2, 3, "conv2d_last_tf", 1},
    {"M", "conv2d_7_tf", 7, 1, 3, "conv2d_7_tf", 1},
    {"S", "conv2d_last_tf", 3, 1, 1, "conv2d_last_tf", 3},
};

// "conv2d_tf", "conv2d_1_tf", ... and "1", "2" behind them for parallel ones.
std::string stage_name(std::size_t stage) {
    return stage == 0 ? "conv2d_tf" : std::format("conv2d_{}_tf", stage);
}

// The layers NAME, NAME1, NAME2, ... joined to one filter.
Result<Filter> filter_of(const Weights& weights, std::string_view name, std::size_t parallel,
                         std::uint32_t size, std::uint32_t inputs) {
    std::vector<const Layer*> layers;
    for (std::size_t i = 0; i < parallel; ++i) {
        const std::string full = i == 0 ? std::string(name) : std::format("{}{}", name, i);
        const auto found = weights.layers.find(full);
        if (found == weights.layers.end()) {
            return fail(ErrorCode::Parse, "layer '{}' is missing", full);
        }
        layers.push_back(&found->second);
    }
    auto filter = join(layers, size, inputs);
    if (!filter) {
        return std::unexpected(std::move(filter).error().within(std::format("layer '{}'", name)));
    }
    return filter;
}

// CReLU(y) = (relu(y), relu(-y)): the filter and its negative side by side give y and -y at once,
// the same numbers bit for bit, so that each stage is one convolution with one relu behind it.
Filter with_negative(Filter filter) {
    const auto append_negative = [](std::vector<float>& values) {
        const std::size_t count = values.size();
        values.reserve(2 * count);
        for (std::size_t i = 0; i < count; ++i) {
            values.push_back(-values[i]);
        }
    };
    append_negative(filter.values);
    append_negative(filter.bias);
    filter.outputs *= 2;
    return filter;
}

// The last filter's outputs are, colour by colour, the sub-pixels (row, column) of 2x2; reordered
// to sub-pixel by sub-pixel, one shuffle serves all colours.
Filter colours_innermost(const Filter& filter) {
    const std::size_t colours = filter.outputs / 4;
    const std::size_t row = filter.values.size() / filter.outputs;
    Filter out = filter;
    for (std::size_t colour = 0; colour < colours; ++colour) {
        for (std::size_t sub = 0; sub < 4; ++sub) {
            const std::size_t from = colour * 4 + sub;
            const std::size_t to = sub * colours + colour;
            std::copy_n(filter.values.begin() + static_cast<std::ptrdiff_t>(from * row), row,
                        out.values.begin() + static_cast<std::ptrdiff_t>(to * row));
            out.bias[to] = filter.bias[from];
        }
    }
    return out;
}

Result<OperandId> convolve(GraphBuilder& builder, OperandId x, const Filter& filter,
                           std::string_view name) {
    SLUICE_TRY_ASSIGN(const TensorDesc desc,
                      TensorDesc::create(DataType::Float32, Shape{filter.outputs, filter.size,
                                                                  filter.size, filter.inputs}));
    SLUICE_TRY_ASSIGN(
        const OperandId weights,
        builder.constant(desc, graph::ConstantData::copy(std::span<const float>(filter.values)),
                         std::format("{}/weights", name)));
    SLUICE_TRY_ASSIGN(const TensorDesc bias_desc,
                      TensorDesc::create(DataType::Float32, Shape{filter.outputs}));
    SLUICE_TRY_ASSIGN(
        const OperandId bias,
        builder.constant(bias_desc, graph::ConstantData::copy(std::span<const float>(filter.bias)),
                         std::format("{}/bias", name)));
    const std::uint32_t pad = filter.size / 2;
    return builder.conv2d(x, weights,
                          {.padding = {pad, pad, pad, pad},
                           .input_layout = ops::InputLayout::Nhwc,
                           .filter_layout = ops::Conv2dFilterLayout::Ohwi},
                          bias, name);
}

// The network up to the sub-pixels, float32[1,H,W,4 * colours].
Result<OperandId> subpixels(GraphBuilder& builder, OperandId input, const Weights& weights,
                            const Kind& kind) {
    const auto outputs = static_cast<std::uint32_t>(8 * kind.parallel); // of a stage's CReLU
    OperandId x = input;
    std::vector<OperandId> features;
    for (std::size_t stage = 0; stage < kind.stages; ++stage) {
        const std::string name = stage_name(stage);
        SLUICE_TRY_ASSIGN(Filter filter,
                          filter_of(weights, name, kind.parallel, 3, stage == 0 ? 3 : outputs));
        SLUICE_TRY_ASSIGN(x, convolve(builder, x, with_negative(std::move(filter)), name));
        SLUICE_TRY_ASSIGN(x, builder.relu(x, name));
        features.push_back(x);
    }
    std::uint32_t inputs = outputs;
    if (kind.last_size == 1) {
        SLUICE_TRY_ASSIGN(x, builder.concat(features, 3, "features"));
        inputs = static_cast<std::uint32_t>(outputs * kind.stages);
    }
    SLUICE_TRY_ASSIGN(const Filter last,
                      filter_of(weights, kind.last, kind.colours, kind.last_size, inputs));
    return convolve(builder, x, colours_innermost(last), kind.last);
}

Result<graph::Graph> build(const Weights& weights, const Kind& kind, std::uint32_t height,
                           std::uint32_t width) {
    GraphBuilder builder;
    SLUICE_TRY_ASSIGN(const TensorDesc desc,
                      TensorDesc::create(DataType::Float32, Shape{1, height, width, 3}));
    SLUICE_TRY_ASSIGN(const OperandId input, builder.input("input", desc));
    SLUICE_TRY_ASSIGN(const OperandId last, subpixels(builder, input, weights, kind));

    const auto colours = static_cast<std::uint32_t>(kind.colours);
    SLUICE_TRY_ASSIGN(const OperandId apart,
                      builder.reshape(last, Shape{1, height, width, 2, 2, colours}, "shuffle"));
    SLUICE_TRY_ASSIGN(const OperandId woven,
                      builder.transpose(apart, {0, 1, 3, 2, 4, 5}, "shuffle"));
    SLUICE_TRY_ASSIGN(const OperandId residual,
                      builder.reshape(woven, Shape{1, 2 * height, 2 * width, colours}, "residual"));
    SLUICE_TRY_ASSIGN(
        const OperandId larger,
        builder.resample2d(
            input,
            {.mode = ops::Interpolation::Linear, .axes = {1, 2}, .sizes = {2 * height, 2 * width}},
            "enlarge"));
    SLUICE_TRY_ASSIGN(const OperandId output, builder.add(larger, residual, "output"));
    return builder.build({{"residual", residual}, {"output", output}});
}

} // namespace

bool is_anime4k(std::span<const std::byte> bytes) {
    // An object, and the layer that every kind starts with soon after: the names come first.
    const std::string_view text(reinterpret_cast<const char*>(bytes.data()),
                                std::min<std::size_t>(bytes.size(), 4096));
    const std::size_t first = text.find_first_not_of(" \t\r\n");
    return first != std::string_view::npos && text[first] == '{' &&
           text.find("\"conv2d_tf\"") != std::string_view::npos;
}

Result<LoadedModel> load(const FileBytes& bytes, const LoadOptions& options) {
    const std::uint32_t width = options.width == 0 ? kDefaultWidth : options.width;
    const std::uint32_t height = options.height == 0 ? kDefaultHeight : options.height;
    if (width > kMaxSize || height > kMaxSize) {
        return fail(ErrorCode::InvalidArgument,
                    "a picture of {}x{}, sides of up to {} can be enlarged", width, height,
                    kMaxSize);
    }
    SLUICE_TRY_ASSIGN(const Weights weights, read_weights(bytes.bytes));
    const auto* kind = std::ranges::find_if(kKinds, [&](const Kind& candidate) {
        return weights.layers.contains(std::string(candidate.mark));
    });
    if (kind == std::end(kKinds)) {
        return fail(ErrorCode::Unsupported,
                    "its layers are those of no Anime4K x2 network (S, M, L)");
    }
    SLUICE_TRY_ASSIGN(graph::Graph graph, build(weights, *kind, height, width));
    ModelInfo info;
    info.format = "anime4k";
    info.name = weights.name;
    info.description = std::format("Anime4K x2, {}", kind->name);
    info.normalization = Normalization{.mean = 0.0F, .std = 255.0F};
    return LoadedModel{.graph = std::move(graph), .info = std::move(info)};
}

} // namespace sluice::models::anime4k
