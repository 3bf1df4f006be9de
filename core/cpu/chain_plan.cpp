// SPDX-License-Identifier: Apache-2.0
// Planning of chains.
#include "core/cpu/chain_plan.h"

#include <algorithm>
#include <map>
#include <utility>
#include <variant>

#include "core/cpu/chain_kernel.h"
#include "core/cpu/chain_winograd_kernel.h"
#include "core/cpu/planar_kernel.h"
#include "core/cpu/winograd.h"
#include "core/cpu/winograd_kernel.h"

namespace sluice::cpu {
namespace {

// To fewer output channels, what the transforms cost is not won back.
constexpr std::size_t kMinWinogradSums = 4;

// Whether the second half of the filters is the first, negated; a relu follows them.
bool is_mirrored(const ConvShape& s, const ConvConstants& data) {
    const std::size_t half = s.out_channels / 2;
    if (s.out_channels % 2 != 0 || s.activation.kind != ops::UnaryKind::Relu) {
        return false;
    }
    for (std::size_t o = 0; o < half; ++o) {
        if (!data.bias.empty() && data.bias[o] != -data.bias[o + half]) {
            return false;
        }
        for (std::size_t tap = 0; tap < s.taps(); ++tap) {
            for (std::size_t i = 0; i < s.in_channels; ++i) {
                const std::size_t y = tap / s.kernel_width;
                const std::size_t x = tap % s.kernel_width;
                if (data.at(o, y, x, i) != -data.at(o + half, y, x, i)) {
                    return false;
                }
            }
        }
    }
    return true;
}

// Calls with every group of up to kMaxPlanarOutputs sums, [first, end).
template <typename Body>
void for_groups(std::size_t sums, const Body& body) {
    for (std::size_t first = 0; first < sums; first += kMaxPlanarOutputs) {
        body(first, std::min(first + kMaxPlanarOutputs, sums));
    }
}

void pack_direct(const ConvConstants& data, const ChainStage& stage) {
    const ConvShape& s = stage.shape;
    float* to = stage.weights.get();
    for_groups(stage.sums, [&](std::size_t first, std::size_t end) {
        for (std::size_t y = 0; y < s.kernel_height; ++y) {
            for (std::size_t i = 0; i < s.in_channels; ++i) {
                for (std::size_t x = 0; x < s.kernel_width; ++x) {
                    for (std::size_t o = first; o < end; ++o) {
                        *to++ = data.at(o, y, x, i);
                    }
                }
            }
        }
    });
}

// What input channel `i` counts in output channel `o` at a point: `down` the picture, and along the
// row.
double filter_point(const ConvConstants& data, std::size_t down, std::size_t along, std::size_t i,
                    std::size_t o) {
    double value = 0.0;
    for (std::size_t y = 0; y < kChainKernel; ++y) {
        for (std::size_t x = 0; x < kChainKernel; ++x) {
            value += kChainRowFactors[down][y] * winograd_filter_factor(along, x, kChainKernel) *
                     static_cast<double>(data.at(o, y, x, i));
        }
    }
    return value;
}

void pack_winograd(const ConvConstants& data, const ChainStage& stage) {
    float* to = stage.weights.get();
    for_groups(stage.sums, [&](std::size_t first, std::size_t end) {
        for (std::size_t point = 0; point < kChainPoints; ++point) {
            for (std::size_t i = 0; i < stage.shape.in_channels; ++i) {
                for (std::size_t o = first; o < end; ++o) {
                    *to++ = static_cast<float>(filter_point(data, point % kChainWindowRows,
                                                            point / kChainWindowRows, i, o));
                }
            }
        }
    });
}

Status pack(const ConvConstants& data, ChainStage& stage) {
    const ConvShape& s = stage.shape;
    const std::size_t points = stage.is_winograd ? kChainPoints : s.taps();
    SLUICE_TRY_ASSIGN(stage.weights, allocate_floats(points * s.in_channels * stage.sums));
    SLUICE_TRY_ASSIGN(stage.bias, allocate_floats(stage.sums));
    stage.is_winograd ? pack_winograd(data, stage) : pack_direct(data, stage);
    if (!data.bias.empty()) {
        std::copy_n(data.bias.begin(), stage.sums, stage.bias.get());
    }
    return {};
}

// Something that reads rows [r - above, r + below] of `picture` for its row r, which it makes
// `reader`'s reach around the result.
void reach(ChainPicture& picture, const ChainPicture& reader, std::size_t beside, std::size_t above,
           std::size_t below) {
    picture.beside = std::max(picture.beside, reader.beside + beside);
    picture.above = std::max(picture.above, reader.above + above);
    picture.below = std::max(picture.below, reader.below + below);
}

// Readers come before what they read: from the result back to the source.
void plan_reach(ChainPlan& plan) {
    const ChainPicture result;
    if (plan.sum_channels > 0) {
        reach(plan.pictures[0], result, 1, 1, 1);
    }
    for (std::size_t i = plan.stages.size(); i-- > 0;) {
        const ConvShape& s = plan.stages[i].shape;
        const std::size_t right = s.kernel_width - 1 - s.pad_left;
        for (const std::size_t input : plan.stages[i].inputs) {
            reach(plan.pictures[input], plan.pictures[i + 1], std::max(s.pad_left, right),
                  s.pad_top, s.kernel_height - 1 - s.pad_top);
        }
    }
    for (const ChainStage& stage : plan.stages) {
        if (stage.is_winograd) {
            plan.phases = kChainPhases;
            plan.rows = 2;
            plan.products = std::max(plan.products, stage.sums);
        }
    }
    // When a reader makes the row r + its below, the picture's own is at r + below, and of two rows
    // at a time, the second is there, too.
    if (plan.sum_channels > 0) {
        plan.source_ring = plan.pictures[0].below + 1 + plan.rows;
    }
    for (ChainPicture& picture : plan.pictures) {
        picture.ring = plan.rows;
    }
    for (std::size_t i = 0; i < plan.stages.size(); ++i) {
        const ChainStage& stage = plan.stages[i];
        for (const std::size_t input : stage.inputs) {
            ChainPicture& picture = plan.pictures[input];
            std::size_t& ring = stage.is_winograd ? picture.point_ring : picture.ring;
            ring = std::max(ring, picture.below - plan.pictures[i + 1].below + stage.shape.pad_top +
                                      plan.rows);
        }
    }
    if (plan.phases == 1) { // what is enlarged are the picture's own rows
        plan.pictures[0].ring = std::max(plan.pictures[0].ring, plan.source_ring);
        plan.source_ring = 0;
    }
    for (ChainPicture& picture : plan.pictures) {
        picture.offset = plan.planes;
        plan.planes += picture.ring * picture.channels;
        picture.point_offset = plan.point_planes;
        plan.point_planes += picture.point_ring * picture.channels;
        plan.beside = std::max(plan.beside, picture.beside);
    }
}

} // namespace

Result<ChainPlan> plan_chain(const graph::Graph& graph, const Chain& chain) {
    ChainPlan plan;
    std::map<graph::OperandId, std::size_t> pictures{{chain.source, 0}};
    const graph::Shape& source = graph.desc(chain.source).shape();
    plan.height = source[1];
    plan.width = source[2];
    plan.pictures.emplace_back().channels = source[3];
    for (const ChainConv& conv : chain.convs) {
        const auto& op = std::get<ops::Conv2d>(conv.node->attributes);
        const ConvConstants data = conv_constants(graph, *conv.node, op);
        ChainStage& stage = plan.stages.emplace_back();
        stage.shape = conv_shape(graph, *conv.node, op);
        for (const graph::OperandId input : conv.inputs) {
            stage.inputs.push_back(pictures.at(input));
        }
        stage.output = plan.pictures.size();
        stage.is_mirrored = is_mirrored(stage.shape, data);
        stage.sums = stage.shape.out_channels / (stage.is_mirrored ? 2 : 1);
        stage.is_winograd = stage.shape.kernel_width == kChainKernel && stage.shape.pad_left == 1 &&
                            stage.shape.kernel_height == kChainKernel && stage.shape.pad_top == 1 &&
                            stage.sums >= kMinWinogradSums && allows_winograd();
        SLUICE_TRY(pack(data, stage));
        pictures[conv.node->outputs[0]] = stage.output;
        plan.pictures.emplace_back().channels = stage.shape.out_channels;
    }
    plan.shuffles = chain.shuffled.has_value();
    plan.sum_channels = chain.sum ? source[3] : 0;
    plan_reach(plan);
    return plan;
}

} // namespace sluice::cpu
