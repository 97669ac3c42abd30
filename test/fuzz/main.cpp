// btc-fuzz: prefixes and mutations of seed files through the compiler.
//
//   btc-fuzz [--seconds N] [--seed N] [--no-prefixes] FILE|DIR...
//   btc-fuzz --one FILE            one input as it is
//
// Deterministic up to where the time ends: half of it goes to every prefix of
// every seed (evenly thinned if there are too many), the rest to mutations. The
// input at hand is written to fuzz-failure.bt (or .bir) when something breaks.
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include <algorithm>

#include "test/fuzz/fuzz.h"

#if defined(__SANITIZE_ADDRESS__) || __has_feature(address_sanitizer)
#include <sanitizer/common_interface_defs.h>
#define BTC_HAS_SANITIZER 1
#endif

namespace btc::fuzz {
namespace {

constexpr unsigned kHangSeconds = 20;
constexpr size_t kMaxStride = 1024;

// What save_input() needs; plain data, since it runs inside signal handlers.
const char* current_text = nullptr;
size_t current_size = 0;
bool current_is_bir = false;

void save_input() {
  if (current_text == nullptr) return;  // between two inputs
  const char* name = current_is_bir ? "fuzz-failure.bir" : "fuzz-failure.bt";
  int fd = open(name, O_WRONLY | O_CREAT | O_TRUNC, 0644);
  if (fd < 0) return;
  ssize_t written = write(fd, current_text, current_size);
  close(fd);
  if (written >= 0) dprintf(2, "btc-fuzz: the input is in %s\n", name);
}

// An exception that nobody catches, a failed assertion.
void on_abort(int) {
  save_input();
  signal(SIGABRT, SIG_DFL);
  abort();
}

void on_hang(int) {
  dprintf(2, "btc-fuzz: hang: more than %u seconds for one input\n", kHangSeconds);
  save_input();
  _exit(1);
}

double now() {
  timespec ts;
  clock_gettime(CLOCK_MONOTONIC, &ts);
  return static_cast<double>(ts.tv_sec) + static_cast<double>(ts.tv_nsec) / 1e9;
}

bool check(const std::string& text, Kind kind) {
  current_text = text.data();
  current_size = text.size();
  current_is_bir = kind == Kind::Bir;
  alarm(kHangSeconds);
  std::string wrong = run_one(text, kind);
  alarm(0);
  if (wrong.empty()) return current_text = nullptr, true;
  fprintf(stderr, "btc-fuzz: %s\n", wrong.c_str());
  save_input();
  return false;
}

// Every prefix, if the time allows; else every second, every fourth ...
bool run_prefixes(const std::vector<Seed>& seeds, double until, size_t* runs) {
  size_t total = 0;
  for (const Seed& seed : seeds) total += seed.text.size();
  double began = now();
  size_t stride = 1, done = 0;
  for (size_t i = 0; i < seeds.size() && now() < until; i++) {
    for (size_t length = i % stride; length <= seeds[i].text.size() && now() < until; length += stride) {
      if (!check(seeds[i].text.substr(0, length), seeds[i].kind)) return fprintf(stderr, "btc-fuzz: prefix %zu of %s\n", length, seeds[i].path.c_str()), false;
      ++*runs;
    }
    done += seeds[i].text.size();
    double share = static_cast<double>(done) / static_cast<double>(total + 1);
    double used = (now() - began) / (until - began);
    if (used > share + 0.02 && stride < kMaxStride) stride *= 2;
    else if (used < share - 0.05 && stride > 1) stride /= 2;
  }
  return true;
}

bool run_mutations(const std::vector<Seed>& seeds, uint64_t seed_number, double until, size_t* runs) {
  Random random(seed_number);
  while (now() < until) {
    const Seed& seed = seeds[random.below(seeds.size())];
    const Seed& other = seeds[random.below(seeds.size())];
    std::string mutant = mutate(seed.text, other.text, seed.kind, random);
    if (!check(mutant, seed.kind)) return fprintf(stderr, "btc-fuzz: mutation %zu, from %s\n", *runs, seed.path.c_str()), false;
    ++*runs;
  }
  return true;
}

int run(int argc, char** argv) {
  double seconds = 60;
  uint64_t seed_number = 1;
  bool prefixes = true, one = false;
  std::vector<std::string> paths;
  for (int i = 1; i < argc; i++) {
    if (!strcmp(argv[i], "--seconds") && i + 1 < argc) seconds = atof(argv[++i]);
    else if (!strcmp(argv[i], "--seed") && i + 1 < argc) seed_number = strtoull(argv[++i], nullptr, 0);
    else if (!strcmp(argv[i], "--no-prefixes")) prefixes = false;
    else if (!strcmp(argv[i], "--one")) one = true;
    else paths.push_back(argv[i]);
  }
  std::vector<Seed> seeds = read_seeds(paths);
  if (seeds.empty()) return fprintf(stderr, "btc-fuzz: no .bt or .bir file in what was given\n"), 2;
  signal(SIGALRM, on_hang);
  signal(SIGABRT, on_abort);
#ifdef BTC_HAS_SANITIZER
  __sanitizer_set_death_callback(save_input);
#endif
  if (one) {
    bool ok = std::all_of(seeds.begin(), seeds.end(), [](const Seed& seed) { return check(seed.text, seed.kind); });
    return ok ? 0 : 1;
  }
  double began = now();
  size_t prefix_runs = 0, mutation_runs = 0;
  bool ok = !prefixes || run_prefixes(seeds, began + seconds / 2, &prefix_runs);
  ok = ok && run_mutations(seeds, seed_number, std::max(began + seconds, now() + seconds / 4), &mutation_runs);
  printf("btc-fuzz: %zu seeds, %zu prefixes, %zu mutations in %.0f s: %s\n", seeds.size(), prefix_runs, mutation_runs, now() - began,
         ok ? "nothing found" : "FAILED");
  return ok ? 0 : 1;
}

}  // namespace
}  // namespace btc::fuzz

int main(int argc, char** argv) { return btc::fuzz::run(argc, argv); }
