// SPDX-License-Identifier: Apache-2.0
// Segmenter: frames to mattes and class maps.
#include "models/tasks/segmentation.h"

#include <algorithm>
#include <array>
#include <cmath>
#include <optional>
#include <utility>

#include "models/tasks/picture_network.h"
#include "zero_copy/device_background.h"
#include "zero_copy/sync.h"

namespace sluice::tasks {

namespace {

// Softmax over each pixel's logits: 1 - P(class 0) and the most probable class.
void resolve_classes(std::span<const float> logits, std::size_t classes, std::span<float> matte,
                     std::span<std::uint8_t> best) {
    for (std::size_t i = 0; i < matte.size(); ++i) {
        const auto pixel = logits.subspan(i * classes, classes);
        const auto top = std::ranges::max_element(pixel);
        float sum = 0.0F;
        for (const float logit : pixel) {
            sum += std::exp(logit - *top);
        }
        matte[i] = 1.0F - std::exp(pixel[0] - *top) / sum;
        best[i] = static_cast<std::uint8_t>(top - pixel.begin());
    }
}

} // namespace

struct Segmenter::State {
    explicit State(PictureNetwork opened) : network(std::move(opened)) {}

    PictureNetwork network;
    std::uint32_t width = 0; // of the matte
    std::uint32_t height = 0;
    std::size_t classes = 1;
    std::vector<std::string> labels;
    std::optional<zero_copy::FrameFormat> format; // that the sampler is made for
    std::optional<PictureSampler> sampler;
    std::vector<float> matte; // of multi-class networks
    std::vector<std::uint8_t> best;

    // Background: what follows is made at the first frame after a change.
    zero_copy::BackgroundSettings background;
    std::optional<zero_copy::DeviceBackground> device_blend;
    std::optional<zero_copy::BackgroundBlend> host_blend;
    // What takes the network's output into masks of the device, by their numbers.
    struct Keeping {
        std::uint64_t matte;
        std::uint64_t classes; // 0: none
        vulkan::Recording recording;
    };
    std::vector<Keeping> keeping;
    std::vector<std::uint8_t> mask; // the matte in 8 bits, for the host's

