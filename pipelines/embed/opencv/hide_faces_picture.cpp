// SPDX-License-Identifier: Apache-2.0
// hide_faces_picture IN OUT: pixelates the faces of a picture, in the cv::Mat that holds it.
#include <cstdlib>
#include <iostream>
#include <span>

#include <opencv2/imgcodecs.hpp>

#include "pipelines/embed/face_hider.h"
#include "pipelines/embed/opencv/mat_frame.h"
#include "zero_copy/external_frame.h"

namespace {

using sluice::ErrorCode;
using sluice::Result;

// Small faces of large pictures are searched in tiles of this size.
constexpr std::uint32_t kTileSize = 256;

Result<std::size_t> hide_faces(const char* in, const char* out) {
    cv::Mat picture = cv::imread(in, cv::IMREAD_COLOR);
    if (picture.empty()) {
        return sluice::fail(ErrorCode::Io, "OpenCV cannot read a picture from {}", in);
    }
    SLUICE_TRY_ASSIGN(const auto frame, sluice::embed::mutable_frame_of(picture));
    SLUICE_TRY_ASSIGN(const auto external, sluice::zero_copy::ExternalFrame::of(frame));
    SLUICE_TRY_ASSIGN(auto hider, sluice::embed::FaceHider::create({}, kTileSize));
    SLUICE_TRY_ASSIGN(const std::size_t faces, hider.hide(external));
    if (!cv::imwrite(out, picture)) {
        return sluice::fail(ErrorCode::Io, "OpenCV cannot write a picture to {}", out);
    }
    return faces;
}

} // namespace

int main(int argc, char** argv) {
    const std::span arguments(argv, static_cast<std::size_t>(argc));
    if (arguments.size() != 3) {
        std::cerr << "usage: hide_faces_picture IN OUT\n";
        return 2;
    }
    try {
        const auto faces = hide_faces(arguments[1], arguments[2]);
        if (!faces) {
            std::cerr << "hide_faces_picture: " << faces.error().message << '\n';
            return EXIT_FAILURE;
        }
        std::cout << *faces << " faces hidden\n";
    } catch (const cv::Exception& error) { // OpenCV throws for formats that it does not know
        std::cerr << "hide_faces_picture: " << error.what() << '\n';
        return EXIT_FAILURE;
    }
    return EXIT_SUCCESS;
}
