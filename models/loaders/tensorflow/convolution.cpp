// SPDX-License-Identifier: Apache-2.0
// Convolutions and pooling of pictures NHWC.
#include "models/loaders/tensorflow/convolution.h"

#include <algorithm>
#include <array>
#include <cstddef>
#include <cstdint>

#include "core/base/result.h"
#include "core/graph/graph.h"
#include "core/graph/tensor_desc.h"
#include "core/ops/conv2d.h"
#include "core/ops/conv_transpose2d.h"
#include "core/ops/pool2d.h"
#include "models/loaders/tensorflow/context.h"
#include "models/loaders/tensorflow/window.h"

namespace sluice::models::tensorflow {

using graph::OperandId;
using graph::Shape;

namespace {

Status check_ranks(Context& op, const Picture& picture) {
    const Shape x = op.shape(picture.x);
    const Shape filter = op.shape(picture.filter);
    if (x.rank() != 4 || filter.rank() != 4) {
        return fail(ErrorCode::Parse, "input {} and filter {} must have four dimensions",
                    graph::to_string(x), graph::to_string(filter));
    }
    return {};
}

// The sliding of a window of `window` over a picture of `sizes`, as an operator's attributes.
template <typename Attributes>
Status set_sliding(Attributes& attributes, const Sliding& sliding,
                   std::array<std::uint32_t, 2> window, std::array<std::uint32_t, 2> sizes) {
    for (std::size_t i = 0; i < 2; ++i) {
        SLUICE_TRY_ASSIGN(attributes.strides[i], positive(sliding.strides[i], "stride"));
        SLUICE_TRY_ASSIGN(attributes.dilations[i], positive(sliding.dilations[i], "dilation"));
        SLUICE_TRY_ASSIGN(const auto pad, padding_of(sliding.padding, sizes[i],
                                                     {.size = window[i],
                                                      .stride = attributes.strides[i],
                                                      .dilation = attributes.dilations[i]}));
        attributes.padding[2 * i] = pad[0];
        attributes.padding[2 * i + 1] = pad[1];
    }
    if (sliding.amounts) {
        attributes.padding = *sliding.amounts;
    }
    return {};
}

Result<OperandId> convolve(Context& op, const Picture& picture, ops::Conv2d conv,
                           const Sliding& sliding) {
    const Shape x = op.shape(picture.x);
    const ops::FilterDims filter = ops::filter_dims(op.shape(picture.filter), conv.filter_layout);
    SLUICE_TRY(set_sliding(conv, sliding, {filter.height, filter.width}, {x[1], x[2]}));
    return op.build().conv2d(picture.x, picture.filter, conv, picture.bias, op.label());
}

} // namespace

Result<OperandId> convolve(Context& op, const Picture& picture, ops::Conv2dFilterLayout layout,
                           const Sliding& sliding) {
    SLUICE_TRY(check_ranks(op, picture));
    const std::uint32_t inputs = ops::filter_dims(op.shape(picture.filter), layout).input_channels;
    return convolve(op, picture,
                    ops::Conv2d{.groups = std::max(op.shape(picture.x)[3] / inputs, 1U),
                                .input_layout = ops::InputLayout::Nhwc,
                                .filter_layout = layout},
                    sliding);
}

Result<OperandId> convolve_depthwise(Context& op, const Picture& picture,
                                     ops::Conv2dFilterLayout layout, const Sliding& sliding) {
    SLUICE_TRY(check_ranks(op, picture));
    return convolve(op, picture,
                    ops::Conv2d{.groups = op.shape(picture.x)[3],
                                .input_layout = ops::InputLayout::Nhwc,
                                .filter_layout = layout},
                    sliding);
}

Result<OperandId> convolve_transposed(Context& op, const Picture& picture,
                                      ops::ConvTranspose2dFilterLayout layout,
                                      const Sliding& sliding, std::array<std::uint32_t, 2> sizes) {
    SLUICE_TRY(check_ranks(op, picture));
    ops::ConvTranspose2d conv{
        .output_sizes = sizes, .input_layout = ops::InputLayout::Nhwc, .filter_layout = layout};
    const ops::FilterDims filter = ops::filter_dims(op.shape(picture.filter), layout);
    SLUICE_TRY(set_sliding(conv, sliding, {filter.height, filter.width}, sizes));
    return op.build().conv_transpose2d(picture.x, picture.filter, conv, picture.bias, op.label());
}

Result<OperandId> pool(Context& op, OperandId x, ops::PoolKind kind,
                       std::array<std::int64_t, 2> window, const Sliding& sliding) {
    const Shape shape = op.shape(x);
    if (shape.rank() != 4) {
        return fail(ErrorCode::Parse, "an input of {} dimensions", shape.rank());
    }
    ops::Pool2d attributes{.kind = kind, .layout = ops::InputLayout::Nhwc};
    SLUICE_TRY_ASSIGN(attributes.window[0], positive(window[0], "window"));
    SLUICE_TRY_ASSIGN(attributes.window[1], positive(window[1], "window"));
    SLUICE_TRY(set_sliding(attributes, sliding, attributes.window, {shape[1], shape[2]}));
    return op.build().pool2d(x, attributes, op.label());
}

} // namespace sluice::models::tensorflow
