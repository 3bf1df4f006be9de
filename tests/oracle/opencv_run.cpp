// SPDX-License-Identifier: Apache-2.0
// Times an ONNX network in OpenCV's DNN module: a peer.
#include <algorithm>
#include <chrono>
#include <cstdlib>
#include <exception>
#include <format>
#include <iostream>
#include <sstream>
#include <string>
#include <vector>

#include <opencv2/core.hpp>
#include <opencv2/core/utils/logger.hpp>
#include <opencv2/dnn.hpp>

namespace {

constexpr int kWarmUps = 3;

// "1,128,128,3"
std::vector<int> parse_shape(const std::string& text) {
    std::vector<int> shape;
    std::istringstream words(text);
    for (std::string word; std::getline(words, word, ',');) {
        shape.push_back(std::stoi(word));
    }
    return shape;
}

void bench(const std::string& model, const std::vector<int>& shape, int runs, int threads) {
    cv::utils::logging::setLogLevel(cv::utils::logging::LOG_LEVEL_SILENT);
    cv::setNumThreads(threads);
    cv::dnn::Net net = cv::dnn::readNetFromONNX(model);
    net.setPreferableBackend(cv::dnn::DNN_BACKEND_OPENCV);
    net.setPreferableTarget(cv::dnn::DNN_TARGET_CPU);
    cv::Mat input(shape, CV_32F);
    cv::theRNG().state = 1;
    cv::randu(input, 0.0F, 1.0F);
    const std::vector<cv::String> names = net.getUnconnectedOutLayersNames();
    std::vector<cv::Mat> outputs;
    std::vector<double> samples;
    for (int i = -kWarmUps; i < runs; ++i) {
        const auto start = std::chrono::steady_clock::now();
        net.setInput(input);
        net.forward(outputs, names);
        const std::chrono::duration<double, std::milli> passed =
            std::chrono::steady_clock::now() - start;
        if (i >= 0) {
            samples.push_back(passed.count());
        }
    }
    std::ranges::sort(samples);
    std::cout << std::format(R"({{"median_ms": {:.6f}, "min_ms": {:.6f}, "version": "{}"}})",
                             samples[samples.size() / 2], samples.front(), CV_VERSION)
              << '\n';
}

} // namespace

int main(int argc, char** argv) {
    if (argc != 5) {
        std::cerr << "usage: opencv_run MODEL.onnx SHAPE RUNS THREADS\n";
        return 2;
    }
    try {
        bench(argv[1], parse_shape(argv[2]), std::max(std::stoi(argv[3]), 1), std::stoi(argv[4]));
    } catch (const std::exception& error) {
        std::cerr << "opencv_run: " << error.what() << '\n';
        return EXIT_FAILURE;
    }
    return EXIT_SUCCESS;
}
