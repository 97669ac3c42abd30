// Puts the text of the script's lines into the line info, where the verifier's log and bpftool find it.
//
// LLVM would do it, but looks every text up among all strings that it has, one after another: 8,000 lines took 7 seconds. So the
// files that it knows have no text (emit_debug_info.cpp), its records have line 0 of the string table, "", and the texts follow
// behind its strings. Lines of imported C keep what LLVM gave them.
#include "backend/obj/line_texts.h"

#include <algorithm>
#include <memory>
#include <string_view>
#include <unordered_map>

#include <llvm/Object/ELFObjectFile.h>
#include <llvm/Support/Endian.h>
#include <llvm/Support/MemoryBuffer.h>

#include "backend/obj/elf_append.h"

namespace btc::backend {

namespace {

// A section's bytes where they lie in the object.
class Words {
 public:
  Words(char* data, size_t size, bool little) : data_(data), size_(size), order_(little ? llvm::endianness::little : llvm::endianness::big) {}

  size_t size() const { return size_; }
  const char* data() const { return data_; }
  bool has(uint64_t at, uint64_t bytes) const { return at <= size_ && size_ - at >= bytes; }
  uint32_t get(uint64_t at) const { return has(at, 4) ? llvm::support::endian::read32(data_ + at, order_) : 0; }
  void set(uint64_t at, uint32_t value) { llvm::support::endian::write32(data_ + at, value, order_); }

 private:
  char* data_;
  size_t size_;
  llvm::endianness order_;
};

class SourceLines {
 public:
  explicit SourceLines(std::string_view text) {
    for (size_t begin = 0; begin < text.size();) {
      size_t end = std::min(text.find('\n', begin), text.size());
      std::string_view line = text.substr(begin, end - begin);
      if (line.ends_with('\r')) line.remove_suffix(1);
      lines_.push_back(line.substr(0, line.find('\0')));
      begin = end + 1;
    }
  }
  std::string_view line(uint32_t number) const { return number != 0 && number <= lines_.size() ? lines_[number - 1] : std::string_view(); }

 private:
  std::vector<std::string_view> lines_;
};

constexpr uint64_t kHeaderBytes = 4;                                     // in the headers of both sections: how long they are
constexpr uint64_t kStringsAt = 16, kStringsLength = 20;                 // .BTF
constexpr uint64_t kLinesAt = 16, kLinesLength = 20;                     // .BTF.ext
constexpr uint64_t kFileName = 4, kLineText = 8, kLineAndColumn = 12, kRecordBytes = 16;   // struct bpf_line_info
constexpr uint32_t kColumnBits = 10;

class TextWriter {
 public:
  TextWriter(Words btf, Words ext, const std::vector<ir::SourceText>& sources) : btf_(btf), ext_(ext) {
    for (const ir::SourceText& source : sources) sources_.try_emplace(source.name, &source.text);
  }

  // What is to follow behind the section .BTF; false for a layout that LLVM does not write.
  bool run(std::string* fresh) {
    uint64_t begin = uint64_t{btf_.get(kHeaderBytes)} + btf_.get(kStringsAt), length = btf_.get(kStringsLength);
    if (!btf_.has(begin, length) || begin + length != btf_.size() || length == 0 || btf_.data()[btf_.size() - 1] != 0) return false;
    strings_ = std::string(btf_.data() + begin, length);
    for (size_t at = 0; at < length; at += std::string_view(strings_.data() + at).size() + 1) known_.try_emplace(strings_.data() + at, static_cast<uint32_t>(at));
    if (!each_record()) return false;
    btf_.set(kStringsLength, static_cast<uint32_t>(length + fresh_.size()));
    *fresh = std::move(fresh_);
    return true;
  }

 private:
  bool each_record() {
    uint64_t at = uint64_t{ext_.get(kHeaderBytes)} + ext_.get(kLinesAt), length = ext_.get(kLinesLength), end = at + length;
    if (length == 0) return true;
    uint32_t record = ext_.get(at);
    if (!ext_.has(at, length) || record < kRecordBytes) return false;
    for (at += 4; at + 8 <= end;) {                                      // per section: its name, how many, records
      uint64_t count = ext_.get(at + 4);
      at += 8;
      if (count > (end - at) / record) return false;
      for (uint64_t i = 0; i < count; ++i, at += record) add_text(at);
    }
    return true;
  }

  void add_text(uint64_t record) {
    if (ext_.get(record + kLineText) != 0) return;
    const SourceLines* file = file_at(ext_.get(record + kFileName));
    if (file != nullptr) ext_.set(record + kLineText, intern(file->line(ext_.get(record + kLineAndColumn) >> kColumnBits)));
  }

  const SourceLines* file_at(uint32_t name) {
    auto [place, is_new] = files_.try_emplace(name);
    if (is_new && name < strings_.size()) {
      auto source = sources_.find(strings_.data() + name);
      if (source != sources_.end()) place->second = std::make_unique<SourceLines>(*source->second);
    }
    return place->second.get();
  }

  uint32_t intern(std::string_view text) {
    auto [place, is_new] = known_.try_emplace(text, static_cast<uint32_t>(strings_.size() + fresh_.size()));
    if (is_new) fresh_.append(text).push_back('\0');
    return place->second;
  }

  Words btf_, ext_;
  std::unordered_map<std::string_view, const std::string*> sources_;       // the first of a name, as LLVM has it
  std::unordered_map<uint32_t, std::unique_ptr<SourceLines>> files_;       // by the name's place in the string table
  std::string strings_, fresh_;                                            // what LLVM wrote, what is added
  std::unordered_map<std::string_view, uint32_t> known_;
};

}  // namespace

bool add_line_texts(std::string* object, const std::vector<ir::SourceText>& sources) {
  auto file = llvm::object::ObjectFile::createELFObjectFile(llvm::MemoryBufferRef(*object, "object"));
  if (!file) return llvm::consumeError(file.takeError()), false;
  bool little = (*file)->isLittleEndian();
  Words btf(nullptr, 0, little), ext(nullptr, 0, little);
  for (const llvm::object::SectionRef& section : (*file)->sections()) {
    llvm::StringRef name = llvm::cantFail(section.getName());
    if (name != ".BTF" && name != ".BTF.ext") continue;
    llvm::StringRef bytes = llvm::cantFail(section.getContents());
    Words words(object->data() + (bytes.data() - object->data()), bytes.size(), little);
    (name == ".BTF" ? btf : ext) = words;
  }
  if (btf.size() == 0 || ext.size() == 0) return true;   // nothing that has a line
  std::string fresh;
  return TextWriter(btf, ext, sources).run(&fresh) && (fresh.empty() || extend_section(object, ".BTF", fresh));
}

}  // namespace btc::backend
