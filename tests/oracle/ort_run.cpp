// SPDX-License-Identifier: Apache-2.0
// Runs an ONNX network in ONNX Runtime on .npy tensors, or times it: the judge and the peer.
#include <algorithm>
#include <chrono>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <filesystem>
#include <format>
#include <fstream>
#include <iostream>
#include <numeric>
#include <random>
#include <stdexcept>
#include <string>
#include <string_view>
#include <vector>

#include <fcntl.h>
#include <unistd.h>

#include <onnxruntime_cxx_api.h>

namespace {

constexpr std::string_view kUsage =
    "usage: ort_run MODEL.onnx [--input NAME=FILE.npy]... [--output-dir DIR] [--threads N]\n"
    "               [--bench RUNS]\n"
    "Inputs that are not named are filled with uniform noise in 0..1 (fixed seed).\n"
    "--bench prints one line of JSON: milliseconds over RUNS timed runs after the warm-up.\n";

struct Options {
    std::string model;
    std::vector<std::pair<std::string, std::string>> inputs;
    std::string output_dir;
    int threads = 1;
    int bench_runs = 0;
};

struct Array {
    std::vector<std::int64_t> shape;
    std::vector<float> values;
};

std::int64_t element_count(const std::vector<std::int64_t>& shape) {
    return std::accumulate(shape.begin(), shape.end(), std::int64_t{1}, std::multiplies<>());
}

// Reads version 1 .npy files of little-endian float32 in C order, which is all the cases hold.
Array read_npy(const std::string& path) {
    std::ifstream file(path, std::ios::binary);
    char magic[10] = {};
    if (!file.read(magic, sizeof magic) || std::memcmp(magic, "\x93NUMPY\x01", 7) != 0) {
        throw std::runtime_error(path + " is no version 1 .npy file");
    }
    const auto length = static_cast<std::size_t>(static_cast<unsigned char>(magic[8]) |
                                                 static_cast<unsigned char>(magic[9]) << 8);
    std::string header(length, '\0');
    file.read(header.data(), static_cast<std::streamsize>(length));
    if (header.find("'<f4'") == std::string::npos ||
        header.find("'fortran_order': False") == std::string::npos) {
        throw std::runtime_error(path + " does not hold float32 values in C order");
    }
    Array array;
    std::size_t position = header.find('(') + 1;
    const std::size_t end = header.find(')', position);
    while (position < end) {
        if (std::isdigit(static_cast<unsigned char>(header[position])) != 0) {
            std::size_t used = 0;
            array.shape.push_back(std::stoll(header.substr(position), &used));
            position += used;
        } else {
            ++position;
        }
    }
    array.values.resize(static_cast<std::size_t>(element_count(array.shape)));
    const auto bytes = static_cast<std::streamsize>(array.values.size() * sizeof(float));
    if (!file.read(reinterpret_cast<char*>(array.values.data()), bytes)) {
        throw std::runtime_error(path + " is truncated");
    }
    return array;
}

void write_npy(const std::string& path, const std::vector<std::int64_t>& shape,
               const float* values) {
    std::string dims;
    for (const std::int64_t dim : shape) {
        dims += std::format("{}, ", dim);
    }
    std::string header =
        std::format("{{'descr': '<f4', 'fortran_order': False, 'shape': ({}), }}", dims);
    header.append(63 - (10 + header.size()) % 64, ' ');
    header += '\n';
    std::ofstream file(path, std::ios::binary);
    const auto length = static_cast<std::uint16_t>(header.size());
    const char prefix[10] = {'\x93',
                             'N',
                             'U',
                             'M',
                             'P',
                             'Y',
                             1,
                             0,
                             static_cast<char>(length),
                             static_cast<char>(length >> 8)};
    file.write(prefix, sizeof prefix);
    file << header;
    file.write(reinterpret_cast<const char*>(values),
               static_cast<std::streamsize>(static_cast<std::size_t>(element_count(shape)) *
                                            sizeof(float)));
    if (!file.flush()) {
        throw std::runtime_error("cannot write " + path);
    }
}

Options parse(int argc, char** argv) {
    Options options;
    const auto value = [&](int& index) -> std::string {
        if (index + 1 >= argc) {
            throw std::invalid_argument(std::format("{} needs a value", argv[index]));
        }
        return argv[++index];
    };
    for (int index = 1; index < argc; ++index) {
        const std::string_view argument = argv[index];
        if (argument == "--input") {
            const std::string pair = value(index);
            // Names may hold a '=' as little as paths do; the first one separates.
            const std::size_t equals = pair.find('=');
            if (equals == std::string::npos) {
                throw std::invalid_argument("--input wants NAME=FILE.npy, not " + pair);
            }
            options.inputs.emplace_back(pair.substr(0, equals), pair.substr(equals + 1));
        } else if (argument == "--output-dir") {
            options.output_dir = value(index);
        } else if (argument == "--threads") {
            options.threads = std::stoi(value(index));
        } else if (argument == "--bench") {
            options.bench_runs = std::stoi(value(index));
        } else if (options.model.empty() && !argument.starts_with("-")) {
            options.model = argument;
        } else {
            throw std::invalid_argument(std::format("unexpected argument {}", argument));
        }
    }
    if (options.model.empty()) {
        throw std::invalid_argument("no model given");
    }
    return options;
}

// Debian's library prints hundreds of harmless "Schema error" lines while it registers operators;
// stderr is turned away meanwhile and given back afterwards.
class QuietStderr {
public:
    QuietStderr() : saved_(dup(STDERR_FILENO)) {
        const int null = open("/dev/null", O_WRONLY | O_CLOEXEC);
        if (null >= 0) {
            dup2(null, STDERR_FILENO);
            close(null);
        }
    }
    ~QuietStderr() {
        dup2(saved_, STDERR_FILENO);
        close(saved_);
    }
    QuietStderr(const QuietStderr&) = delete;
    QuietStderr& operator=(const QuietStderr&) = delete;

private:
    int saved_;
};

class Network {
public:
    explicit Network(const Options& options) {
        Ort::SessionOptions settings;
        settings.SetIntraOpNumThreads(options.threads);
        settings.SetInterOpNumThreads(1);
        settings.SetExecutionMode(ORT_SEQUENTIAL);
        settings.SetGraphOptimizationLevel(ORT_ENABLE_ALL);
        settings.SetLogSeverityLevel(ORT_LOGGING_LEVEL_FATAL);
        session_ = Ort::Session(environment_, options.model.c_str(), settings);
        load_inputs(options);
        const Ort::AllocatorWithDefaultOptions allocator;
        for (std::size_t index = 0; index < session_.GetOutputCount(); ++index) {
            output_names_.emplace_back(session_.GetOutputNameAllocated(index, allocator).get());
        }
        for (const std::string& name : input_names_) {
            input_pointers_.push_back(name.c_str());
        }
        for (const std::string& name : output_names_) {
            output_pointers_.push_back(name.c_str());
        }
    }

