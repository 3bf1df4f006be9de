// SPDX-License-Identifier: Apache-2.0
// The one implementation of Program.
#include <algorithm>
#include <cstring>
#include <limits>
#include <optional>
#include <type_traits>
#include <utility>

#include "core/base/checked_math.h"
#include "core/runtime/memory_plan.h"
#include "core/vulkan/make_program.h"

namespace sluice::vulkan {
namespace {

// Buffers that may still be in use when their program goes.
class RetiredBuffers final : public Retired {
public:
    explicit RetiredBuffers(std::vector<Buffer> buffers) : buffers_(std::move(buffers)) {}

private:
    std::vector<Buffer> buffers_;
};

// Of every region: where it is bound from, and how long it is when bound. Kernels may read whole
// vectors, so that bindings are a multiple of the largest.
constexpr std::size_t kVectorBytes = 16;

class PlacedProgram final : public Program {
public:
    PlacedProgram(std::shared_ptr<Device> device, Steps steps, bool staged)
        : device_(std::move(device)), steps_(std::move(steps)), staged_(staged),
          alignment_(std::max<std::size_t>(device_->profile().storage_offset_alignment,
                                           runtime::kTensorAlignment)) {}
    ~PlacedProgram() override {
        recording_.reset();
        std::vector<Buffer> buffers;
        for (Buffer* buffer : {&arena_, &weights_, &upload_, &download_}) {
            buffers.push_back(std::move(*buffer));
        }
        device_->retire(std::make_unique<RetiredBuffers>(std::move(buffers)),
                        device_->last_submitted());
    }
    PlacedProgram(const PlacedProgram&) = delete;
    PlacedProgram& operator=(const PlacedProgram&) = delete;

    [[nodiscard]] Status make() {
        ranges_.resize(steps_.regions.size());
        SLUICE_TRY(place_tensors());
        SLUICE_TRY(upload_weights());
        SLUICE_TRY(make_staging());
        SLUICE_TRY_ASSIGN(auto recording, Recording::create(device_));
        SLUICE_TRY(record_all(recording));
        SLUICE_TRY(recording.finish());
        recording_.emplace(std::move(recording));
        return {};
    }

    [[nodiscard]] const std::shared_ptr<Device>& device() const override { return device_; }
    [[nodiscard]] BufferRange input(std::size_t i) const override {
        return exact(steps_.inputs[i]);
    }
    [[nodiscard]] BufferRange output(std::size_t i) const override {
        return exact(steps_.outputs[i]);
    }
    [[nodiscard]] std::span<std::byte> input_memory(std::size_t i) const override {
        return staged_ ? upload_.mapped().subspan(input_offsets_[i], bytes(steps_.inputs[i]))
                       : in_arena(steps_.inputs[i]);
    }
    [[nodiscard]] std::span<std::byte> output_memory(std::size_t i) const override {
        return staged_ ? download_.mapped().subspan(output_offsets_[i], bytes(steps_.outputs[i]))
                       : in_arena(steps_.outputs[i]);
    }
    [[nodiscard]] std::uint64_t border_bytes() const override { return border_bytes_; }
    [[nodiscard]] Status last_run() const override { return last_run_; }

    [[nodiscard]] Status record(Recording& recording) const override;
    [[nodiscard]] RecordingCounts counts() const override { return recording_->counts(); }
    void run(const runtime::KernelIo& io) const override;

private:
    [[nodiscard]] const Region& region(RegionId id) const {
        return steps_.regions[static_cast<std::size_t>(id)];
    }
    [[nodiscard]] std::size_t bytes(RegionId id) const { return region(id).bytes; }
    // As bound by kernels, and without what is added for vectors.
    [[nodiscard]] const BufferRange& bound(RegionId id) const {
        return ranges_[static_cast<std::size_t>(id)];
    }
    [[nodiscard]] BufferRange exact(RegionId id) const {
        BufferRange range = bound(id);
        range.bytes = bytes(id);
        return range;
    }
    [[nodiscard]] std::span<std::byte> in_arena(RegionId id) const {
        return arena_.mapped().subspan(bound(id).offset, bytes(id));
    }

    [[nodiscard]] Status place_tensors();
    [[nodiscard]] Status upload_weights();
    [[nodiscard]] Status make_staging();
    [[nodiscard]] Status record_all(Recording& recording) const;
    [[nodiscard]] Status record_dispatch(Recording& recording, const DispatchStep& step) const;

