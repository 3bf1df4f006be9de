// SPDX-License-Identifier: Apache-2.0
// Executable: its tensors, and a run of its steps.
#include "core/runtime/executable.h"

#include <algorithm>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "core/base/result.h"
#include "core/graph/graph.h"
#include "core/runtime/executable_state.h"

namespace sluice::runtime {

Executable::Executable(std::unique_ptr<State> state) : state_(std::move(state)) {}
Executable::~Executable() = default;

std::span<const TensorInfo> Executable::inputs() const {
    return state_->inputs;
}

std::span<const TensorInfo> Executable::outputs() const {
    return state_->outputs;
}

std::span<std::byte> Executable::input(std::size_t i) {
    const graph::OperandId id = state_->graph.inputs()[i].id;
    return {state_->addresses[graph::index(id)], state_->graph.desc(id).byte_size()};
}

std::span<const std::byte> Executable::output(std::size_t i) const {
    const graph::OperandId id = state_->graph.outputs()[i].id;
    return {state_->addresses[graph::index(id)], state_->graph.desc(id).byte_size()};
}

std::span<float> Executable::input_floats(std::size_t i) {
    const auto bytes = input(i);
    return {reinterpret_cast<float*>(bytes.data()), bytes.size() / sizeof(float)};
}

std::span<const float> Executable::output_floats(std::size_t i) const {
    const auto bytes = output(i);
    return {reinterpret_cast<const float*>(bytes.data()), bytes.size() / sizeof(float)};
}

namespace {

Result<std::size_t> find_tensor(std::span<const TensorInfo> tensors, std::string_view name,
                                std::string_view what) {
    const auto found = std::ranges::find(tensors, name, &TensorInfo::name);
    if (found != tensors.end()) {
        return static_cast<std::size_t>(found - tensors.begin());
    }
    std::string names;
    for (const TensorInfo& tensor : tensors) {
        names += (names.empty() ? "" : ", ") + tensor.name;
    }
    return fail(ErrorCode::NotFound, "there is no {} '{}'; there are: {}", what, name, names);
}

} // namespace

Result<std::size_t> Executable::input_index(std::string_view name) const {
    return find_tensor(state_->inputs, name, "input");
}

Result<std::size_t> Executable::output_index(std::string_view name) const {
    return find_tensor(state_->outputs, name, "output");
}

Status Executable::run() {
    for (const Step& step : state_->steps) {
        SLUICE_TRY(state_->run_step(step));
    }
    return {};
}

SegmentKernel* Executable::program() {
    return state_->program;
}

std::uint64_t Executable::border_bytes() const {
    return state_->border_bytes;
}

const graph::Graph& Executable::graph() const {
    return state_->graph;
}

std::span<const PlannedStep> Executable::steps() const {
    return state_->planned;
}

std::size_t Executable::arena_bytes() const {
    return state_->plan.arena_bytes;
}

std::size_t Executable::unshared_bytes() const {
    return state_->plan.unshared_bytes;
}

std::size_t Executable::scratch_bytes() const {
    return state_->scratch_bytes;
}

unsigned Executable::threads() const {
    return state_->threads->threads();
}

Result<std::vector<std::uint64_t>> Executable::profile() {
    std::vector<std::uint64_t> nanoseconds;
    nanoseconds.reserve(state_->steps.size());
    for (const Step& step : state_->steps) {
        const auto begin = std::chrono::steady_clock::now();
        SLUICE_TRY(state_->run_step(step));
        nanoseconds.push_back(static_cast<std::uint64_t>(
            std::chrono::nanoseconds(std::chrono::steady_clock::now() - begin).count()));
    }
    return nanoseconds;
}

} // namespace sluice::runtime
