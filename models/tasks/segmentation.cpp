// SPDX-License-Identifier: Apache-2.0
// Segmenter: frames to mattes and class maps.
#include "models/tasks/segmentation.h"

#include <algorithm>
#include <cmath>
#include <optional>
#include <utility>

#include "models/tasks/picture_network.h"

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
    std::optional<zero_copy::FrameToTensor> sampler;
    std::vector<float> matte; // of multi-class networks
    std::vector<std::uint8_t> best;

    [[nodiscard]] Status find_output();
};

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
    SLUICE_TRY_ASSIGN(auto network, PictureNetwork::open(options.model, options.engine, {},
                                                         {.low = 0.0F, .high = 1.0F}));
    auto state = std::make_unique<State>(std::move(network));
    if (auto found = state->find_output(); !found) {
        return std::unexpected(std::move(found).error().within(options.model));
    }
    return Segmenter(std::move(state));
}

Result<Segmentation> Segmenter::segment(const zero_copy::FrameView& frame) {
    State& state = *state_;
    const auto region = zero_copy::stretch(frame.width(), frame.height());
    if (state.format != frame.format()) {
        SLUICE_TRY_ASSIGN(state.sampler,
                          zero_copy::FrameToTensor::create(frame.format(), region,
                                                           state.network.tensor_format()));
        state.format = frame.format();
    }
    SLUICE_TRY(state.network.run(*state.sampler, frame));

    Segmentation result;
    result.matte = {.values = state.network.executable().output_floats(0),
                    .width = state.width,
                    .height = state.height,
                    .region = region};
    if (state.classes > 1) {
        resolve_classes(result.matte.values, state.classes, state.matte, state.best);
        result.matte.values = state.matte;
        result.classes = state.best;
    }
    return result;
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

Segmenter::Segmenter(std::unique_ptr<State> state) : state_(std::move(state)) {}
Segmenter::Segmenter(Segmenter&&) noexcept = default;
Segmenter& Segmenter::operator=(Segmenter&&) noexcept = default;
Segmenter::~Segmenter() = default;

} // namespace sluice::tasks
