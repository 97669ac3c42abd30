// The grammar of attach points, see attach_point.h and the Forms column of
// probes.def.
//
// A text is cut into parts at ':' ('@' of a uprobe starts a part of its own),
// quotes removed, each part keeping its place for messages; then one function
// per family of probes fills the struct. Checks that need the machine (does the
// symbol exist?) are the runtime's.
#include "runtime-stub/abi/attach_point.h"

#include <algorithm>

#include "runtime-stub/abi/int_parse.h"

namespace btc::abi {
namespace {

constexpr std::string_view kTimeUnits[] = {"hz", "s", "ms", "us"};
constexpr std::string_view kSoftwareEvents[] = {
    "alignment-faults", "bpf-output",   "context-switches", "cs",          "cpu-clock", "cpu",        "cpu-migrations", "dummy",
    "emulation-faults", "major-faults", "minor-faults",     "page-faults", "faults",    "task-clock",
};
constexpr std::string_view kHardwareEvents[] = {
    "backend-stalls", "branch-instructions", "branches", "branch-misses",   "bus-cycles",   "cache-misses", "cache-references",
    "cpu-cycles",     "cycles",              "frontend-stalls", "instructions", "ref-cycles",
};
constexpr std::string_view kSignals[] = {"SIGUSR1"};
constexpr std::string_view kUprobeLangs[] = {"cpp"};
constexpr std::string_view kWatchpointModes[] = {"rw", "w", "x"};  // x86_64: Intel SDM volume 3, 18.2.4

template <size_t N>
bool is_one_of(std::string_view text, const std::string_view (&list)[N]) {
  return std::find(std::begin(list), std::end(list), text) != std::end(list);
}

bool is_digit(char c) { return c >= '0' && c <= '9'; }
bool has_wildcard(std::string_view text) { return text.find('*') != std::string_view::npos; }

// One part between colons. `text` is without quotes; offsets are into the source text, quotes included.
struct Part {
  std::string text;
  uint32_t begin = 0;
  uint32_t end = 0;
  bool has_param = false;  // holds `$N`
  bool is_at = false;      // the '@' before a uprobe's source file
};

class Parser {
 public:
  Parser(std::string_view text, AttachPoint* out, AttachPointError* error, bool allow_params)
      : text_(text), out_(*out), error_(*error), allow_params_(allow_params) {}

  bool run() {
    out_ = AttachPoint();
    error_ = AttachPointError();
    if (!split()) return false;
    const Part& provider = parts_.front();
    if (provider.text.empty()) return fail("No attach points for probe");
    if (provider.has_param) {
      fail(provider, "the probe type cannot be a positional parameter");
      error_.hint = "the type of a probe must be known when the script is compiled";
      return false;
    }
    const ProbeInfo* info = find_probe(provider.text);
    if (!info) return fail(provider, "Invalid probe type: " + provider.text);
    out_.kind = info->kind;
    name_ = info->name;
    if (!dispatch()) return false;
    out_.wildcard = has_wildcard(out_.target) || has_wildcard(out_.func) || has_wildcard(out_.ns);
    if (out_.kind == ProbeKind::Usdt && (out_.ns.empty() || out_.target.empty())) out_.wildcard = true;
    return true;
  }

 private:
  // ---- parts ----------------------------------------------------------------

  bool split() {
    bool in_quotes = false;
    Part part;
    auto finish = [&](size_t end) {
      part.end = static_cast<uint32_t>(end);
      parts_.push_back(std::move(part));
      part = Part();
      part.begin = static_cast<uint32_t>(end + 1);
    };
    for (size_t i = 0; i < text_.size(); i++) {
      char c = text_[i];
      if (c == '"') {
        in_quotes = !in_quotes;
      } else if (in_quotes && c == '\\' && i + 1 < text_.size()) {
        part.text += text_[++i];
      } else if (in_quotes) {
        part.text += c;
      } else if (c == ':') {
        finish(i);
      } else if (c == '@') {
        finish(i);
        parts_.push_back({"@", static_cast<uint32_t>(i), static_cast<uint32_t>(i + 1), false, true});
      } else if (c == '$') {
        if (!param(&i, &part)) return false;
      } else {
        part.text += c;
      }
    }
    if (in_quotes) {
      part.end = static_cast<uint32_t>(text_.size());
      return fail(part, "missing '\"' at the end of a quoted part");
    }
    finish(text_.size());
    return true;
  }

