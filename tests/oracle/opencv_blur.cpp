// SPDX-License-Identifier: Apache-2.0
// Blurs the background of a video with OpenCV alone: a peer of sluicesegment ! sluicebackground.
//
// Spelled as somebody who knows OpenCV would: the decoder in a thread of its own, matrices kept
// from frame to frame, blobFromImage for scaling and colour, the blur at a quarter of the size
// (what is blurred has no detail to lose), and the blend in 8 bits over the part that needs it.
#include <chrono>
#include <cmath>
#include <condition_variable>
#include <cstdlib>
#include <exception>
#include <format>
#include <iostream>
#include <mutex>
#include <stdexcept>
#include <string>
#include <thread>
#include <utility>

#include <opencv2/core.hpp>
#include <opencv2/core/utils/logger.hpp>
#include <opencv2/dnn.hpp>
#include <opencv2/imgproc.hpp>
#include <opencv2/videoio.hpp>

namespace {

constexpr int kReduction = 4;   // of the picture that is blurred
constexpr double kSigma = 0.02; // of the blur, of the height: what our element does by default

// Decodes one frame ahead of who asks.
class Reader {
public:
    explicit Reader(const std::string& path) : video_(path, cv::CAP_FFMPEG) {
        if (!video_.isOpened()) {
            throw std::runtime_error("cannot open " + path);
        }
        thread_ = std::thread([this] { read_ahead(); });
    }
    ~Reader() {
        {
            const std::lock_guard hold(lock_);
            stopped_ = true;
        }
        changed_.notify_all();
        thread_.join();
    }
    Reader(const Reader&) = delete;
    Reader& operator=(const Reader&) = delete;

    // False at the end. Takes the caller's old matrix to decode into.
    bool next(cv::Mat& frame) {
        std::unique_lock hold(lock_);
        changed_.wait(hold, [this] { return full_ || ended_; });
        if (!full_) {
            return false;
        }
        std::swap(frame, ahead_);
        full_ = false;
        hold.unlock();
        changed_.notify_all();
        return true;
    }

private:
    void read_ahead() {
        cv::Mat decoded;
        while (true) {
            const bool read = video_.read(decoded);
            std::unique_lock hold(lock_);
            changed_.wait(hold, [this] { return !full_ || stopped_; });
            if (stopped_ || !read) {
                ended_ = true;
                changed_.notify_all();
                return;
            }
            std::swap(decoded, ahead_);
            full_ = true;
            hold.unlock();
            changed_.notify_all();
        }
    }

    cv::VideoCapture video_;
    std::mutex lock_; // guards what follows
    std::condition_variable changed_;
    cv::Mat ahead_;
    bool full_ = false;
    bool ended_ = false;
    bool stopped_ = false;
    std::thread thread_;
};

class Blur {
public:
    Blur(const std::string& model, cv::Size input)
        : net_(cv::dnn::readNetFromONNX(model)), input_(input) {
        net_.setPreferableBackend(cv::dnn::DNN_BACKEND_OPENCV);
        net_.setPreferableTarget(cv::dnn::DNN_TARGET_CPU);
    }

    // In place. The network reads 1 x height x width x 3 and gives one probability a pixel.
    void run(cv::Mat& frame) {
        cv::resize(frame, scaled_, input_, 0, 0, cv::INTER_LINEAR);
        cv::cvtColor(scaled_, scaled_, cv::COLOR_BGR2RGB);
        scaled_.convertTo(values_, CV_32F, 1.0 / 255.0);
        const int shape[] = {1, input_.height, input_.width, 3};
        net_.setInput(cv::Mat(4, shape, CV_32F, values_.data));
        const cv::Mat result = net_.forward();
        const cv::Mat person(input_.height, input_.width, CV_32F, const_cast<uchar*>(result.data));
        person.convertTo(person8_, CV_8U, 255.0);
        cv::resize(person8_, mask_, frame.size(), 0, 0, cv::INTER_LINEAR);
        cv::resize(frame, small_, frame.size() / kReduction, 0, 0, cv::INTER_AREA);
        // Two boxes of this width have the variance of the Gaussian, odd so that they are centred.
        const double sigma = kSigma * frame.rows / kReduction;
        const int width = 2 * cvFloor(std::sqrt(6.0 * sigma * sigma + 1.0) / 2.0) + 1;
        const cv::Size box(width, width);
        cv::blur(small_, small_, box);
        cv::blur(small_, small_, box);
        cv::resize(small_, blurred_, frame.size(), 0, 0, cv::INTER_LINEAR);
        blend(frame);
    }

private:
    // frame = blurred + (frame - blurred) * mask / 255, rows in parallel.
    void blend(cv::Mat& frame) const {
        cv::parallel_for_(cv::Range(0, frame.rows), [&](const cv::Range& rows) {
            for (int y = rows.start; y < rows.end; ++y) {
                uchar* const out = frame.ptr<uchar>(y);
                const uchar* const soft = blurred_.ptr<uchar>(y);
                const uchar* const mask = mask_.ptr<uchar>(y);
                for (int x = 0; x < frame.cols; ++x) {
                    for (int c = 3 * x; c < 3 * x + 3; ++c) {
                        const int weighted = out[c] * mask[x] + soft[c] * (255 - mask[x]) + 128;
                        out[c] = static_cast<uchar>((weighted + (weighted >> 8)) >> 8);
                    }
                }
            }
        });
    }

    cv::dnn::Net net_;
    cv::Size input_;
    cv::Mat scaled_, values_, person8_, mask_, small_, blurred_;
};

void run(const std::string& model, cv::Size input, const std::string& video) {
    cv::utils::logging::setLogLevel(cv::utils::logging::LOG_LEVEL_SILENT);
    Blur blur(model, input);
    Reader reader(video);
    cv::Mat frame;
    int frames = 0;
    auto start = std::chrono::steady_clock::now();
    while (reader.next(frame)) {
        blur.run(frame);
        ++frames;
    }
    const std::chrono::duration<double> passed = std::chrono::steady_clock::now() - start;
    if (frames == 0) {
        throw std::runtime_error("no frame in " + video);
    }
    std::cout << std::format(R"({{"frames": {}, "fps": {:.3f}, "version": "{}"}})", frames,
                             frames / passed.count(), CV_VERSION)
              << '\n';
}

} // namespace

int main(int argc, char** argv) {
    if (argc != 5) {
        std::cerr << "usage: opencv_blur MODEL.onnx WIDTH HEIGHT VIDEO\n";
        return 2;
    }
    try {
        run(argv[1], {std::stoi(argv[2]), std::stoi(argv[3])}, argv[4]);
    } catch (const std::exception& error) {
        std::cerr << "opencv_blur: " << error.what() << '\n';
        return EXIT_FAILURE;
    }
    return EXIT_SUCCESS;
}
