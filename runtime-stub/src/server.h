// What `--listen` needs: something that answers HTTP while the run goes on. Only the
// stub for `btc compile --with=listen` links an implementation (listen.cpp);
// stub_main.cpp hands it over, so no other artifact carries a server.
#pragma once

#include <functional>
#include <memory>
#include <string>
#include <string_view>

namespace btc::rt {

class Server {
 public:
  virtual ~Server() = default;
  // `address`: ADDR:PORT, [ADDR6]:PORT or PORT (of 127.0.0.1); port 0 takes a free one. `url`: where it answers. False: `error` says why.
  virtual bool open(std::string_view address, std::string* url, std::string* error) = 0;
  // Readable when serve() has work. serve() never waits; called at every round of the event loop, it also drops clients that stall.
  virtual int fd() const = 0;
  virtual void serve(const std::function<std::string()>& metrics) = 0;
};

std::unique_ptr<Server> make_server();

}  // namespace btc::rt