    std::vector<Ort::Value> run() {
        return session_.Run(Ort::RunOptions{nullptr}, input_pointers_.data(), inputs_.data(),
                            inputs_.size(), output_pointers_.data(), output_pointers_.size());
    }

    [[nodiscard]] const std::vector<std::string>& output_names() const { return output_names_; }

private:
    void load_inputs(const Options& options) {
        const Ort::AllocatorWithDefaultOptions allocator;
        const auto memory = Ort::MemoryInfo::CreateCpu(OrtArenaAllocator, OrtMemTypeDefault);
        arrays_.reserve(session_.GetInputCount());
        for (std::size_t index = 0; index < session_.GetInputCount(); ++index) {
            input_names_.emplace_back(session_.GetInputNameAllocated(index, allocator).get());
            const auto given = std::ranges::find(options.inputs, input_names_.back(),
                                                 &std::pair<std::string, std::string>::first);
            if (given != options.inputs.end()) {
                arrays_.push_back(read_npy(given->second));
            } else if (options.bench_runs > 0) {
                arrays_.push_back(
                    noise(session_.GetInputTypeInfo(index).GetTensorTypeAndShapeInfo().GetShape()));
            } else {
                throw std::runtime_error("no --input for '" + input_names_.back() + "'");
            }
            Array& array = arrays_.back();
            inputs_.push_back(
                Ort::Value::CreateTensor<float>(memory, array.values.data(), array.values.size(),
                                                array.shape.data(), array.shape.size()));
        }
        for (const auto& [name, path] : options.inputs) {
            if (std::ranges::find(input_names_, name) == input_names_.end()) {
                throw std::runtime_error("the network has no input '" + name + "'");
            }
        }
    }

