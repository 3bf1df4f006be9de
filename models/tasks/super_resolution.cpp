// SPDX-License-Identifier: Apache-2.0
// Upscaler: the network runs on strips of the frame, the writer adds its residual to the upscaled
// planes.
//
// A strip is `halo` rows higher at each side than what it contributes: the rows next to a cut see
// zero padding where the picture goes on, and are thrown away. Strips at the picture's edges end
// there, so that the padding is the real one; the result equals that of the whole picture.
#include "models/tasks/super_resolution.h"

#include <algorithm>
#include <array>
#include <optional>
#include <utility>
#include <vector>

#include "models/tasks/picture_network.h"
#include "zero_copy/device_upscale_writer.h"
#include "zero_copy/sync.h"
#include "zero_copy/tensor_to_frame.h"

namespace sluice::tasks {

namespace {

constexpr std::uint32_t kScale = 2;
constexpr std::string_view kResidual = "residual";
// A feature map of a strip should stay in the second-level cache together with its successor.
constexpr std::size_t kStripPixels = 32768;

// How far a row of the input reaches in the result, in rows: the largest sum of the reaches of the
// convolutions along a path.
std::uint32_t halo_of(const graph::Graph& graph) {
    std::vector<std::uint32_t> reach(graph.operands().size(), 0);
    std::uint32_t halo = 0;
    for (const graph::Node& node : graph.nodes()) {
        std::uint32_t longest = 0;
        for (const graph::OperandId id : node.inputs) {
            longest = std::max(longest, reach[graph::index(id)]);
        }
        if (const auto* conv = std::get_if<ops::Conv2d>(&node.attributes)) {
            longest += std::max(conv->padding[0], conv->padding[1]);
        }
        for (const graph::OperandId id : node.outputs) {
            reach[graph::index(id)] = longest;
        }
        halo = std::max(halo, longest);
    }
    return halo;
}

struct Strip {
    PictureSampler sampler;
    std::uint32_t first;      // row of the frame that the strip starts at
    std::uint32_t keep_first; // rows of the frame that it contributes
    std::uint32_t keep_end;
};

} // namespace

struct Upscaler::State {
    UpscalerOptions options;
    std::optional<zero_copy::FrameFormat> format; // that the rest is made for
    std::optional<PictureNetwork> network;
    std::vector<Strip> strips;
    std::optional<zero_copy::SuperResolutionWriter> writer;
    std::optional<zero_copy::DeviceUpscaleWriter> device_writer;
    std::uint32_t residual_channels = 0;
    bool on_device = false; // as the small picture that create() opens it with

