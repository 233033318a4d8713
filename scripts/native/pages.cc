// What loading TensorFlow has read of its libraries (symbols, relocations, what runs once) is most of what stays resident of
// them, a quarter of a gigabyte, and hardly read again: it is given back to the system, which reads anew what is needed.
#include <link.h>
#include <sys/mman.h>
#include <unistd.h>

#include <cstdint>
#include <cstring>

namespace {

// Segments that nobody may write are the same in the file.
int giveBack(dl_phdr_info* library, size_t, void*) {
  if (strstr(library->dlpi_name, "libtensorflow") == nullptr) return 0;
  const uintptr_t page = sysconf(_SC_PAGESIZE);
  for (int i = 0; i < library->dlpi_phnum; i++) {
    const auto& segment = library->dlpi_phdr[i];
    if (segment.p_type != PT_LOAD || segment.p_flags & PF_W) continue;
    const uintptr_t from = library->dlpi_addr + segment.p_vaddr, to = from + segment.p_filesz, first = (from + page - 1) / page * page, last = to / page * page;
    if (first < last) madvise(reinterpret_cast<void*>(first), last - first, MADV_DONTNEED);
  }
  return 0;
}

__attribute__((constructor)) void loaded() { dl_iterate_phdr(giveBack, nullptr); }

}  // namespace
