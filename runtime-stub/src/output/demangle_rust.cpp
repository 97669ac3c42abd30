// Rust's v0 mangling, after RFC 2603.
//
//   _RNvNtCs1234_7mycrate3foo3bar  ->  mycrate::foo::bar
//
// Prints as rustc's own demangler does in its short form: no crate hashes. Left out: constants other than
// integers, bools and chars (shown as they are), Unicode names (punycode is shown undecoded).
#include "runtime-stub/src/output/demangle.h"

#include "runtime-stub/src/output/append.h"

namespace btc::rt {

namespace {

struct BasicRow { char tag; std::string_view name; };
constexpr BasicRow kBasic[] = {{'b', "bool"}, {'c', "char"}, {'e', "str"}, {'u', "()"}, {'a', "i8"}, {'s', "i16"}, {'l', "i32"}, {'x', "i64"}, {'n', "i128"},
                               {'i', "isize"}, {'h', "u8"}, {'t', "u16"}, {'m', "u32"}, {'y', "u64"}, {'o', "u128"}, {'j', "usize"}, {'f', "f32"}, {'d', "f64"},
                               {'z', "!"}, {'p', "_"}, {'v', "..."}};

class RustName {
 public:
  RustName(std::string_view text, std::string* out) : text_(text), out_(*out) {}
  bool run() {
    path(true);
    return good_;
  }

 private:
  static constexpr int kMaxDepth = 200;
  static constexpr size_t kMaxOutput = 16384;

  char peek() const { return at_ < text_.size() ? text_[at_] : '\0'; }
  char next() {
    if (at_ >= text_.size()) return fail(), '\0';
    return text_[at_++];
  }
  bool eat(char c) { return peek() == c ? (at_++, true) : false; }
  void fail() { good_ = false; }
  void put(std::string_view text) {
    if (silent_) return;
    if (out_.size() > kMaxOutput) return fail();
    out_ += text;
  }
  bool enter() {
    if (!good_ || ++depth_ > kMaxDepth) return fail(), false;
    return true;
  }

  // "_" is 0, "0_" is 1, digits 0-9a-zA-Z.
  uint64_t base62() {
    if (eat('_')) return 0;
    uint64_t value = 0;
    while (good_ && !eat('_')) {
      char c = next();
      int digit = c >= '0' && c <= '9' ? c - '0' : c >= 'a' && c <= 'z' ? c - 'a' + 10 : c >= 'A' && c <= 'Z' ? c - 'A' + 36 : -1;
      if (digit < 0 || value > (UINT64_MAX - 61) / 62) return fail(), 0;
      value = value * 62 + static_cast<uint64_t>(digit);
    }
    return value + 1;
  }
  uint64_t disambiguator() { return eat('s') ? base62() + 1 : 0; }
  uint64_t decimal() {
    uint64_t value = 0;
    if (eat('0')) return 0;
    while (peek() >= '0' && peek() <= '9' && value < 1u << 20) value = value * 10 + static_cast<uint64_t>(next() - '0');
    return value;
  }
  std::string_view identifier() {
    bool punycode = eat('u');
    (void)punycode;
    if (peek() < '0' || peek() > '9') return fail(), std::string_view();
    size_t length = decimal();
    eat('_');
    if (length > text_.size() - at_) return fail(), std::string_view();
    std::string_view name = text_.substr(at_, length);
    at_ += length;
    return name;
  }
  // A reference to an earlier place: that is read again, with the same output.
  template <typename F>
  void backref(F read) {
    size_t from = at_ - 1;
    uint64_t target = base62();
    if (!good_ || target >= from || silent_) return target < from ? void() : fail();
    size_t back = at_;
    at_ = target;
    read();
    at_ = back;
  }

  void path(bool in_value) {
    if (!enter()) return;
    switch (char tag = next()) {
      case 'C':
        disambiguator();
        put(identifier());
        break;
      case 'M': case 'X': {
        disambiguator();
        bool was = silent_;
        silent_ = true;
        path(false);
        silent_ = was;
        put("<");
        type();
        if (tag == 'X') {
          put(" as ");
          path(false);
        }
        put(">");
        break;
      }
      case 'Y':
        put("<");
        type();
        put(" as ");
        path(false);
        put(">");
        break;
      case 'N': nested(in_value); break;
      case 'I':
        path(in_value);
        if (in_value) put("::");
        put("<");
        list([&] { generic_arg(); });
        put(">");
        break;
      case 'B': backref([&] { path(in_value); }); break;
      default: fail();
    }
    depth_--;
  }