    [[nodiscard]] Status find_output();
    [[nodiscard]] Status check_masks(const zero_copy::DeviceMatte& kept,
                                     const zero_copy::DeviceClasses* map);
    [[nodiscard]] Result<vulkan::Recording*> keep_in(const zero_copy::DeviceMatte& kept,
                                                     const zero_copy::DeviceClasses* map);
    [[nodiscard]] Status prepare(const zero_copy::FrameFormat& frame);
    void forget_blends();
    [[nodiscard]] Segmentation result(const zero_copy::SourceRegion& region);
    [[nodiscard]] Status blend_on_device(const zero_copy::ExternalFrame& frame, CopyLedger& ledger);
    [[nodiscard]] Status blend_on_host(const zero_copy::ExternalFrame& frame);
};

namespace {
// Among the recordings of a device.
enum Variant : std::uint8_t { Segment, Blend };
} // namespace

Status Segmenter::State::find_output() {
    const auto outputs = network.executable().outputs();
    const auto& desc = outputs[0].desc;
    const bool fits = outputs.size() == 1 && desc.type() == graph::DataType::Float32 &&
                      desc.rank() == 4 && desc.shape()[0] == 1 && desc.shape()[3] <= 256;
    if (!fits) {
        return fail(ErrorCode::Unsupported,
                    "a segmentation network gives one float32[1,height,width,classes]; this one's "
                    "first of {} outputs is {}",
                    outputs.size(), to_string(desc));
    }
    height = desc.shape()[1];
    width = desc.shape()[2];
    classes = desc.shape()[3];
    const auto* manifest = network.manifest();
    labels =
        manifest != nullptr && !manifest->labels.empty() ? manifest->labels : network.info().labels;
    if (classes == 1) {
        labels = {"person"};
        return {};
    }
    for (std::size_t i = labels.size(); i < classes; ++i) {
        labels.push_back("class-" + std::to_string(i));
    }
    labels.resize(classes);
    matte.resize(desc.element_count() / classes);
    best.resize(matte.size());
    return {};
}

Result<Segmenter> Segmenter::create(const SegmenterOptions& options) {
    SLUICE_TRY_ASSIGN(auto network, PictureNetwork::open(options.model, options.engine,
                                                         {.key = options.model_key},
                                                         {.low = 0.0F, .high = 1.0F}));
    auto state = std::make_unique<State>(std::move(network));
    if (auto found = state->find_output(); !found) {
        return std::unexpected(std::move(found).error().within(options.model));
    }
    return Segmenter(std::move(state));
}

Status Segmenter::State::prepare(const zero_copy::FrameFormat& frame) {
    if (format == frame) {
        return {};
    }
    format.reset();
    forget_blends(); // recordings refer to the sampler, too
    SLUICE_TRY_ASSIGN(sampler,
                      network.sampler(frame, zero_copy::stretch(frame.width, frame.height)));
    format = frame;
    return {};
}

void Segmenter::State::forget_blends() {
    if (network.device() != nullptr) {
        network.device()->runner().forget_recordings();
    }
    device_blend.reset();
    host_blend.reset();
}

Segmentation Segmenter::State::result(const zero_copy::SourceRegion& region) {
    Segmentation out;
    out.matte = {
        .values = network.output_floats(0), .width = width, .height = height, .region = region};
    if (classes > 1) {
        resolve_classes(out.matte.values, classes, matte, best);
        out.matte.values = matte;
        out.classes = best;
    }
    return out;
}

Result<Segmentation> Segmenter::segment(const zero_copy::FrameView& frame) {
    State& state = *state_;
    SLUICE_TRY(state.prepare(frame.format()));
    SLUICE_TRY(state.network.run(*state.sampler, frame));
    return state.result(state.sampler->host.region());
}

Result<Segmentation> Segmenter::segment(const zero_copy::ExternalFrame& frame, CopyLedger& ledger) {
    State& state = *state_;
    SLUICE_TRY(state.prepare(frame.format()));
    SLUICE_TRY(state.network.run(*state.sampler, frame, Segment, ledger));
    return state.result(state.sampler->host.region());
}

Status Segmenter::State::check_masks(const zero_copy::DeviceMatte& kept,
                                     const zero_copy::DeviceClasses* map) {
    const auto fits = [&](const zero_copy::DeviceMask& one) {
        return one.device() == network.device()->device() && one.width() == width &&
               one.height() == height;
    };
    if (!fits(kept) || (map != nullptr && (classes == 1 || !fits(*map)))) {
        return fail(ErrorCode::InvalidArgument,
                    "segmenter: a device's matte of {}x{}{} cannot hold what this network gives "
                    "({}x{}, {} classes)",
                    kept.width(), kept.height(),
                    map != nullptr ? " with a map of " + std::to_string(map->width()) + "x" +
                                         std::to_string(map->height())
                                   : "",
                    width, height, classes);
    }
    return {};
}

// Masks come from pools: there are few, and they come again.
Result<vulkan::Recording*> Segmenter::State::keep_in(const zero_copy::DeviceMatte& kept,
                                                     const zero_copy::DeviceClasses* map) {
    constexpr std::size_t kMost = 32;
    const std::uint64_t map_id = map != nullptr ? map->id() : 0;
    const auto known = std::ranges::find_if(keeping, [&](const Keeping& one) {
        return one.matte == kept.id() && one.classes == map_id;
    });
    if (known != keeping.end()) {
        return &known->recording;
    }
    SLUICE_TRY_ASSIGN(auto recording, vulkan::Recording::create(kept.device()));
    const vulkan::BufferRange output = network.device()->output(0);
    if (classes == 1) {
        SLUICE_TRY(recording.copy(output, kept.range()));
    } else {
        const auto map_range = map != nullptr ? map->range() : vulkan::BufferRange{};
        SLUICE_TRY(zero_copy::record_matte(recording,
                                           {.range = output,
                                            .pixels = width * height,
                                            .classes = static_cast<std::uint32_t>(classes)},
                                           kept.range(), map != nullptr ? &map_range : nullptr));
    }
    SLUICE_TRY(recording.finish());
    if (keeping.size() == kMost) {
        keeping.erase(keeping.begin());
    }
    keeping.push_back({.matte = kept.id(), .classes = map_id, .recording = std::move(recording)});
    return &keeping.back().recording;
}

Status Segmenter::segment(const zero_copy::ExternalFrame& frame, CopyLedger& ledger,
                          zero_copy::DeviceMatte& matte, zero_copy::DeviceClasses* classes) {
    State& state = *state_;
    if (!runs_on_device()) {
        return fail(ErrorCode::InvalidArgument,
                    "segmenter: the network does not run wholly on a Vulkan device, so that no "
                    "matte stays there");
    }
    SLUICE_TRY(state.check_masks(matte, classes));
    SLUICE_TRY(state.prepare(frame.format()));
    SLUICE_TRY_ASSIGN(vulkan::Recording * then, state.keep_in(matte, classes));
    return state.network.device()->run(*state.sampler->device, frame, Segment, ledger, *then);
}

std::shared_ptr<vulkan::Device> Segmenter::device() const {
    return runs_on_device() ? state_->network.device()->device() : nullptr;
}

void Segmenter::set_background(const zero_copy::BackgroundSettings& settings) {
    state_->forget_blends();
    state_->background = settings;
}

Status Segmenter::State::blend_on_device(const zero_copy::ExternalFrame& frame,
                                         CopyLedger& ledger) {
    zero_copy::DeviceNetwork& device = *network.device();
    if (!device_blend) {
        SLUICE_TRY_ASSIGN(device_blend, zero_copy::DeviceBackground::create(
                                            device.device(), frame.format(), background,
                                            {.width = width,
                                             .height = height,
                                             .classes = static_cast<std::uint32_t>(classes),
                                             .region = sampler->host.region()}));
    }
    const std::array frames{
        zero_copy::FrameRunner::Frame{.frame = &frame, .access = zero_copy::CpuAccess::ReadWrite}};
    return device.runner().run(
        frames, Blend, ledger,
        [&](vulkan::Recording& recording, zero_copy::ImportedFrames imported) -> Status {
            SLUICE_TRY(device.record(recording, *sampler->device, *imported[0]));
            return device_blend->record(recording, *imported[0], device.output(0));
        });
}

Status Segmenter::State::blend_on_host(const zero_copy::ExternalFrame& frame) {
    SLUICE_TRY_ASSIGN(auto access,
                      zero_copy::FrameAccess::begin(frame, zero_copy::CpuAccess::ReadWrite));
    SLUICE_TRY_ASSIGN(const auto view, frame.mutable_view());
    if (!host_blend) {
        SLUICE_TRY_ASSIGN(host_blend,
                          zero_copy::BackgroundBlend::create(frame.format(), background));
        mask.resize(std::size_t{width} * height);
    }
    SLUICE_TRY(network.run(*sampler, view));
    const Segmentation segmentation = result(sampler->host.region());
    zero_copy::write_matte(
        segmentation.matte, view.width(), view.height(),
        {.data = mask.data(), .stride_bytes = width, .width = width, .height = height},
        network.threads());
    host_blend->run(view,
                    {.data = mask.data(), .stride_bytes = width, .width = width, .height = height},
                    network.threads());
    return access.end();
}

Status Segmenter::blend_background(const zero_copy::ExternalFrame& frame, CopyLedger& ledger) {
    State& state = *state_;
    SLUICE_TRY(state.prepare(frame.format()));
    return state.network.device() != nullptr ? state.blend_on_device(frame, ledger)
                                             : state.blend_on_host(frame);
}

std::span<const std::string> Segmenter::labels() const {
    return state_->labels;
}

std::uint32_t Segmenter::matte_width() const {
    return state_->width;
}

std::uint32_t Segmenter::matte_height() const {
    return state_->height;
}

bool Segmenter::runs_on_device() const {
    return state_->network.device() != nullptr;
}

void Segmenter::forget(const zero_copy::MemoryIdentity& memory) {
    state_->network.forget(memory);
}

Segmenter::Segmenter(std::unique_ptr<State> state) : state_(std::move(state)) {}
Segmenter::Segmenter(Segmenter&&) noexcept = default;
Segmenter& Segmenter::operator=(Segmenter&&) noexcept = default;
Segmenter::~Segmenter() = default;

} // namespace sluice::tasks
