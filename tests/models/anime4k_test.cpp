// SPDX-License-Identifier: Apache-2.0
// The Anime4K loader, on weights made here, against loops written from the shaders' definition.
#include <cmath>
#include <format>
#include <map>
#include <random>

#include "tests/models/run_graph.h"

namespace sluice::models::test {
namespace {

FileBytes text_file(std::string_view text) {
    const auto bytes = std::as_bytes(std::span(text));
    const auto owner = std::make_shared<const std::vector<std::byte>>(bytes.begin(), bytes.end());
    return {.owner = owner, .bytes = *owner};
}

struct TestLayer {
    std::vector<float> weights;
    std::vector<float> bias;
};
using Layers = std::map<std::string, TestLayer>;

// A file of one of the three kinds, with random weights.
Layers random_layers(char kind) {
    std::mt19937 engine(static_cast<unsigned>(kind));
    std::uniform_real_distribution<float> range(-0.25F, 0.25F);
    Layers layers;
    const auto add = [&](const std::string& name, std::size_t matrices) {
        TestLayer& layer = layers[name];
        for (std::size_t i = 0; i < matrices * 16; ++i) {
            layer.weights.push_back(range(engine));
        }
        for (std::size_t i = 0; i < 4; ++i) {
            layer.bias.push_back(range(engine));
        }
    };
    const std::size_t stages = kind == 'S' ? 3 : 7;
    for (std::size_t stage = 0; stage < stages; ++stage) {
        const std::string name = stage == 0 ? "conv2d_tf" : std::format("conv2d_{}_tf", stage);
        const std::size_t groups = stage == 0 ? 1 : kind == 'L' ? 4 : 2;
        add(name, 9 * groups);
        if (kind == 'L') {
            add(name + "1", 9 * groups);
        }
    }
    if (kind == 'S') {
        add("conv2d_last_tf", 18);
    }
    for (const std::string suffix : {"", "1", "2"}) {
        if (kind != 'S') {
            add((kind == 'M' ? "conv2d_7_tf" : "conv2d_last_tf") + suffix, kind == 'M' ? 14 : 28);
        }
    }
    return layers;
}

std::string json_of(const Layers& layers) {
    std::string text = R"({"name": "test", "layers": {)";
    // The file's own order puts conv2d_tf first, which is how it is recognised.
    text += R"("conv2d_tf": {)";
    const auto body = [](const TestLayer& layer) {
        std::string out = R"("weights": [)";
        for (std::size_t i = 0; i < layer.weights.size(); ++i) {
            out += std::format("{}{}", i == 0 ? "" : ", ", layer.weights[i]);
        }
        out += std::format(R"(], "bias": [{}, {}, {}, {}]}})", layer.bias[0], layer.bias[1],
                           layer.bias[2], layer.bias[3]);
        return out;
    };
    text += body(layers.at("conv2d_tf"));
    for (const auto& [name, layer] : layers) {
        if (name != "conv2d_tf") {
            text += std::format(R"(, "{}": {{{})", name, body(layer));
        }
    }
    return text + R"(, "pixel_shuffle": {"type": "pixel_shuffle"}}})";
}

// A picture of vectors of four, as the shaders' textures are.
struct Texture {
    int height, width;
    std::vector<double> values;

