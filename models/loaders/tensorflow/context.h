// SPDX-License-Identifier: Apache-2.0
// What the loaders of TensorFlow's formats share: the graph under construction, as one operator of
// the file sees it. The functions of this folder are those of TensorFlow's operators whose meaning
// TFLite and TensorFlow.js have in common; each makes builder calls only.
//
// InvalidArgument and Parse mean a malformed file, Unsupported an operator that is well-formed but
// cannot be expressed.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "core/base/result.h"
#include "core/graph/builder.h"
#include "core/graph/data_type.h"
#include "core/graph/graph.h"
#include "core/graph/tensor_desc.h"
#include "models/loaders/load_budget.h"

namespace sluice::models::tensorflow {

class Context {
public:
    Context(graph::GraphBuilder& builder, LoadBudget& budget, std::string label)
        : builder_(builder), budget_(budget), label_(std::move(label)) {}

    [[nodiscard]] graph::GraphBuilder& build() { return builder_; }
    [[nodiscard]] LoadBudget& budget() { return budget_; }
    // Every node made for the operator carries it.
    [[nodiscard]] const std::string& label() const { return label_; }

    // By value: adding operands moves the descriptors.
    [[nodiscard]] graph::Shape shape(graph::OperandId id) { return desc(id).shape(); }
    [[nodiscard]] graph::TensorDesc desc(graph::OperandId id) { return build().desc(id); }
    [[nodiscard]] bool is_float(graph::OperandId id) { return graph::is_float(desc(id).type()); }
    // A constant of one element and the type of `like`.
    [[nodiscard]] Result<graph::OperandId> number(graph::OperandId like, double value) {
        return build().constant(desc(like).type(), value);
    }
    // A float32 constant.
    [[nodiscard]] Result<graph::OperandId> table(const graph::Shape& shape,
                                                 const std::vector<float>& values) {
        SLUICE_TRY_ASSIGN(const auto desc,
                          graph::TensorDesc::create(graph::DataType::Float32, shape));
        return build().constant(desc, graph::ConstantData::copy(std::span<const float>(values)));
    }

private:
    graph::GraphBuilder& builder_;
    LoadBudget& budget_;
    std::string label_;
};

// An axis of the file, which may count from the end, as an index below `rank`.
[[nodiscard]] Result<std::uint32_t> axis_of(std::int64_t axis, std::size_t rank);
// A size or factor of the file, which must be positive.
[[nodiscard]] Result<std::uint32_t> positive(std::int64_t value, std::string_view what);
// Dimensions as a shape; Unsupported where they are too many.
[[nodiscard]] Result<graph::Shape> shape_of(std::span<const std::uint32_t> dims);

} // namespace sluice::models::tensorflow
