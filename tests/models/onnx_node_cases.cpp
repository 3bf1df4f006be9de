// SPDX-License-Identifier: Apache-2.0
// Running of ONNX's backend tests.
#include "tests/models/onnx_node_cases.h"

#include <algorithm>
#include <cmath>
#include <cstdlib>
#include <cstring>
#include <format>
#include <fstream>
#include <iterator>
#include <span>

#include "core/base/float16.h"
#include "models/loaders/onnx/onnx.pb.h"

namespace sluice::models::test {
namespace {

namespace fs = std::filesystem;
using onnx::schema::Tensor;

struct TypeInfo {
    std::int32_t type;
    std::size_t bytes;
    graph::DataType stored;
};
constexpr TypeInfo kTypes[] = {
    {Tensor::FLOAT, 4, graph::DataType::Float32}, {Tensor::FLOAT16, 2, graph::DataType::Float16},
    {Tensor::INT8, 1, graph::DataType::Int8},     {Tensor::UINT8, 1, graph::DataType::Uint8},
    {Tensor::BOOL, 1, graph::DataType::Uint8},    {Tensor::INT32, 4, graph::DataType::Int32},
    {Tensor::UINT32, 4, graph::DataType::Uint32}, {Tensor::INT64, 8, graph::DataType::Int64},
    {Tensor::UINT64, 8, graph::DataType::Uint64},
};

template <typename To, typename Field>
std::vector<std::byte> bytes_of(const Field& field) {
    std::vector<To> values;
    for (const auto value : field) {
        values.push_back(static_cast<To>(value));
    }
    const auto bytes = std::as_bytes(std::span<const To>(values));
    return {bytes.begin(), bytes.end()};
}

std::vector<std::byte> content(const Tensor& tensor) {
    if (tensor.has_raw_data()) {
        const auto bytes = std::as_bytes(std::span<const char>(tensor.raw_data()));
        return {bytes.begin(), bytes.end()};
    }
    switch (tensor.data_type()) {
    case Tensor::FLOAT: return bytes_of<float>(tensor.float_data());
    case Tensor::FLOAT16: return bytes_of<std::uint16_t>(tensor.int32_data());
    case Tensor::INT8: return bytes_of<std::int8_t>(tensor.int32_data());
    case Tensor::UINT8:
    case Tensor::BOOL: return bytes_of<std::uint8_t>(tensor.int32_data());
    case Tensor::INT32: return bytes_of<std::int32_t>(tensor.int32_data());
    case Tensor::INT64: return bytes_of<std::int64_t>(tensor.int64_data());
    case Tensor::UINT32: return bytes_of<std::uint32_t>(tensor.uint64_data());
    case Tensor::UINT64: return bytes_of<std::uint64_t>(tensor.uint64_data());
    default: return {};
    }
}

template <typename T>
T at(std::span<const std::byte> bytes, std::size_t i) {
    T value{};
    std::memcpy(&value, bytes.data() + i * sizeof(T), sizeof(T));
    return value;
}

double number(std::span<const std::byte> bytes, graph::DataType type, std::size_t i) {
    switch (type) {
    case graph::DataType::Float32: return static_cast<double>(at<float>(bytes, i));
    case graph::DataType::Float16:
        return static_cast<double>(float16_to_float(at<std::uint16_t>(bytes, i)));
    case graph::DataType::Int8: return at<std::int8_t>(bytes, i);
    case graph::DataType::Uint8: return at<std::uint8_t>(bytes, i);
    case graph::DataType::Int32: return at<std::int32_t>(bytes, i);
    case graph::DataType::Uint32: return at<std::uint32_t>(bytes, i);
    case graph::DataType::Int64: return static_cast<double>(at<std::int64_t>(bytes, i));
    case graph::DataType::Uint64: return static_cast<double>(at<std::uint64_t>(bytes, i));
    }
    std::unreachable();
}

// The files input_0.pb, input_1.pb, ... of a test.
Result<std::vector<CaseTensor>> read_all(const fs::path& folder, std::string_view kind) {
    std::vector<CaseTensor> out;
    for (std::size_t i = 0;; ++i) {
        const fs::path path = folder / std::format("{}_{}.pb", kind, i);
        if (!fs::exists(path)) {
            return out;
        }
        SLUICE_TRY_ASSIGN(out.emplace_back(), read_case_tensor(path));
    }
}

// The tensors of input files are those of the model's inputs in their order, whatever they are
// called.
Status rename(const fs::path& path, std::vector<CaseTensor>& inputs) {
    std::ifstream file(path, std::ios::binary);
    const std::string text((std::istreambuf_iterator<char>(file)), {});
    onnx::schema::Model model;
    if (!model.ParseFromString(text)) {
        return fail(ErrorCode::Parse, "{} holds no model", path.string());
    }
    std::size_t next = 0;
    for (const auto& input : model.graph().input()) {
        const bool stored =
            std::ranges::any_of(model.graph().initializer(), [&](const Tensor& tensor) {
                return tensor.name() == input.name();
            });
        if (!stored && next < inputs.size()) {
            inputs[next++].name = input.name();
        }
    }
    return {};
}

Result<std::vector<CaseTensor>> read_inputs(const fs::path& model, const fs::path& data) {
    SLUICE_TRY_ASSIGN(auto inputs, read_all(data, "input"));
    SLUICE_TRY(rename(model, inputs));
    return inputs;
}

bool is_integer(const CaseTensor& tensor) {
    return tensor.type == Tensor::INT64 || tensor.type == Tensor::INT32 ||
           tensor.type == Tensor::BOOL;
}

// The name that a refusal asks the value of.
std::string asked_for(const std::string& message) {
    const std::size_t end = message.find("' must be known at load time");
    const std::size_t start =
        end == std::string::npos || end == 0 ? std::string::npos : message.rfind('\'', end - 1);
    return start == std::string::npos ? "" : message.substr(start + 1, end - start - 1);
}

// Loads, giving shapes and values of inputs where the loader asks for them.
Result<LoadedModel> load_case(const fs::path& path, const fs::path& data, CaseResult& result) {
    LoadOptions options;
    auto model = load_model(path, options);
    if (model) {
        return model;
    }
    // Only now: not every test has tensors for inputs.
    const bool unbound = model.error().message.contains("sizes are missing");
    if (!unbound && asked_for(model.error().message).empty()) {
        return model;
    }
    SLUICE_TRY_ASSIGN(const auto inputs, read_inputs(path, data));
    for (const CaseTensor& input : inputs) {
        if (unbound) {
            options.shapes[input.name] = {input.dims.begin(), input.dims.end()};
        }
    }
    const auto bind = [&](const CaseTensor& input) {
        options.values[input.name] =
            graph::ConstantData::copy(std::span<const std::byte>(input.bytes));
        result.bound.push_back(input.name);
    };
    for (std::size_t round = 0; round <= inputs.size() + 1; ++round) {
        model = load_model(path, options);
        const std::string name = model ? "" : asked_for(model.error().message);
        if (name.empty()) {
            return model;
        }
        if (const auto input = std::ranges::find(inputs, name, &CaseTensor::name);
            input != inputs.end()) {
            bind(*input);
            continue;
        }
        // Computed from inputs: those that may be shapes.
        const std::size_t before = result.bound.size();
        for (const CaseTensor& input : inputs) {
            if (is_integer(input) && !options.values.contains(input.name)) {
                bind(input);
            }
        }
        if (result.bound.size() == before) {
            return model;
        }
    }
    return model;
}

Status run_on(DeviceKind device, const LoadedModel& model, const std::vector<CaseTensor>& inputs,
              const std::vector<CaseTensor>& outputs) {
    SLUICE_TRY_ASSIGN(const auto executable,
                      compile(model.graph, {.device = device, .threads = 1}));
    for (std::size_t i = 0; i < executable->inputs().size(); ++i) {
        const auto found =
            std::ranges::find(inputs, executable->inputs()[i].name, &CaseTensor::name);
        if (found == inputs.end() || found->bytes.size() != executable->input(i).size()) {
            return fail(ErrorCode::Internal, "no data for input '{}'",
                        executable->inputs()[i].name);
        }
        std::ranges::copy(found->bytes, executable->input(i).begin());
    }
    SLUICE_TRY(executable->run());
    if (executable->outputs().size() != outputs.size()) {
        return fail(ErrorCode::Internal, "{} outputs, {} are expected",
                    executable->outputs().size(), outputs.size());
    }
    for (std::size_t i = 0; i < outputs.size(); ++i) {
        const std::string difference =
            compare(outputs[i], executable->output(i), executable->outputs()[i].desc);
        if (!difference.empty()) {
            return fail(ErrorCode::Internal, "output {}: {}", i, difference);
        }
    }
    return {};
}

// Tests whose stored results are wrong, which later releases of ONNX say themselves.
constexpr std::string_view kWraps =
    "its stored result wraps where QLinearMatMul saturates (onnx/onnx#7835)";
constexpr std::pair<std::string_view, std::string_view> kWrongData[] = {
    {"test_qlinearmatmul_2D_int8_float16", kWraps},
    {"test_qlinearmatmul_2D_int8_float32", kWraps},
    {"test_qlinearmatmul_3D_int8_float16", kWraps},
    {"test_qlinearmatmul_3D_int8_float32", kWraps},
};

} // namespace

fs::path onnx_data_folder() {
    const char* const given = std::getenv("SLUICE_ONNX_TESTDATA");
    return given != nullptr ? given : "/usr/share/libonnx-testdata/data";
}

Result<CaseTensor> read_case_tensor(const fs::path& path) {
    std::ifstream file(path, std::ios::binary);
    const std::string text((std::istreambuf_iterator<char>(file)), {});
    Tensor tensor;
    if (!tensor.ParseFromString(text)) {
        return fail(ErrorCode::Parse, "{} holds no tensor", path.string());
    }
    return CaseTensor{.name = tensor.name(),
                      .type = tensor.data_type(),
                      .dims = {tensor.dims().begin(), tensor.dims().end()},
                      .bytes = content(tensor)};
}

std::string compare(const CaseTensor& expected, std::span<const std::byte> actual,
                    const graph::TensorDesc& desc, double rtol, double atol) {
    const auto type = std::ranges::find(kTypes, expected.type, &TypeInfo::type);
    if (type == std::end(kTypes) || type->stored != desc.type()) {
        return std::format("{} where ONNX's type {} is expected", graph::to_string(desc),
                           expected.type);
    }
    if (!std::ranges::equal(expected.dims, desc.shape())) {
        return std::format("{} has the wrong shape", graph::to_string(desc));
    }
    if (expected.bytes.size() != actual.size()) {
        return std::format("{} bytes, {} are expected", actual.size(), expected.bytes.size());
    }
    for (std::size_t i = 0; i < desc.element_count(); ++i) {
        const double want = number(expected.bytes, type->stored, i);
        const double got = number(actual, type->stored, i);
        const bool same = want == got || (std::isnan(want) && std::isnan(got)) ||
                          std::fabs(want - got) <= atol + rtol * std::fabs(want);
        if (!same) {
            return std::format("element {} is {}, {} is expected", i, got, want);
        }
    }
    return {};
}

CaseResult run_case(const fs::path& folder, const std::vector<DeviceKind>& devices) {
    CaseResult result{.name = folder.filename().string(), .message = {}, .bound = {}};
    const auto* const wrong = std::ranges::find(
        kWrongData, result.name, &std::pair<std::string_view, std::string_view>::first);
    if (wrong != std::end(kWrongData)) {
        result.outcome = Outcome::LeftOut;
        result.message = wrong->second;
        return result;
    }
    const fs::path data = folder / "test_data_set_0";
    const auto model = load_case(folder / "model.onnx", data, result);
    if (!model) {
        result.outcome =
            model.error().code == ErrorCode::Unsupported ? Outcome::LeftOut : Outcome::Failed;
        result.message = model.error().message;
        return result;
    }
    const auto inputs = read_inputs(folder / "model.onnx", data);
    const auto outputs = read_all(data, "output");
    if (!inputs || !outputs) {
        result.message = inputs ? outputs.error().message : inputs.error().message;
        return result;
    }
    for (const DeviceKind device : devices) {
        if (const auto status = run_on(device, *model, *inputs, *outputs); !status) {
            result.message = std::format("{}: {}", name(device), status.error().message);
            return result;
        }
    }
    result.outcome = Outcome::Passed;
    return result;
}

} // namespace sluice::models::test
