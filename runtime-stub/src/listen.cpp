// The OpenMetrics endpoint of artifacts compiled --with=listen: GET /metrics, nothing else.
//
// One request per connection, answered from the event loop without ever waiting: all sockets are non-blocking and sit in an
// epoll set of their own, which the loop watches as one descriptor. Clients are not trusted: 16 at a time, 8 KiB of request,
// five seconds each. No TLS and no authentication: listen on a loopback address and let a proxy do those.
#include <algorithm>
#include <arpa/inet.h>
#include <cerrno>
#include <netinet/in.h>
#include <strings.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <unistd.h>
#include <vector>

#include "runtime-stub/src/schedule.h"
#include "runtime-stub/src/server.h"
#include "runtime-stub/src/support.h"

namespace btc::rt {
namespace {

constexpr size_t kMaxClients = 16, kMaxRequest = 8192;
constexpr uint64_t kClientMs = 5000;

struct Client {
  Fd socket;
  uint64_t deadline = 0;
  std::string request, answer;
  size_t sent = 0;
};

union Address {
  sockaddr any;
  sockaddr_in v4;
  sockaddr_in6 v6;
};

// "127.0.0.1:9435", "[::1]:9435", "9435".
bool parse_address(std::string_view text, Address* out, socklen_t* size) {
  size_t colon = text.rfind(':');
  std::string_view port_text = colon == std::string_view::npos ? text : text.substr(colon + 1);
  std::string host(colon == std::string_view::npos ? "127.0.0.1" : text.substr(0, colon));
  uint64_t port = 0;
  if (!parse_u64(port_text, &port) || port > 65535) return false;
  *out = {};
  if (host.size() > 2 && host.front() == '[' && host.back() == ']') {
    host = host.substr(1, host.size() - 2);
    out->v6.sin6_family = AF_INET6;
    out->v6.sin6_port = htons(static_cast<uint16_t>(port));
    *size = sizeof out->v6;
    return ::inet_pton(AF_INET6, host.c_str(), &out->v6.sin6_addr) == 1;
  }
  out->v4.sin_family = AF_INET;
  out->v4.sin_port = htons(static_cast<uint16_t>(port));
  *size = sizeof out->v4;
  return ::inet_pton(AF_INET, host.c_str(), &out->v4.sin_addr) == 1;
}

std::string url_of(int socket) {
  Address address{};
  socklen_t size = sizeof address;
  ::getsockname(socket, &address.any, &size);
  char host[INET6_ADDRSTRLEN] = "";
  bool v6 = address.any.sa_family == AF_INET6;
  ::inet_ntop(address.any.sa_family, v6 ? static_cast<void*>(&address.v6.sin6_addr) : &address.v4.sin_addr, host, sizeof host);
  return cat("http://", v6 ? "[" : "", host, v6 ? "]" : "", ":", ntohs(v6 ? address.v6.sin6_port : address.v4.sin_port), "/metrics");
}

std::string response(std::string_view status, std::string_view type, std::string_view body, bool with_body = true) {
  std::string head = cat("HTTP/1.1 ", status, "\r\nContent-Type: ", type, "\r\nContent-Length: ", body.size(), "\r\nConnection: close\r\n\r\n");
  return with_body ? cat(head, body) : head;
}

// Prometheus asks for OpenMetrics in Accept; older readers get its older text format. The exposition is valid as both.
bool accepts_openmetrics(std::string_view headers) {
  bool found = false;
  for_each_line(headers, [&](std::string_view line) {
    constexpr std::string_view kAccept = "accept:";
    if (line.size() > kAccept.size() && ::strncasecmp(line.data(), kAccept.data(), kAccept.size()) == 0)
      found |= line.find("application/openmetrics-text") != std::string_view::npos;
    return true;
  });
  return found;
}

std::string answer(std::string_view request, const std::function<std::string()>& metrics) {
  constexpr std::string_view kPlain = "text/plain; charset=utf-8";
  std::string_view line = request.substr(0, request.find('\r'));
  std::string_view method = next_word(line), target = next_word(line), protocol = trim(line);
  if (!protocol.starts_with("HTTP/1.")) return response("400 Bad Request", kPlain, "not an HTTP/1 request\n");
  bool head = method == "HEAD";
  if (method != "GET" && !head) return response("405 Method Not Allowed", kPlain, "only GET is served\n");
  target = target.substr(0, target.find('?'));
  if (target != "/metrics") return response("404 Not Found", kPlain, "metrics are at /metrics\n", !head);
  return response("200 OK", accepts_openmetrics(request) ? "application/openmetrics-text; version=1.0.0; charset=utf-8" : "text/plain; version=0.0.4; charset=utf-8",
                  metrics(), !head);
}

class Listener final : public Server {
 public:
  bool open(std::string_view address, std::string* url, std::string* error) override;
  int fd() const override { return epoll_.get(); }
  void serve(const std::function<std::string()>& metrics) override;