  // `$N`: keeps the text, marks the part.
  bool param(size_t* i, Part* part) {
    size_t end = *i + 1;
    while (end < text_.size() && is_digit(text_[end]) && (end > *i + 1 || text_[end] != '0')) end++;
    Part place{"", static_cast<uint32_t>(*i), static_cast<uint32_t>(std::min(std::max(end, *i + 2), text_.size())), false, false};
    if (end == *i + 1) {
      std::string next(text_.substr(end, 1));
      return fail(place, "invalid trailing character for positional param: " + next +
                             ". Try quoting this entire part if this is intentional e.g. \"$" + next + "\".");
    }
    IntParse number = parse_uint(text_.substr(*i + 1, end - *i - 1));
    if (!number.ok()) return fail(place, "positional parameter is not valid: " + number.error);
    if (!allow_params_) return fail(place, "positional parameter is not known here: " + std::string(text_.substr(*i, end - *i)));
    part->text += text_.substr(*i, end - *i);
    part->has_param = true;
    *i = end - 1;
    return true;
  }

  bool fail(const Part& part, std::string message) {
    error_.message = std::move(message);
    error_.offset = part.begin;
    error_.length = part.end > part.begin ? part.end - part.begin : 1;
    return false;
  }
  // The whole attach point is at fault.
  bool fail(std::string message) { return fail(Part{"", 0, static_cast<uint32_t>(text_.size()), false, false}, std::move(message)); }

  size_t arg_count() const { return parts_.size() - 1; }
  bool any_param() const {
    return std::any_of(parts_.begin(), parts_.end(), [](const Part& part) { return part.has_param; });
  }
  // A parameter may bring colons of its own, so a wrong count is then the target's to find.
  bool count_ok(size_t least, size_t most) const {
    return any_param() || (arg_count() >= least && arg_count() <= most);
  }
  bool wrong_count(size_t expected, size_t or_expected = 0) {
    std::string message = name_ + " probe type requires " + std::to_string(expected);
    if (or_expected) message += " or " + std::to_string(or_expected);
    return fail(message + " arguments, found " + std::to_string(arg_count()));
  }
  // Number in a part; a part with a parameter counts as 0.
  bool number(const Part& part, std::string_view text, uint64_t* value, const std::string& what) {
    *value = 0;
    if (part.has_param) return true;
    IntParse parsed = parse_uint(text);
    if (!parsed.ok()) return fail(part, what + parsed.error);
    *value = parsed.value;
    return true;
  }

  // ---- families ---------------------------------------------------------------

  bool dispatch() {
    switch (out_.kind) {
      case ProbeKind::Begin:
      case ProbeKind::End: return special();
      case ProbeKind::Self: return self();
      case ProbeKind::Test:
      case ProbeKind::Bench: return named();
      case ProbeKind::Kprobe:
      case ProbeKind::Kretprobe: return kprobe();
      case ProbeKind::Uprobe:
      case ProbeKind::Uretprobe: return uprobe();
      case ProbeKind::Usdt: return usdt();
      case ProbeKind::Tracepoint: return tracepoint();
      case ProbeKind::Rawtracepoint: return rawtracepoint();
      case ProbeKind::Fentry:
      case ProbeKind::Fexit: return fentry();
      case ProbeKind::Profile:
      case ProbeKind::Interval: return timer();
      case ProbeKind::Software: return perf_event(is_one_of(event(), kSoftwareEvents));
      case ProbeKind::Hardware: return perf_event(is_one_of(event(), kHardwareEvents));
      case ProbeKind::Watchpoint: return watchpoint();
      case ProbeKind::Iter: return iter();
      case ProbeKind::kCount: break;
    }
    return fail("Invalid probe type: " + name_);
  }

  // begin | end
  bool special() {
    if (arg_count() == 1 && parts_[1].text == "*") return true;
    return count_ok(0, 0) || wrong_count(0);
  }