    static Array noise(std::vector<std::int64_t> shape) {
        std::ranges::replace_if(shape, [](std::int64_t dim) { return dim < 1; }, 1);
        Array array{shape, std::vector<float>(static_cast<std::size_t>(element_count(shape)))};
        std::mt19937 engine(1);
        std::uniform_real_distribution<float> uniform(0.0F, 1.0F);
        std::ranges::generate(array.values, [&] { return uniform(engine); });
        return array;
    }

    Ort::Env environment_{ORT_LOGGING_LEVEL_FATAL, "ort_run"};
    Ort::Session session_{nullptr};
    std::vector<std::string> input_names_;
    std::vector<std::string> output_names_;
    std::vector<const char*> input_pointers_;
    std::vector<const char*> output_pointers_;
    std::vector<Array> arrays_;
    std::vector<Ort::Value> inputs_;
};

void write_outputs(Network& network, const std::string& directory) {
    std::filesystem::create_directories(directory);
    const std::vector<Ort::Value> outputs = network.run();
    for (std::size_t index = 0; index < outputs.size(); ++index) {
        std::string name = network.output_names()[index];
        std::ranges::replace(name, '/', '_');
        const auto info = outputs[index].GetTensorTypeAndShapeInfo();
        write_npy(std::format("{}/{}.npy", directory, name), info.GetShape(),
                  outputs[index].GetTensorData<float>());
    }
}

void bench(Network& network, const Options& options) {
    using Clock = std::chrono::steady_clock;
    using Milliseconds = std::chrono::duration<double, std::milli>;
    // Warm-up: at least five runs and a quarter of a second, so that clocks and caches settle.
    const auto warm_until = Clock::now() + std::chrono::milliseconds(250);
    for (int run = 0; run < 5 || Clock::now() < warm_until; ++run) {
        network.run();
    }
    std::vector<double> times;
    for (int run = 0; run < options.bench_runs; ++run) {
        const auto start = Clock::now();
        network.run();
        times.push_back(Milliseconds(Clock::now() - start).count());
    }
    std::ranges::sort(times);
    const auto quantile = [&](double fraction) {
        return times[static_cast<std::size_t>(fraction * static_cast<double>(times.size() - 1))];
    };
    std::cout << std::format(
        "{{\"runtime\": \"onnxruntime {}\", \"threads\": {}, \"runs\": {}, \"min_ms\": {:.4f}, "
        "\"median_ms\": {:.4f}, \"p95_ms\": {:.4f}, \"max_ms\": {:.4f}}}\n",
        Ort::GetVersionString(), options.threads, times.size(), times.front(), quantile(0.5),
        quantile(0.95), times.back());
}

int run(int argc, char** argv) {
    const Options options = parse(argc, argv);
    auto network = [&] {
        const QuietStderr quiet;
        return Network(options);
    }();
    if (!options.output_dir.empty()) {
        write_outputs(network, options.output_dir);
    }
    if (options.bench_runs > 0) {
        bench(network, options);
    }
    return 0;
}

} // namespace

int main(int argc, char** argv) {
    try {
        return run(argc, argv);
    } catch (const std::invalid_argument& error) {
        std::cerr << "ort_run: " << error.what() << '\n' << kUsage;
        return 2;
    } catch (const std::exception& error) {
        std::cerr << "ort_run: " << error.what() << '\n';
        return 1;
    }
}