    Texture(int h, int w) : height(h), width(w), values(static_cast<std::size_t>(h * w * 4)) {}
    [[nodiscard]] double at(int y, int x, int c) const {
        if (y < 0 || y >= height || x < 0 || x >= width) {
            return 0; // convolutions are padded with zeros
        }
        return values[static_cast<std::size_t>((y * width + x) * 4 + c)];
    }
    double& at(int y, int x, int c) {
        return values[static_cast<std::size_t>((y * width + x) * 4 + c)];
    }
};

double relu(double v) {
    return std::fmax(v, 0.0);
}

// The shaders sum matrix * vec4 over taps, columns of taps outermost, for each input in turn.
Texture convolve(const std::vector<Texture>& inputs, const TestLayer& layer, int size) {
    Texture out(inputs[0].height, inputs[0].width);
    for (int y = 0; y < out.height; ++y) {
        for (int x = 0; x < out.width; ++x) {
            for (int o = 0; o < 4; ++o) {
                double sum = static_cast<double>(layer.bias[static_cast<std::size_t>(o)]);
                std::size_t matrix = 0;
                for (const Texture& input : inputs) {
                    for (int dx = -(size / 2); dx <= size / 2; ++dx) {
                        for (int dy = -(size / 2); dy <= size / 2; ++dy, ++matrix) {
                            for (int c = 0; c < 4; ++c) {
                                // Column-major: column c of the matrix multiplies component c.
                                const std::size_t entry =
                                    matrix * 16 + static_cast<std::size_t>(c * 4 + o);
                                sum += static_cast<double>(layer.weights[entry]) *
                                       input.at(y + dy, x + dx, c);
                            }
                        }
                    }
                }
                out.at(y, x, o) = sum;
            }
        }
    }
    return out;
}

Texture map(const Texture& texture, double sign) {
    Texture out = texture;
    for (double& value : out.values) {
        value = relu(sign * value);
    }
    return out;
}

// The four sub-pixels of every colour, one texture a colour.
std::vector<Texture> expected_subpixels(char kind, const Layers& layers, const Texture& picture) {
    std::vector<Texture> source{picture};
    std::vector<Texture> features;
    const int stages = kind == 'S' ? 3 : 7;
    for (int stage = 0; stage < stages; ++stage) {
        const std::string name = stage == 0 ? "conv2d_tf" : std::format("conv2d_{}_tf", stage);
        const Texture a = convolve(source, layers.at(name), 3);
        if (kind == 'L') {
            const Texture b = convolve(source, layers.at(name + "1"), 3);
            source = {map(a, 1), map(b, 1), map(a, -1), map(b, -1)};
        } else {
            source = {map(a, 1), map(a, -1)};
        }
        features.insert(features.end(), source.begin(), source.end());
    }
    if (kind == 'S') {
        return {convolve(source, layers.at("conv2d_last_tf"), 3)};
    }
    const std::string last = kind == 'M' ? "conv2d_7_tf" : "conv2d_last_tf";
    std::vector<Texture> out;
    for (const std::string suffix : {"", "1", "2"}) {
        out.push_back(convolve(features, layers.at(last + suffix), 1));
    }
    return out;
}

class Anime4k : public testing::TestWithParam<char> {};

TEST_P(Anime4k, computes_the_shaders_network) {
    constexpr int kHeight = 5;
    constexpr int kWidth = 7;
    const Layers layers = random_layers(GetParam());
    std::mt19937 engine(7);
    std::uniform_real_distribution<float> range(0, 1);
    std::vector<float> x;
    Texture picture(kHeight, kWidth);
    for (int i = 0; i < kHeight * kWidth * 3; ++i) {
        x.push_back(range(engine));
        picture.at(i / 3 / kWidth, i / 3 % kWidth, i % 3) = static_cast<double>(x.back());
    }
    const auto subpixels = expected_subpixels(GetParam(), layers, picture);
    const int colours = static_cast<int>(subpixels.size());

    const auto outputs =
        run_graph(text_file(json_of(layers)), {x}, {.width = kWidth, .height = kHeight});
    ASSERT_EQ(outputs.size(), 2);
    const auto residual = outputs[0].floats();
    const auto output = outputs[1].floats();
    ASSERT_EQ(residual.size(), static_cast<std::size_t>(4 * kHeight * kWidth * colours));
    ASSERT_EQ(output.size(), static_cast<std::size_t>(4 * kHeight * kWidth * 3));
    for (int y = 0; y < 2 * kHeight; ++y) {
        for (int xx = 0; xx < 2 * kWidth; ++xx) {
            for (int c = 0; c < 3; ++c) {
                const int colour = c % colours;
                const double expected_residual = subpixels[static_cast<std::size_t>(colour)].at(
                    y / 2, xx / 2, 2 * (y % 2) + xx % 2);
                const int at = y * 2 * kWidth + xx;
                EXPECT_NEAR(residual[static_cast<std::size_t>(at * colours + colour)],
                            expected_residual, 1e-5);
                // Half-pixel bilinear x2: 3/4 of the nearer and 1/4 of the farther, clamped.
                const int y0 = y / 2;
                const int x0 = xx / 2;
                const int y1 = std::clamp(y % 2 == 0 ? y0 - 1 : y0 + 1, 0, kHeight - 1);
                const int x1 = std::clamp(xx % 2 == 0 ? x0 - 1 : x0 + 1, 0, kWidth - 1);
                const double larger =
                    0.75 * (0.75 * picture.at(y0, x0, c) + 0.25 * picture.at(y0, x1, c)) +
                    0.25 * (0.75 * picture.at(y1, x0, c) + 0.25 * picture.at(y1, x1, c));
                EXPECT_NEAR(output[static_cast<std::size_t>(at * 3 + c)],
                            larger + expected_residual, 1e-5);
            }
        }
    }
}

INSTANTIATE_TEST_SUITE_P(Kinds, Anime4k, testing::Values('S', 'M', 'L'),
                         [](const auto& row) { return std::string(1, row.param); });

TEST(Anime4kFile, has_a_default_size) {
    const auto model = load_model(text_file(json_of(random_layers('S'))), "test");
    ASSERT_TRUE(model) << model.error().message;
    EXPECT_EQ(model->info.format, "anime4k");
    EXPECT_EQ(model->info.name, "test");
    const auto& input = model->graph.desc(model->graph.inputs()[0].id);
    EXPECT_EQ(graph::to_string(input), "float32[1,360,640,3]");
}

TEST(Anime4kFile, refuses_every_truncation) {
    const std::string whole = json_of(random_layers('S'));
    for (std::size_t size = 0; size < whole.size(); size += size < 200 ? 1 : 7) {
        const auto model = load_model(text_file(std::string_view(whole).substr(0, size)), "test");
        ASSERT_FALSE(model) << size;
        EXPECT_TRUE(model.error().code == ErrorCode::Parse ||
                    model.error().code == ErrorCode::Unsupported)
            << model.error().message;
    }
}

TEST(Anime4kFile, refuses_with_a_sentence_that_names_the_layer) {
    Layers missing = random_layers('S');
    missing.erase("conv2d_1_tf");
    Layers uneven = random_layers('S');
    uneven["conv2d_2_tf"].weights.pop_back();
    Layers unknown = random_layers('S');
    unknown.erase("conv2d_last_tf");
    const std::string good = json_of(random_layers('S'));
    std::string not_a_number = good;
    not_a_number.replace(not_a_number.find('[') + 1, 1, "\"x\",");
    std::string infinite = good;
    infinite.replace(infinite.find('[') + 1, 1, "1e39,");
    const struct {
        std::string text;
        ErrorCode code;
        std::string_view message;
    } cases[] = {
        {json_of(missing), ErrorCode::Parse, "layer 'conv2d_1_tf' is missing"},
        {json_of(uneven), ErrorCode::Parse,
         "layer 'conv2d_2_tf': 287 weights and 4 biases, 288 and 4 are needed"},
        {json_of(unknown), ErrorCode::Unsupported, "no Anime4K x2 network"},
        {not_a_number, ErrorCode::Parse, "element 0 of its weights is no number"},
        {infinite, ErrorCode::Parse, "element 0 of its weights is no number"},
        {R"({"conv2d_tf": 1})", ErrorCode::Parse, "no object of layers"},
        {R"({"layers": {"conv2d_tf": {"weights": 3}}})", ErrorCode::Parse,
         "layer 'conv2d_tf' has no list of weights"},
    };
    for (const auto& c : cases) {
        const auto model = load_model(text_file(c.text), "test");
        ASSERT_FALSE(model) << c.message;
        EXPECT_EQ(model.error().code, c.code);
        EXPECT_NE(model.error().message.find(c.message), std::string::npos)
            << model.error().message;
    }
}

TEST(Anime4kFile, refuses_pictures_that_are_too_large) {
    const auto model =
        load_model(text_file(json_of(random_layers('S'))), "test", {.width = 20000, .height = 10});
    ASSERT_FALSE(model);
    EXPECT_EQ(model.error().code, ErrorCode::InvalidArgument);
}

} // namespace
} // namespace sluice::models::test
