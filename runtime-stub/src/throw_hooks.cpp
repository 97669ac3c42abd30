// operator new ends the program where memory is out, and
// libstdc++'s containers report their misuse by functions that throw. Without
// exceptions these end the program; defining them here keeps the exception
// machinery of libstdc++ (100 KB) out of the link.
#include <cstdlib>
#include <new>
#include <unistd.h>

namespace {

[[noreturn]] void stop(const char* what) {
  const char* text = what != nullptr ? what : "out of range";
  size_t size = 0;
  while (text[size] != 0) ++size;
  [[maybe_unused]] ssize_t n = ::write(STDERR_FILENO, "internal error: ", 16);
  n = ::write(STDERR_FILENO, text, size);
  n = ::write(STDERR_FILENO, "\n", 1);
  ::abort();
}

}  // namespace

namespace std {
void __throw_length_error(const char* what) { stop(what); }
void __throw_out_of_range(const char* what) { stop(what); }
void __throw_out_of_range_fmt(const char* what, ...) { stop(what); }
void __throw_logic_error(const char* what) { stop(what); }
void __throw_invalid_argument(const char* what) { stop(what); }
void __throw_bad_alloc() { stop("out of memory"); }
void __throw_bad_array_new_length() { stop("out of memory"); }
void __throw_bad_function_call() { stop("empty function called"); }
void __throw_bad_optional_access() { stop("empty optional read"); }
void __throw_bad_variant_access(const char* what) { stop(what); }
}  // namespace std

void* operator new(size_t size) {
  void* memory = ::malloc(size != 0 ? size : 1);
  if (memory == nullptr) stop("out of memory");
  return memory;
}
void* operator new[](size_t size) { return operator new(size); }
void operator delete(void* memory) noexcept { ::free(memory); }
void operator delete[](void* memory) noexcept { ::free(memory); }
void operator delete(void* memory, size_t) noexcept { ::free(memory); }
void operator delete[](void* memory, size_t) noexcept { ::free(memory); }

extern "C" [[noreturn]] void __cxa_pure_virtual() { stop("pure virtual function called"); }