    [[nodiscard]] Result<PictureNetwork> open(std::uint32_t width, std::uint32_t height) const {
        return PictureNetwork::open(options.model, options.engine,
                                    {.width = width, .height = height, .key = options.model_key},
                                    {.low = 0.0F, .high = 1.0F, .output = kResidual});
    }
    [[nodiscard]] Status prepare(const zero_copy::FrameFormat& frame);
    [[nodiscard]] Status cut(const zero_copy::FrameFormat& frame, std::uint32_t height,
                             std::uint32_t halo);
    [[nodiscard]] Status upscale_on_device(const zero_copy::ExternalFrame& input,
                                           const zero_copy::ExternalFrame& output,
                                           CopyLedger& ledger);
};

// Fills `strips` with strips of `height` rows that together contribute every row once.
Status Upscaler::State::cut(const zero_copy::FrameFormat& frame, std::uint32_t height,
                            std::uint32_t halo) {
    strips.clear();
    for (std::uint32_t keep = 0; keep < frame.height;) {
        const std::uint32_t wanted = keep > halo ? keep - halo : 0;
        const std::uint32_t first = std::min(wanted, frame.height - height);
        const bool is_last = first + height == frame.height;
        const std::uint32_t end = is_last ? frame.height : first + height - halo;
        SLUICE_TRY_ASSIGN(auto sampler,
                          network->sampler(frame, {.x = 0.0,
                                                   .y = static_cast<double>(first),
                                                   .width = static_cast<double>(frame.width),
                                                   .height = static_cast<double>(height)}));
        strips.push_back(
            {.sampler = std::move(sampler), .first = first, .keep_first = keep, .keep_end = end});
        keep = end;
    }
    return {};
}

Status Upscaler::State::prepare(const zero_copy::FrameFormat& frame) {
    format.reset();
    // The reach of the network decides how high a useful strip is.
    SLUICE_TRY_ASSIGN(const auto probe, open(16, 16));
    const std::uint32_t halo = halo_of(probe.executable().graph());
    const auto rows = static_cast<std::uint32_t>(kStripPixels / std::max(frame.width, 1U));
    const std::uint32_t height = std::min(frame.height, std::max(rows, 6 * halo));
    SLUICE_TRY_ASSIGN(network, open(frame.width, height));
    const auto& shape = network->executable().outputs()[0].desc.shape();
    if (shape.rank() != 4 || shape[1] != kScale * height || shape[2] != kScale * frame.width) {
        return fail(ErrorCode::Unsupported, "{}: output 'residual' is {} for a {}x{} picture",
                    options.model, to_string(shape), frame.width, height);
    }
    residual_channels = shape[3];
    SLUICE_TRY(cut(frame, height, halo));
    zero_copy::FrameFormat output = frame;
    output.width *= kScale;
    output.height *= kScale;
    SLUICE_TRY_ASSIGN(writer,
                      zero_copy::SuperResolutionWriter::create(frame, output, residual_channels));
    SLUICE_TRY_ASSIGN(device_writer,
                      zero_copy::DeviceUpscaleWriter::create(frame, output, residual_channels));
    on_device = network->device() != nullptr;
    format = frame;
    return {};
}

Result<Upscaler> Upscaler::create(const UpscalerOptions& options) {
    auto state = std::make_unique<State>();
    state->options = options;
    // A small picture shows all problems that the model can have.
    auto probe = state->open(16, 16);
    if (!probe) {
        return std::unexpected(std::move(probe).error().within(options.model));
    }
    state->on_device = probe->device() != nullptr;
    return Upscaler(std::move(state));
}

std::uint32_t Upscaler::scale() const {
    return kScale;
}

namespace {
Status check_pair(const zero_copy::FrameFormat& input, const zero_copy::FrameFormat& output) {
    if (output.pixel_format != input.pixel_format || output.width != kScale * input.width ||
        output.height != kScale * input.height) {
        return fail(ErrorCode::InvalidArgument,
                    "the output of a {}x{} frame must be {}x{} in the same format, not {}x{}",
                    input.width, input.height, kScale * input.width, kScale * input.height,
                    output.width, output.height);
    }
    return {};
}
} // namespace

Status Upscaler::State::upscale_on_device(const zero_copy::ExternalFrame& input,
                                          const zero_copy::ExternalFrame& output,
                                          CopyLedger& ledger) {
    using zero_copy::CpuAccess;
    using zero_copy::FrameRunner;
    zero_copy::DeviceNetwork& device = *network->device();
    const std::array frames{FrameRunner::Frame{.frame = &input, .access = CpuAccess::Read},
                            FrameRunner::Frame{.frame = &output, .access = CpuAccess::Write}};
    const std::size_t row = std::size_t{kScale} * input.format().width * residual_channels;
    return device.runner().run(
        frames, 0, ledger,
        [&](vulkan::Recording& recording, zero_copy::ImportedFrames imported) -> Status {
            for (const Strip& strip : strips) {
                SLUICE_TRY(device.record(recording, *strip.sampler.device, *imported[0]));
                SLUICE_TRY(device_writer->record(
                    recording, *imported[0], *imported[1], device.output(0),
                    {.first_value = kScale * (strip.keep_first - strip.first) * row,
                     .first_row = kScale * strip.keep_first,
                     .rows = kScale * (strip.keep_end - strip.keep_first)}));
            }
            return {};
        });
}

Status Upscaler::upscale(const zero_copy::ExternalFrame& input,
                         const zero_copy::ExternalFrame& output, CopyLedger& ledger) {
    State& state = *state_;
    SLUICE_TRY(check_pair(input.format(), output.format()));
    if (state.format != input.format()) {
        SLUICE_TRY(state.prepare(input.format()));
    }
    if (state.network->device() != nullptr) {
        return state.upscale_on_device(input, output, ledger);
    }
    SLUICE_TRY_ASSIGN(auto reading,
                      zero_copy::FrameAccess::begin(input, zero_copy::CpuAccess::Read));
    SLUICE_TRY_ASSIGN(auto writing,
                      zero_copy::FrameAccess::begin(output, zero_copy::CpuAccess::Write));
    SLUICE_TRY_ASSIGN(const auto from, input.view());
    SLUICE_TRY_ASSIGN(const auto to, output.mutable_view());
    SLUICE_TRY(upscale(from, to));
    SLUICE_TRY(writing.end());
    return reading.end();
}

Status Upscaler::upscale(const zero_copy::FrameView& input,
                         const zero_copy::MutableFrameView& output) {
    State& state = *state_;
    if (state.format != input.format()) {
        SLUICE_TRY(state.prepare(input.format()));
    }
    SLUICE_TRY(check_pair(input.format(), output.format()));
    const std::size_t row = std::size_t{kScale} * input.width() * state.residual_channels;
    for (const Strip& strip : state.strips) {
        SLUICE_TRY(state.network->run(strip.sampler, input));
        const auto residual = state.network->output_floats(0);
        const std::uint32_t rows = kScale * (strip.keep_end - strip.keep_first);
        state.writer->run(
            input, residual.subspan(kScale * (strip.keep_first - strip.first) * row, rows * row),
            kScale * strip.keep_first, rows, output, state.network->threads());
    }
    return {};
}

bool Upscaler::runs_on_device() const {
    return state_->on_device;
}

void Upscaler::forget(const zero_copy::MemoryIdentity& memory) {
    if (state_->network) {
        state_->network->forget(memory);
    }
}

Upscaler::Upscaler(std::unique_ptr<State> state) : state_(std::move(state)) {}
Upscaler::Upscaler(Upscaler&&) noexcept = default;
Upscaler& Upscaler::operator=(Upscaler&&) noexcept = default;
Upscaler::~Upscaler() = default;

} // namespace sluice::tasks
