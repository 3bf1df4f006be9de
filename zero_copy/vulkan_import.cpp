// SPDX-License-Identifier: Apache-2.0
// VulkanImports: the cache of imports, and the search for a method.
#include "zero_copy/vulkan_import.h"

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <utility>
#include <vector>

#include "core/base/result.h"
#include "core/vulkan/device.h"
#include "zero_copy/external_frame.h"
#include "zero_copy/import_plan.h"
#include "zero_copy/import_state.h"
#include "zero_copy/imported_objects.h"

namespace sluice::zero_copy {

using vulkan::Device;

bool can_be_named(const FrameMemory& memory) {
    return memory.identity != MemoryIdentity{} || memory.kind == MemoryKind::VulkanImage;
}
void VulkanImports::State::keep(const ExternalFrame& frame, bool write,
                                std::shared_ptr<ImportedFrame> imported) {
    if (!std::ranges::all_of(frame.memories(), can_be_named)) {
        return;
    }
    if (entries.size() >= capacity && !entries.empty()) {
        entries.erase(std::ranges::min_element(entries, {}, &Entry::used));
    }
    entries.push_back(
        {.frame = frame, .write = write, .imported = std::move(imported), .used = ++clock});
}

VulkanImports::VulkanImports(std::shared_ptr<Device> device, std::size_t capacity)
    : state_(std::make_unique<State>()) {
    state_->device = std::move(device);
    state_->capacity = std::max<std::size_t>(capacity, 1);
}
VulkanImports::~VulkanImports() = default;
VulkanImports::VulkanImports(VulkanImports&&) noexcept = default;
VulkanImports& VulkanImports::operator=(VulkanImports&&) noexcept = default;

Result<std::shared_ptr<ImportedFrame>> VulkanImports::get(const ExternalFrame& frame,
                                                          ImportRequest request) {
    State& state = *state_;
    for (State::Entry& entry : state.entries) {
        // A frame that may be written may be read, but for images, which are sampled where they
        // lie.
        const bool serves = entry.imported->copies_on_device()
                                ? request.write && entry.imported->objects_->reads == request.read
                                : entry.write || !request.write;
        if (serves && entry.frame == frame && entry.imported->method() >= request.first) {
            entry.used = ++state.clock;
            return entry.imported;
        }
    }
    const ImportDevice target{.profile = &state.device->profile(),
                              .vk_device = reinterpret_cast<std::uint64_t>(state.device->handle())};
    std::vector<ImportRefusal> refusals;
    const bool shared = frame.memories()[0].kind == MemoryKind::VulkanImage;
    if (request.write && !shared && request.first <= ImportMethod::ModifierImage) {
        refusals.push_back({.method = ImportMethod::ModifierImage,
                            .reason = "results are written to linear memory only"});
        request.first = ImportMethod::LinearBuffer;
    }
    while (true) {
        SLUICE_TRY_ASSIGN(ImportPlan plan, import_plan(frame, target, request));
        // What an earlier round said is in front.
        refusals.insert(refusals.end(), plan.refusals.begin(), plan.refusals.end());
        plan.refusals = refusals;
        if (plan.method == ImportMethod::Upload) {
            SLUICE_TRY_ASSIGN(auto staged, state.staging(frame, plan, request.write));
            state.keep(frame, request.write, staged);
            return staged;
        }
        auto imported = state.import(frame, plan, request.read);
        if (imported) {
            std::ranges::transform(frame.memories(), (*imported)->memories_.begin(),
                                   &FrameMemory::identity);
            ++state.imports;
            state.keep(frame, request.write, *imported);
            return imported;
        }
        if (imported.error().code == ErrorCode::DeviceLost) {
            return imported;
        }
        refusals.push_back({.method = plan.method, .reason = imported.error().message});
        request.first = static_cast<ImportMethod>(static_cast<std::uint8_t>(plan.method) + 1);
    }
}

void VulkanImports::forget(const MemoryIdentity& memory) {
    const auto names = [&](const FrameMemory& known) { return known.identity == memory; };
    std::erase_if(state_->entries, [&](const State::Entry& entry) {
        return std::ranges::any_of(entry.frame.memories(), names);
    });
    std::erase_if(state_->memories, [&](const SharedMemory& known) { return names(known.memory); });
}

const std::shared_ptr<Device>& VulkanImports::device() const {
    return state_->device;
}
std::size_t VulkanImports::size() const {
    return state_->entries.size();
}
std::size_t VulkanImports::imports() const {
    return state_->imports;
}

} // namespace sluice::zero_copy
