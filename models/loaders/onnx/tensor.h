// SPDX-License-Identifier: Apache-2.0
// The tensors that a file stores: in it, in one of the forms that protobuf offers, or in files
// beside it.
#pragma once

#include <cstddef>
#include <filesystem>
#include <map>
#include <memory>
#include <span>
#include <string>

#include "core/base/result.h"
#include "models/loaders/load_budget.h"
#include "models/loaders/loader.h"
#include "models/loaders/onnx/literal.h"

namespace sluice::models::onnx {

// The files beside a model that hold tensors' bytes. They lie in the model's folder or below it: a
// path that leads elsewhere, also by a link, is refused.
class ExternalFiles {
public:
    // `options` says where they are and must live as long.
    explicit ExternalFiles(const LoadOptions& options) : options_(&options) {}

    // The bytes that external_data describes.
    [[nodiscard]] Result<FileBytes> read(const schema::Tensor& tensor, LoadBudget& budget);

private:
    [[nodiscard]] Result<const FileBytes*> open(const std::string& location, LoadBudget& budget);

    const LoadOptions* options_;
    std::map<std::string, FileBytes> files_;
};

// Where tensors are read from. `owner` keeps the bytes of those that are in the file alive.
struct TensorSource {
    std::shared_ptr<const void> owner;
    ExternalFiles files;
    LoadBudget& budget;
};

// A tensor as a constant of the graph; its bytes are shared with the file where the form allows.
// Types that WebNN lacks become the next wider ones, as store() does.
[[nodiscard]] Result<Stored> read_constant(TensorSource& source, const schema::Tensor& tensor);
// A tensor of at most kMaxLiteral elements as values.
[[nodiscard]] Result<Literal> read_literal(TensorSource& source, const schema::Tensor& tensor);

} // namespace sluice::models::onnx
