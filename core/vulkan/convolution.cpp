// SPDX-License-Identifier: Apache-2.0
// Choice of the kernel of a convolution, and the layout changes around it.
#include "core/vulkan/convolution.h"

#include <algorithm>
#include <span>
#include <utility>
#include <vector>

#include "core/base/checked_math.h"
#include "core/vulkan/functions.h"
#include "core/vulkan/lowerings.h"
#include "core/vulkan/strides.h"
#include "core/vulkan/winograd.h"

namespace sluice::vulkan {
namespace {

// lib/convolution.glsl
struct ConvolutionPush {
    std::uint32_t batches;
    std::uint32_t in_height, in_width, in_channels, group_inputs;
    std::uint32_t out_height, out_width, out_channels, group_outputs;
    std::uint32_t group_blocks, blocks;
    std::uint32_t kernel_height, kernel_width;
    std::uint32_t stride_y, stride_x, dilation_y, dilation_x, top, left;
    std::uint32_t residual_channels;
    float alpha, beta;
};

ConvolutionPush push_of(const Convolution& c) {
    const ActivationWords words = to_words(c.activation);
    ConvolutionPush push{.batches = c.batches,
                         .in_height = c.in.height,
                         .in_width = c.in.width,
                         .in_channels = c.in.channels,
                         .group_inputs = c.group_inputs(),
                         .out_height = c.out.height,
                         .out_width = c.out.width,
                         .out_channels = c.out.channels,
                         .group_outputs = c.group_outputs(),
                         .group_blocks = c.group_blocks(),
                         .blocks = c.blocks(),
                         .kernel_height = c.kernel_height,
                         .kernel_width = c.kernel_width,
                         .stride_y = c.strides[0],
                         .stride_x = c.strides[1],
                         .dilation_y = c.dilations[0],
                         .dilation_x = c.dilations[1],
                         .top = c.top,
                         .left = c.left,
                         .residual_channels = c.residual_channels,
                         .alpha = words.alpha,
                         .beta = words.beta};
    if (c.is_depthwise()) { // its blocks run through the channels of all groups
        push.group_outputs = c.out.channels;
        push.group_blocks = c.out.channels / 4;
        push.blocks = push.group_blocks;
    }
    return push;
}

// Tiles that would be mostly empty, as with Anime4K's four channels, cost more than they save.
bool is_tiled(const Context& context, const Convolution& c) {
    return context.tuning.tiled && c.groups == 1 && !c.transposed &&
           c.blocks() * 2 >= context.tuning.narrow.blocks;
}

// On cooperative matrices, where the depth fills one of them at least.
bool is_matrix(const Context& context, const Convolution& c) {
    return context.tuning.matrix && c.type == graph::DataType::Float16 && is_tiled(context, c) &&
           c.in.channels % 4 == 0 && c.taps() * c.in.channels >= context.tuning.matrix->k;
}

Shader shader_of(const Context& context, const Convolution& c) {
    const bool half = c.type == graph::DataType::Float16;
    const bool half_math = half && context.tuning.half_arithmetic;
    if (c.transposed) {
        return half ? Shader::ConvTransposeHalf : Shader::ConvTranspose;
    }
    if (c.is_depthwise()) {
        return half ? Shader::DepthwiseHalf : Shader::Depthwise;
    }
    if (is_matrix(context, c)) {
        return Shader::ConvMatrixHalf;
    }
    if (is_tiled(context, c)) {
        return half_math ? Shader::ConvTiledHalfMath
               : half    ? Shader::ConvTiledHalf
                         : Shader::ConvTiled;
    }
    if (context.tuning.shared_loads && !half_math) {
        return half ? Shader::ConvDirectSubgroupsHalf : Shader::ConvDirectSubgroups;
    }
    return half_math ? Shader::ConvDirectHalfMath
           : half    ? Shader::ConvDirectHalf
                     : Shader::ConvDirect;
}

// Blocks per invocation of the direct kernel.
std::uint32_t direct_blocks(const Context& context, const Convolution& c) {
    constexpr std::uint32_t kNamedSums = 4; // of conv_direct_subgroups.comp
    std::uint32_t blocks = context.tuning.direct_blocks;
    if (context.tuning.shared_loads) {
        blocks = std::min(blocks, kNamedSums);
    }
    while (c.group_blocks() % blocks != 0) {
        --blocks;
    }
    return blocks;
}

bool is_pointwise(const Convolution& c) {
    return c.taps() == 1 && c.strides == std::array{1U, 1U} && c.top == 0 && c.left == 0 &&
           c.in.height == c.out.height && c.in.width == c.out.width;
}

// Constants and workgroups of conv_tiled.comp for that many pixels.
void choose_tiles(const Context& context, const Convolution& c, std::uint64_t pixels,
                  DispatchStep& step) {
    const ConvTiles& t = c.out.channels > 32 ? context.tuning.wide : context.tuning.narrow;
    step.constants.front() = t.invocations();
    for (const std::uint32_t constant :
         {t.rows, t.blocks, t.depth, t.own_rows, t.own_blocks, std::uint32_t{is_pointwise(c)}}) {
        step.constants.push_back(constant);
    }
    step.groups = {limited(div_ceil<std::uint64_t>(pixels, t.rows), context.profile),
                   div_ceil(c.blocks(), t.blocks), 1};
}

// Fills in what depends on the kernel: constants from the fifth on, and workgroups.
void choose_grid(const Context& context, const Convolution& c, DispatchStep& step) {
    const DeviceProfile& profile = context.profile;
    const std::uint64_t pixels = std::uint64_t{c.out.height} * c.out.width;
    const std::uint32_t invocations = context.tuning.direct_invocations;
    step.constants.front() = invocations;
    if (c.is_depthwise()) {
        const std::uint64_t line = std::uint64_t{c.out.width} * (c.out.channels / 4);
        step.groups = {limited(div_ceil<std::uint64_t>(line, invocations), profile),
                       limited(c.out.height, profile), limited(c.batches, profile)};
        return;
    }
    if (is_matrix(context, c)) {
        const MatrixTiles& t = *context.tuning.matrix;
        step.constants.front() = t.invocations;
        for (const std::uint32_t constant :
             {t.rows, t.columns, t.depth, t.m, t.n, t.k, t.own, std::uint32_t{is_pointwise(c)}}) {
            step.constants.push_back(constant);
        }
        step.groups = {limited(div_ceil<std::uint64_t>(pixels * c.batches, t.rows), profile),
                       div_ceil(c.blocks() * 4, t.columns), 1};
        return;
    }
    if (is_tiled(context, c)) {
        choose_tiles(context, c, pixels * c.batches, step);
        return;
    }
    const std::uint32_t blocks = direct_blocks(context, c);
    step.constants.push_back(blocks);
    step.groups = {limited(div_ceil<std::uint64_t>(pixels, invocations), profile),
                   c.blocks() / blocks, limited(c.batches, profile)};
}

// A copy between the channels-first and the channels-last form of a picture.
StridedCopy layout_copy(const Convolution& c, const PictureSize& size, bool to_nhwc) {
    const std::size_t pixels = std::size_t{size.height} * size.width;
    const Strides planar{pixels * size.channels, 1, pixels};
    const Strides dense{pixels * size.channels, size.channels, 1};
    return {.shape = {c.batches, size.height * size.width, size.channels},
            .from_strides = to_nhwc ? planar : dense,
            .to_strides = to_nhwc ? dense : planar,
            .element_bytes = graph::size_of(c.type)};
}

std::size_t bytes_of(const Convolution& c, const PictureSize& size) {
    return std::size_t{c.batches} * size.height * size.width * size.channels *
           graph::size_of(c.type);
}

// The operand as NHWC.
RegionId read_picture(StepWriter& writer, const Convolution& c, graph::OperandId id,
                      const PictureSize& size) {
    if (c.layout == ops::InputLayout::Nhwc) {
        return writer.region(id);
    }
    const RegionId dense = writer.scratch(bytes_of(c, size));
    write_copy(writer, layout_copy(c, size, true), writer.region(id), dense);
    return dense;
}

RegionId float_constant(StepWriter& writer, std::span<const float> values) {
    const auto bytes = std::as_bytes(values);
    return writer.constant({bytes.begin(), bytes.end()});
}

// The 16 numbers of every patch of x.
RegionId write_winograd_factors(StepWriter& writer, const Convolution& c, RegionId x) {
    struct {
        std::uint32_t batches, in_height, in_width, vectors, patch_rows, patch_columns, top, left;
    } const push{.batches = c.batches,
                 .in_height = c.in.height,
                 .in_width = c.in.width,
                 .vectors = c.in.channels / 4,
                 .patch_rows = (c.out.height + 1) / 2,
                 .patch_columns = (c.out.width + 1) / 2,
                 .top = c.top,
                 .left = c.left};
    const std::size_t elements = winograd_patches(c) * c.in.channels;
    const RegionId factors = writer.scratch(elements * 16 * sizeof(float));
    writer.dispatch(
        {.shader = by_type(writer.graph(), c.x, Shader::WinogradInput, Shader::WinogradInputHalf),
         .constants = {},
         .buffers = {{x, Access::Read}, {factors, Access::Write}},
         .push = to_push(push),
         .groups = line_of(elements / 4, 64, writer.context().profile)});
    return factors;
}

// 16 products of a picture of patches by 1x1 filters, in float32.
RegionId write_winograd_products(StepWriter& writer, const Convolution& c, RegionId factors) {
    const auto patches = static_cast<std::uint32_t>(winograd_patches(c));
    Convolution product;
    product.in = {.height = 1, .width = patches, .channels = c.in.channels};
    product.out = {.height = 1, .width = patches, .channels = c.blocks() * 4};
    const std::vector<float> no_bias(product.out.channels);
    const RegionId sums =
        writer.scratch(std::size_t{patches} * product.out.channels * 16 * sizeof(float));
    DispatchStep step{
        .shader = Shader::ConvTiled,
        .constants = {0, function_constant(ops::UnaryKind::Identity), 1, 1, 0},
        .buffers = {{factors, Access::Read},
                    {float_constant(writer, winograd_filter(writer.graph(), c)), Access::Read},
                    {float_constant(writer, no_bias), Access::Read},
                    {factors, Access::Read}, // no residual
                    {sums, Access::Write}},
        .push = to_push(push_of(product)),
        .groups = {}};
    choose_tiles(writer.context(), product, patches, step);
    step.groups[2] = 16;
    writer.dispatch(std::move(step));
    return sums;
}

} // namespace

PictureSize picture_size(const graph::Shape& shape, ops::InputLayout layout) {
    const bool nchw = layout == ops::InputLayout::Nchw;
    return {.height = shape[nchw ? 2 : 1],
            .width = shape[nchw ? 3 : 2],
            .channels = shape[nchw ? 1 : 3]};
}

Status supports_convolution(const Context& context, const Convolution& c) {
    const DeviceProfile& profile = context.profile;
    const std::uint64_t filter_bytes =
        std::uint64_t{c.blocks()} * 4 * c.taps() * c.group_inputs() * graph::size_of(c.type);
    if (filter_bytes > profile.max_storage_range) {
        return fail(ErrorCode::Unsupported, "the packed filter has {} bytes, {} takes {} at most",
                    filter_bytes, profile.name, profile.max_storage_range);
    }
    if (c.blocks() > profile.max_workgroups_x) {
        return fail(ErrorCode::Unsupported, "{} output channels are {} workgroups, {} has {}",
                    c.out.channels, c.blocks(), profile.name, profile.max_workgroups_x);
    }
    return {};
}

void write_convolution(StepWriter& writer, const Convolution& c) {
    const Context& context = writer.context();
    const RegionId x = read_picture(writer, c, c.x, c.in);
    const bool winograd = context.tuning.tiled && is_winograd(context, writer.graph(), c);
    // What the last kernel reads besides: its own sums, or the picture and the filter.
    const RegionId from =
        winograd ? write_winograd_products(writer, c, write_winograd_factors(writer, c, x)) : x;
    const RegionId filter = winograd ? from : write_filter(writer, c);
    const RegionId bias = write_bias(writer, c);
    RegionId residual = x; // bound, but not read, where there is none
    if (c.residual) {
        PictureSize size = c.out;
        size.channels = c.residual_channels;
        residual = read_picture(writer, c, *c.residual, size);
    }
    const bool planar = c.layout == ops::InputLayout::Nchw;
    const RegionId y = planar ? writer.scratch(bytes_of(c, c.out)) : writer.region(c.y);
    DispatchStep step{.shader = winograd ? by_type(writer.graph(), c.x, Shader::WinogradOutput,
                                                   Shader::WinogradOutputHalf)
                                         : shader_of(context, c),
                      .constants = {0, function_constant(c.activation.kind),
                                    std::uint32_t{c.group_inputs() % 4 == 0},
                                    std::uint32_t{c.is_depthwise() || c.group_outputs() % 4 == 0},
                                    std::uint32_t{c.residual.has_value()}},
                      .buffers = {{from, Access::Read},
                                  {filter, Access::Read},
                                  {bias, Access::Read},
                                  {residual, Access::Read},
                                  {y, Access::Write}},
                      .push = to_push(push_of(c)),
                      .groups = {}};
    if (winograd) {
        step.constants.front() = context.tuning.direct_invocations;
        step.groups =
            line_of(winograd_patches(c) * c.blocks(), step.constants.front(), context.profile);
    } else {
        choose_grid(context, c, step);
    }
    writer.dispatch(std::move(step));
    if (planar) {
        write_copy(writer, layout_copy(c, c.out, false), y, writer.region(c.y));
    }
}

} // namespace sluice::vulkan