    std::shared_ptr<Device> device_; // first: destroyed last
    Steps steps_;
    bool staged_;
    std::size_t alignment_;
    Buffer arena_;
    Buffer weights_;
    Buffer upload_; // the segment's inputs and outputs where the host does not see the arena
    Buffer download_;
    std::vector<std::size_t> input_offsets_;
    std::vector<std::size_t> output_offsets_;
    std::vector<BufferRange> ranges_; // by region
    std::uint64_t border_bytes_ = 0;
    // run() is const to the runtime, which runs one program on one thread at a time.
    mutable std::optional<Recording> recording_;
    mutable Status last_run_;
};

// Calls body(region) for every region that a step uses.
template <typename Body>
void for_each_use(const Step& step, Body&& body) {
    if (const auto* dispatch = std::get_if<DispatchStep>(&step)) {
        for (const RegionUse& use : dispatch->buffers) {
            body(use.region);
        }
    } else if (const auto* copy = std::get_if<CopyStep>(&step)) {
        body(copy->from);
        body(copy->to);
    } else if (const auto* fill = std::get_if<FillStep>(&step)) {
        body(fill->region);
    }
}

Status PlacedProgram::place_tensors() {
    constexpr std::size_t kNeverUsed = std::numeric_limits<std::size_t>::max();
    const std::size_t end = steps_.steps.size();
    std::vector<runtime::TensorLife> lives(steps_.regions.size());
    for (std::size_t i = 0; i < lives.size(); ++i) {
        const bool border = steps_.regions[i].is_border;
        lives[i] = {.bytes = align_up(steps_.regions[i].bytes, kVectorBytes),
                    .first = border ? 0 : kNeverUsed,
                    .last = border ? end : 0};
    }
    for (std::size_t step = 0; step < end; ++step) {
        for_each_use(steps_.steps[step], [&](RegionId id) {
            runtime::TensorLife& life = lives[static_cast<std::size_t>(id)];
            life.first = std::min(life.first, step);
            life.last = std::max(life.last, step);
        });
    }
    std::vector<std::size_t> placed; // regions of the arena that anything uses
    std::vector<runtime::TensorLife> placed_lives;
    for (std::size_t i = 0; i < lives.size(); ++i) {
        if (!steps_.regions[i].is_constant && lives[i].first != kNeverUsed) {
            placed.push_back(i);
            placed_lives.push_back(lives[i]);
        }
    }
    const runtime::MemoryPlan plan = runtime::plan_memory(placed_lives, alignment_);
    SLUICE_TRY_ASSIGN(arena_, Buffer::create(device_, std::max(plan.arena_bytes, kVectorBytes),
                                             Placement::Device));
    for (std::size_t i = 0; i < placed.size(); ++i) {
        ranges_[placed[i]] = {
            .buffer = arena_.get(), .offset = plan.offsets[i], .bytes = placed_lives[i].bytes};
    }
    return {};
}

Status PlacedProgram::upload_weights() {
    std::size_t total = 0;
    for (std::size_t i = 0; i < steps_.regions.size(); ++i) {
        const Region& region = steps_.regions[i];
        if (region.is_constant) {
            ranges_[i] = {.buffer = VK_NULL_HANDLE,
                          .offset = total,
                          .bytes = align_up(region.bytes, kVectorBytes)};
            total += align_up(region.bytes, alignment_);
        }
    }
    if (total == 0) {
        return {};
    }
    SLUICE_TRY_ASSIGN(weights_, Buffer::create(device_, total, Placement::Device));
    Buffer staging;
    std::span<std::byte> target = weights_.mapped();
    if (target.empty()) {
        SLUICE_TRY_ASSIGN(staging, Buffer::create(device_, total, Placement::Upload));
        target = staging.mapped();
    }
    for (std::size_t i = 0; i < steps_.regions.size(); ++i) {
        Region& region = steps_.regions[i];
        if (region.is_constant) {
            ranges_[i].buffer = weights_.get();
            std::ranges::copy(region.data.bytes, target.subspan(ranges_[i].offset).begin());
            region.data = {}; // the model's bytes are not needed any more
        }
    }
    if (staging) {
        SLUICE_TRY_ASSIGN(auto recording, Recording::create(device_));
        SLUICE_TRY(recording.copy(whole(staging), whole(weights_)));
        SLUICE_TRY(recording.finish());
        SLUICE_TRY(recording.run());
    }
    return {};
}

// Where the arena is not the host's memory as well, inputs and outputs cross by one copy each.
Status PlacedProgram::make_staging() {
    staged_ = staged_ || arena_.mapped().empty();
    if (!staged_) {
        return {};
    }
    const auto lay_out = [&](const std::vector<RegionId>& ids, std::vector<std::size_t>& offsets) {
        std::size_t total = 0;
        for (const RegionId id : ids) {
            offsets.push_back(total);
            total += align_up(bytes(id), alignment_);
            border_bytes_ += bytes(id);
        }
        return std::max(total, kVectorBytes);
    };
    const std::size_t in = lay_out(steps_.inputs, input_offsets_);
    const std::size_t out = lay_out(steps_.outputs, output_offsets_);
    SLUICE_TRY_ASSIGN(upload_, Buffer::create(device_, in, Placement::Upload));
    SLUICE_TRY_ASSIGN(download_, Buffer::create(device_, out, Placement::Download));
    return {};
}

Status PlacedProgram::record_dispatch(Recording& recording, const DispatchStep& step) const {
    std::array<Binding, kMaxBindings> bindings;
    if (step.buffers.size() > bindings.size()) {
        return fail(ErrorCode::Internal, "{} binds {} buffers", name(step.shader),
                    step.buffers.size());
    }
    for (std::size_t i = 0; i < step.buffers.size(); ++i) {
        bindings[i] = {.range = bound(step.buffers[i].region), .access = step.buffers[i].access};
    }
    return recording.dispatch({.shader = step.shader,
                               .constants = step.constants,
                               .buffers = std::span(bindings).first(step.buffers.size()),
                               .textures = {},
                               .push = step.push,
                               .groups = step.groups});
}

Status PlacedProgram::record(Recording& recording) const {
    for (const Step& step : steps_.steps) {
        if (const auto* dispatch = std::get_if<DispatchStep>(&step)) {
            SLUICE_TRY(record_dispatch(recording, *dispatch));
        } else if (const auto* copy = std::get_if<CopyStep>(&step)) {
            BufferRange from = exact(copy->from);
            BufferRange to = exact(copy->to);
            from.bytes = to.bytes = std::min(from.bytes, to.bytes);
            SLUICE_TRY(recording.copy(from, to));
        } else if (const auto* fill = std::get_if<FillStep>(&step)) {
            SLUICE_TRY(recording.fill(bound(fill->region), fill->word));
        }
    }
    return {};
}

Status PlacedProgram::record_all(Recording& recording) const {
    const auto staging = [&](const Buffer& buffer, std::size_t offset, RegionId id) {
        return BufferRange{.buffer = buffer.get(), .offset = offset, .bytes = bytes(id)};
    };
    for (std::size_t i = 0; staged_ && i < steps_.inputs.size(); ++i) {
        SLUICE_TRY(recording.copy(staging(upload_, input_offsets_[i], steps_.inputs[i]),
                                  exact(steps_.inputs[i])));
    }
    SLUICE_TRY(record(recording));
    for (std::size_t i = 0; staged_ && i < steps_.outputs.size(); ++i) {
        SLUICE_TRY(recording.copy(exact(steps_.outputs[i]),
                                  staging(download_, output_offsets_[i], steps_.outputs[i])));
    }
    return {};
}

void PlacedProgram::run(const runtime::KernelIo& io) const {
    for (std::size_t i = 0; i < steps_.inputs.size(); ++i) {
        const auto target = input_memory(i);
        if (io.inputs[i] != target.data()) {
            std::memcpy(target.data(), io.inputs[i], target.size());
        }
    }
    last_run_ = recording_->run();
    if (!last_run_) {
        return;
    }
    for (std::size_t i = 0; i < steps_.outputs.size(); ++i) {
        const auto source = output_memory(i);
        if (io.outputs[i] != source.data()) {
            std::memcpy(io.outputs[i], source.data(), source.size());
        }
    }
}

} // namespace

Result<std::unique_ptr<Program>> make_program(std::shared_ptr<Device> device, Steps steps,
                                              bool staged) {
    auto program = std::make_unique<PlacedProgram>(std::move(device), std::move(steps), staged);
    SLUICE_TRY(program->make());
    return program;
}

} // namespace sluice::vulkan
