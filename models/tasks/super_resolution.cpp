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

#include "core/base/recent.h"
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

namespace {

// Everything that one format of frames needs.
struct Prepared {
    PictureNetwork network;
    std::vector<Strip> strips;
    zero_copy::SuperResolutionWriter writer;
    zero_copy::DeviceUpscaleWriter device_writer;
    std::uint32_t residual_channels = 0;

    [[nodiscard]] Status upscale_on_device(const zero_copy::ExternalFrame& input,
                                           const zero_copy::ExternalFrame& output,
                                           CopyLedger& ledger);
};

// Formats whose networks are kept: streams that change between a few sizes compile each once.
constexpr std::size_t kKeptFormats = 3;

} // namespace

struct Upscaler::State {
    UpscalerOptions options;
    Recent<zero_copy::FrameFormat, Prepared> prepared{kKeptFormats};
    bool on_device = false; // as the small picture that create() opens it with

    [[nodiscard]] Result<PictureNetwork> open(std::uint32_t width, std::uint32_t height) const {
        return PictureNetwork::open(options.model, options.engine,
                                    {.width = width, .height = height, .key = options.model_key},
                                    {.low = 0.0F, .high = 1.0F, .output = kResidual});
    }
    [[nodiscard]] Result<Prepared> prepare(const zero_copy::FrameFormat& frame) const;
    // What frames of this format need, made where it is not kept.
    [[nodiscard]] Result<Prepared*> for_format(const zero_copy::FrameFormat& frame);
};

namespace {

// Strips of `height` rows that together contribute every row once.
Result<std::vector<Strip>> cut(const PictureNetwork& network, const zero_copy::FrameFormat& frame,
                               std::uint32_t height, std::uint32_t halo) {
    std::vector<Strip> strips;
    for (std::uint32_t keep = 0; keep < frame.height;) {
        const std::uint32_t wanted = keep > halo ? keep - halo : 0;
        const std::uint32_t first = std::min(wanted, frame.height - height);
        const bool is_last = first + height == frame.height;
        const std::uint32_t end = is_last ? frame.height : first + height - halo;
        SLUICE_TRY_ASSIGN(auto sampler,
                          network.sampler(frame, {.x = 0.0,
                                                  .y = static_cast<double>(first),
                                                  .width = static_cast<double>(frame.width),
                                                  .height = static_cast<double>(height)}));
        strips.push_back(
            {.sampler = std::move(sampler), .first = first, .keep_first = keep, .keep_end = end});
        keep = end;
    }
    return strips;
}

} // namespace

Result<Prepared> Upscaler::State::prepare(const zero_copy::FrameFormat& frame) const {
    // The reach of the network decides how high a useful strip is.
    SLUICE_TRY_ASSIGN(const auto probe, open(16, 16));
    const std::uint32_t halo = halo_of(probe.executable().graph());
    const auto rows = static_cast<std::uint32_t>(kStripPixels / std::max(frame.width, 1U));
    const std::uint32_t height = std::min(frame.height, std::max(rows, 6 * halo));
    SLUICE_TRY_ASSIGN(auto network, open(frame.width, height));
    const auto& shape = network.executable().outputs()[0].desc.shape();
    if (shape.rank() != 4 || shape[1] != kScale * height || shape[2] != kScale * frame.width) {
        return fail(ErrorCode::Unsupported, "{}: output 'residual' is {} for a {}x{} picture",
                    options.model, to_string(shape), frame.width, height);
    }
    const std::uint32_t channels = shape[3];
    SLUICE_TRY_ASSIGN(auto strips, cut(network, frame, height, halo));
    zero_copy::FrameFormat output = frame;
    output.width *= kScale;
    output.height *= kScale;
    SLUICE_TRY_ASSIGN(auto writer,
                      zero_copy::SuperResolutionWriter::create(frame, output, channels));
    SLUICE_TRY_ASSIGN(const auto device_writer,
                      zero_copy::DeviceUpscaleWriter::create(frame, output, channels));
    return Prepared{.network = std::move(network),
                    .strips = std::move(strips),
                    .writer = std::move(writer),
                    .device_writer = device_writer,
                    .residual_channels = channels};
}

Result<Prepared*> Upscaler::State::for_format(const zero_copy::FrameFormat& frame) {
    if (Prepared* const found = prepared.find(frame)) {
        return found;
    }
    SLUICE_TRY_ASSIGN(Prepared made, prepare(frame));
    on_device = made.network.device() != nullptr;
    return &prepared.insert(frame, std::move(made));
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

Status Prepared::upscale_on_device(const zero_copy::ExternalFrame& input,
                                   const zero_copy::ExternalFrame& output, CopyLedger& ledger) {
    using zero_copy::CpuAccess;
    using zero_copy::FrameRunner;
    zero_copy::DeviceNetwork& device = *network.device();
    const std::array frames{FrameRunner::Frame{.frame = &input, .access = CpuAccess::Read},
                            FrameRunner::Frame{.frame = &output, .access = CpuAccess::Write}};
    const std::size_t row = std::size_t{kScale} * input.format().width * residual_channels;
    return device.runner().run(
        frames, 0, ledger,
        [&](vulkan::Recording& recording, zero_copy::ImportedFrames imported) -> Status {
            for (const Strip& strip : strips) {
                SLUICE_TRY(device.record(recording, *strip.sampler.device, *imported[0]));
                SLUICE_TRY(device_writer.record(
                    recording, *imported[0], *imported[1], device.output(0),
                    {.first_value = std::size_t{kScale} * (strip.keep_first - strip.first) * row,
                     .first_row = kScale * strip.keep_first,
                     .rows = kScale * (strip.keep_end - strip.keep_first)}));
            }
            return {};
        });
}

} // namespace

Status Upscaler::upscale(const zero_copy::ExternalFrame& input,
                         const zero_copy::ExternalFrame& output, CopyLedger& ledger) {
    SLUICE_TRY(check_pair(input.format(), output.format()));
    SLUICE_TRY_ASSIGN(Prepared* const prepared, state_->for_format(input.format()));
    if (prepared->network.device() != nullptr) {
        return prepared->upscale_on_device(input, output, ledger);
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
    SLUICE_TRY_ASSIGN(Prepared* const prepared, state_->for_format(input.format()));
    SLUICE_TRY(check_pair(input.format(), output.format()));
    PictureNetwork& network = prepared->network;
    const std::size_t row = std::size_t{kScale} * input.width() * prepared->residual_channels;
    for (const Strip& strip : prepared->strips) {
        SLUICE_TRY(network.run(strip.sampler, input));
        const auto residual = network.output_floats(0);
        const std::uint32_t rows = kScale * (strip.keep_end - strip.keep_first);
        prepared->writer.run(
            input,
            residual.subspan(std::size_t{kScale} * (strip.keep_first - strip.first) * row,
                             rows * row),
            kScale * strip.keep_first, rows, output, network.threads());
    }
    return {};
}

bool Upscaler::runs_on_device() const {
    return state_->on_device;
}

void Upscaler::forget(const zero_copy::MemoryIdentity& memory) {
    for (auto& [format, prepared] : state_->prepared) {
        prepared.network.forget(memory);
    }
}

Upscaler::Upscaler(std::unique_ptr<State> state) : state_(std::move(state)) {}
Upscaler::Upscaler(Upscaler&&) noexcept = default;
Upscaler& Upscaler::operator=(Upscaler&&) noexcept = default;
Upscaler::~Upscaler() = default;

} // namespace sluice::tasks
