// SPDX-License-Identifier: Apache-2.0
// Finds the build id among the notes of the loaded object.
#include "core/runtime/build_id.h"

#include <cstddef>
#include <cstdint>
#include <cstring>
#include <format>
#include <span>
#include <string_view>

#include <elf.h>
#include <link.h>

#include "core/base/checked_math.h"

namespace sluice::runtime {

namespace {

struct Search {
    std::uintptr_t address; // in the object that is looked for
    std::string found;
};

std::string hexadecimal(std::span<const std::byte> bytes) {
    std::string text;
    for (const std::byte byte : bytes) {
        text += std::format("{:02x}", static_cast<unsigned>(byte));
    }
    return text;
}

// The notes of a segment: each a header, a name and a description, both padded to words.
std::string id_in(std::span<const std::byte> notes) {
    constexpr std::string_view kName("GNU\0", 4);
    while (notes.size() >= sizeof(ElfW(Nhdr))) {
        ElfW(Nhdr) note;
        std::memcpy(&note, notes.data(), sizeof(note));
        notes = notes.subspan(sizeof(note));
        const std::size_t name = align_up(note.n_namesz, 4);
        const std::size_t description = align_up(note.n_descsz, 4);
        if (name > notes.size() || description > notes.size() - name) {
            return {};
        }
        if (note.n_type == NT_GNU_BUILD_ID && note.n_namesz == kName.size() &&
            std::memcmp(notes.data(), kName.data(), kName.size()) == 0) {
            return hexadecimal(notes.subspan(name, note.n_descsz));
        }
        notes = notes.subspan(name + description);
    }
    return {};
}

int visit(dl_phdr_info* object, std::size_t /*size*/, void* data) {
    Search& search = *static_cast<Search*>(data);
    const std::span headers(object->dlpi_phdr, object->dlpi_phnum);
    bool is_ours = false;
    for (const ElfW(Phdr) & header : headers) {
        const std::uintptr_t begin = object->dlpi_addr + header.p_vaddr;
        is_ours = is_ours || (header.p_type == PT_LOAD && search.address >= begin &&
                              search.address - begin < header.p_memsz);
    }
    for (const ElfW(Phdr) & header : headers) {
        if (is_ours && header.p_type == PT_NOTE && search.found.empty()) {
            const std::uintptr_t address = object->dlpi_addr + header.p_vaddr;
            // NOLINTNEXTLINE(performance-no-int-to-ptr): the loader's addresses are numbers
            const auto* note = reinterpret_cast<const std::byte*>(address);
            search.found = id_in({note, header.p_memsz});
        }
    }
    return is_ours ? 1 : 0;
}

} // namespace

std::string build_id() {
    Search search{.address = reinterpret_cast<std::uintptr_t>(&visit), .found = {}};
    ::dl_iterate_phdr(&visit, &search);
    return search.found;
}

} // namespace sluice::runtime
