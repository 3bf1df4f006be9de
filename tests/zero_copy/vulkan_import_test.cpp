// SPDX-License-Identifier: Apache-2.0
// VulkanImports: what is kept, what is dropped, and what a driver refuses.
#include <array>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <vector>

#include <gtest/gtest.h>

#include "core/vulkan/api.h"
#include "tests/support/must.h"
#include "tests/support/vulkan_device.h"
#include "tests/zero_copy/shared_frame.h"
#include "tests/zero_copy/test_frame.h"
#include "zero_copy/pixel_format.h"
#include "zero_copy/vulkan_import.h"

namespace sluice::testing {

using namespace zero_copy; // NOLINT(google-build-using-namespace)

namespace {

class ImportsOnDevice : public VulkanTest {};

const FrameFormat kFormat{PixelFormat::Nv12, 64, 48, {}};

} // namespace

TEST(PixelFormat, has_the_numbers_of_vulkan_s_formats) {
    const auto vk = [](PixelFormat format) { return info(format).vk_plane_formats; };
    EXPECT_EQ(vk(PixelFormat::Nv12)[0], VK_FORMAT_R8_UNORM);
    EXPECT_EQ(vk(PixelFormat::Nv12)[1], VK_FORMAT_R8G8_UNORM);
    EXPECT_EQ(vk(PixelFormat::P010)[0], VK_FORMAT_R16_UNORM);
    EXPECT_EQ(vk(PixelFormat::P010)[1], VK_FORMAT_R16G16_UNORM);
    EXPECT_EQ(vk(PixelFormat::Rgb)[0], VK_FORMAT_R8G8B8_UNORM);
    EXPECT_EQ(vk(PixelFormat::Bgr)[0], VK_FORMAT_B8G8R8_UNORM);
    EXPECT_EQ(vk(PixelFormat::Rgba)[0], VK_FORMAT_R8G8B8A8_UNORM);
    EXPECT_EQ(vk(PixelFormat::Bgra)[0], VK_FORMAT_B8G8R8A8_UNORM);
    EXPECT_EQ(info(PixelFormat::Nv12).vk_format, VK_FORMAT_G8_B8R8_2PLANE_420_UNORM);
    EXPECT_EQ(info(PixelFormat::I420).vk_format, VK_FORMAT_G8_B8_R8_3PLANE_420_UNORM);
    EXPECT_EQ(info(PixelFormat::Yuy2).vk_format, VK_FORMAT_G8B8G8R8_422_UNORM);
    EXPECT_EQ(info(PixelFormat::Uyvy).vk_format, VK_FORMAT_B8G8R8G8_422_UNORM);
    EXPECT_EQ(info(PixelFormat::P010).vk_format,
              VK_FORMAT_G10X6_B10X6R10X6_2PLANE_420_UNORM_3PACK16);
}

TEST_F(ImportsOnDevice, keeps_a_pool_s_buffers_and_drops_the_oldest) {
    const TestFrame frame(kFormat, 0);
    std::vector<std::unique_ptr<SharedFrame>> pool;
    for (int i = 0; i < 4; ++i) {
        pool.push_back(std::make_unique<SharedFrame>(frame));
    }
    VulkanImports imports(device_, 3);
    for (int round = 0; round < 3; ++round) {
        for (std::size_t i = 0; i < 3; ++i) {
            EXPECT_TRUE(imports.get(pool[i]->frame()));
        }
    }
    EXPECT_EQ(imports.imports(), 3U);
    EXPECT_EQ(imports.size(), 3U);
    // A second descriptor of the same memory is the same frame; a write needs its own import.
    EXPECT_TRUE(imports.get(pool[0]->frame()));
    EXPECT_EQ(imports.imports(), 3U);
    EXPECT_TRUE(imports.get(pool[3]->frame()));
    EXPECT_EQ(imports.size(), 3U);
    EXPECT_TRUE(imports.get(pool[1]->frame())); // dropped: the oldest
    EXPECT_EQ(imports.imports(), 5U);
    imports.forget(pool[1]->frame().memories()[0].identity);
    EXPECT_EQ(imports.size(), 2U);
}

TEST_F(ImportsOnDevice, planes_keep_their_offsets_and_strides) {
    const TestFrame frame(kFormat, 6);
    const SharedFrame shared(frame, SharedFrame::As::Memfd, 70);
    VulkanImports imports(device_);
    const ExternalFrame external = shared.frame();
    const auto imported = must(imports.get(external));
    for (std::size_t i = 0; i < 2; ++i) {
        const ImportedPlane plane = imported->plane(i);
        EXPECT_EQ(plane.range.offset + plane.base_bytes, external.planes()[i].offset_bytes);
        EXPECT_EQ(plane.range.offset % device_->profile().storage_offset_alignment, 0U);
        EXPECT_EQ(plane.range.bytes % 4, 0U);
        EXPECT_EQ(plane.stride_bytes, 70U);
    }
}

TEST_F(ImportsOnDevice, memory_without_a_name_is_imported_every_time) {
    TestFrame frame(kFormat, 0);
    VulkanImports imports(device_);
    const ExternalFrame external = must(ExternalFrame::of(frame.view()));
    EXPECT_EQ(must(imports.get(external))->method(), ImportMethod::HostPointer);
    EXPECT_TRUE(imports.get(external));
    EXPECT_EQ(imports.imports(), 2U);
    EXPECT_EQ(imports.size(), 0U);
    const std::array<std::uint64_t, 2> serials{1, 2};
    const ExternalFrame named = must(ExternalFrame::of(frame.view(), serials));
    EXPECT_TRUE(imports.get(named));
    EXPECT_TRUE(imports.get(named));
    EXPECT_EQ(imports.imports(), 3U);
}

TEST_F(ImportsOnDevice, a_closed_descriptor_falls_back_with_its_reason) {
    const TestFrame frame(kFormat, 0);
    SharedFrame shared(frame);
    const ExternalFrame external = shared.frame();
    shared.close();
    VulkanImports imports(device_);
    // The mapping is still there, so the pointer can be imported.
    EXPECT_EQ(must(imports.get(external))->method(), ImportMethod::HostPointer);
    FrameMemory memory = external.memories()[0];
    memory.kind = MemoryKind::DmaBuf;
    memory.mapping = {};
    const ExternalFrame gone = must(
        ExternalFrame::create(kFormat, kLinearModifier, external.planes(), std::span(&memory, 1)));
    auto imported = imports.get(gone);
    ASSERT_TRUE(imported);
    EXPECT_EQ((*imported)->method(), ImportMethod::Upload);
    CopyLedger ledger;
    const auto uploaded = (*imported)->upload(gone, ledger);
    ASSERT_FALSE(uploaded);
    EXPECT_EQ(ledger.total_bytes(), 0U);
}

TEST_F(ImportsOnDevice, uploads_of_one_format_share_their_buffers) {
    const TestFrame frame(kFormat, 0);
    const SharedFrame first(frame, SharedFrame::As::UnknownHost, 2);
    const SharedFrame second(frame, SharedFrame::As::UnknownHost, 2);
    VulkanImports imports(device_);
    const auto one = must(imports.get(first.frame()));
    EXPECT_EQ(one->method(), ImportMethod::Upload);
    EXPECT_EQ(must(imports.get(second.frame())), one);
    CopyLedger ledger;
    EXPECT_TRUE(one->upload(first.frame(), ledger));
    EXPECT_EQ(ledger.bytes(CopyReason::Upload), 64U * 72U);
    EXPECT_EQ(ledger.total_bytes(), 64U * 72U);
}

} // namespace sluice::testing
