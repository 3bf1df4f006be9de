// SPDX-License-Identifier: Apache-2.0
// The TFLite loader and whole files: storage forms, metadata, what is refused, and hostile bytes.
// tests/data/make_tflite.py writes the files independently of the loader's schema.
#include <cmath>
#include <filesystem>
#include <functional>
#include <numbers>
#include <random>

#include "core/base/float16.h"
#include "tests/models/run_graph.h"
#include "tests/models/tflite_writer.h"

namespace sluice::models::test {
namespace {

FileBytes data_file(const std::string& name) {
    auto file = map_file(std::filesystem::path("tests/data") / name);
    EXPECT_TRUE(file) << file.error().message;
    return file ? *file : FileBytes{};
}

Error error_of(const FileBytes& file) {
    const auto model = load_model(file, "test");
    if (model) {
        ADD_FAILURE() << "it loads";
        return {};
    }
    return model.error();
}

TEST(TfliteFile, computes_what_the_generator_describes) {
    std::vector<float> x(24);
    for (std::size_t i = 0; i < x.size(); ++i) {
        x[i] = static_cast<float>(i) / 8 - 1.25F;
    }
    const auto outputs = run_graph(data_file("tiny.tflite"), {x});
    ASSERT_EQ(outputs.size(), 1);
    EXPECT_EQ(outputs[0].shape, (std::vector<std::uint32_t>{1, 6, 8, 3}));
    const auto actual = outputs[0].floats();
    for (std::size_t row = 0; row < 6; ++row) {
        for (std::size_t column = 0; column < 8; ++column) {
            for (std::size_t filter = 0; filter < 3; ++filter) {
                const std::size_t pixel = (row / 2) * 4 + column / 2;
                double sum = filter == 2 ? 1.5 : 0.0;
                for (std::size_t channel = 0; channel < 2; ++channel) {
                    const double weight = static_cast<double>(filter * 2 + channel) / 4 - 0.5;
                    sum += weight * static_cast<double>(x[pixel * 2 + channel]);
                }
                const double leaky = sum < 0 ? sum / 4 : sum;
                const double expected = leaky * (1 + std::erf(leaky / std::numbers::sqrt2)) / 2;
                EXPECT_NEAR(actual[(row * 8 + column) * 3 + filter], expected, 1e-6);
            }
        }
    }
}

TEST(TfliteFile, tells_what_its_metadata_says) {
    const auto model = load_model(data_file("tiny.tflite"), "tiny");
    ASSERT_TRUE(model) << model.error().message;
    EXPECT_EQ(model->info.format, "tflite");
    EXPECT_EQ(model->info.name, "Tiny");
    EXPECT_EQ(model->info.description, "A network for tests.");
    EXPECT_EQ(model->info.license, "Apache-2.0");
    ASSERT_TRUE(model->info.normalization);
    EXPECT_EQ(model->info.normalization->mean, 127.5F);
    EXPECT_EQ(model->info.normalization->std, 64.0F);
    EXPECT_EQ(model->info.labels, (std::vector<std::string>{"one", "two", "three"}));
    ASSERT_EQ(model->graph.inputs().size(), 1);
    ASSERT_EQ(model->graph.outputs().size(), 1);
    EXPECT_EQ(model->graph.inputs()[0].name, "input");
    EXPECT_EQ(model->graph.outputs()[0].name, "output");
}

TEST(TfliteFile, lists_all_missing_operators_at_once) {
    const Error error = error_of(data_file("unknown.tflite"));
    EXPECT_EQ(error.code, ErrorCode::Unsupported);
    EXPECT_EQ(error.message,
              "loading test: 3 operators are not supported: LSTM (operator 0 'a'), "
              "MaxUnpooling2D (operator 1 'b'), operator code 3000 (operator 2 'c')");
}

TEST(TfliteFile, refuses_every_truncation) {
    for (const std::string name : {"tiny.tflite", "unknown.tflite"}) {
        const FileBytes whole = data_file(name);
        const bool loads = name == "tiny.tflite";
        for (std::size_t size = 0; size < whole.bytes.size(); ++size) {
            // A copy of exactly this size, so that the sanitizers see reads past the end.
            const auto part = whole.bytes.first(size);
            const auto model = load_model(file_of({part.begin(), part.end()}), "test");
            if (model) {
                // Only the archive at the end may be cut without harm to the graph.
                EXPECT_TRUE(loads && model->info.labels.empty()) << size;
                continue;
            }
            EXPECT_TRUE(model.error().code == ErrorCode::Parse ||
                        model.error().code == ErrorCode::Unsupported)
                << size << ": " << model.error().message;
        }
    }
}

TEST(TfliteFile, survives_flipped_bytes) {
    const FileBytes whole = data_file("tiny.tflite");
    std::mt19937 engine(1);
    for (int round = 0; round < 4000; ++round) {
        std::vector<std::byte> bytes(whole.bytes.begin(), whole.bytes.end());
        for (int flips = 0; flips < 3; ++flips) {
            bytes[engine() % bytes.size()] = static_cast<std::byte>(engine());
        }
        const auto model = load_model(file_of(std::move(bytes)), "test");
        if (!model) {
            EXPECT_FALSE(model.error().message.empty());
            EXPECT_NE(model.error().code, ErrorCode::Internal) << model.error().message;
        }
    }
}

TEST(TfliteFile, dequantizes_constants_by_tensor_and_by_axis) {
    TfliteWriter writer;
    const auto quantize = [&](std::vector<float> scales, std::vector<std::int64_t> zeros,
                              int axis) {
        const auto scale = writer.fbb().CreateVector(scales);
        const auto zero = writer.fbb().CreateVector(zeros);
        return TfliteWriter::Extra{
            schema::CreateQuantizationParameters(writer.fbb(), scale, zero,
                                                 schema::QuantizationDetails::NONE, 0, axis),
            0};
    };
    const auto whole = writer.constant<std::uint8_t>({2, 2}, TensorType::UINT8, {0, 10, 128, 255},
                                                     quantize({0.5F}, {10}, 0));
    const auto by_column = writer.constant<std::int8_t>({2, 2}, TensorType::INT8, {-128, 1, 2, 127},
                                                        quantize({1, 0.25F}, {0, 1}, 1));
    const auto x = writer.tensor({2, 2});
    const auto plain = writer.tensor({2, 2});
    const auto sum = writer.tensor({2, 2});
    const auto product = writer.tensor({2, 2});
    writer.op(BuiltinOperator::DEQUANTIZE, {whole}, {plain});
    writer.op(BuiltinOperator::ADD, {x, plain}, {sum});
    // Without DEQUANTIZE, as in files with quantised weights and float activations.
    writer.op(BuiltinOperator::MUL, {x, by_column}, {product});
    const auto outputs = run_graph(file_of(writer.finish({x}, {sum, product})), {{1, 1, 1, 1}});
    ASSERT_EQ(outputs.size(), 2);
    expect_near(outputs[0].floats(), {-4, 1, 60, 123.5F});
    expect_near(outputs[1].floats(), {-128, 0, 2, 31.5F});
}

TEST(TfliteFile, converts_types) {
    TfliteWriter writer;
    const auto half = writer.constant<std::uint16_t>(
        {3}, TensorType::FLOAT16,
        {float_to_float16(0.1F), float_to_float16(-2.5F), float_to_float16(60000)});
    const auto x = writer.tensor({3});
    const auto wide = writer.tensor({3});
    const auto sum = writer.tensor({3});
    const auto whole = writer.tensor({3}, TensorType::INT32);
    const auto truth = writer.tensor({3}, TensorType::BOOL);
    writer.op(BuiltinOperator::DEQUANTIZE, {half}, {wide});
    writer.op(BuiltinOperator::ADD, {x, wide}, {sum});
    writer.op(BuiltinOperator::CAST, {x}, {whole});
    writer.op(BuiltinOperator::CAST, {x}, {truth});
    const auto outputs =
        run_graph(file_of(writer.finish({x}, {sum, whole, truth})), {{-1.5F, 0, 0.5F}});
    ASSERT_EQ(outputs.size(), 3);
    expect_near(outputs[0].floats(), {-1.5F + 0.0999756F, -2.5F, 60000.5F});
    EXPECT_EQ(outputs[1].as<std::int32_t>(), (std::vector<std::int32_t>{-1, 0, 0}));
    EXPECT_EQ(outputs[2].as<std::uint8_t>(), (std::vector<std::uint8_t>{1, 0, 1}));
}

// A 4x4 matrix in 2x2 blocks: the blocks' rows are dense, their columns compressed, and the stored
// blocks are column by column inside.
TEST(TfliteFile, expands_blocks_of_sparse_constants) {
    TfliteWriter writer;
    auto& fbb = writer.fbb();
    const auto dense = [&](int size) {
        return schema::CreateDimensionMetadata(fbb, schema::DimensionType::DENSE, size);
    };
    const auto int32s = [&](const std::vector<std::int32_t>& values) {
        return schema::CreateInt32Vector(fbb, fbb.CreateVector(values)).Union();
    };
    const auto uint16s = [&](const std::vector<std::uint16_t>& values) {
        return schema::CreateUint16Vector(fbb, fbb.CreateVector(values)).Union();
    };
    // Row 0 of blocks holds block column 1, row 1 holds 0 and 1.
    const auto segments = int32s({0, 1, 3});
    const auto indices = uint16s({1, 0, 1});
    const auto columns = schema::CreateDimensionMetadata(
        fbb, schema::DimensionType::SPARSE_CSR, 0, schema::SparseIndexVector::Int32Vector, segments,
        schema::SparseIndexVector::Uint16Vector, indices);
    const std::vector levels{dense(2), columns, dense(2), dense(2)};
    const auto order = fbb.CreateVector(std::vector<std::int32_t>{0, 1, 3, 2});
    const auto map = fbb.CreateVector(std::vector<std::int32_t>{0, 1});
    const auto level_vector = fbb.CreateVector(levels);
    const auto sparsity = schema::CreateSparsityParameters(fbb, order, map, level_vector);
    const auto matrix = writer.constant<float>(
        {4, 4}, TensorType::FLOAT32, {1, 3, 2, 4, 5, 7, 6, 8, 9, 11, 10, 12}, {0, sparsity});
    const auto expanded = writer.tensor({4, 4});
    const auto x = writer.tensor({4, 4});
    const auto y = writer.tensor({4, 4});
    writer.op(BuiltinOperator::DENSIFY, {matrix}, {expanded});
    writer.op(BuiltinOperator::ADD, {x, expanded}, {y});
    const auto outputs =
        run_graph(file_of(writer.finish({x}, {y})), {std::vector<float>(16, 0.0F)});
    ASSERT_EQ(outputs.size(), 1);
    expect_near(outputs[0].floats(), {0, 0, 1, 2,  //
                                      0, 0, 3, 4,  //
                                      5, 6, 9, 10, //
                                      7, 8, 11, 12});
}

struct BadSparsity {
    std::string_view what;
    std::vector<std::int32_t> order;
    std::vector<std::int32_t> segments;
    std::vector<std::int32_t> indices;
    std::string_view message;
};

TEST(TfliteFile, refuses_sparse_constants_that_lead_astray) {
    const BadSparsity cases[] = {
        {"an index outside", {0, 1}, {0, 1, 1}, {9}, "index of 9"},
        {"falling segments", {0, 1}, {0, 1, 0}, {0, 1}, "segments"},
        {"segments past the indices", {0, 1}, {0, 1, 5}, {0, 1}, "segments"},
        {"too few segments", {0, 1}, {0, 1}, {0, 1}, "too few segments"},
        {"negative segments", {0, 1}, {-1, 0, 1}, {0, 1}, "segments"},
        {"no permutation", {1, 1}, {0, 1, 2}, {0, 1}, "no permutation"},
        {"more values than stored", {0, 1}, {0, 3, 3}, {0, 1, 2}, "more positions"},
    };
    for (const BadSparsity& c : cases) {
        SCOPED_TRACE(c.what);
        TfliteWriter writer;
        auto& fbb = writer.fbb();
        const auto order = fbb.CreateVector(c.order);
        const auto segments = schema::CreateInt32Vector(fbb, fbb.CreateVector(c.segments)).Union();
        const auto indices = schema::CreateInt32Vector(fbb, fbb.CreateVector(c.indices)).Union();
        const std::vector levels{
            schema::CreateDimensionMetadata(fbb, schema::DimensionType::DENSE, 2),
            schema::CreateDimensionMetadata(fbb, schema::DimensionType::SPARSE_CSR, 0,
                                            schema::SparseIndexVector::Int32Vector, segments,
                                            schema::SparseIndexVector::Int32Vector, indices)};
        const auto level_vector = fbb.CreateVector(levels);
        const auto sparsity = schema::CreateSparsityParameters(fbb, order, 0, level_vector);
        const auto matrix =
            writer.constant<float>({2, 3}, TensorType::FLOAT32, {1, 2}, {0, sparsity});
        const auto x = writer.tensor({2, 3});
        const auto y = writer.tensor({2, 3});
        writer.op(BuiltinOperator::ADD, {x, matrix}, {y});
        const Error error = error_of(file_of(writer.finish({x}, {y})));
        EXPECT_EQ(error.code, ErrorCode::Parse);
        EXPECT_NE(error.message.find(c.message), std::string::npos) << error.message;
    }
}

TEST(TfliteFile, does_not_expand_a_small_file_into_gigabytes) {
    TfliteWriter writer;
    auto& fbb = writer.fbb();
    const std::vector levels{
        schema::CreateDimensionMetadata(fbb, schema::DimensionType::DENSE, 1 << 14),
        schema::CreateDimensionMetadata(fbb, schema::DimensionType::DENSE, 1 << 14)};
    const auto order = fbb.CreateVector(std::vector<std::int32_t>{0, 1});
    const auto level_vector = fbb.CreateVector(levels);
    const auto sparsity = schema::CreateSparsityParameters(fbb, order, 0, level_vector);
    const auto matrix =
        writer.constant<float>({1 << 14, 1 << 14}, TensorType::FLOAT32, {1}, {0, sparsity});
    const auto x = writer.tensor({1});
    const auto y = writer.tensor({1 << 14, 1 << 14});
    writer.op(BuiltinOperator::ADD, {x, matrix}, {y});
    const Error error = error_of(file_of(writer.finish({x}, {y})));
    EXPECT_EQ(error.code, ErrorCode::Unsupported);
    EXPECT_NE(error.message.find("expands to 1073741824 bytes"), std::string::npos)
        << error.message;
}

TEST(TfliteFile, names_inputs_and_outputs_uniquely) {
    TfliteWriter writer;
    // The writer numbers names, so equal ones are made by hand.
    const auto a = writer.tensor({1}, TensorType::FLOAT32, "x");
    const auto b = writer.tensor({1}, TensorType::FLOAT32, "");
    writer.op(BuiltinOperator::RELU, {a}, {b});
    // The same tensor twice, and an input that goes straight through.
    const auto model = load_model(file_of(writer.finish({a}, {b, b, a})), "test");
    ASSERT_TRUE(model) << model.error().message;
    ASSERT_EQ(model->graph.outputs().size(), 3);
    EXPECT_EQ(model->graph.inputs()[0].name, "x0");
    EXPECT_EQ(model->graph.outputs()[0].name, "1");
    EXPECT_EQ(model->graph.outputs()[1].name, "1_1");
    EXPECT_EQ(model->graph.outputs()[2].name, "x0_1");
}

// --- What is refused, with what sentence.

struct FileRefusal {
    std::string_view what;
    std::function<std::vector<std::byte>(TfliteWriter&)> write;
    ErrorCode code;
    std::string_view message;
};

const FileRefusal kFileRefusals[] = {
    {"a tensor that nothing computes",
     [](TfliteWriter& w) {
         const auto x = w.tensor({2});
         const auto ghost = w.tensor({2});
         const auto y = w.tensor({2});
         w.op(BuiltinOperator::ADD, {x, ghost}, {y});
         return w.finish({x}, {y});
     },
     ErrorCode::Parse, "ADD operator 0 't2': tensor 1 't1' is read before anything computes it"},
    {"a tensor index outside",
     [](TfliteWriter& w) {
         const auto x = w.tensor({2});
         const auto y = w.tensor({2});
         w.op(BuiltinOperator::RELU, {77}, {y});
         return w.finish({x}, {y});
     },
     ErrorCode::Parse, "input 0 is tensor 77 of 2"},
    {"a tensor computed twice",
     [](TfliteWriter& w) {
         const auto x = w.tensor({2});
         const auto y = w.tensor({2});
         w.op(BuiltinOperator::RELU, {x}, {y});
         w.op(BuiltinOperator::ABS, {x}, {y});
         return w.finish({x}, {y});
     },
     ErrorCode::Parse, "computes tensor 1 't1', which exists already"},
    {"shapes that do not broadcast",
     [](TfliteWriter& w) {
         const auto x = w.tensor({2});
         const auto c = w.floats({3}, {1, 2, 3});
         const auto y = w.tensor({3});
         w.op(BuiltinOperator::ADD, {x, c}, {y});
         return w.finish({x}, {y});
     },
     ErrorCode::Parse, "ADD operator 0 't2'"},
    {"a shape that is not what is computed",
     [](TfliteWriter& w) {
         const auto x = w.tensor({2});
         const auto y = w.tensor({5});
         w.op(BuiltinOperator::RELU, {x}, {y});
         return w.finish({x}, {y});
     },
     ErrorCode::Parse, "computes float32[2] for tensor 1 't1', which is float32[5]"},
    {"a constant of the wrong size",
     [](TfliteWriter& w) {
         const auto x = w.tensor({2});
         const auto c = w.floats({2}, {1, 2, 3});
         const auto y = w.tensor({2});
         w.op(BuiltinOperator::ADD, {x, c}, {y});
         return w.finish({x}, {y});
     },
     ErrorCode::Parse, "has 12 bytes of data, its shape float32[2] needs 8"},
    {"too many outputs for the operator",
     [](TfliteWriter& w) {
         const auto x = w.tensor({2});
         const auto y = w.tensor({2});
         const auto z = w.tensor({2});
         w.op(BuiltinOperator::RELU, {x}, {y, z});
         return w.finish({x}, {y});
     },
     ErrorCode::Parse, "has 2 outputs, 1 are expected"},
    {"options that are missing",
     [](TfliteWriter& w) {
         const auto x = w.tensor({1, 2, 2, 1});
         const auto y = w.tensor({1, 1, 1, 1});
         w.op(BuiltinOperator::MAX_POOL_2D, {x}, {y});
         return w.finish({x}, {y});
     },
     ErrorCode::Parse, "its options are missing"},
    {"a stride of zero",
     [](TfliteWriter& w) {
         const auto x = w.tensor({1, 2, 2, 1});
         const auto y = w.tensor({1, 1, 1, 1});
         w.op(BuiltinOperator::MAX_POOL_2D, {x}, {y},
              schema::CreatePool2DOptions(w.fbb(), schema::Padding::SAME, 0, 1, 1, 1));
         return w.finish({x}, {y});
     },
     ErrorCode::Parse, "stride is 0, a positive number is needed"},
    {"an axis outside",
     [](TfliteWriter& w) {
         const auto x = w.tensor({2, 2});
         const auto axis = w.ints({2});
         const auto y = w.tensor({2});
         w.op(BuiltinOperator::SUM, {x, axis}, {y});
         return w.finish({x}, {y});
     },
     ErrorCode::Parse, "axis 2 of a tensor of 2 dimensions"},
    {"a shape known at run time only",
     [](TfliteWriter& w) {
         const auto x = w.tensor({2, 2});
         const auto axis = w.tensor({1}, TensorType::INT32);
         const auto y = w.tensor({2});
         w.op(BuiltinOperator::SUM, {x, axis}, {y});
         return w.finish({x, axis}, {y});
     },
     ErrorCode::Unsupported,
     "1 operator is not supported: SUM (operator 0 't2': tensor 1 't1' is computed at run time, a "
     "constant is needed)"},
    {"a type that WebNN does not have",
     [](TfliteWriter& w) {
         const auto x = w.tensor({2}, TensorType::STRING);
         const auto y = w.tensor({2});
         w.op(BuiltinOperator::RELU, {x}, {y});
         return w.finish({x}, {y});
     },
     ErrorCode::Unsupported, "tensor 0 't0' has the unsupported type STRING"},
    {"an operator that WebNN lacks for the type",
     [](TfliteWriter& w) {
         const auto x = w.tensor({2}, TensorType::INT32);
         const auto y = w.tensor({2}, TensorType::INT32);
         w.op(BuiltinOperator::EXP, {x}, {y});
         return w.finish({x}, {y});
     },
     ErrorCode::Unsupported, "EXP (operator 0 't1'"},
    {"an output that nothing computes",
     [](TfliteWriter& w) {
         const auto x = w.tensor({2});
         const auto y = w.tensor({2});
         return w.finish({x}, {y});
     },
     ErrorCode::Parse, "tensor 1 't1' is an output that nothing computes"},
    {"no outputs",
     [](TfliteWriter& w) {
         const auto x = w.tensor({2});
         return w.finish({x}, {});
     },
     ErrorCode::Parse, "no outputs"},
};

TEST(TfliteFile, refuses_with_a_sentence_that_names_the_place) {
    for (const FileRefusal& c : kFileRefusals) {
        SCOPED_TRACE(c.what);
        TfliteWriter writer;
        const Error error = error_of(file_of(c.write(writer)));
        EXPECT_EQ(error.code, c.code) << error.message;
        EXPECT_NE(error.message.find(c.message), std::string::npos) << error.message;
    }
}

} // namespace
} // namespace sluice::models::test
