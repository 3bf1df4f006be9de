// SPDX-License-Identifier: Apache-2.0
// Opening of picture networks, and the step from frame to result.
#include "models/tasks/picture_network.h"

#include <utility>

#include "zero_copy/sync.h"

namespace sluice::tasks {

namespace {

// Where codes 0 and 255 go.
std::pair<float, float> input_range(const models::Manifest* manifest, const models::ModelInfo& info,
                                    const PictureNetwork::Needs& needs) {
    if (manifest != nullptr && manifest->has_range) {
        return {manifest->low, manifest->high};
    }
    if (info.normalization) {
        const auto [mean, std] = *info.normalization;
        return {(0.0F - mean) / std, (255.0F - mean) / std};
    }
    return {needs.low, needs.high};
}

// The graph without its other outputs; dead code elimination then drops what only they need.
Result<graph::Graph> keep_output(graph::Graph graph, std::string_view name) {
    graph::GraphParts parts = std::move(graph).take();
    std::string names;
    for (const auto& output : parts.outputs) {
        names += (names.empty() ? "" : ", ") + output.name;
    }
    std::erase_if(parts.outputs, [&](const auto& output) { return output.name != name; });
    if (parts.outputs.empty()) {
        return fail(ErrorCode::NotFound, "the network has no output '{}'; it has: {}", name, names);
    }
    return graph::Graph::create(std::move(parts));
}

} // namespace

Result<PictureNetwork> PictureNetwork::open(std::string_view model, const EngineOptions& engine,
                                            const models::LoadOptions& load, const Needs& needs) {
    SLUICE_TRY_ASSIGN(auto stored, models::open_model(model, load));
    PictureNetwork network;
    network.manifest_ = stored.source.manifest;
    network.info_ = std::move(stored.model.info);
    if (!needs.output.empty()) {
        SLUICE_TRY_ASSIGN(stored.model.graph,
                          keep_output(std::move(stored.model.graph), needs.output));
    }
    SLUICE_TRY_ASSIGN(network.executable_, compile(std::move(stored.model.graph), engine));
    network.threads_ = runtime::ThreadPool::shared(network.executable_->threads());

    const auto inputs = network.executable_->inputs();
    const bool fits = inputs.size() == 1 && inputs[0].desc.type() == graph::DataType::Float32 &&
                      inputs[0].desc.rank() == 4 && inputs[0].desc.shape()[0] == 1 &&
                      inputs[0].desc.shape()[3] == 3;
    if (!fits) {
        std::string list;
        for (const auto& input : inputs) {
            list += (list.empty() ? "" : ", ") + input.name + " " + to_string(input.desc);
        }
        return fail(ErrorCode::Unsupported,
                    "{}: a picture network takes one float32[1,height,width,3]; this one takes {}",
                    model, list);
    }
    const auto [low, high] = input_range(network.manifest_, network.info_, needs);
    network.tensor_ = {.width = inputs[0].desc.shape()[2],
                       .height = inputs[0].desc.shape()[1],
                       .low = low,
                       .high = high,
                       .sampling = zero_copy::Sampling::Bilinear};
    network.device_ = zero_copy::DeviceNetwork::of(network.executable_->program(),
                                                   network.executable_->outputs().size());
    return network;
}

Result<PictureSampler> PictureNetwork::sampler(const zero_copy::FrameFormat& frame,
                                               const zero_copy::SourceRegion& region) const {
    SLUICE_TRY_ASSIGN(auto host, zero_copy::FrameToTensor::create(frame, region, tensor_));
    PictureSampler out{.host = std::move(host), .device = std::nullopt};
    if (device_) {
        SLUICE_TRY_ASSIGN(out.device, zero_copy::DeviceSampler::create(device_->device(), frame,
                                                                       region, tensor_));
    }
    return out;
}

Status PictureNetwork::run(const PictureSampler& sampler, const zero_copy::FrameView& frame) {
    ran_on_device_ = false;
    sampler.host.run(frame, executable_->input_floats(0), *threads_);
    return executable_->run();
}

Status PictureNetwork::run(const PictureSampler& sampler, const zero_copy::ExternalFrame& frame,
                           std::uint64_t variant, CopyLedger& ledger) {
    if (device_ && sampler.device) {
        ran_on_device_ = true;
        return device_->run(*sampler.device, frame, variant, ledger);
    }
    SLUICE_TRY_ASSIGN(auto access,
                      zero_copy::FrameAccess::begin(frame, zero_copy::CpuAccess::Read));
    SLUICE_TRY_ASSIGN(const auto view, frame.view());
    SLUICE_TRY(run(sampler, view));
    return access.end();
}

void PictureNetwork::forget(const zero_copy::MemoryIdentity& memory) {
    if (device_) {
        device_->runner().forget(memory);
    }
}

std::span<const float> PictureNetwork::output_floats(std::size_t i) const {
    return ran_on_device_ ? device_->output_floats(i)
                          : std::as_const(*executable_).output_floats(i);
}

} // namespace sluice::tasks
