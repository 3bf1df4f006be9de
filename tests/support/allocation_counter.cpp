// SPDX-License-Identifier: Apache-2.0
// malloc and its relatives, counted and handed on to glibc's.
#include "tests/support/allocation_counter.h"

#include <algorithm>
#include <array>
#include <atomic>
#include <cerrno>
#include <cstddef>
#include <cstdint>
#include <format>
#include <string_view>

#include <dlfcn.h>
#include <execinfo.h>
#include <link.h>

#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)

namespace sluice::testing {

bool can_count_allocations() {
    return false;
}

std::uint64_t allocation_count() {
    return 0;
}

OwnAllocations::OwnAllocations(std::span<const char* const> /*files*/) {}
OwnAllocations::~OwnAllocations() = default;
void OwnAllocations::start() {}
void OwnAllocations::stop() {}
std::uint64_t OwnAllocations::count() const {
    return 0;
}
std::uint64_t OwnAllocations::looked_at() const {
    return 0;
}
std::string OwnAllocations::describe() const {
    return {};
}

} // namespace sluice::testing

#else

namespace {

std::atomic<std::uint64_t> g_count = 0;

// Where a file's code lies, and whose it is.
struct Code {
    std::uintptr_t begin = 0;
    std::uintptr_t end = 0;
    bool own = false; // else a library that allocates for its caller
};
constexpr int kDepth = 32;
constexpr std::size_t kKept = 12;
struct Stack {
    std::array<void*, kDepth> frames{};
    int depth = 0;
    int first = 0; // that is not the counter itself
};

std::array<Code, 32> g_code;
std::size_t g_code_count = 0;
std::atomic<bool> g_looking = false;
std::atomic<std::uint64_t> g_looked_at = 0;
std::atomic<std::uint64_t> g_own = 0;
std::array<Stack, kKept> g_kept;
thread_local bool t_inside = false;

// Whether this is a function of the standard library that lies in our file and that others were
// bound to, too: it allocates for its caller.
bool is_shared_template(std::uintptr_t at) {
    Dl_info info{};
    if (::dladdr(reinterpret_cast<void*>(at - 1), &info) == 0 || info.dli_sname == nullptr) {
        return false;
    }
    const std::string_view name(info.dli_sname);
    return name.starts_with("_ZSt") || name.starts_with("_ZNSt") || name.starts_with("_ZNKSt");
}

bool is_own(const Stack& stack) {
    for (int i = stack.first; i < stack.depth; ++i) {
        const auto at = reinterpret_cast<std::uintptr_t>(stack.frames[static_cast<std::size_t>(i)]);
        const auto code =
            std::ranges::subrange(g_code.begin(), g_code.begin() + static_cast<long>(g_code_count));
        const auto found = std::ranges::find_if(
            code, [&](const Code& one) { return at >= one.begin && at < one.end; });
        if (found == code.end()) {
            return false;
        }
        if (found->own && !is_shared_template(at)) {
            return true;
        }
    }
    return false;
}

void look(void* caller) {
    if (t_inside) {
        return; // the unwinder's own
    }
    t_inside = true;
    Stack stack;
    stack.depth = ::backtrace(stack.frames.data(), kDepth);
    while (stack.first < stack.depth &&
           stack.frames[static_cast<std::size_t>(stack.first)] != caller) {
        ++stack.first;
    }
    ++g_looked_at;
    if (is_own(stack)) {
        const std::uint64_t index = g_own++;
        if (index < kKept) {
            g_kept[index] = stack;
        }
    }
    t_inside = false;
}

void note(void* caller) {
    ++g_count;
    if (g_looking.load(std::memory_order_relaxed)) [[unlikely]] {
        look(caller);
    }
}

} // namespace

