// libbpf reads a few small texts with scanf; the C library's whole scanf, with
// floating point, is 120 KB. These understand what libbpf 1.1 uses: %d %u %i
// %x with l/ll, %s %[a-z] %[^x] with width or m, %c, %n, %%, %*..., blanks and literal text.
#include <cstdarg>
#include <cstdint>
#include <cstdio>
#include <cstdlib>

namespace {

// Characters of a string or a file, with one step back.
struct Source {
  const char* text;
  FILE* file;
  int next() {
    if (file != nullptr) return ::fgetc(file);
    return *text != 0 ? static_cast<unsigned char>(*text++) : EOF;
  }
  void back(int c) {
    if (c == EOF) return;
    if (file != nullptr) ::ungetc(c, file);
    else --text;
  }
};

bool is_blank(int c) { return c == ' ' || (c >= '\t' && c <= '\r'); }
int digit_of(int c, int base) {
  int d = c >= '0' && c <= '9' ? c - '0' : c >= 'a' && c <= 'f' ? c - 'a' + 10 : c >= 'A' && c <= 'F' ? c - 'A' + 10 : 99;
  return d < base ? d : -1;
}
void skip_blanks(Source& source) {
  int c = source.next();
  while (is_blank(c)) c = source.next();
  source.back(c);
}

bool scan_number(Source& source, int base, uint64_t* out) {
  skip_blanks(source);
  int c = source.next();
  bool negative = c == '-';
  if (negative || c == '+') c = source.next();
  bool any = false;
  uint64_t value = 0;
  if (base != 10 && c == '0') {
    any = true;
    c = source.next();
    if (c == 'x' || c == 'X') { base = 16; c = source.next(); }
    else if (base == 0) base = 8;
  }
  if (base == 0) base = 10;
  for (int d; (d = digit_of(c, base)) >= 0; c = source.next()) {
    value = value * static_cast<uint64_t>(base) + static_cast<uint64_t>(d);
    any = true;
  }
  source.back(c);
  *out = negative ? 0 - value : value;
  return any;
}

// The characters that %s, or %[...] at `format`, takes; `format` is left at the conversion's last character.
struct CharSet {
  bool has[256];
  explicit CharSet(const char*& format) {
    bool listed = *format == '[', negated = listed && format[1] == '^';
    for (int c = 0; c < 256; ++c) has[c] = listed ? negated : !is_blank(c);
    if (!listed) return;
    format += negated ? 2 : 1;
    for (const char* first = format; *format != 0 && (*format != ']' || format == first); ++format) {
      auto from = static_cast<unsigned char>(*format), to = from;
      if (format[1] == '-' && format[2] != ']' && format[2] != 0) {
        to = static_cast<unsigned char>(format[2]);
        format += 2;
      }
      for (int c = from; c <= to; ++c) has[c] = !negated;
    }
    if (*format == 0) --format;
  }
};

// Into `out`, or for %m into memory of its own; both may be null.
bool scan_text(Source& source, int width, const CharSet& set, char* out, char** made) {
  int n = 0, c;
  char* memory = nullptr;
  while (n < width && (c = source.next()) != EOF) {
    if (!set.has[c]) { source.back(c); break; }
    if (made != nullptr) {
      char* larger = static_cast<char*>(::realloc(memory, static_cast<size_t>(n) + 2));
      if (larger == nullptr) { n = 0; break; }
      out = memory = larger;
    }
    if (out != nullptr) out[n] = static_cast<char>(c);
    ++n;
  }
  if (n == 0) ::free(memory);
  else if (out != nullptr) out[n] = 0;
  if (n > 0 && made != nullptr) *made = memory;
  return n > 0;
}

int scan(Source source, const char** rest, const char* format, va_list args) {
  int stored = 0;
  bool at_end = false;
  const char* begin = source.text;
  for (; *format != 0; ++format) {
    if (is_blank(*format)) { skip_blanks(source); continue; }
    if (*format != '%') {
      int c = source.next();
      if (c != *format) { source.back(c); at_end = c == EOF; break; }
      continue;
    }
    ++format;
    bool keep = *format != '*';
    if (!keep) ++format;
    int width = 0, longs = 0;
    bool make = *format == 'm';
    if (make) ++format;
    while (*format >= '0' && *format <= '9') width = width * 10 + (*format++ - '0');
    while (*format == 'l' || *format == 'z') { longs += *format == 'z' ? 2 : 1; ++format; }
    char kind = *format;
    if (kind == 0) break;
    if (kind == '%') {
      skip_blanks(source);
      int c = source.next();
      if (c != '%') { source.back(c); at_end = c == EOF; break; }
      continue;
    }
    if (kind == 'n') {  // libbpf reads CO-RE access strings by it; only of strings
      if (keep) *va_arg(args, int*) = static_cast<int>(source.text - begin);
      continue;
    }
    bool good;
    if (kind == 'd' || kind == 'u' || kind == 'x' || kind == 'i') {
      uint64_t value;
      good = scan_number(source, kind == 'x' ? 16 : kind == 'i' ? 0 : 10, &value);
      if (good && keep) {
        if (longs > 0) *va_arg(args, uint64_t*) = value;
        else *va_arg(args, uint32_t*) = static_cast<uint32_t>(value);
      }
    } else if (kind == 'c') {
      int c = source.next();
      good = c != EOF;
      if (good && keep) *va_arg(args, char*) = static_cast<char>(c);
    } else if (kind == 's' || kind == '[') {
      if (kind == 's') skip_blanks(source);
      CharSet set(format);
      char** made = keep && make ? va_arg(args, char**) : nullptr;
      char* out = keep && !make ? va_arg(args, char*) : nullptr;
      good = scan_text(source, width != 0 ? width : INT32_MAX, set, out, made);
    } else break;
    if (!good) { int c = source.next(); at_end = c == EOF; source.back(c); break; }
    stored += keep;
  }
  if (rest != nullptr) *rest = source.text;
  return stored == 0 && at_end ? EOF : stored;
}

}  // namespace

extern "C" {
int __isoc99_sscanf(const char* text, const char* format, ...) {
  va_list args;
  va_start(args, format);
  int n = scan({text, nullptr}, nullptr, format, args);
  va_end(args);
  return n;
}
int __isoc99_fscanf(FILE* file, const char* format, ...) {
  va_list args;
  va_start(args, format);
  int n = scan({"", file}, nullptr, format, args);
  va_end(args);
  return n;
}
}
