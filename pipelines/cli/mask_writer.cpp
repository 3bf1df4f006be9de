// SPDX-License-Identifier: Apache-2.0
// Encoding through pngenc, one picture a pipeline.
#include "pipelines/cli/mask_writer.h"

#include <format>
#include <vector>

#include <gst/app/app.h>
#include <gst/video/video.h>

#include "pipelines/cli/gst_pipeline.h"

namespace sluice::cli {
namespace {

// Where the conversion is: "%" digits "d".
struct Conversion {
    std::size_t begin = std::string::npos;
    std::size_t end = 0;
    int width = 0;
};

Conversion find_conversion(const std::string& pattern) {
    const std::size_t begin = pattern.find('%');
    if (begin == std::string::npos) {
        return {};
    }
    std::size_t end = begin + 1;
    int width = 0;
    while (end < pattern.size() && pattern[end] >= '0' && pattern[end] <= '9' && width < 100) {
        width = 10 * width + (pattern[end] - '0');
        ++end;
    }
    if (end == pattern.size() || pattern[end] != 'd') {
        return {};
    }
    return {.begin = begin, .end = end + 1, .width = width};
}

} // namespace

bool is_pattern(const std::string& path) {
    return find_conversion(path).begin != std::string::npos;
}

std::filesystem::path numbered(const std::string& pattern, unsigned number) {
    const Conversion place = find_conversion(pattern);
    return pattern.substr(0, place.begin) + std::format("{:0{}}", number, place.width) +
           pattern.substr(place.end);
}

Status write_mask(const zero_copy::Matte& matte, std::uint32_t frame_width,
                  std::uint32_t frame_height, const std::filesystem::path& path,
                  runtime::ThreadPool& threads) {
    GstVideoInfo info;
    if (gst_video_info_set_format(&info, GST_VIDEO_FORMAT_GRAY8, frame_width, frame_height) ==
        FALSE) {
        return fail(ErrorCode::InvalidArgument, "a mask of {}x{} is too large", frame_width,
                    frame_height);
    }
    gst::Ref<GstBuffer> buffer(gst_buffer_new_allocate(nullptr, info.size, nullptr));
    GstMapInfo map;
    if (!buffer || gst_buffer_map(buffer.get(), &map, GST_MAP_WRITE) == FALSE) {
        return fail(ErrorCode::OutOfMemory, "no memory for a mask of {} bytes", info.size);
    }
    zero_copy::write_matte(matte, frame_width, frame_height,
                           {.data = map.data,
                            .stride_bytes = static_cast<std::size_t>(info.stride[0]),
                            .width = frame_width,
                            .height = frame_height},
                           threads);
    gst_buffer_unmap(buffer.get(), &map);

    SLUICE_TRY_ASSIGN(const auto pipeline,
                      parse_line("appsrc name=mask format=time ! pngenc ! filesink name=file"));
    const gst::Ref<GstElement> source(gst_bin_get_by_name(GST_BIN(pipeline.get()), "mask"));
    const gst::Ref<GstElement> sink(gst_bin_get_by_name(GST_BIN(pipeline.get()), "file"));
    g_object_set(sink.get(), "location", path.c_str(), nullptr);
    const gst::Ref<GstCaps> caps(gst_video_info_to_caps(&info));
    gst_app_src_set_caps(GST_APP_SRC(source.get()), caps.get());
    GST_BUFFER_PTS(buffer.get()) = 0;
    gst_app_src_push_buffer(GST_APP_SRC(source.get()), buffer.release());
    gst_app_src_end_of_stream(GST_APP_SRC(source.get()));
    return run_to_end(pipeline.get(), {});
}

} // namespace sluice::cli
