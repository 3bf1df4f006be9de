// SPDX-License-Identifier: Apache-2.0
// hide_faces_video IN OUT.y4m: decodes a video with FFmpeg, pixelates its faces in the AVFrames and
// writes them as they are.
#include <cstdint>
#include <cstdlib>
#include <format>
#include <iostream>
#include <memory>
#include <span>
#include <string>

extern "C" {
#include <libavcodec/avcodec.h>
#include <libavformat/avformat.h>
#include <libavutil/error.h>
#include <libavutil/frame.h>
}

#include "pipelines/embed/face_hider.h"
#include "pipelines/embed/ffmpeg/av_frame.h"

namespace {

using sluice::ErrorCode;
using sluice::Result;
using sluice::Status;

struct Closer {
    void operator()(AVFormatContext* context) const {
        if (context->oformat != nullptr) {
            avio_closep(&context->pb);
            avformat_free_context(context);
        } else {
            avformat_close_input(&context);
        }
    }
    void operator()(AVCodecContext* context) const { avcodec_free_context(&context); }
    void operator()(AVFrame* frame) const { av_frame_free(&frame); }
    void operator()(AVPacket* packet) const { av_packet_free(&packet); }
};
template <typename T>
using Owned = std::unique_ptr<T, Closer>;

Status check(int code, std::string_view doing) {
    if (code >= 0) {
        return {};
    }
    std::string text(AV_ERROR_MAX_STRING_SIZE, '\0');
    av_strerror(code, text.data(), text.size());
    return sluice::fail(ErrorCode::Io, "{}: {}", doing, text.c_str());
}

// The video stream of a file, decoded.
struct Input {
    Owned<AVFormatContext> file;
    Owned<AVCodecContext> decoder;
    int stream = -1;
};

Result<Input> open_input(const char* path) {
    Input in;
    AVFormatContext* file = nullptr;
    SLUICE_TRY(
        check(avformat_open_input(&file, path, nullptr, nullptr), std::format("opening {}", path)));
    in.file.reset(file);
    SLUICE_TRY(check(avformat_find_stream_info(file, nullptr), std::format("reading {}", path)));
    const AVCodec* codec = nullptr;
    in.stream = av_find_best_stream(file, AVMEDIA_TYPE_VIDEO, -1, -1, &codec, 0);
    SLUICE_TRY(check(in.stream, std::format("looking for video in {}", path)));
    in.decoder.reset(avcodec_alloc_context3(codec));
    const AVStream& stream = *file->streams[in.stream];
    SLUICE_TRY(check(avcodec_parameters_to_context(in.decoder.get(), stream.codecpar),
                     "setting the decoder up"));
    SLUICE_TRY(check(avcodec_open2(in.decoder.get(), codec, nullptr), "opening the decoder"));
    return in;
}

// Y4M takes AVFrames as they are: a "packet" is a reference to one.
struct Output {
    Owned<AVFormatContext> file;
    Owned<AVCodecContext> encoder;
};

Result<Output> open_output(const char* path, const Input& in) {
    Output out;
    AVFormatContext* file = nullptr;
    SLUICE_TRY(check(avformat_alloc_output_context2(&file, nullptr, "yuv4mpegpipe", path),
                     "setting the output up"));
    out.file.reset(file);
    const AVCodec* codec = avcodec_find_encoder(AV_CODEC_ID_WRAPPED_AVFRAME);
    out.encoder.reset(avcodec_alloc_context3(codec));
    out.encoder->width = in.decoder->width;
    out.encoder->height = in.decoder->height;
    out.encoder->pix_fmt = in.decoder->pix_fmt;
    out.encoder->sample_aspect_ratio = in.decoder->sample_aspect_ratio;
    const AVRational rate =
        av_guess_frame_rate(in.file.get(), in.file->streams[in.stream], nullptr);
    out.encoder->framerate = rate;
    out.encoder->time_base = av_inv_q(rate);
    SLUICE_TRY(check(avcodec_open2(out.encoder.get(), codec, nullptr), "opening the encoder"));
    AVStream* stream = avformat_new_stream(file, nullptr);
    stream->time_base = out.encoder->time_base;
    stream->avg_frame_rate = rate;
    SLUICE_TRY(check(avcodec_parameters_from_context(stream->codecpar, out.encoder.get()),
                     "describing the output"));
    SLUICE_TRY(check(avio_open(&file->pb, path, AVIO_FLAG_WRITE), std::format("opening {}", path)));
    SLUICE_TRY(check(avformat_write_header(file, nullptr), std::format("writing {}", path)));
    return out;
}

struct Tally {
    std::uint64_t frames = 0;
    std::uint64_t faces = 0;
    std::uint64_t copied_frames = 0; // that the decoder still needed as they were
};

Status write_packets(Output& out, AVPacket& packet) {
    int code = 0;
    while ((code = avcodec_receive_packet(out.encoder.get(), &packet)) >= 0) {
        packet.stream_index = 0;
        SLUICE_TRY(check(av_interleaved_write_frame(out.file.get(), &packet), "writing a frame"));
    }
    return code == AVERROR(EAGAIN) || code == AVERROR_EOF ? Status{} : check(code, "encoding");
}

Status hide_in(AVFrame& frame, sluice::embed::FaceHider& hider, Tally& tally) {
    if (av_frame_is_writable(&frame) <= 0) {
        ++tally.copied_frames;
        SLUICE_TRY(check(av_frame_make_writable(&frame), "copying a frame"));
    }
    SLUICE_TRY_ASSIGN(const auto external, sluice::embed::external_frame_of(frame));
    SLUICE_TRY_ASSIGN(const std::size_t faces, hider.hide(external));
    tally.faces += faces;
    ++tally.frames;
    return {};
}

Status write_decoded(Input& in, Output& out, sluice::embed::FaceHider& hider, Tally& tally) {
    const Owned<AVFrame> frame(av_frame_alloc());
    const Owned<AVPacket> packet(av_packet_alloc());
    int code = 0;
    while ((code = avcodec_receive_frame(in.decoder.get(), frame.get())) >= 0) {
        SLUICE_TRY(hide_in(*frame, hider, tally));
        frame->pts = static_cast<std::int64_t>(tally.frames) - 1;
        SLUICE_TRY(check(avcodec_send_frame(out.encoder.get(), frame.get()), "encoding"));
        SLUICE_TRY(write_packets(out, *packet));
    }
    return code == AVERROR(EAGAIN) || code == AVERROR_EOF ? Status{} : check(code, "decoding");
}

Result<Tally> hide_faces(const char* from, const char* to) {
    SLUICE_TRY_ASSIGN(Input in, open_input(from));
    SLUICE_TRY_ASSIGN(Output out, open_output(to, in));
    SLUICE_TRY_ASSIGN(auto hider, sluice::embed::FaceHider::create({}));
    const Owned<AVPacket> packet(av_packet_alloc());
    Tally tally;
    int code = 0;
    while ((code = av_read_frame(in.file.get(), packet.get())) >= 0) {
        if (packet->stream_index == in.stream) {
            SLUICE_TRY(check(avcodec_send_packet(in.decoder.get(), packet.get()), "decoding"));
            SLUICE_TRY(write_decoded(in, out, hider, tally));
        }
        av_packet_unref(packet.get());
    }
    SLUICE_TRY(code == AVERROR_EOF ? Status{} : check(code, std::format("reading {}", from)));
    SLUICE_TRY(check(avcodec_send_packet(in.decoder.get(), nullptr), "decoding"));
    SLUICE_TRY(write_decoded(in, out, hider, tally));
    SLUICE_TRY(check(av_write_trailer(out.file.get()), std::format("writing {}", to)));
    return tally;
}

} // namespace

int main(int argc, char** argv) {
    const std::span arguments(argv, static_cast<std::size_t>(argc));
    if (arguments.size() != 3) {
        std::cerr << "usage: hide_faces_video IN OUT.y4m\n";
        return 2;
    }
    const auto tally = hide_faces(arguments[1], arguments[2]);
    if (!tally) {
        std::cerr << "hide_faces_video: " << tally.error().message << '\n';
        return EXIT_FAILURE;
    }
    std::cout << std::format("{} frames, {} faces hidden; {} frames copied since the decoder still "
                             "needed them\n",
                             tally->frames, tally->faces, tally->copied_frames);
    return EXIT_SUCCESS;
}
