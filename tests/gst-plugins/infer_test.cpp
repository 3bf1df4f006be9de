// SPDX-License-Identifier: Apache-2.0
// sluiceinfer: the model's tensors, under its names, on the buffer.
#include <array>
#include <cmath>
#include <cstdlib>
#include <cstring>
#include <filesystem>
#include <fstream>

#include <gst/analytics/analytics.h>
#include <gtest/gtest.h>

#include "core/engine.h"
#include "core/graph/builder.h"
#include "models/loaders/webnn/webnn_writer.h"
#include "models/store/model_key.h"
#include "models/store/seal.h"
#include "models/store/store.h"
#include "tests/gst-plugins/support.h"
#include "tests/gst-plugins/witness_memory.h"
#include "tests/support/must.h"

namespace sluice::testing {
namespace {

std::vector<float> values_of(const GstTensor* tensor) {
    std::vector<float> out(gst_buffer_get_size(tensor->data) / sizeof(float));
    gst_buffer_extract(tensor->data, 0, out.data(), out.size() * sizeof(float));
    return out;
}

TEST(Infer, attaches_what_the_engine_computes_from_the_same_tensor) {
    SLUICE_NEED(model, model_file("face-detection-short-range.tflite"));
    // A flat frame: every input value is (code - 127.5) / 127.5, whatever the sampling.
    const std::string caps = video_caps("RGB", 200, 100);
    const Ref frame = make_frame(caps);
    gst_buffer_memset(frame.get(), 0, 204, gst_buffer_get_size(frame.get()));
    const WitnessMemory witness(frame.get());
    Harness harness("sluiceinfer", [](GstElement* element) {
        g_object_set(element, "model", "face-detection-short-range", nullptr);
    });
    harness.set_caps(caps);
    Ref seen = witness.make_buffer();
    witness.forget();
    const Ref out = harness.run(std::move(seen));
    ASSERT_TRUE(out);
    EXPECT_EQ(witness.writes(), 0U);
    EXPECT_EQ(witness.copies(), 0U);

    auto stored = models::open_model("face-detection-short-range");
    ASSERT_TRUE(stored.has_value());
    auto program = compile(std::move(stored->model.graph), {.device = DeviceKind::Reference});
    ASSERT_TRUE(program.has_value()) << program.error().message;
    std::ranges::fill((*program)->input_floats(0), (204.0F - 127.5F) / 127.5F);
    ASSERT_TRUE((*program)->run().has_value());

    GstTensorMeta* meta = gst_buffer_get_tensor_meta(out.get());
    ASSERT_NE(meta, nullptr);
    ASSERT_EQ(meta->num_tensors, (*program)->outputs().size());
    for (std::size_t i = 0; i < meta->num_tensors; ++i) {
        const GstTensor* tensor = gst_tensor_meta_get(meta, i);
        const auto& wanted = (*program)->outputs()[i];
        EXPECT_EQ(g_quark_to_string(tensor->id), wanted.name);
        EXPECT_EQ(tensor->data_type, GST_TENSOR_DATA_TYPE_FLOAT32);
        EXPECT_EQ(tensor->dims_order, GST_TENSOR_DIM_ORDER_ROW_MAJOR);
        ASSERT_EQ(tensor->num_dims, wanted.desc.rank());
        for (std::size_t d = 0; d < tensor->num_dims; ++d) {
            EXPECT_EQ(tensor->dims[d], wanted.desc.shape()[d]);
        }
        const auto got = values_of(tensor);
        const auto expected = (*program)->output_floats(i);
        ASSERT_EQ(got.size(), expected.size());
        for (std::size_t v = 0; v < got.size(); ++v) {
            ASSERT_NEAR(got[v], expected[v], 2e-3F * std::max(1.0F, std::abs(expected[v]))) << v;
        }
    }
}

TEST(Infer, obeys_offset_and_scale) {
    SLUICE_NEED(model, model_file("face-detection-short-range.tflite"));
    const std::string caps = video_caps("RGB", 128, 128);
    const auto first_value = [&](double offset, double scale, guint8 code) {
        Harness harness("sluiceinfer", [&](GstElement* element) {
            g_object_set(element, "model", "face-detection-short-range", "input-tensor-offset",
                         offset, "input-tensor-scale", scale, nullptr);
        });
        harness.set_caps(caps);
        Ref frame = make_frame(caps);
        gst_buffer_memset(frame.get(), 0, code, gst_buffer_get_size(frame.get()));
        const Ref out = harness.run(std::move(frame));
        return values_of(gst_tensor_meta_get(gst_buffer_get_tensor_meta(out.get()), 0))[0];
    };
    // The same input tensor by two ways: (100 - 0) / 100 and (200 - 100) / 100.
    EXPECT_NEAR(first_value(0, 100, 100), first_value(100, 100, 200), 1e-3);
    EXPECT_NE(first_value(0, 100, 100), first_value(0, 200, 100));
}

TEST(Infer, attaches_nothing_to_frames_that_it_leaves_out) {
    SLUICE_NEED(model, model_file("face-detection-short-range.tflite"));
    const std::string caps = video_caps("NV12", 64, 64);
    Harness harness("sluiceinfer", [](GstElement* element) {
        g_object_set(element, "model", "face-detection-short-range", "inference-interval", 2,
                     nullptr);
    });
    harness.set_caps(caps);
    EXPECT_NE(gst_buffer_get_tensor_meta(harness.run(make_frame(caps, 0)).get()), nullptr);
    EXPECT_EQ(gst_buffer_get_tensor_meta(harness.run(make_frame(caps, 1)).get()), nullptr);
    EXPECT_NE(gst_buffer_get_tensor_meta(harness.run(make_frame(caps, 2)).get()), nullptr);
}

// y = x + 1 over a picture of 2x2, sealed; the key lies beside it.
class SealedNetwork {
public:
    SealedNetwork() {
        std::string name = (std::filesystem::temp_directory_path() / "sluice-gst-XXXXXX").string();
        folder_ = ::mkdtemp(name.data());
        graph::GraphBuilder builder;
        const auto desc = must(graph::TensorDesc::create(graph::DataType::Float32, {1, 2, 2, 3}));
        const auto x = must(builder.input("x", desc));
        const auto one = must(builder.constant(graph::DataType::Float32, 1.0));
        const auto y = must(builder.add(x, one));
        const auto saved = must(models::webnn::save(must(builder.build({{"y", y}})), {}, "w"));
        const auto key = must(models::ModelKey::generate());
        const std::array<models::NamedBytes, 2> files{
            {{"m.json", std::as_bytes(std::span(saved.description))}, {"w", saved.weights}}};
        const auto sealed = must(models::seal(files, key));
        const std::string text = key.to_text();
        write(model(), sealed);
        write(this->key(), std::as_bytes(std::span(text)));
    }
    SealedNetwork(const SealedNetwork&) = delete;
    SealedNetwork& operator=(const SealedNetwork&) = delete;
    ~SealedNetwork() {
        std::error_code ignored;
        std::filesystem::remove_all(folder_, ignored);
    }
    [[nodiscard]] std::string model() const { return (folder_ / "m.sealed").string(); }
    [[nodiscard]] std::string key() const { return (folder_ / "key").string(); }

private:
    static void write(const std::string& path, std::span<const std::byte> bytes) {
        std::ofstream(path, std::ios::binary)
            .write(reinterpret_cast<const char*>(bytes.data()),
                   static_cast<std::streamsize>(bytes.size()));
    }
    std::filesystem::path folder_;
};

TEST(Infer, opens_a_sealed_model_with_its_key) {
    const SealedNetwork network;
    const std::string caps = video_caps("RGB", 2, 2);
    Harness harness("sluiceinfer", [&](GstElement* element) {
        g_object_set(element, "model", network.model().c_str(), "model-key", network.key().c_str(),
                     nullptr);
        gchar* source = nullptr;
        g_object_get(element, "model-key", &source, nullptr);
        EXPECT_EQ(source, network.key());
        g_free(source);
    });
    harness.set_caps(caps);
    Ref frame = make_frame(caps);
    gst_buffer_memset(frame.get(), 0, 255, gst_buffer_get_size(frame.get()));
    const Ref out = harness.run(std::move(frame));
    ASSERT_TRUE(out);
    for (const float value :
         values_of(gst_tensor_meta_get(gst_buffer_get_tensor_meta(out.get()), 0))) {
        EXPECT_FLOAT_EQ(value, 2.0F); // 255 becomes 1 where neither file nor manifest has a range
    }
}

TEST(Infer, says_that_a_sealed_model_lacks_its_key) {
    const SealedNetwork network;
    const Outcome outcome =
        run_pipeline("videotestsrc ! sluiceinfer model=" + network.model() + " ! fakesink");
    ASSERT_EQ(outcome.errors.size(), 1U);
    EXPECT_NE(outcome.errors[0].second.find("no key is given"), std::string::npos);
}

TEST(Infer, asks_for_a_model) {
    const Outcome outcome = run_pipeline("videotestsrc ! sluiceinfer name=x ! fakesink");
    ASSERT_EQ(outcome.errors.size(), 1U);
    EXPECT_EQ(outcome.errors[0].first, "x");
    EXPECT_NE(outcome.errors[0].second.find("set the property 'model'"), std::string::npos);
}

} // namespace
} // namespace sluice::testing