// NOLINTBEGIN(bugprone-reserved-identifier,readability-identifier-naming): glibc's names
extern "C" {
void* __libc_malloc(std::size_t size);
void* __libc_calloc(std::size_t count, std::size_t size);
void* __libc_realloc(void* memory, std::size_t size);
void* __libc_memalign(std::size_t alignment, std::size_t size);

__attribute__((visibility("default"))) void* malloc(std::size_t size) {
    note(__builtin_return_address(0));
    return __libc_malloc(size);
}
__attribute__((visibility("default"))) void* calloc(std::size_t count, std::size_t size) {
    note(__builtin_return_address(0));
    return __libc_calloc(count, size);
}
__attribute__((visibility("default"))) void* realloc(void* memory, std::size_t size) {
    note(__builtin_return_address(0));
    return __libc_realloc(memory, size);
}
__attribute__((visibility("default"))) void* memalign(std::size_t alignment, std::size_t size) {
    note(__builtin_return_address(0));
    return __libc_memalign(alignment, size);
}
__attribute__((visibility("default"))) void* aligned_alloc(std::size_t alignment,
                                                           std::size_t size) {
    note(__builtin_return_address(0));
    return __libc_memalign(alignment, size);
}
__attribute__((visibility("default"))) int posix_memalign(void** memory, std::size_t alignment,
                                                          std::size_t size) {
    note(__builtin_return_address(0));
    *memory = __libc_memalign(alignment, size);
    return *memory != nullptr ? 0 : ENOMEM;
}
}
// NOLINTEND(bugprone-reserved-identifier,readability-identifier-naming)

namespace sluice::testing {

bool can_count_allocations() {
    return true;
}

std::uint64_t allocation_count() {
    return g_count.load();
}

namespace {

void add_code(const dl_phdr_info& info, bool own) {
    for (int i = 0; i < info.dlpi_phnum; ++i) {
        const auto& part = info.dlpi_phdr[i];
        if (part.p_type == PT_LOAD && (part.p_flags & PF_X) != 0 && g_code_count < g_code.size()) {
            const std::uintptr_t begin = info.dlpi_addr + part.p_vaddr;
            g_code[g_code_count++] = {.begin = begin, .end = begin + part.p_memsz, .own = own};
        }
    }
}

int add_file(dl_phdr_info* info, std::size_t /*size*/, void* files) {
    const std::string_view name(info->dlpi_name);
    const auto has = [&](const char* part) { return name.contains(part); };
    constexpr std::array kLibraries{"libstdc++.so", "libc.so", "libgcc_s.so", "libm.so"};
    if (name.empty() ||
        std::ranges::any_of(*static_cast<std::span<const char* const>*>(files), has)) {
        add_code(*info, true);
    } else if (std::ranges::any_of(kLibraries, has)) {
        add_code(*info, false);
    }
    return 0;
}

} // namespace

OwnAllocations::OwnAllocations(std::span<const char* const> files) {
    g_code_count = 0;
    g_own = 0;
    g_looked_at = 0;
    ::dl_iterate_phdr(add_file, &files);
    // The unwinder allocates when it is first used.
    std::array<void*, 4> frames{};
    ::backtrace(frames.data(), static_cast<int>(frames.size()));
}

OwnAllocations::~OwnAllocations() {
    g_looking = false;
}

void OwnAllocations::start() {
    g_looking = true;
}

void OwnAllocations::stop() {
    g_looking = false;
}

std::uint64_t OwnAllocations::count() const {
    return g_own;
}

std::uint64_t OwnAllocations::looked_at() const {
    return g_looked_at;
}

std::string OwnAllocations::describe() const {
    std::string out;
    for (std::size_t i = 0; i < std::min<std::uint64_t>(g_own, kKept); ++i) {
        out += std::format("allocation {}:", i);
        for (int k = g_kept[i].first; k < std::min(g_kept[i].depth, 12); ++k) {
            Dl_info file{};
            void* const at = g_kept[i].frames[static_cast<std::size_t>(k)];
            const bool known = ::dladdr(at, &file) != 0;
            const std::string_view path(known ? file.dli_fname : "?");
            out +=
                std::format(" {}+{:#x}", path.substr(path.rfind('/') + 1),
                            reinterpret_cast<std::uintptr_t>(at) -
                                reinterpret_cast<std::uintptr_t>(known ? file.dli_fbase : nullptr));
        }
        out += "\n";
    }
    return out;
}

} // namespace sluice::testing

#endif
