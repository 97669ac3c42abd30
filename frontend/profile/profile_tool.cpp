// A developer's window on profiles:
//   btc-profile-tool capture OUT [DIR]      btc-profile-tool show builtin|host|FILE KIND NAME...
#include <fmt/format.h>

#include <chrono>
#include <string>

#include "frontend/profile/profile.h"

using namespace btc;

namespace {

void print_record(Profile& profile, TypeTable& types, TypeId id) {
  const Type& type = types.get(id);
  fmt::print("{}\n", types.print_user(id));
  if (type.kind != TypeKind::Struct) return;
  profile.complete(types, type.record);
  const Record& record = types.record(type.record);
  fmt::print("  size {} align {} typedef '{}'\n", record.size, record.align, record.typedef_name);
  for (const Field& field : record.fields)
    fmt::print("  {:5}{} {} {}\n", field.bit_offset, field.bit_size ? fmt::format(":{}", field.bit_size) : "",
               field.name.empty() ? "-" : field.name, types.print(field.type));
}

void show(Profile& profile, TypeTable& types, const std::string& kind, const std::string& name) {
  std::optional<TypeId> id;
  if (kind == "struct") id = profile.find_struct(types, name, false);
  if (kind == "union") id = profile.find_struct(types, name, true);
  if (kind == "typedef") id = profile.find_typedef(types, name);
  if (kind == "enum") id = profile.find_enum(types, name);
  if (kind == "c") id = profile.find_c_type(types, name, AddrSpace::Kernel);
  if (kind == "var") id = profile.find_variable(types, name);
  if (kind == "iter") id = profile.find_iter_context(types, name);
  if (id) print_record(profile, types, *id);
  if (kind == "constant")
    if (auto found = profile.find_enum_constant(types, name)) fmt::print("{} = {}\n", types.print_user(found->first), found->second);
  if (kind == "func" || kind == "rt") {
    auto proto = kind == "func" ? profile.find_function(types, name, "") : profile.find_raw_tracepoint(types, name);
    if (!proto) return;
    fmt::print("returns {} module '{}'\n", types.print(proto->return_type), proto->module);
    print_record(profile, types, types.struct_type(proto->args_record));
  }
  if (kind == "tracepoint") {
    size_t colon = name.find(':');
    for (const TracepointRecord* record : profile.match_tracepoints(name.substr(0, colon), name.substr(colon + 1))) {
      fmt::print("{}:{} class '{}' module '{}'\n", record->category, record->event, record->record_class, record->module);
      for (const RecordField& field : record->fields) {
        auto type = profile.find_c_type(types, field.type, AddrSpace::Kernel);
        fmt::print("  {:3} {:2} {} {}  => {}\n", field.offset, field.size, field.type, field.name, type ? types.print(*type) : "?");
      }
    }
  }
  if (kind == "names")
    for (const std::string& each : profile.names(name)) fmt::print("{}\n", each);
}

}  // namespace

int main(int argc, char** argv) {
  std::string error, command = argc > 2 ? argv[1] : "";
  if (command == "capture") {
    if (argc > 3 ? capture_profile_from(argv[3], argv[2], &error) : capture_profile(argv[2], &error)) return 0;
  } else if (command == "show" && argc >= 3) {
    auto start = std::chrono::steady_clock::now();
    auto stamp = [&](const char* what) {
      fmt::print(stderr, "{} {:.2f} ms\n", what, std::chrono::duration<double, std::milli>(std::chrono::steady_clock::now() - start).count());
    };
    std::string which = argv[2];
    auto profile = which == "builtin" ? open_builtin_profile(&error) : which == "host" ? open_host_profile(&error) : open_profile_file(which, &error);
    if (profile) {
      stamp("open");
      fmt::print("{} {} {}\n", profile->release(), profile->arch(), profile->hash());
      TypeTable types;
      for (int i = 4; i < argc; ++i) show(*profile, types, argv[3], argv[i]);
      stamp("done");
      return 0;
    }
  } else {
    error = "usage: btc-profile-tool capture OUT [DIR] | show builtin|host|FILE KIND NAME...";
  }
  fmt::print(stderr, "{}\n", error);
  return 1;
}