  // self:signal:NAME
  bool self() {
    if (!count_ok(2, 2)) return wrong_count(2);
    if (parts_.size() < 3) return true;
    if (!parts_[1].has_param && parts_[1].text != "signal") return fail(parts_[1], parts_[1].text + " is not a supported trigger");
    out_.target = parts_[1].text;
    out_.func = parts_[2].text;
    if (!parts_[2].has_param && !is_one_of(out_.func, kSignals)) return fail(parts_[2], out_.func + " is not a supported signal");
    return true;
  }

  // test:NAME | bench:NAME
  bool named() {
    if (!count_ok(1, 1)) return wrong_count(1);
    out_.func = parts_[1].text;
    return !out_.func.empty() || fail(name_ + " probes must have a name");
  }

  // [MODULE:]FUNC[+OFFSET] | ADDRESS
  bool kprobe() {
    if (!count_ok(1, 2)) return wrong_count(1, 2);
    if (arg_count() > 2) return true;
    if (arg_count() == 2) out_.target = parts_[1].text;
    return function(parts_.back(), out_.kind == ProbeKind::Kprobe, "kprobes should be attached to a function or an address");
  }

  // One part that is a path names no function.
  bool only_path() const { return arg_count() == 1 && parts_[1].text.find('/') != std::string::npos; }

  // FILE:[LANG:]FUNC[+OFFSET] | FILE:ADDRESS | FILE@SOURCE:LINE[:COL] | FUNC[+OFFSET]
  bool uprobe() {
    bool by_source = parts_.size() > 2 && parts_[2].is_at;
    if (!by_source && (!count_ok(1, 3) || only_path())) return wrong_count(2, 3);
    if (parts_.size() < 2) return true;
    if (arg_count() == 1) {
      out_.of_process = !any_param();
      return function(parts_.back(), out_.kind == ProbeKind::Uprobe, name_ + " should be attached to a function and/or address");
    }
    out_.target = parts_[1].text;
    if (by_source) return source_place();
    if (arg_count() > 3) return true;
    if (out_.target.empty()) return fail(name_ + " should have a target");
    if (arg_count() == 3) {
      out_.lang = parts_[2].text;
      if (!parts_[2].has_param && !is_one_of(out_.lang, kUprobeLangs)) return fail(parts_[2], "unsupported language type: " + out_.lang);
    }
    if (!function(parts_.back(), out_.kind == ProbeKind::Uprobe, name_ + " should be attached to a function and/or address")) return false;
    if (out_.has_address && has_wildcard(out_.target)) return fail(parts_.back(), "Cannot use wildcards with absolute address");
    return true;
  }

  bool source_place() {
    if (out_.kind != ProbeKind::Uprobe) return fail(parts_[2], "Source code location not allowed");
    if (has_wildcard(out_.target)) return fail(parts_[1], "Cannot use wildcards with source code location");
    if (any_param() && parts_.size() < 5) return true;
    if ((parts_.size() != 5 && parts_.size() != 6) || parts_[3].text.empty() || parts_[4].text.empty()) {
      return fail("Invalid uprobe arguments, expected format: uprobe:TARGET@FILE:LINE[:COL]");
    }
    out_.source_file = parts_[3].text;
    uint64_t line = 0, col = 0;
    if (!number(parts_[4], parts_[4].text, &line, "Invalid line number: ")) return false;
    if (parts_.size() == 6 && !number(parts_[5], parts_[5].text, &col, "Invalid column number: ")) return false;
    out_.source_line = static_cast<uint32_t>(std::min<uint64_t>(line, UINT32_MAX));
    out_.source_col = static_cast<uint32_t>(std::min<uint64_t>(col, UINT32_MAX));
    return true;
  }

