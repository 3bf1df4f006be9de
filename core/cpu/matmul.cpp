// SPDX-License-Identifier: Apache-2.0
// matmul of float32: the tile kernels over B packed into panels, once where it is a constant, else
// in every run.
#include "core/ops/matmul.h"

#include <algorithm>
#include <cstring>
#include <utility>
#include <vector>

#include "core/base/checked_math.h"
#include "core/cpu/conv_shape.h"
#include "core/cpu/lowerings.h"
#include "core/cpu/packed_weights.h"
#include "core/cpu/partition.h"
#include "core/runtime/thread_pool.h"

namespace sluice::cpu {
namespace {

// Rows of A that a task multiplies: a multiple of every tile size.
constexpr std::size_t kBlockRows = 24;

class Matmul final : public runtime::Kernel {
public:
    Matmul(const graph::Graph& graph, const graph::Node& node) : kernels_(gemm_kernels()) {
        const graph::Shape& a = graph.desc(node.inputs[0]).shape();
        const graph::Shape& b = graph.desc(node.inputs[1]).shape();
        const graph::Shape& y = graph.desc(node.outputs[0]).shape();
        rows_ = y[y.rank() - 2];
        columns_ = y[y.rank() - 1];
        depth_ = a[a.rank() - 1];
        batches_ = y.element_count() / (rows_ * columns_);
        matrices_ = b.element_count() / (depth_ * columns_);
        a_batch_ = batch_offsets(a, y, rows_ * depth_);
        b_batch_ = batch_offsets(b, y, 1);
    }

    // The panels, and for a constant B their weights.
    [[nodiscard]] Status pack(const graph::Graph& graph, const graph::Node& node) {
        is_packed_ = graph.operand(node.inputs[1]).kind == graph::OperandKind::Constant;
        std::vector<float> constant;
        if (is_packed_) {
            constant = constant_floats(graph, node.inputs[1]);
        }
        for (std::size_t i = 0; i < (is_packed_ ? matrices_ : 1); ++i) {
            const float* const matrix = constant.data() + i * depth_ * columns_;
            SLUICE_TRY_ASSIGN(PackedWeights packed,
                              PackedWeights::pack(
                                  {.k_count = depth_, .n_count = columns_, .is_plain = !is_packed_},
                                  {}, [&](std::size_t k, std::size_t n) {
                                      return is_packed_ ? matrix[k * columns_ + n] : 0.0F;
                                  }));
            packed_.push_back(std::move(packed));
        }
        for (const PackedWeights::Panel& panel : packed_[0].panels()) {
            width_ += panel.width;
        }
        return {};
    }

    [[nodiscard]] std::size_t scratch_bytes(unsigned /*threads*/) const override {
        return is_packed_ ? 0 : matrices_ * matrix_floats() * sizeof(float);
    }

    void run(const runtime::KernelIo& io) const override {
        auto* const scratch = reinterpret_cast<float*>(io.scratch);
        if (!is_packed_) {
            const std::size_t grain = std::max<std::size_t>(1, kGrainElements / columns_);
            io.threads.parallel_for(matrices_ * depth_, grain,
                                    [&](std::size_t begin, std::size_t end) {
                                        for (std::size_t row = begin; row < end; ++row) {
                                            pack_row(io.input<float>(1), row, scratch);
                                        }
                                    });
        }
        const std::size_t blocks = div_ceil(rows_, kBlockRows);
        const double flops = 2.0 * static_cast<double>(std::min(rows_, kBlockRows) * depth_) *
                             static_cast<double>(columns_);
        const Partition work = partition(batches_ * blocks, flops, io.threads.threads());
        io.threads.parallel_for(batches_ * blocks, work.grain,
                                [&](std::size_t begin, std::size_t end) {
                                    for (std::size_t i = begin; i < end; ++i) {
                                        run_block(io, scratch, i / blocks, i % blocks * kBlockRows);
                                    }
                                });
    }

private:
    // By batch of the result: where the operand's matrix begins, `matrix` being its size.
    [[nodiscard]] std::vector<std::size_t>
    batch_offsets(const graph::Shape& x, const graph::Shape& y, std::size_t matrix) const {
        std::vector<std::size_t> offsets(batches_);
        const std::size_t lead = y.rank() - x.rank();
        for (std::size_t batch = 0; batch < batches_; ++batch) {
            std::size_t rest = batch;
            std::size_t stride = matrix;
            for (std::size_t axis = y.rank() - 2; axis-- > lead;) {
                const std::size_t index = rest % y[axis];
                rest /= y[axis];
                offsets[batch] += x[axis - lead] == 1 ? 0 : index * stride;
                stride *= x[axis - lead];
            }
        }
        return offsets;
    }

    [[nodiscard]] std::size_t matrix_floats() const { return depth_ * width_; }

    // Row `row` of all matrices of B, into the panels of its matrix.
    void pack_row(const float* b, std::size_t row, float* scratch) const {
        float* const matrix = scratch + row / depth_ * matrix_floats();
        const std::size_t k = row % depth_;
        for (const PackedWeights::Panel& panel : packed_[0].panels()) {
            float* const to = matrix + depth_ * panel.first_channel + k * panel.width;
            std::memcpy(to, b + row * columns_ + panel.first_channel,
                        panel.channels * sizeof(float));
            std::fill(to + panel.channels, to + panel.width, 0.0F);
        }
    }

    void run_block(const runtime::KernelIo& io, const float* scratch, std::size_t batch,
                   std::size_t row) const {
        static constexpr std::ptrdiff_t kNoOffset = 0;
        GemmTile tile{};
        tile.input = io.input<float>(0) + a_batch_[batch] + row * depth_;
        tile.offsets = &kNoOffset;
        tile.segment_count = 1;
        tile.segment_length = depth_;
        tile.pixel_stride = depth_;
        tile.output = io.output<float>(0) + (batch * rows_ + row) * columns_;
        tile.output_stride = columns_;
        const std::size_t matrix = b_batch_[batch];
        for (PackedWeights::Panel panel : packed_[is_packed_ ? matrix : 0].panels()) {
            if (!is_packed_) {
                panel.weights = scratch + matrix * matrix_floats() + depth_ * panel.first_channel;
            }
            run_panel(kernels_, panel, 0, std::min(kBlockRows, rows_ - row), tile);
        }
    }

    const GemmKernels& kernels_;
    std::size_t rows_ = 0, columns_ = 0, depth_ = 0;
    std::size_t batches_ = 1, matrices_ = 1;     // of the result, of B
    std::vector<std::size_t> a_batch_, b_batch_; // in floats, and in matrices
    bool is_packed_ = false;
    std::vector<PackedWeights> packed_; // a constant B's matrices, or one for its panels' sizes
    std::size_t width_ = 0;             // of all panels
};

} // namespace

Status supports_matmul(const graph::Graph& graph, const graph::Node& node) {
    return require_float32(graph, node);
}

Result<std::unique_ptr<runtime::Kernel>> lower_matmul(const graph::Graph& graph,
                                                      const graph::Node& node) {
    auto kernel = std::make_unique<Matmul>(graph, node);
    SLUICE_TRY(kernel->pack(graph, node));
    return kernel;
}

} // namespace sluice::cpu
