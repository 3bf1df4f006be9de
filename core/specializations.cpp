// SPDX-License-Identifier: Apache-2.0
// Finding or compiling the executable for a set of shapes.
#include "core/specializations.h"

#include <string>
#include <utility>

namespace sluice {

namespace {

// "[1,32,32,3] [1]"
std::string list_of(std::span<const graph::Shape> shapes) {
    std::string text;
    for (const graph::Shape& shape : shapes) {
        text += (text.empty() ? "" : " ") + graph::to_string(shape);
    }
    return text;
}

} // namespace

Result<std::shared_ptr<runtime::Executable>>
Specializations::of(std::span<const graph::Shape> inputs) {
    std::vector<graph::Shape> key(inputs.begin(), inputs.end());
    if (const auto* found = executables_.find(key)) {
        return *found;
    }
    auto graph = source_(inputs);
    if (!graph) {
        return std::unexpected(std::move(graph).error().within("inputs " + list_of(inputs)));
    }
    SLUICE_TRY_ASSIGN(std::unique_ptr<runtime::Executable> made,
                      compile(std::move(*graph), options_));
    return executables_.insert(std::move(key), std::move(made));
}

} // namespace sluice
