// SPDX-License-Identifier: Apache-2.0
// From a file's graphs to builder calls, operator by operator.
#pragma once

#include <cstddef>
#include <cstdint>
#include <set>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "core/base/result.h"
#include "core/graph/graph.h"
#include "models/loaders/missing.h"
#include "models/loaders/tflite/file.h"
#include "models/loaders/tflite/operation.h"
#include "models/loaders/tflite/tflite_generated.h"

namespace sluice::models::tflite {

class Translator {
public:
    // The file outlives it.
    explicit Translator(const File& file) : translation_(file) {}

    Result<graph::Graph> run();

private:
    using State = Translation::State;

    [[nodiscard]] const File& file() const { return *translation_.file; }
    // The index of a tensor that exists.
    [[nodiscard]] Result<std::size_t> checked(std::int32_t tensor, std::string_view what) const;

    // tflite_loader.cpp
    Status add_inputs();
    Result<std::vector<graph::NamedOperand>> collect_outputs();

    // translator.cpp: the operators of file().graph()
    Status add_operators();
    Status add_operator(std::size_t index, const schema::Operator& op);
    Result<std::vector<std::size_t>> claim_outputs(std::size_t index, const schema::Operator& op);
    [[nodiscard]] bool depends_on_failed(const schema::Operator& op) const;
    [[nodiscard]] bool all_float(const schema::Operator& op) const;
    Status set_outputs(std::size_t index, const std::vector<std::size_t>& outputs,
                       const std::vector<graph::OperandId>& ids);

    // control.cpp: IF
    Result<Outputs> map_if(Operation& operation);
    Result<std::vector<graph::OperandId>> add_branch(std::int32_t graph,
                                                     std::span<const graph::OperandId> arguments);
    Result<std::vector<graph::OperandId>> run_branch(std::span<const graph::OperandId> arguments);

    Translation translation_;
    Missing missing_;
    std::set<std::string> names_;   // of graph inputs and outputs
    std::set<std::int32_t> active_; // the graphs that branches being translated are
    std::size_t branch_work_ = 0;   // tensors and operators of all branches so far
};

} // namespace sluice::models::tflite
