// SPDX-License-Identifier: Apache-2.0
// Import plans for the devices that people have: a matrix of modifiers and plane counts, and every
// reason why a method is not taken. Modifiers are those of drm_fourcc.h.
#include <array>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include <gtest/gtest.h>

#include "core/base/result.h"
#include "core/vulkan/profile.h"
#include "zero_copy/external_frame.h"
#include "zero_copy/frame.h"
#include "zero_copy/import_plan.h"
#include "zero_copy/pixel_format.h"

namespace sluice::testing {

using namespace zero_copy; // NOLINT(google-build-using-namespace)
using vulkan::DeviceProfile;
using vulkan::DeviceType;

namespace {

// VkFormats by number, so that the test does not depend on what it checks.
constexpr std::uint32_t kR8 = 9;
constexpr std::uint32_t kRg8 = 16;
constexpr std::uint32_t kRgba8 = 37;
constexpr std::uint32_t kBgra8 = 44;
constexpr std::uint32_t kTwoPlane420 = 1000156003;

constexpr std::uint64_t modifier(std::uint64_t vendor, std::uint64_t value) {
    return (vendor << 56U) | value;
}
// I915_FORMAT_MOD_X_TILED, _Y_TILED, _Y_TILED_CCS, _Y_TILED_GEN12_MC_CCS, _4_TILED.
constexpr std::uint64_t kIntelX = modifier(1, 1);
constexpr std::uint64_t kIntelY = modifier(1, 2);
constexpr std::uint64_t kIntelYCcs = modifier(1, 4);
constexpr std::uint64_t kIntelYMediaCcs = modifier(1, 7);
constexpr std::uint64_t kIntel4 = modifier(1, 9);
// AMD_FMT_MOD of GFX10_RBPLUS: 64K_S, 64K_R_X; the latter with DCC, and with DCC and retiling.
constexpr std::uint64_t kAmd64kS = modifier(2, 3U | (9U << 8U));
constexpr std::uint64_t kAmd64kRx = modifier(2, 3U | (27U << 8U));
constexpr std::uint64_t kAmdDcc = modifier(2, 3U | (27U << 8U) | (1U << 13U));
constexpr std::uint64_t kAmdDccRetile = modifier(2, 3U | (27U << 8U) | (1U << 13U) | (1U << 14U));
// DRM_FORMAT_MOD_NVIDIA_BLOCK_LINEAR_2D(c 0, s 1, g 2, k 6, h 4).
constexpr std::uint64_t kNvidiaBlock =
    modifier(3, 0x10U | 4U | (6ULL << 12U) | (2ULL << 20U) | (1ULL << 22U));
// DRM_FORMAT_MOD_ARM_AFBC(16x16 | SPARSE).
constexpr std::uint64_t kArmAfbc = modifier(8, 1U | (1U << 6U));
// DRM_FORMAT_MOD_QCOM_COMPRESSED (UBWC).
constexpr std::uint64_t kQualcommUbwc = modifier(5, 1);
// DRM_FORMAT_MOD_BROADCOM_SAND128_COL_HEIGHT(1632).
constexpr std::uint64_t kSand128 = modifier(7, 4U | (1632U << 8U));

DeviceProfile gpu(std::string name, std::vector<vulkan::ModifierSupport> modifiers) {
    DeviceProfile out;
    out.name = std::move(name);
    out.type = DeviceType::Integrated;
    out.storage_offset_alignment = 16;
    out.import_host_pointer = true;
    out.host_pointer_alignment = 4096;
    out.import_fd = true;
    out.import_dma_buf = true;
    out.drm_modifiers = true;
    out.foreign_queue = true;
    out.modifiers = std::move(modifiers);
    return out;
}

void add(std::vector<vulkan::ModifierSupport>& list, std::uint64_t value,
         std::uint32_t memory_planes, std::initializer_list<std::uint32_t> formats, bool storage) {
    for (const std::uint32_t format : formats) {
        list.push_back({format, value, memory_planes, true, storage});
    }
}

DeviceProfile intel() {
    std::vector<vulkan::ModifierSupport> list;
    for (const std::uint64_t value : {kLinearModifier, kIntelX, kIntelY, kIntel4}) {
        add(list, value, 1, {kR8, kRg8, kRgba8, kBgra8}, true);
    }
    add(list, kIntelYCcs, 2, {kRgba8, kBgra8}, false);
    add(list, kIntelYMediaCcs, 4, {kTwoPlane420}, false);
    return gpu("Intel", list);
}
DeviceProfile amd() {
    std::vector<vulkan::ModifierSupport> list;
    for (const std::uint64_t value : {kLinearModifier, kAmd64kS, kAmd64kRx}) {
        add(list, value, 1, {kR8, kRg8, kRgba8, kBgra8}, true);
    }
    add(list, kAmdDcc, 2, {kRgba8, kBgra8}, false);
    add(list, kAmdDccRetile, 3, {kRgba8, kBgra8}, false);
    return gpu("AMD", list);
}
DeviceProfile nvidia() {
    std::vector<vulkan::ModifierSupport> list;
    add(list, kLinearModifier, 1, {kR8, kRg8, kRgba8, kBgra8}, false);
    add(list, kNvidiaBlock, 1, {kR8, kRg8, kRgba8, kBgra8}, true);
    add(list, kNvidiaBlock, 2, {kTwoPlane420}, false);
    return gpu("NVIDIA", list);
}
DeviceProfile mali() {
    std::vector<vulkan::ModifierSupport> list;
    add(list, kLinearModifier, 1, {kR8, kRg8, kRgba8, kBgra8}, true);
    add(list, kArmAfbc, 1, {kRgba8, kBgra8, kTwoPlane420}, false);
    return gpu("Mali", list);
}
DeviceProfile adreno() {
    std::vector<vulkan::ModifierSupport> list;
    add(list, kLinearModifier, 1, {kR8, kRg8, kRgba8, kBgra8}, true);
    add(list, kQualcommUbwc, 1, {kRgba8, kBgra8}, false);
    add(list, kQualcommUbwc, 2, {kTwoPlane420}, false);
    return gpu("Adreno", list);
}
DeviceProfile raspberry_pi() {
    std::vector<vulkan::ModifierSupport> list;
    add(list, kLinearModifier, 1, {kR8, kRg8, kRgba8, kBgra8}, false);
    DeviceProfile out = gpu("V3D 7.1", list);
    out.import_host_pointer = false;
    return out;
}

FrameMemory dma_buf(std::uint64_t inode, std::size_t bytes = std::size_t{1} << 20U) {
    FrameMemory memory;
    memory.kind = MemoryKind::DmaBuf;
    memory.fd = 100;
    memory.size_bytes = bytes;
    memory.identity = {.device = 12, .inode = inode};
    return memory;
}

ExternalFrame frame_of(PixelFormat format, std::uint64_t value, std::size_t memory_planes,
                       std::size_t dma_bufs = 1) {
    std::vector<FrameMemory> memories;
    for (std::size_t i = 0; i < dma_bufs; ++i) {
        memories.push_back(dma_buf(i + 1));
    }
    std::vector<MemoryPlane> planes;
    for (std::size_t i = 0; i < memory_planes && !memories.empty(); ++i) {
        planes.push_back(
            {static_cast<std::uint8_t>(i % memories.size()), i * (std::size_t{1} << 17U), 512});
    }
    return ExternalFrame::create({format, 128, 96, {}}, value, planes, memories).value();
}

// Whether the images hold the format's planes one by one, or all in one.
enum class Shape { None, PerPlane, Whole };

struct Case {
    const char* what;
    DeviceProfile (*device)();
    PixelFormat format;
    std::uint64_t modifier;
    std::size_t memory_planes;
    std::size_t dma_bufs;
    std::optional<ImportMethod> method; // nothing: no method at all
    Shape shape = Shape::None;
    const char* reason = ""; // part of why not
};

const Case kMatrix[] = {
    // Intel
    {"NV12 linear", intel, PixelFormat::Nv12, 0, 2, 1, ImportMethod::ModifierImage,
     Shape::PerPlane},
    {"NV12 X", intel, PixelFormat::Nv12, kIntelX, 2, 1, ImportMethod::ModifierImage,
     Shape::PerPlane},
    {"NV12 Y in two dmabufs", intel, PixelFormat::Nv12, kIntelY, 2, 2, ImportMethod::ModifierImage,
     Shape::PerPlane},
    {"NV12 4", intel, PixelFormat::Nv12, kIntel4, 2, 1, ImportMethod::ModifierImage,
     Shape::PerPlane},
    {"BGRA Y CCS", intel, PixelFormat::Bgra, kIntelYCcs, 2, 1, ImportMethod::ModifierImage,
     Shape::PerPlane},
    {"BGRA Y CCS without its second plane",
     intel,
     PixelFormat::Bgra,
     kIntelYCcs,
     1,
     1,
     {},
     Shape::None,
     "wants 2 memory planes of Intel modifier 0x100000000000004, the frame has 1"},
    {"BGRA Y CCS whose second plane lies elsewhere",
     intel,
     PixelFormat::Bgra,
     kIntelYCcs,
     2,
     2,
     {},
     Shape::None,
     "lie in several dmabufs"},
    {"NV12 media-compressed", intel, PixelFormat::Nv12, kIntelYMediaCcs, 4, 1,
     ImportMethod::ModifierImage, Shape::Whole},
    {"NV12 Y CCS",
     intel,
     PixelFormat::Nv12,
     kIntelYCcs,
     4,
     1,
     {},
     Shape::None,
     "the device has no Intel modifier 0x100000000000004 for VkFormat 1000156003"},
    {"I420 linear", intel, PixelFormat::I420, 0, 3, 3, ImportMethod::ModifierImage,
     Shape::PerPlane},
    {"P010 linear, which has no image", intel, PixelFormat::P010, 0, 2, 1,
     ImportMethod::LinearBuffer},
    {"P010 Y", intel, PixelFormat::P010, kIntelY, 2, 1, {}, Shape::None, "VkFormat 70"},
    {"YUY2 linear", intel, PixelFormat::Yuy2, 0, 1, 1, ImportMethod::ModifierImage,
     Shape::PerPlane},
    {"YUY2 X",
     intel,
     PixelFormat::Yuy2,
     kIntelX,
     1,
     1,
     {},
     Shape::None,
     "YUY2 has no image of its own in a tiled layout"},
    {"RGB linear", intel, PixelFormat::Rgb, 0, 1, 1, ImportMethod::LinearBuffer},
    {"NV12 implicit",
     intel,
     PixelFormat::Nv12,
     kImplicitModifier,
     2,
     1,
     {},
     Shape::None,
     "its modifier is implicit"},
    {"NV12 of AMD's",
     intel,
     PixelFormat::Nv12,
     kAmd64kS,
     2,
     1,
     {},
     Shape::None,
     "it has: linear modifier, Intel modifier 0x100000000000001"},
    // AMD
    {"NV12 64K_S", amd, PixelFormat::Nv12, kAmd64kS, 2, 1, ImportMethod::ModifierImage,
     Shape::PerPlane},
    {"RGBA 64K_R_X", amd, PixelFormat::Rgba, kAmd64kRx, 1, 1, ImportMethod::ModifierImage,
     Shape::PerPlane},
    {"BGRx DCC", amd, PixelFormat::Bgrx, kAmdDcc, 2, 1, ImportMethod::ModifierImage,
     Shape::PerPlane},
    {"BGRx DCC with display planes", amd, PixelFormat::Bgrx, kAmdDccRetile, 3, 1,
     ImportMethod::ModifierImage, Shape::PerPlane},
    {"BGRx DCC with a plane too few",
     amd,
     PixelFormat::Bgrx,
     kAmdDccRetile,
     2,
     1,
     {},
     Shape::None,
     "wants 3 memory planes"},
    // NVIDIA
    {"NV12 block-linear", nvidia, PixelFormat::Nv12, kNvidiaBlock, 2, 1,
     ImportMethod::ModifierImage, Shape::PerPlane},
    {"NV12 linear", nvidia, PixelFormat::Nv12, 0, 2, 1, ImportMethod::ModifierImage,
     Shape::PerPlane},
    {"NV12 another kind of block",
     nvidia,
     PixelFormat::Nv12,
     kNvidiaBlock + 1,
     2,
     1,
     {},
     Shape::None,
     "the device has no NVIDIA modifier"},
    // Mali
    {"RGBA AFBC", mali, PixelFormat::Rgba, kArmAfbc, 1, 1, ImportMethod::ModifierImage,
     Shape::PerPlane},
    {"NV12 AFBC, all in one memory plane", mali, PixelFormat::Nv12, kArmAfbc, 1, 1,
     ImportMethod::ModifierImage, Shape::Whole},
    {"NV12 AFBC in two planes",
     mali,
     PixelFormat::Nv12,
     kArmAfbc,
     2,
     1,
     {},
     Shape::None,
     "Arm modifier"},
    // Adreno
    {"NV12 UBWC", adreno, PixelFormat::Nv12, kQualcommUbwc, 2, 1, ImportMethod::ModifierImage,
     Shape::Whole},
    {"NV12 UBWC in two dmabufs",
     adreno,
     PixelFormat::Nv12,
     kQualcommUbwc,
     2,
     2,
     {},
     Shape::None,
     "lie in several dmabufs"},
    {"BGRA UBWC", adreno, PixelFormat::Bgra, kQualcommUbwc, 1, 1, ImportMethod::ModifierImage,
     Shape::PerPlane},
    // Raspberry Pi
    {"NV12 SAND128",
     raspberry_pi,
     PixelFormat::Nv12,
     kSand128,
     2,
     1,
     {},
     Shape::None,
     "Broadcom modifier"},
    {"NV12 linear", raspberry_pi, PixelFormat::Nv12, 0, 2, 1, ImportMethod::ModifierImage,
     Shape::PerPlane},
    {"P010 linear", raspberry_pi, PixelFormat::P010, 0, 2, 1, ImportMethod::LinearBuffer},
};

} // namespace

TEST(ImportPlan, modifiers_of_every_vendor_are_imported_or_refused_with_the_reason) {
    for (const Case& row : kMatrix) {
        const DeviceProfile profile = row.device();
        SCOPED_TRACE(profile.name + ", " + row.what);
        const ExternalFrame frame =
            frame_of(row.format, row.modifier, row.memory_planes, row.dma_bufs);
        const auto plan = import_plan(frame, {.profile = &profile, .vk_device = 1});
        if (!row.method) {
            ASSERT_FALSE(plan) << name(plan->method);
            EXPECT_EQ(plan.error().code, ErrorCode::Unsupported);
            EXPECT_NE(plan.error().message.find(row.reason), std::string::npos)
                << plan.error().message;
            continue;
        }
        ASSERT_TRUE(plan) << plan.error().message;
        EXPECT_EQ(plan->method, *row.method);
        if (row.shape == Shape::None) {
            continue;
        }
        const std::size_t planes = info(row.format).planes;
        ASSERT_EQ(plan->image_count, row.shape == Shape::Whole ? 1U : planes);
        EXPECT_EQ(plan->images[0].whole_frame, row.shape == Shape::Whole);
        std::size_t covered = 0;
        for (std::size_t i = 0; i < plan->image_count; ++i) {
            EXPECT_EQ(plan->images[i].first_plane, covered);
            covered += plan->images[i].plane_count;
        }
        EXPECT_EQ(covered, row.memory_planes);
    }
}

TEST(ImportPlan, plane_images_have_the_extents_of_their_texels) {
    const DeviceProfile profile = intel();
    const ImportDevice device{.profile = &profile, .vk_device = 1};
    const auto images = [&](PixelFormat format, std::size_t planes) {
        const auto frame = ExternalFrame::create(
            {format, 35, 17, {}}, 0, std::vector<MemoryPlane>(planes, MemoryPlane{0, 0, 256}),
            std::array{dma_buf(1)});
        return import_plan(frame.value(), device)->images;
    };
    const auto nv12 = images(PixelFormat::Nv12, 2);
    EXPECT_EQ(nv12[0].vk_format, kR8);
    EXPECT_EQ(nv12[0].width, 35U);
    EXPECT_EQ(nv12[0].height, 17U);
    EXPECT_EQ(nv12[1].vk_format, kRg8);
    EXPECT_EQ(nv12[1].width, 18U);
    EXPECT_EQ(nv12[1].height, 9U);
    const auto yuy2 = images(PixelFormat::Yuy2, 1);
    EXPECT_EQ(yuy2[0].vk_format, kRgba8);
    EXPECT_EQ(yuy2[0].width, 18U);
    EXPECT_EQ(yuy2[0].height, 17U);
    EXPECT_EQ(images(PixelFormat::Bgra, 1)[0].vk_format, kBgra8);
}

TEST(ImportPlan, writing_asks_for_storage_images_and_writable_memory) {
    const DeviceProfile profile = intel();
    const ImportDevice device{.profile = &profile, .vk_device = 1};
    EXPECT_EQ(import_plan(frame_of(PixelFormat::Nv12, kIntelY, 2), device, {.write = true})->method,
              ImportMethod::ModifierImage);
    const auto compressed =
        import_plan(frame_of(PixelFormat::Bgra, kIntelYCcs, 2), device, {.write = true});
    ASSERT_FALSE(compressed);
    EXPECT_NE(compressed.error().message.find("cannot write images"), std::string::npos);

    FrameMemory read_only = dma_buf(1);
    read_only.writable = false;
    const std::array<MemoryPlane, 1> plane{{{0, 0, 384}}};
    const auto rgb =
        ExternalFrame::create({PixelFormat::Rgb, 128, 96, {}}, 0, plane, std::span(&read_only, 1));
    EXPECT_EQ(import_plan(*rgb, device)->method, ImportMethod::LinearBuffer);
    const auto refused = import_plan(*rgb, device, {.write = true});
    ASSERT_FALSE(refused);
    EXPECT_NE(refused.error().message.find("its memory is read-only"), std::string::npos);
}

TEST(ImportPlan, each_missing_extension_leads_to_the_next_method_and_is_named) {
    DeviceProfile profile = intel();
    const ImportDevice device{.profile = &profile, .vk_device = 1};
    const ExternalFrame frame = frame_of(PixelFormat::Nv12, 0, 2);
    profile.drm_modifiers = false;
    auto plan = import_plan(frame, device);
    ASSERT_TRUE(plan);
    EXPECT_EQ(plan->method, ImportMethod::LinearBuffer);
    ASSERT_EQ(plan->refusals.size(), 2U);
    EXPECT_EQ(describe(plan->refusals),
              "shared image: it is dmabuf; dmabuf image: the device lacks "
              "VK_EXT_image_drm_format_modifier");
    profile.import_dma_buf = false;
    plan = import_plan(frame, device);
    ASSERT_TRUE(plan);
    EXPECT_EQ(plan->method, ImportMethod::Upload);
    EXPECT_EQ(plan->upload_bytes, 128U * 96U * 3U / 2U);
    ASSERT_EQ(plan->refusals.size(), 4U);
    EXPECT_EQ(plan->refusals[2].reason, "the device lacks VK_EXT_external_memory_dma_buf");
    EXPECT_EQ(plan->refusals[3].reason,
              "it is a dmabuf, whose mapping has no pages that could be pinned");
    // Tiled: nothing is left.
    EXPECT_FALSE(import_plan(frame_of(PixelFormat::Nv12, kIntelY, 2), device));
}

TEST(ImportPlan, a_refusal_by_the_driver_leads_to_the_methods_after_it) {
    const DeviceProfile profile = intel();
    const ImportDevice device{.profile = &profile, .vk_device = 1};
    const ExternalFrame frame = frame_of(PixelFormat::Nv12, 0, 2);
    EXPECT_EQ(import_plan(frame, device, {.first = ImportMethod::LinearBuffer})->method,
              ImportMethod::LinearBuffer);
    EXPECT_EQ(import_plan(frame, device, {.first = ImportMethod::HostPointer})->method,
              ImportMethod::Upload);
}

TEST(ImportPlan, host_pointers_are_rounded_outwards_where_their_mapping_allows) {
    const DeviceProfile profile = intel();
    const ImportDevice device{.profile = &profile, .vk_device = 1};
    // Addresses only; nothing is read.
    auto* const page = reinterpret_cast<std::byte*>(std::uintptr_t{0x10000});
    const auto plan_for = [&](std::size_t start, std::size_t bytes, std::span<std::byte> around) {
        FrameMemory memory = host_memory({page + start, bytes}, 1);
        memory.surrounding = around;
        const std::array<MemoryPlane, 1> planes{{{0, 0, 128}}};
        const auto frame = ExternalFrame::create({PixelFormat::Gray8, 128, 30, {}}, 0, planes,
                                                 std::span(&memory, 1));
        return import_plan(frame.value(), device).value();
    };
    const std::span<std::byte> two(page, 8192);
    ImportPlan plan = plan_for(0, 4096, {});
    EXPECT_EQ(plan.method, ImportMethod::HostPointer);
    EXPECT_EQ(plan.ranges[0].offset_bytes, 0U);
    EXPECT_EQ(plan.ranges[0].pages.data(), page);
    EXPECT_EQ(plan.ranges[0].pages.size(), 4096U);
    plan = plan_for(96, 4096, two);
    EXPECT_EQ(plan.method, ImportMethod::HostPointer);
    EXPECT_EQ(plan.ranges[0].offset_bytes, 96U);
    EXPECT_EQ(plan.ranges[0].pages.data(), page);
    EXPECT_EQ(plan.ranges[0].pages.size(), 8192U);
    for (const std::span<std::byte> around :
         {two.first(8191), two.subspan(1), std::span<std::byte>()}) {
        plan = plan_for(96, 4096, around);
        EXPECT_EQ(plan.method, ImportMethod::Upload);
        EXPECT_EQ(plan.upload_bytes, 128U * 30U);
        EXPECT_NE(plan.refusals.back().reason.find("misaligned by 96 bytes"), std::string::npos)
            << plan.refusals.back().reason;
    }
}

TEST(ImportPlan, frames_that_the_host_does_not_see_are_named_with_the_remedy) {
    DeviceProfile profile = intel();
    profile.drm_modifiers = false;
    profile.import_dma_buf = false;
    const ImportDevice gpu{.profile = &profile, .vk_device = 1};
    const std::array<MemoryPlane, 2> planes{{{0, 0, 128}, {1, 0, 128}}};
    std::array memories{dma_buf(1, 16384), dma_buf(2, 8192)};
    const auto plan_for = [&](const ImportDevice& device) {
        const auto frame =
            ExternalFrame::create({PixelFormat::Nv12, 128, 96, {}}, 0, planes, memories);
        return import_plan(frame.value(), device).value();
    };
    auto* const address = reinterpret_cast<std::byte*>(std::uintptr_t{0x10000}); // never read
    memories[0].mapping = {address, 16384};
    for (const ImportDevice& device : {gpu, ImportDevice{}}) {
        EXPECT_EQ(plan_for(device).unmapped,
                  "memory 1, a dmabuf of 8192 bytes, is not mapped: map it (mmap() of its "
                  "descriptor) and give the frame the mapping, or use a device that imports it");
    }
    memories[1].mapping = {address, 8192};
    EXPECT_EQ(plan_for(gpu).method, ImportMethod::Upload);
    for (const ImportDevice& device : {gpu, ImportDevice{}}) {
        EXPECT_EQ(plan_for(device).unmapped, "");
    }
    // A device that imports it needs no mapping.
    memories[1].mapping = {};
    const DeviceProfile imports = intel();
    EXPECT_EQ(plan_for({.profile = &imports, .vk_device = 1}).unmapped, "");
}

TEST(ImportPlan, memfds_are_buffers_to_software_and_host_pointers_to_gpus) {
    FrameMemory memory = dma_buf(1, 8192);
    memory.kind = MemoryKind::Memfd;
    memory.mapping = {reinterpret_cast<std::byte*>(std::uintptr_t{0x10000}), 8192};
    const std::array<MemoryPlane, 1> planes{{{0, 0, 128}}};
    const ExternalFrame frame =
        ExternalFrame::create({PixelFormat::Gray8, 128, 30, {}}, 0, planes, std::span(&memory, 1))
            .value();
    DeviceProfile profile = intel();
    const ImportDevice device{.profile = &profile, .vk_device = 1};
    EXPECT_EQ(import_plan(frame, device)->method, ImportMethod::HostPointer);
    profile.type = DeviceType::Software;
    EXPECT_EQ(import_plan(frame, device)->method, ImportMethod::LinearBuffer);
}

TEST(ImportPlan, planes_that_the_device_cannot_bind_are_uploaded) {
    DeviceProfile profile = intel();
    profile.drm_modifiers = false;
    profile.max_storage_range = 512 * 96 + 16 + 3;
    const ImportDevice device{.profile = &profile, .vk_device = 1};
    const auto plan = import_plan(frame_of(PixelFormat::Nv12, 0, 2), device);
    ASSERT_TRUE(plan);
    EXPECT_EQ(plan->method, ImportMethod::Upload);
    EXPECT_NE(describe(plan->refusals)
                  .find("plane 0 of 49172 bytes is larger than the device "
                        "binds (49171)"),
              std::string::npos)
        << describe(plan->refusals);
}

TEST(ImportPlan, images_of_the_device_are_taken_as_they_are) {
    const DeviceProfile profile = intel();
    const std::vector<MemoryPlane> planes{{0, 0, 0}, {1, 0, 0}};
    const auto frame = [&](std::uint64_t device) {
        const std::array memories{vulkan_image_memory(device, 5, kR8, 1, 4),
                                  vulkan_image_memory(device, 6, kRg8, 1, 4)};
        return ExternalFrame::create({PixelFormat::Nv12, 64, 48, {}}, 0, planes, memories).value();
    };
    const auto ours = import_plan(frame(1), {.profile = &profile, .vk_device = 1});
    ASSERT_TRUE(ours);
    EXPECT_EQ(ours->method, ImportMethod::SharedImage);
    EXPECT_EQ(ours->image_count, 2U);
    EXPECT_EQ(ours->images[1].vk_format, kRg8);
    const auto theirs = import_plan(frame(2), {.profile = &profile, .vk_device = 1});
    ASSERT_FALSE(theirs);
    EXPECT_NE(theirs.error().message.find("image of another device"), std::string::npos);
}

TEST(ImportPlan, images_are_written_by_way_of_buffers_and_must_be_made_for_that) {
    const DeviceProfile profile = intel();
    const ImportDevice device{.profile = &profile, .vk_device = 1};
    const std::vector<MemoryPlane> planes{{0, 0, 0}};
    const auto plan = [&](std::uint32_t usage, bool writable, bool write) {
        const std::array memories{vulkan_image_memory(1, 5, kBgra8, 1, usage, writable)};
        return import_plan(
            ExternalFrame::create({PixelFormat::Bgra, 64, 48, {}}, 0, planes, memories).value(),
            device, {.write = write});
    };
    const auto written = plan(0x3, true, true);
    ASSERT_TRUE(written);
    EXPECT_EQ(written->method, ImportMethod::SharedImage);
    EXPECT_TRUE(written->copy_on_device);
    EXPECT_FALSE(plan(0x7, true, false)->copy_on_device);
    const struct {
        std::uint32_t usage;
        bool writable, write;
        const char* reason;
    } refused[]{{0x5, true, true, "lacks 0x2"},
                {0x6, true, true, "lacks 0x1"},
                {0x3, true, false, "not made for sampling"},
                {0x7, false, true, "read-only"}};
    for (const auto& row : refused) {
        const auto none = plan(row.usage, row.writable, row.write);
        ASSERT_FALSE(none) << row.reason;
        EXPECT_NE(none.error().message.find(row.reason), std::string::npos) << none.error().message;
    }
}

TEST(ImportPlan, the_cpu_maps_linear_frames_and_says_why_not_others) {
    const ImportDevice cpu;
    EXPECT_EQ(import_plan(frame_of(PixelFormat::Nv12, 0, 2), cpu)->method, ImportMethod::Mapped);
    const auto tiled = import_plan(frame_of(PixelFormat::Nv12, kIntelY, 2), cpu);
    ASSERT_FALSE(tiled);
    EXPECT_EQ(tiled.error().message, "NV12 frame of 128x96: the CPU can't read it where it lies: "
                                     "mapping: its layout is not linear (Intel modifier "
                                     "0x100000000000002)");
}

TEST(ImportPlan, modifiers_have_names) {
    EXPECT_EQ(modifier_name(0), "linear modifier");
    EXPECT_EQ(modifier_name(kImplicitModifier), "implicit modifier");
    EXPECT_EQ(modifier_name(kSand128), "Broadcom modifier 0x700000000066004");
    EXPECT_EQ(modifier_name(0x7F00'0000'0000'0001ULL), "unknown modifier 0x7f00000000000001");
    EXPECT_EQ(frame_vk_formats().front(), kR8);
}

} // namespace sluice::testing
