// SPDX-License-Identifier: Apache-2.0
// gemm with a constant B on the CPU: a 1x1 convolution over the rows of A.
#include <cstddef>
#include <memory>
#include <utility>
#include <variant>
#include <vector>

#include "core/base/checked_math.h"
#include "core/cpu/conv_dense.h"
#include "core/cpu/conv_shape.h"
#include "core/cpu/lowerings.h"
#include "core/ops/attributes.h"
#include "core/runtime/thread_pool.h"

namespace sluice::cpu {
namespace {

// How C enters: not at all, as a bias of the columns, or as a matrix added at the end.
enum class Addend { None, Bias, Matrix };

Result<Addend> addend_of(const graph::Graph& graph, const graph::Node& node, const ops::Gemm& op) {
    if (!op.has_c || op.beta == 0.0) {
        return Addend::None;
    }
    const graph::Operand& c = graph.operand(node.inputs[2]);
    const graph::Shape& out = graph.desc(node.outputs[0]).shape();
    const std::size_t count = c.desc.element_count();
    const bool one_row =
        count == 1 || (c.desc.shape()[c.desc.rank() - 1] == out[1] && count == out[1]);
    if (c.kind == graph::OperandKind::Constant && one_row) {
        return Addend::Bias;
    }
    if (c.desc.shape() == out && op.beta == 1.0) {
        return Addend::Matrix;
    }
    return fail(ErrorCode::Unsupported,
                "C is neither a constant row nor a whole matrix that is added unscaled");
}

// Turns A of [K, M] round before the product.
class TransposedGemm final : public runtime::Kernel {
public:
    TransposedGemm(std::size_t m, std::size_t k, std::unique_ptr<runtime::Kernel> product)
        : m_(m), k_(k), product_(std::move(product)) {}

    void run(const runtime::KernelIo& io) const override {
        const float* const a = io.input<float>(0);
        auto* const turned = reinterpret_cast<float*>(io.scratch);
        for (std::size_t m = 0; m < m_; ++m) {
            for (std::size_t k = 0; k < k_; ++k) {
                turned[m * k_ + k] = a[k * m_ + m];
            }
        }
        // At most A, B and C: no allocation here.
        const std::byte* inputs[3] = {io.scratch, nullptr, nullptr};
        for (std::size_t i = 1; i < io.inputs.size(); ++i) {
            inputs[i] = io.inputs[i];
        }
        product_->run({.inputs = std::span(inputs, io.inputs.size()),
                       .outputs = io.outputs,
                       .scratch = io.scratch + turned_bytes(),
                       .threads = io.threads});
    }
    [[nodiscard]] std::size_t scratch_bytes(unsigned threads) const override {
        return turned_bytes() + product_->scratch_bytes(threads);
    }

private:
    [[nodiscard]] std::size_t turned_bytes() const {
        return align_up(m_ * k_ * sizeof(float), runtime::kTensorAlignment);
    }

    std::size_t m_, k_;
    std::unique_ptr<runtime::Kernel> product_;
};

} // namespace

Status supports_gemm(const graph::Graph& graph, const graph::Node& node) {
    const auto& op = std::get<ops::Gemm>(node.attributes);
    SLUICE_TRY(require_float32(graph, node));
    SLUICE_TRY(require_constant(graph, node.inputs[1], "B"));
    SLUICE_TRY(addend_of(graph, node, op));
    if (!has_kernel(op.activation.kind)) {
        return fail(ErrorCode::Unsupported, "no fused {}", ops::name(op.activation.kind));
    }
    return {};
}

Result<std::unique_ptr<runtime::Kernel>> lower_gemm(const graph::Graph& graph,
                                                    const graph::Node& node) {
    const auto& op = std::get<ops::Gemm>(node.attributes);
    const graph::Shape& out = graph.desc(node.outputs[0]).shape();
    const graph::Shape& a = graph.desc(node.inputs[0]).shape();
    const std::size_t m = out[0];
    const std::size_t n = out[1];
    const std::size_t k = op.a_transpose ? a[0] : a[1];
    SLUICE_TRY_ASSIGN(const Addend addend, addend_of(graph, node, op));

    std::vector<float> scaled;
    ConvConstants data{
        .own = {},
        .filter = {},
        .bias = {},
        .stride_o = op.b_transpose ? k : 1,
        .stride_y = 0,
        .stride_x = 0,
        .stride_i = op.b_transpose ? 1 : n,
    };
    data.filter = constant_view(graph, node.inputs[1], data.own);
    if (op.alpha != 1.0) {
        scaled.assign(data.filter.begin(), data.filter.end());
        for (float& value : scaled) {
            value = static_cast<float>(op.alpha * static_cast<double>(value));
        }
        data.filter = scaled;
    }
    if (addend == Addend::Bias) {
        data.bias = constant_floats(graph, node.inputs[2]);
        data.bias.resize(n, data.bias[0]);
        for (float& value : data.bias) {
            value = static_cast<float>(op.beta * static_cast<double>(value));
        }
    }
    ConvShape shape{};
    shape.batch = shape.in_height = shape.out_height = 1;
    shape.in_width = shape.out_width = m;
    shape.in_channels = k;
    shape.out_channels = n;
    shape.kernel_height = shape.kernel_width = 1;
    shape.stride_y = shape.stride_x = shape.dilation_y = shape.dilation_x = 1;
    shape.groups = 1;
    shape.residual_channels = addend == Addend::Matrix ? n : 0;
    shape.activation = to_cpu(op.activation);
    SLUICE_TRY_ASSIGN(std::unique_ptr<runtime::Kernel> product, make_dense_conv(shape, data));
    if (op.a_transpose) {
        return std::make_unique<TransposedGemm>(m, k, std::move(product));
    }
    return product;
}

} // namespace sluice::cpu
