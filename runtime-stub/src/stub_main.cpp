// The artifact's main(): command line, then list, doctor or a run. The same
// executable without an object answers questions about the machine alone.
#include <csignal>
#include <cstring>
#include <sys/prctl.h>
#include <unistd.h>

#include "runtime-stub/src/run.h"
#include "runtime-stub/src/self_object.h"
#include "runtime-stub/src/survey.h"

using namespace btc::rt;

namespace {

int fail(std::string_view text) {
  write_all(STDERR_FILENO, text);
  return 1;
}

ColorMode colour_from_environment() {
  const char* text = ::getenv("BPFTRACE_COLOR");
  std::string_view word = text != nullptr ? text : "auto";
  if (word != "always" && word != "never" && word != "auto")
    write_all(STDERR_FILENO, cat("WARNING: Invalid env value! The valid values of `BPFTRACE_COLOR` are [auto|always|never]. The current value is ", word, "!\n"));
  return word == "always" ? ColorMode::Always : word == "never" ? ColorMode::Never : ColorMode::Auto;
}

// `btc run` executes memory, of which the kernel makes the comm "memfd:btc" (6.14) or a descriptor's number.
void name_as_called(const char* path) {
  char file[8];
  if (::readlink("/proc/self/exe", file, sizeof file) < 7 || memcmp(file, "/memfd:", 7) != 0) return;
  const char* slash = strrchr(path, '/');
  ::prctl(PR_SET_NAME, slash != nullptr ? slash + 1 : path);
}

}  // namespace

int main(int argc, char** argv) {
  if (argc > 0) name_as_called(argv[0]);
  RunState run;
  std::string error;
  Bytes object = find_self_object(&error);
  if (!error.empty()) return fail(cat("ERROR: ", error, "\n"));
  if (!object.empty() && !open_artifact(object, &run.artifact, &error)) return fail(cat("ERROR: ", error, "\n"));
#ifdef BTC_WITH_LISTEN
  run.server = make_server();
  run.options.has_server = true;
#endif
  run.options.output.color = colour_from_environment();
  bool has_script = run.artifact.manifest != nullptr;
  if (has_script) run.options.output.warning_level = run.manifest().warning_level();
  if (!parse_options(argc, argv, &run.options, &error)) return fail(error);
  for (const std::string& name : run.options.no_features) run.features.disable(name);
  for (uint32_t i = 0; has_script && i < count_of(run.manifest().no_features()); ++i) run.features.disable(text_of(run.manifest().no_features()->Get(i)));
  run.messages = Messages(run.artifact.manifest, run.options.output.color, run.options.verbose);
  if (run.options.help) {
    write_all(STDOUT_FILENO, help_text(run.options, argv[0], has_script ? run.artifact.script_name() : "", has_script ? describe_params(run.manifest()) : ""));
    return 0;
  }
  if (run.options.version) {
    write_all(STDOUT_FILENO, cat("btc ", has_script ? text_of(run.manifest().compiler()) : "stub", "\n"));
    return 0;
  }
  if (run.options.doctor) return run_doctor(run);
  if (run.options.info) return run_info(run);
  if (run.options.list && !has_script) return list_machine(run);
  if (!has_script) return fail("ERROR: this is the bare runtime of btc: it holds no script. `btc compile` attaches one.\n");
  if (!bind_params(run.manifest(), run.options, &run.params, &error) || !read_config(run.manifest(), &run.config, &error)) return fail(error);
  if (run.options.list) return list_artifact(run);
  if (std::string wrong = missing_right(); !wrong.empty()) return fail(cat("ERROR: ", wrong, "\n"));
  return run_script(run);
}