  // FUNC[+OFFSET] | ADDRESS
  bool function(const Part& part, bool allow_offset, const std::string& if_empty) {
    size_t plus_count = static_cast<size_t>(std::count(part.text.begin(), part.text.end(), '+'));
    // C++ names hold plus signs: "operator+(A, B)".
    if (plus_count && !(out_.lang == "cpp" && part.text.find("operator") != std::string::npos)) {
      if (!allow_offset) return fail(part, "Offset not allowed");
      if (plus_count != 1) return fail(part, "Cannot take more than one offset");
      size_t plus = part.text.find('+');
      if (plus == 0 || plus + 1 == part.text.size()) return fail(part, "Invalid offset");
      out_.func = part.text.substr(0, plus);
      out_.has_offset = true;
      return number(part, std::string_view(part.text).substr(plus + 1), &out_.offset, "Invalid offset: ");
    }
    IntParse parsed = parse_uint(part.text);
    if (parsed.ok() && !part.has_param) {
      out_.has_address = true;
      out_.address = parsed.value;
      return true;
    }
    out_.func = part.text;
    return !out_.func.empty() || fail(if_empty);
  }

  // FILE:[NAMESPACE:]NAME | NAME
  bool usdt() {
    if (!count_ok(1, 3) || only_path()) return wrong_count(2, 3);
    if (arg_count() < 1 || arg_count() > 3) return true;
    out_.of_process = arg_count() == 1 && !any_param();
    if (arg_count() > 1) out_.target = parts_[1].text;
    if (arg_count() == 3) out_.ns = parts_[2].text;
    out_.func = parts_.back().text;
    if (out_.func.empty()) return fail("usdt probe must have a target function or wildcard");
    // An empty path means the process of -p: only the runtime knows whether there is one.
    return true;
  }

  // CATEGORY:EVENT; one part with a wildcard is the event of any category
  bool tracepoint() {
    if (arg_count() == 1 && has_wildcard(parts_[1].text)) {
      out_.target = "*";
      out_.func = parts_[1].text;
      return true;
    }
    if (!count_ok(2, 2)) return wrong_count(2);
    if (arg_count() != 2) return true;
    out_.target = parts_[1].text;
    out_.func = parts_[2].text;
    return !(out_.target.empty() || out_.func.empty()) || fail("tracepoint probe must have a target");
  }

  // [MODULE:]EVENT
  bool rawtracepoint() {
    if (!count_ok(1, 2)) return wrong_count(2, 1);
    if (arg_count() > 2) return true;
    if (arg_count() == 2) out_.target = parts_[1].text;
    out_.func = parts_.back().text;
    return !out_.func.empty() || fail("rawtracepoint should be attached to a function");
  }

  // [MODULE:]FUNC | bpf:[ID:]PROGRAM
  bool fentry() {
    if (!count_ok(1, 3)) return wrong_count(1, 3);
    if (arg_count() == 0 || arg_count() > 3) return true;
    out_.func = parts_.back().text;
    if (parts_[1].text == "bpf") {
      if (arg_count() == 1) return fail("the 'bpf' variant of this probe requires a bpf program name and optional bpf program id");
      out_.target = "bpf";
      if (arg_count() == 3 && parts_[2].text != "*") {
        uint64_t id = 0;
        if (!parts_[2].has_param && !parse_uint(parts_[2].text).ok()) return fail(parts_[2], "bpf program id must be a number or '*'");
        if (!number(parts_[2], parts_[2].text, &id, "")) return false;
        if (id > UINT32_MAX) return fail(parts_[2], "bpf program id must be a number or '*'");
        out_.bpf_prog_id = static_cast<uint32_t>(id);
      }
    } else {
      if (arg_count() == 3) return any_param() || fail("Only the 'bpf' variant of this probe supports 4 arguments");
      if (arg_count() == 2) out_.target = parts_[1].text;
    }
    return !out_.func.empty() || fail("fentry/fexit should specify a function");
  }

  // UNIT:N | DURATION; a duration becomes microseconds, as bpftrace shows it
  bool timer() {
    if (!count_ok(1, 2)) return wrong_count(1, 2);
    if (arg_count() == 0 || arg_count() > 2) return true;
    const std::string what = "Invalid rate of " + name_ + " probe: ";
    if (arg_count() == 1) {
      uint64_t ns = 0;
      if (!number(parts_[1], parts_[1].text, &ns, what)) return false;
      if (ns < 1000 && !parts_[1].has_param) {
        return fail(parts_[1], "Invalid rate of " + name_ + " probe. Minimum is 1000 or 1us. Found: " + std::to_string(ns) + " nanoseconds");
      }
      out_.unit = "us";
      out_.value = ns / 1000;
      return true;
    }
    out_.unit = parts_[1].text;
    if (out_.unit.empty()) return fail(parts_[1], name_ + " probe must have unit of time");
    if (!parts_[1].has_param && !is_one_of(out_.unit, kTimeUnits)) return fail(parts_[1], out_.unit + " is not an accepted unit of time");
    if (!number(parts_[2], parts_[2].text, &out_.value, what)) return false;
    if (out_.value == 0 && !parts_[2].has_param) return fail(parts_[2], name_ + " frequency should be a positive integer");
    return true;
  }