  void nested(bool in_value) {
    char space = next();
    path(in_value);
    uint64_t index = disambiguator();
    std::string_view name = identifier();
    if (space >= 'A' && space <= 'Z') {
      put("::{");
      put(space == 'C' ? "closure" : space == 'S' ? "shim" : std::string_view(&space, 1));
      if (!name.empty()) put(":"), put(name);
      put("#");
      number(index);
      put("}");
    } else if (!name.empty()) {
      put("::");
      put(name);
    }
  }

  void number(uint64_t value) {
    std::string text;
    append_dec(text, value);
    put(text);
  }

  template <typename F>
  size_t list(F item) {
    size_t count = 0;
    while (good_ && !eat('E')) {
      if (count++) put(", ");
      item();
    }
    return count;
  }

  void generic_arg() {
    if (eat('L')) return lifetime(base62());
    if (eat('K')) return constant();
    type();
  }
  void lifetime(uint64_t index) {
    if (index == 0) return put("'_");
    uint64_t name = lifetimes_ - index;
    put("'");
    if (index > lifetimes_) return fail();
    char letter = static_cast<char>('a' + name % 26);
    put({&letter, 1});
  }
  // G<n>: n + 1 more lifetimes.
  void binder() {
    if (!eat('G')) return;
    uint64_t count = base62() + 1;
    if (count > 64) return fail();
    put("for<");
    for (uint64_t i = 0; i < count; i++) {
      if (i) put(", ");
      lifetimes_++;
      lifetime(1);
    }
    put("> ");
  }

  void type() {
    if (!enter()) return;
    char tag = next();
    for (const BasicRow& row : kBasic)
      if (row.tag == tag) {
        put(row.name);
        depth_--;
        return;
      }
    uint64_t outer = lifetimes_;
    switch (tag) {
      case 'R': case 'Q':
        put("&");
        if (eat('L'))
          if (uint64_t index = base62()) lifetime(index), put(" ");
        if (tag == 'Q') put("mut ");
        type();
        break;
      case 'P': put("*const "); type(); break;
      case 'O': put("*mut "); type(); break;
      case 'A': put("["); type(); put("; "); constant(); put("]"); break;
      case 'S': put("["); type(); put("]"); break;
      case 'T':
        put("(");
        if (list([&] { type(); }) == 1) put(",");
        put(")");
        break;
      case 'F':
        binder();
        if (eat('U')) put("unsafe ");
        if (eat('K')) {
          put("extern \"");
          put(eat('C') ? std::string_view("C") : identifier());
          put("\" ");
        }
        put("fn(");
        list([&] { type(); });
        put(")");
        if (!eat('u')) put(" -> "), type();
        break;
      case 'D':
        put("dyn ");
        binder();
        dyn_bounds();
        break;
      case 'B': backref([&] { type(); }); break;
      default:
        at_--;
        path(false);
    }
    lifetimes_ = outer;
    depth_--;
  }

  void dyn_bounds() {
    size_t count = 0;
    while (good_ && !eat('E')) {
      if (count++) put(" + ");
      path(false);
      while (good_ && eat('p')) {
        put("<");
        put(identifier());
        put(" = ");
        type();
        put(">");
      }
    }
    if (!eat('L')) return fail();
    if (uint64_t index = base62()) put(" + "), lifetime(index);
  }

  void constant() {
    if (!enter()) return;
    char tag = next();
    if (tag == 'B') {
      backref([&] { constant(); });
    } else if (tag == 'p') {
      put("_");
    } else {
      if (eat('n')) put("-");
      uint64_t value = 0;
      size_t start = at_;
      while (good_ && !eat('_')) {
        char c = next();
        value = value << 4 | static_cast<uint64_t>(c <= '9' ? c - '0' : c - 'a' + 10);
      }
      if (at_ - start > 17) put("0x"), put(text_.substr(start, at_ - start - 1));
      else if (tag == 'b') put(value ? "true" : "false");
      else if (tag == 'c' && value >= 0x20 && value < 0x7f) { char quoted[] = {'\'', static_cast<char>(value), '\''}; put({quoted, 3}); }
      else number(value);
    }
    depth_--;
  }

  std::string_view text_;
  std::string& out_;
  size_t at_ = 0;
  int depth_ = 0;
  uint64_t lifetimes_ = 0;
  bool good_ = true, silent_ = false;
};

}  // namespace

bool append_rust_v0(std::string& out, std::string_view symbol) {
  symbol.remove_prefix(2);
  if (symbol.empty() || symbol[0] < 'A' || symbol[0] > 'Z') return false;
  // Compilers append ".llvm.1234" and the like.
  symbol = symbol.substr(0, symbol.find('.'));
  std::string text;
  if (!RustName(symbol, &text).run() || text.empty()) return false;
  out += text;
  return true;
}

}  // namespace btc::rt