 private:
  void accept_clients();
  bool step(Client& client, const std::function<std::string()>& metrics);

  Fd epoll_, socket_;
  std::vector<Client> clients_;
};

bool Listener::open(std::string_view address, std::string* url, std::string* error) {
  Address where{};
  socklen_t size = 0;
  if (!parse_address(address, &where, &size)) {
    *error = cat("--listen takes ADDRESS:PORT, not '", address, "'");
    return false;
  }
  int on = 1;
  epoll_ = Fd(::epoll_create1(EPOLL_CLOEXEC));
  socket_ = Fd(::socket(where.any.sa_family, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0));
  if (socket_) ::setsockopt(socket_.get(), SOL_SOCKET, SO_REUSEADDR, &on, sizeof on);
  epoll_event event{};
  event.events = EPOLLIN | EPOLLET;                         // serve() accepts at every round: no busy loop when descriptors run out
  if (!epoll_ || !socket_ || ::bind(socket_.get(), &where.any, size) != 0 || ::listen(socket_.get(), 16) != 0 ||
      ::epoll_ctl(epoll_.get(), EPOLL_CTL_ADD, socket_.get(), &event) != 0) {
    *error = cat("cannot listen on ", address, ": ", error_text(errno));
    return false;
  }
  *url = url_of(socket_.get());
  return true;
}

void Listener::accept_clients() {
  while (true) {
    Fd socket(::accept4(socket_.get(), nullptr, nullptr, SOCK_NONBLOCK | SOCK_CLOEXEC));
    if (!socket) return;
    if (clients_.size() >= kMaxClients) continue;            // closed: come back later
    epoll_event event{};
    event.events = EPOLLIN | EPOLLOUT | EPOLLET;
    ::epoll_ctl(epoll_.get(), EPOLL_CTL_ADD, socket.get(), &event);
    Client& client = clients_.emplace_back();
    client.socket = std::move(socket);
    client.deadline = monotonic_ms() + kClientMs;
  }
}

// Goes on with one client as far as its socket allows. False: it is done.
bool Listener::step(Client& client, const std::function<std::string()>& metrics) {
  char bytes[2048];
  while (client.answer.empty()) {
    ssize_t n = ::recv(client.socket.get(), bytes, sizeof bytes, 0);
    if (n < 0) return errno == EAGAIN || errno == EINTR;
    if (n == 0) return false;
    client.request.append(bytes, static_cast<size_t>(n));
    if (client.request.find("\r\n\r\n") != std::string::npos) client.answer = answer(client.request, metrics);
    else if (client.request.size() > kMaxRequest) client.answer = response("431 Request Header Fields Too Large", "text/plain", "");
  }
  while (client.sent < client.answer.size()) {
    ssize_t n = ::send(client.socket.get(), client.answer.data() + client.sent, client.answer.size() - client.sent, MSG_NOSIGNAL);
    if (n < 0) return errno == EAGAIN || errno == EINTR;
    client.sent += static_cast<size_t>(n);
  }
  ::shutdown(client.socket.get(), SHUT_WR);
  return false;
}

void Listener::serve(const std::function<std::string()>& metrics) {
  epoll_event events[kMaxClients + 1];
  ::epoll_wait(epoll_.get(), events, kMaxClients + 1, 0);   // takes the edges; whom they are from does not matter, there are few
  accept_clients();
  uint64_t now = monotonic_ms();
  std::erase_if(clients_, [&](Client& client) { return now > client.deadline || !step(client, metrics); });
}

}  // namespace

std::unique_ptr<Server> make_server() { return std::unique_ptr<Server>(new Listener); }

}  // namespace btc::rt