  std::string_view event() const { return parts_.size() > 1 ? std::string_view(parts_[1].text) : std::string_view(); }

  // EVENT[:COUNT]
  bool perf_event(bool known) {
    if (!count_ok(1, 2)) return wrong_count(1, 2);
    if (arg_count() == 0 || arg_count() > 2) return true;
    out_.func = parts_[1].text;
    if (out_.func.empty()) return fail(parts_[1], name_ + " probe must have a " + name_ + " event name");
    if (has_wildcard(out_.func)) return fail(parts_[1], "wildcards are not allowed for " + name_ + " probe type");
    if (!known && !parts_[1].has_param) return fail(parts_[1], out_.func + " is not a " + name_ + " probe");
    if (arg_count() == 1 || parts_[2].text == "*") return true;
    return number(parts_[2], parts_[2].text, &out_.value, "Invalid count for " + name_ + " probe: ");
  }

  // ADDRESS:LENGTH:MODE
  bool watchpoint() {
    if (!count_ok(3, 3)) return wrong_count(3);
    if (arg_count() != 3) return true;
    uint64_t length = 0;
    if (!number(parts_[1], parts_[1].text, &out_.address, "Invalid function/address argument: ")) return false;
    if (!number(parts_[2], parts_[2].text, &length, "Invalid length argument: ")) return false;
    out_.has_address = true;
    if (out_.address == 0 && !parts_[1].has_param) return fail(parts_[1], "watchpoint must be attached to a non-zero address");
    bool length_ok = length == 1 || length == 2 || length == 4 || length == 8;
    if (!length_ok && !parts_[2].has_param) return fail(parts_[2], "watchpoint length must be one of (1,2,4,8)");
    out_.length = static_cast<uint32_t>(length);
    out_.mode = parts_[3].text;
    return parts_[3].has_param || watchpoint_mode();
  }

  bool watchpoint_mode() {
    const Part& part = parts_[3];
    if (out_.mode.empty() || out_.mode.find_first_not_of("rwx") != std::string::npos) {
      return fail(part, "watchpoint mode must be combination of (r,w,x)");
    }
    std::sort(out_.mode.begin(), out_.mode.end());
    if (std::adjacent_find(out_.mode.begin(), out_.mode.end()) != out_.mode.end()) {
      return fail(part, "watchpoint modes may not be duplicated");
    }
    if (is_one_of(out_.mode, kWatchpointModes)) return true;
    error_.hint = "supported modes: rw,w,x";
    return fail(part, "invalid watchpoint mode: " + out_.mode);
  }

  // OBJECT[:PIN]
  bool iter() {
    if (!count_ok(1, 2)) return fail(name_ + " probe type takes 2 arguments (1 optional)");
    if (arg_count() == 0 || arg_count() > 2) return true;
    out_.target = parts_[1].text;
    if (arg_count() == 2) out_.pin = parts_[2].text;
    if (has_wildcard(out_.target) || has_wildcard(out_.pin)) return fail(name_ + " probe type does not support wildcards");
    return !out_.target.empty() || fail("iter should specify a iterator's name");
  }

  std::string_view text_;
  AttachPoint& out_;
  AttachPointError& error_;
  bool allow_params_;
  std::string name_;
  std::vector<Part> parts_;
};

}  // namespace

bool parse_attach_point(std::string_view text, AttachPoint* out, AttachPointError* error, bool allow_params) {
  AttachPointError ignored;
  return Parser(text, out, error ? error : &ignored, allow_params).run();
}

}  // namespace btc::abi
