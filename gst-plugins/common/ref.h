// SPDX-License-Identifier: Apache-2.0
// Ref: the owner of one reference to a GObject, mini object or caps.
#pragma once

#include <utility>

#include <gst/gst.h>

namespace sluice::gst {

inline void unref(GstBuffer* buffer) {
    gst_buffer_unref(buffer);
}
inline void unref(GstSample* sample) {
    gst_sample_unref(sample);
}
inline void unref(GstCaps* caps) {
    gst_caps_unref(caps);
}
inline void unref(GstMessage* message) {
    gst_message_unref(message);
}
inline void unref(GstBus* bus) {
    gst_object_unref(bus);
}
inline void unref(GstPad* pad) {
    gst_object_unref(pad);
}
inline void unref(GstBufferPool* pool) {
    gst_object_unref(pool);
}
inline void unref(GstAllocator* allocator) {
    gst_object_unref(allocator);
}
inline void unref(GstElement* element) {
    gst_object_unref(element);
}
inline void unref(GstQuery* query) {
    gst_query_unref(query);
}

// Holds exactly one reference. Ref(p) adopts a (transfer full) pointer.
template <typename T>
class Ref {
public:
    Ref() = default;
    explicit Ref(T* adopted) : ptr_(adopted) {}
    Ref(Ref&& other) noexcept : ptr_(other.release()) {}
    Ref& operator=(Ref&& other) noexcept {
        std::swap(ptr_, other.ptr_);
        return *this;
    }
    Ref(const Ref&) = delete;
    Ref& operator=(const Ref&) = delete;
    ~Ref() { reset(); }

    [[nodiscard]] T* get() const { return ptr_; }
    [[nodiscard]] T* release() { return std::exchange(ptr_, nullptr); }
    void reset() {
        if (T* gone = release(); gone != nullptr) {
            unref(gone);
        }
    }
    explicit operator bool() const { return ptr_ != nullptr; }

private:
    T* ptr_ = nullptr;
};

} // namespace sluice::gst
