// SPDX-License-Identifier: Apache-2.0
// Pipelines by shader and constants, and their common layout.
#include "core/vulkan/pipeline.h"

#include <array>
#include <format>
#include <map>
#include <mutex>
#include <utility>
#include <vector>

#include "core/base/log.h"
#include "core/vulkan/device.h"
#include "core/vulkan/handle.h"
#include "core/vulkan/pipeline_cache_file.h"

namespace sluice::vulkan {

namespace {

using Key = std::pair<Shader, std::vector<std::uint32_t>>;

} // namespace

struct PipelineStore::State {
    State(VkDevice d, const VolkDeviceTable& t, const DeviceProfile& p)
        : device(d), table(&t), profile(&p) {}

    VkDevice device;
    const VolkDeviceTable* table;
    const DeviceProfile* profile; // of the device, which outlives this
    SetLayoutHandle buffers;
    SetLayoutHandle textures;
    PipelineLayoutHandle layout;
    PipelineCacheHandle cache;

    mutable std::mutex lock; // guards what follows
    std::map<Key, PipelineHandle> pipelines;
    mutable bool unsaved = false;

    [[nodiscard]] Result<SetLayoutHandle>
    make_set_layout(std::span<const VkDescriptorType> types) const;
    [[nodiscard]] Status make_layouts();
    [[nodiscard]] Status make_cache();
    [[nodiscard]] Result<PipelineHandle> compile(const PipelineKey& key) const;
};

Result<SetLayoutHandle>
PipelineStore::State::make_set_layout(std::span<const VkDescriptorType> types) const {
    std::vector<VkDescriptorSetLayoutBinding> bindings;
    for (const VkDescriptorType type : types) {
        bindings.push_back({
            .binding = static_cast<std::uint32_t>(bindings.size()),
            .descriptorType = type,
            .descriptorCount = 1,
            .stageFlags = VK_SHADER_STAGE_COMPUTE_BIT,
        });
    }
    const VkDescriptorSetLayoutCreateInfo info{
        .sType = VK_STRUCTURE_TYPE_DESCRIPTOR_SET_LAYOUT_CREATE_INFO,
        .bindingCount = static_cast<std::uint32_t>(bindings.size()),
        .pBindings = bindings.data(),
    };
    VkDescriptorSetLayout raw = VK_NULL_HANDLE;
    if (const VkResult result = table->vkCreateDescriptorSetLayout(device, &info, nullptr, &raw);
        result != VK_SUCCESS) {
        return std::unexpected(vulkan_error(result, "vkCreateDescriptorSetLayout"));
    }
    return SetLayoutHandle(device, *table, raw);
}

Status PipelineStore::State::make_layouts() {
    const std::vector<VkDescriptorType> storage(kMaxBindings, VK_DESCRIPTOR_TYPE_STORAGE_BUFFER);
    SLUICE_TRY_ASSIGN(buffers, make_set_layout(storage));
    std::vector<VkDescriptorType> of_images(kMaxTextures,
                                            VK_DESCRIPTOR_TYPE_COMBINED_IMAGE_SAMPLER);
    of_images.insert(of_images.end(), kMaxTextures, VK_DESCRIPTOR_TYPE_STORAGE_IMAGE);
    SLUICE_TRY_ASSIGN(textures, make_set_layout(of_images));

    const std::array sets{buffers.get(), textures.get()};
    const VkPushConstantRange push{
        .stageFlags = VK_SHADER_STAGE_COMPUTE_BIT,
        .offset = 0,
        .size = kPushBytes,
    };
    const VkPipelineLayoutCreateInfo info{
        .sType = VK_STRUCTURE_TYPE_PIPELINE_LAYOUT_CREATE_INFO,
        .setLayoutCount = sets.size(),
        .pSetLayouts = sets.data(),
        .pushConstantRangeCount = 1,
        .pPushConstantRanges = &push,
    };
    VkPipelineLayout raw = VK_NULL_HANDLE;
    if (const VkResult result = table->vkCreatePipelineLayout(device, &info, nullptr, &raw);
        result != VK_SUCCESS) {
        return std::unexpected(vulkan_error(result, "vkCreatePipelineLayout"));
    }
    layout = PipelineLayoutHandle(device, *table, raw);
    return {};
}

Status PipelineStore::State::make_cache() {
    std::vector<std::byte> data;
    if (const auto path = pipeline_cache_path(*profile); !path.empty()) {
        if (auto kept = read_pipeline_cache(path, *profile)) {
            data = std::move(*kept);
        } else if (kept.error().code != ErrorCode::NotFound) {
            log::info("vulkan", "starting an empty pipeline cache: {}", kept.error().message);
        }
    }
    const VkPipelineCacheCreateInfo info{
        .sType = VK_STRUCTURE_TYPE_PIPELINE_CACHE_CREATE_INFO,
        .initialDataSize = data.size(),
        .pInitialData = data.data(),
    };
    VkPipelineCache raw = VK_NULL_HANDLE;
    if (const VkResult result = table->vkCreatePipelineCache(device, &info, nullptr, &raw);
        result != VK_SUCCESS) {
        return std::unexpected(vulkan_error(result, "vkCreatePipelineCache"));
    }
    cache = PipelineCacheHandle(device, *table, raw);
    return {};
}

Result<PipelineHandle> PipelineStore::State::compile(const PipelineKey& key) const {
    const auto words = code(key.shader);
    const VkShaderModuleCreateInfo module_info{
        .sType = VK_STRUCTURE_TYPE_SHADER_MODULE_CREATE_INFO,
        .codeSize = words.size_bytes(),
        .pCode = words.data(),
    };
    VkShaderModule raw_module = VK_NULL_HANDLE;
    if (const VkResult result =
            table->vkCreateShaderModule(device, &module_info, nullptr, &raw_module);
        result != VK_SUCCESS) {
        return std::unexpected(
            vulkan_error(result, "vkCreateShaderModule").within(name(key.shader)));
    }
    const ShaderModuleHandle module(device, *table, raw_module);

    std::vector<VkSpecializationMapEntry> entries;
    entries.reserve(key.constants.size());
    for (std::uint32_t i = 0; i < key.constants.size(); ++i) {
        entries.push_back({.constantID = i, .offset = i * 4U, .size = 4});
    }
    const VkSpecializationInfo special{
        .mapEntryCount = static_cast<std::uint32_t>(entries.size()),
        .pMapEntries = entries.data(),
        .dataSize = key.constants.size_bytes(),
        .pData = key.constants.data(),
    };
    const VkComputePipelineCreateInfo info{
        .sType = VK_STRUCTURE_TYPE_COMPUTE_PIPELINE_CREATE_INFO,
        .stage = {.sType = VK_STRUCTURE_TYPE_PIPELINE_SHADER_STAGE_CREATE_INFO,
                  .stage = VK_SHADER_STAGE_COMPUTE_BIT,
                  .module = module.get(),
                  .pName = "main",
                  .pSpecializationInfo = &special},
        .layout = layout.get(),
    };
    VkPipeline raw = VK_NULL_HANDLE;
    if (const VkResult result =
            table->vkCreateComputePipelines(device, cache.get(), 1, &info, nullptr, &raw);
        result != VK_SUCCESS) {
        return std::unexpected(
            vulkan_error(result, "vkCreateComputePipelines").within(name(key.shader)));
    }
    return PipelineHandle(device, *table, raw);
}

PipelineStore::PipelineStore(std::unique_ptr<State> state) : state_(std::move(state)) {}
PipelineStore::~PipelineStore() = default;

Result<std::unique_ptr<PipelineStore>> PipelineStore::create(Device& device) {
    auto state = std::make_unique<State>(device.handle(), device.table(), device.profile());
    SLUICE_TRY(state->make_layouts());
    SLUICE_TRY(state->make_cache());
    return std::unique_ptr<PipelineStore>(new PipelineStore(std::move(state)));
}

Result<VkPipeline> PipelineStore::get(const PipelineKey& key) {
    Key owned{key.shader, {key.constants.begin(), key.constants.end()}};
    {
        const std::lock_guard hold(state_->lock);
        if (const auto found = state_->pipelines.find(owned); found != state_->pipelines.end()) {
            return found->second.get();
        }
    }
    // Outside the lock, so that several threads compile at once; if two compile the same, the
    // first stays.
    auto compiled = state_->compile(key);
    if (!compiled) {
        return std::unexpected(std::move(compiled).error());
    }
    const std::lock_guard hold(state_->lock);
    state_->unsaved = true;
    return state_->pipelines.try_emplace(std::move(owned), *std::move(compiled))
        .first->second.get();
}

VkPipelineLayout PipelineStore::layout() const {
    return state_->layout.get();
}

VkDescriptorSetLayout PipelineStore::buffer_set_layout() const {
    return state_->buffers.get();
}

VkDescriptorSetLayout PipelineStore::texture_set_layout() const {
    return state_->textures.get();
}

std::size_t PipelineStore::size() const {
    const std::lock_guard hold(state_->lock);
    return state_->pipelines.size();
}

void PipelineStore::save() const {
    {
        const std::lock_guard hold(state_->lock);
        if (!std::exchange(state_->unsaved, false)) {
            return;
        }
    }
    const auto path = pipeline_cache_path(*state_->profile);
    std::size_t bytes = 0;
    std::vector<std::byte> data;
    if (path.empty() || state_->table->vkGetPipelineCacheData(state_->device, state_->cache.get(),
                                                              &bytes, nullptr) != VK_SUCCESS) {
        return;
    }
    data.resize(bytes);
    if (state_->table->vkGetPipelineCacheData(state_->device, state_->cache.get(), &bytes,
                                              data.data()) != VK_SUCCESS) {
        return;
    }
    data.resize(bytes);
    if (const Status written = write_pipeline_cache(path, *state_->profile, data); !written) {
        log::info("vulkan", "the pipeline cache is not kept: {}", written.error().message);
    }
}

} // namespace sluice::vulkan
