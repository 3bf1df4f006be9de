// SPDX-License-Identifier: Apache-2.0
// Devices: choice, sharing, submission, retirement, and what the validation layer is for.
#include <array>
#include <set>
#include <string>
#include <utility>

#include <gtest/gtest.h>

#include "core/vulkan/shader.h"
#include "tests/core/vulkan/words.h"
#include "tests/support/vulkan_device.h"

namespace sluice::vulkan {
namespace {

using testing::must;

class DeviceOpened : public testing::VulkanTest {};

DeviceProfile profile(unsigned index, std::string name, DeviceType type,
                      std::string unusable = {}) {
    DeviceProfile made;
    made.index = index;
    made.name = std::move(name);
    made.type = type;
    made.unusable = std::move(unusable);
    return made;
}

TEST(SelectDevice, prefers_real_gpus) {
    const std::array devices{profile(0, "llvmpipe (LLVM)", DeviceType::Software),
                             profile(1, "Intel(R) UHD", DeviceType::Integrated),
                             profile(2, "Old GeForce", DeviceType::Discrete, "it is too old"),
                             profile(3, "virtio", DeviceType::Virtual)};
    EXPECT_EQ(must(select_device(devices, "")), 1U);
    EXPECT_EQ(must(select_device(std::span(devices).first(1), "")), 0U);
    EXPECT_EQ(must(select_device(devices, "3")), 3U);
    EXPECT_EQ(must(select_device(devices, "LLVMPipe")), 0U);
    EXPECT_EQ(must(select_device(devices, "uhd")), 1U);
}

TEST(SelectDevice, says_why_not) {
    const std::array devices{profile(0, "Old GeForce", DeviceType::Discrete, "it is too old")};
    const auto none = select_device(devices, "");
    ASSERT_FALSE(none);
    EXPECT_EQ(none.error().code, ErrorCode::Unsupported);
    EXPECT_EQ(none.error().message, "no Vulkan device can be used; 'Old GeForce': it is too old");
    const auto old = select_device(devices, "geforce");
    ASSERT_FALSE(old);
    EXPECT_EQ(old.error().message, "Vulkan device 0 'Old GeForce' cannot be used: it is too old");
    for (const char* selector : {"1", "radeon", "-1", "99999999999999999999"}) {
        const auto missing = select_device(devices, selector);
        ASSERT_FALSE(missing);
        EXPECT_EQ(missing.error().code, ErrorCode::NotFound);
        EXPECT_EQ(missing.error().message, std::string("there is no Vulkan device '") + selector +
                                               "'; there are: 0 'Old GeForce'");
    }
}

TEST_F(DeviceOpened, is_shared_by_all_who_open_it) {
    EXPECT_EQ(must(Device::open(testing::vulkan_selector())), device_);
    EXPECT_EQ(must(Device::open(std::to_string(device_->profile().index))), device_);
    EXPECT_FALSE(Device::open("no such device"));
}

TEST_F(DeviceOpened, is_opened_anew_when_nobody_held_it) {
    const std::weak_ptr<Device> old = device_;
    const Buffer kept = must(Buffer::create(device_, 64, Placement::Upload));
    device_.reset();
    EXPECT_TRUE(old.expired());
    device_ = must(Device::open(testing::vulkan_selector()));
    EXPECT_EQ(kept.mapped().size(), 64U); // its VkDevice lives as long as it does
    EXPECT_EQ(device_->last_submitted(), 0U);
}

TEST_F(DeviceOpened, has_a_profile_that_makes_sense) {
    const DeviceProfile& it = device_->profile();
    EXPECT_TRUE(it.unusable.empty());
    EXPECT_FALSE(it.driver.empty());
    EXPECT_GE(it.api_version, VK_API_VERSION_1_2);
    EXPECT_GE(it.max_workgroup_invocations, 128U);
    EXPECT_GE(it.shared_memory_bytes, 16384U);
    EXPECT_GE(it.max_push_constant_bytes, kPushBytes);
    EXPECT_GE(it.max_workgroups_x, 65535U);
    EXPECT_EQ(it.storage_offset_alignment & (it.storage_offset_alignment - 1), 0U);
    EXPECT_EQ(it.import_host_pointer, it.host_pointer_alignment > 0);
    EXPECT_GT(it.local_bytes, 0U);
    EXPECT_EQ(it.drm_modifiers, !it.modifiers.empty());
    if (it.type == DeviceType::Software) {
        EXPECT_TRUE(it.unified_memory);
    }
    const auto all = must(list_devices());
    ASSERT_LT(it.index, all.size());
    EXPECT_EQ(all[it.index].name, it.name);
}

// Counts itself while it lives.
class Counted final : public Retired {
public:
    explicit Counted(int& alive) : alive_(alive) { ++alive_; }
    ~Counted() override { --alive_; }
    Counted(const Counted&) = delete;
    Counted& operator=(const Counted&) = delete;

private:
    int& alive_;
};

TEST_F(DeviceOpened, lets_retired_objects_go_when_their_time_has_come) {
    int alive = 0;
    const std::uint64_t now = must(device_->submit({})).value;
    device_->retire(std::make_unique<Counted>(alive), now + 1);
    device_->retire(std::make_unique<Counted>(alive), now + 2);
    must(device_->wait(now));
    EXPECT_EQ(alive, 2);
    must(device_->wait(must(device_->submit({})).value));
    device_->retire(std::make_unique<Counted>(alive), 0);
    EXPECT_EQ(alive, 1); // now + 2 is still to come
    device_.reset();
    EXPECT_EQ(alive, 0);
}

TEST_F(DeviceOpened, reports_a_wait_that_takes_too_long) {
    const Status status = device_->wait(device_->last_submitted() + 1, 1'000'000);
    ASSERT_FALSE(status);
    EXPECT_EQ(status.error().code, ErrorCode::Io);
    EXPECT_NE(status.error().message.find("did not finish within 1 ms"), std::string::npos);
}

TEST_F(DeviceOpened, refuses_sync_files_where_it_has_none) {
    if (device_->profile().sync_fd) {
        auto submitted = must(device_->submit({.export_sync_file = true}));
        std::ignore = must(device_->submit({.wait_sync_file = std::move(submitted.sync_file)}));
        return;
    }
    const auto submitted = device_->submit({.export_sync_file = true});
    ASSERT_FALSE(submitted);
    EXPECT_EQ(submitted.error().code, ErrorCode::Unsupported);
}

// Makes a call of the device's table do something else while it lives.
template <typename Call>
class Replaced {
public:
    Replaced(const Device& device, Call VolkDeviceTable::* member, Call with)
        // The table is no constant; the device only shows it as one.
        : slot_(const_cast<VolkDeviceTable&>(device.table()).*member), original_(slot_) {
        slot_ = with;
    }
    ~Replaced() { slot_ = original_; }
    Replaced(const Replaced&) = delete;
    Replaced& operator=(const Replaced&) = delete;

private:
    Call& slot_;
    Call original_;
};

TEST_F(DeviceOpened, is_lost_for_good_once_it_is_lost) {
    const std::uint64_t before = must(device_->submit({})).value;
    must(device_->wait(before));
    log::set_sink(nullptr); // the loss is logged, which is no news here
    {
        const Replaced replaced(
            *device_, &VolkDeviceTable::vkQueueSubmit,
            +[](VkQueue, std::uint32_t, const VkSubmitInfo*, VkFence) {
                return VK_ERROR_DEVICE_LOST;
            });
        const auto failed = device_->submit({});
        ASSERT_FALSE(failed);
        EXPECT_EQ(failed.error().code, ErrorCode::DeviceLost);
    }
    EXPECT_TRUE(device_->lost());
    EXPECT_EQ(device_->submit({}).error().code, ErrorCode::DeviceLost);
    EXPECT_EQ(device_->wait(before).error().code, ErrorCode::DeviceLost);
    // What is retired on it goes at once: nothing runs there any more.
    int alive = 0;
    device_->retire(std::make_unique<Counted>(alive), before + 100);
    EXPECT_EQ(alive, 0);
    // Whoever opens it now gets a working one, although the old one is still held.
    const auto anew = must(Device::open(testing::vulkan_selector()));
    EXPECT_NE(anew, device_);
    must(anew->wait(must(anew->submit({})).value));
}

// What somebody else would share: here, the device that the suite has opened.
class DeviceAdopted : public testing::VulkanTest {
protected:
    SharedDevice shared() {
        SharedDevice out{.physical = device_->physical(),
                         .device = device_->handle(),
                         .queue_family = device_->queue_family(),
                         .core_features = true,
                         .has_extension = [](const char*) { return false; },
                         .lock_queue = [this] { ++locked_; },
                         .unlock_queue = [this] { ++unlocked_; },
                         .owner = device_};
        device_->table().vkGetDeviceQueue(out.device, out.queue_family, 0, &out.queue);
        return out;
    }
    int locked_ = 0;
    int unlocked_ = 0;
};

TEST_F(DeviceAdopted, runs_under_the_queue_s_lock_and_leaves_the_device_to_its_owner) {
    auto adopted = must(Device::adopt(shared()));
    EXPECT_NE(adopted, device_);
    EXPECT_EQ(adopted->handle(), device_->handle());
    EXPECT_EQ(must(Device::adopt(shared())), adopted);
    const std::string selector = adopted->selector();
    EXPECT_EQ(must(Device::open(selector)), adopted);
    const auto submitted = must(adopted->submit({}));
    EXPECT_TRUE(adopted->wait(submitted.value));
    EXPECT_EQ(locked_, 1);
    EXPECT_EQ(unlocked_, 1);
    adopted.reset();
    EXPECT_EQ(Device::open(selector).error().code, ErrorCode::NotFound);
    // The owner's is as it was.
    EXPECT_TRUE(device_->wait(must(device_->submit({})).value));
    EXPECT_EQ(locked_, 1);
}

TEST_F(DeviceAdopted, has_only_what_its_owner_has_enabled) {
    const auto adopted = must(Device::adopt(shared()));
    const DeviceProfile& has = adopted->profile();
    EXPECT_FALSE(has.import_fd || has.import_dma_buf || has.import_host_pointer);
    EXPECT_FALSE(has.drm_modifiers || has.sync_fd || has.cooperative_matrix);
    EXPECT_EQ(has.float16, device_->profile().float16);
}

TEST_F(DeviceAdopted, is_refused_without_timeline_semaphores) {
    SharedDevice plain = shared();
    plain.core_features = false;
    const auto adopted = Device::adopt(std::move(plain));
    ASSERT_FALSE(adopted);
    EXPECT_EQ(adopted.error().code, ErrorCode::Unsupported);
    EXPECT_NE(adopted.error().message.find("it has no timeline semaphores"), std::string::npos)
        << adopted.error().message;
}

TEST_F(DeviceOpened, reports_exhausted_memory) {
    const Replaced replaced(
        *device_, &VolkDeviceTable::vkAllocateMemory,
        +[](VkDevice, const VkMemoryAllocateInfo*, const VkAllocationCallbacks*, VkDeviceMemory*) {
            return VK_ERROR_OUT_OF_DEVICE_MEMORY;
        });
    const auto buffer = Buffer::create(device_, 4096, Placement::Device);
    ASSERT_FALSE(buffer);
    EXPECT_EQ(buffer.error().code, ErrorCode::OutOfMemory);
    EXPECT_EQ(buffer.error().message, "allocating 4096 bytes on '" + device_->profile().name +
                                          "': vkAllocateMemory: the device's memory is exhausted");
}

// Not through the fixture, which expects silence.
TEST(ValidationLayer, is_heard) {
    const auto device = Device::open(testing::vulkan_selector());
    if (!device || !Device::validated()) {
        GTEST_SKIP() << "no device, or no VK_LAYER_KHRONOS_validation";
    }
    const std::uint64_t before = Device::validation_messages();
    // Recorded behind the Recording's back: the second copy needs a barrier.
    const Buffer a = must(Buffer::create(*device, 64, Placement::Device));
    const Buffer b = must(Buffer::create(*device, 64, Placement::Device));
    const Buffer c = must(Buffer::create(*device, 64, Placement::Device));
    const VkCommandPoolCreateInfo pool_info{
        .sType = VK_STRUCTURE_TYPE_COMMAND_POOL_CREATE_INFO,
        .queueFamilyIndex = (*device)->queue_family(),
    };
    const VolkDeviceTable& table = (*device)->table();
    VkCommandPool raw = VK_NULL_HANDLE;
    ASSERT_EQ(table.vkCreateCommandPool((*device)->handle(), &pool_info, nullptr, &raw),
              VK_SUCCESS);
    const auto pool = (*device)->own<CommandPoolHandle>(raw);
    const VkCommandBufferAllocateInfo info{
        .sType = VK_STRUCTURE_TYPE_COMMAND_BUFFER_ALLOCATE_INFO,
        .commandPool = raw,
        .level = VK_COMMAND_BUFFER_LEVEL_PRIMARY,
        .commandBufferCount = 1,
    };
    VkCommandBuffer commands = VK_NULL_HANDLE;
    ASSERT_EQ(table.vkAllocateCommandBuffers((*device)->handle(), &info, &commands), VK_SUCCESS);
    const VkCommandBufferBeginInfo begin{.sType = VK_STRUCTURE_TYPE_COMMAND_BUFFER_BEGIN_INFO};
    table.vkBeginCommandBuffer(commands, &begin);
    const VkBufferCopy region{.size = 64};
    table.vkCmdCopyBuffer(commands, a.get(), b.get(), 1, &region);
    table.vkCmdCopyBuffer(commands, b.get(), c.get(), 1, &region);
    table.vkEndCommandBuffer(commands);
    EXPECT_GT(Device::validation_messages(), before);
}

TEST(Shaders, have_code_and_names) {
    std::set<std::string_view> names;
    for (std::size_t i = 0; i < shader_count(); ++i) {
        const auto shader = static_cast<Shader>(i);
        ASSERT_GT(code(shader).size(), 5U) << name(shader);
        EXPECT_EQ(code(shader)[0], 0x07230203U);
        EXPECT_TRUE(names.insert(name(shader)).second) << name(shader);
    }
    EXPECT_EQ(name(Shader::LinearWords), "LinearWords");
}

} // namespace
} // namespace sluice::vulkan
